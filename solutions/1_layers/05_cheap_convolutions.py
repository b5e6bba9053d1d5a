# %% [markdown]
# # Cheap convolutions
#
# {badge}
#
# {cover}
#
# A convolution looks at neighbouring pixels and mixes channels, both at once. The layers of this lesson do one
# at a time, or mix fewer channels. You will build them, count what they cost, and measure whether they are as
# fast as they are cheap.
#
# About 90 minutes, {points} points.

# %% cover="What one filter reads of four channels: ordinary, in 2 groups, depthwise, 1 x 1; 36, 18, 9 and 4 weights."
import matplotlib.pyplot as plt
import numpy as np

middle = slice(1, 4)
seen = {name: np.zeros((4, 5, 5), bool) for name in ("ordinary", "in 2 groups", "depthwise", "1 x 1")}
seen["ordinary"][:, middle, middle] = True
seen["in 2 groups"][:2, middle, middle] = True
seen["depthwise"][0, middle, middle] = True
seen["1 x 1"][:, 2, 2] = True
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.set(xlim=(-5.6, 33), ylim=(25.2, -2.2), aspect="equal")
axes.axis("off")
for channel in range(4):
    axes.text(-0.7, 6 * channel + 2.5, f"channel {channel}", ha="right", va="center", fontsize=12)
axes.text(-0.7, 24.9, "weights", ha="right", fontsize=12)
for number, (name, reads) in enumerate(seen.items()):
    left = 8.6 * number + 0.6
    axes.text(left + 2.5, -0.9, name, ha="center", fontsize=13)
    for channel, row, column in np.ndindex(reads.shape):
        colour = "#3b6ea8" if reads[channel, row, column] else "white"
        corner = (left + column, 6 * channel + row)
        axes.add_patch(plt.Rectangle(corner, 1, 1, facecolor=colour, edgecolor="#9aa5b1", linewidth=0.8))
    axes.text(left + 2.5, 24.9, f"{reads.sum()}", ha="center", fontsize=13)

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import numpy as np

from cnnlab import answer, check, data, layers, plot, written

# %% [markdown]
# ## Who sees what
#
# | layer | sees neighbours | mixes channels |
# |---|---|---|
# | ordinary | yes | all |
# | 1 x 1 | no | all |
# | grouped | yes | within a group |
# | depthwise | yes | none |

# %% [markdown]
# ## One pixel at a time
#
# A 1 x 1 convolution turns the $C$ values of a pixel into $F$ new ones, with the same $w$ of shape $(F, C)$ at
# every pixel:
#
# $$z_{n,f,i,j} = b_f + \sum_c w_{f,c}\; x_{n,c,i,j}$$
#
# With the pixels as columns, that is one matrix product: where a window is a pixel, an image $(C, HW)$ is its
# own im2col, and nothing needs to be copied.

# %% show="Draw a 1 x 1 convolution: pixels as columns, times two filters"
x = np.array([[[1, 2, 0], [3, 1, 1]], [[0, 1, 4], [2, 2, 0]], [[5, 0, 1], [1, 3, 2]]])  # (3, 2, 3)
w = np.array([[1, 1, 1], [1, -1, 0]])
pixel = np.zeros((2, 3), bool)
pixel[0, 2] = True
column = np.arange(6) == 2
plot.show_grids(
    [*x, x.reshape(3, 6), w, w @ x.reshape(3, 6)],
    ["channel 0", "channel 1", "channel 2", "pixels as columns", "w: two filters", "w times pixels"],
    [pixel, pixel, pixel, np.tile(column, (3, 1)), None, np.tile(column, (2, 1))],
    columns=3,
)

# %% [markdown]
# ### Exercise: 1 x 1, forward ({points:conv1x1_forward} points, 6 minutes)
#
# `@` multiplies stacks of matrices: $(F, C)$ by $(N, C, L)$ gives $(N, F, L)$. `reshape` can merge the last
# two axes into one and part them again; it never moves an axis.


# %% exercise="conv1x1_forward"
@answer
def conv1x1_forward(x, w, b):
    """Mix the channels of every pixel.

    x: (N, C, H, W); w: (F, C); b: (F,). Returns y, (N, F, H, W) of the dtype of x;
    y[n, f, i, j] = b[f] + sum over c of w[f, c] * x[n, c, i, j].
    Source: Lin, Chen and Yan, Network in network, arXiv 1312.4400.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    y = w @ x.reshape(n, c, height * width)  # (N, F, H*W)
    y += b[:, None]
    return y.reshape(n, len(w), height, width)
    # END SOLUTION


# %% check="conv1x1_forward"
check(conv1x1_forward)

# %% [markdown]
# Three filters on a photograph: one fuses the colours to grey, two compare them. Scramble the pixels first,
# and the result is scrambled alike.

# %% show="Draw a photograph's colours mixed by three filters, and its pixels scrambled"
if written(conv1x1_forward):
    photo = data.photo().transpose(2, 0, 1)[None]  # (1, 3, H, W)
    w = np.array([[0.299, 0.587, 0.114], [1, -1, 0], [0.5, 0.5, -1]])
    maps = conv1x1_forward(photo, w, np.zeros(3))
    order = np.random.default_rng(0).permutation(photo[0, 0].size)

    def scramble(images):
        return images.reshape(*images.shape[:2], -1)[:, :, order].reshape(images.shape)

    of_scrambled = conv1x1_forward(scramble(photo), w, np.zeros(3))
    plot.show_images(
        [photo[0].transpose(1, 2, 0), *maps[0], scramble(photo)[0].transpose(1, 2, 0), of_scrambled[0, 1]],
        ["photograph", "grey", "red minus green", "yellow minus blue", "scrambled", "its red minus green"],
        signed=[False, False, True, True, False, True],
        columns=3,
    )
    same = np.allclose(of_scrambled, scramble(maps))
    print("Scrambling before or after is", "the same." if same else "not the same: is it pixel by pixel?")

# %% [markdown]
# ## Backwards
#
# `dout` is the gradient of the loss with respect to $Z$. In one image, with pixels $p$ as columns,
# $z_{f,p} = b_f + \sum_c w_{f,c}\, x_{c,p}$; ask what each number touched.
#
# - $x_{c,p}$ went into $z_{f,p}$ of every filter, times $w_{f,c}$, so $dX = W^\top dZ$.
# - $w_{f,c}$ met $x_{c,p}$ at every pixel of every image, so $dW = \sum_n dZ_n X_n^\top$.
# - $b_f$ was added at every pixel of every image, so $db$ sums over both.
#
# ### Exercise: 1 x 1, backward ({points:conv1x1_backward} points, 10 minutes)


# %% exercise="conv1x1_backward"
@answer
def conv1x1_backward(dout, x, w, b):
    """Find the gradients of conv1x1_forward.

    dout: (N, F, H, W), the gradient of y; x: (N, C, H, W); w: (F, C); b: (F,).
    Returns dx, dw, db, shaped like x, w and b: per image dX = w.T dZ, with pixels as columns;
    dw = sum over images of dZ X.T; db = sum of dout over images and pixels.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    pixels = x.reshape(n, c, height * width)
    dz = dout.reshape(n, len(w), height * width)
    dx = w.T @ dz  # (N, C, H*W)
    dw = (dz @ pixels.transpose(0, 2, 1)).sum(axis=0)  # from (N, F, C), one for each image
    return dx.reshape(x.shape), dw, dz.sum(axis=(0, 2))
    # END SOLUTION


# %% check="conv1x1_backward"
check(conv1x1_backward)

# %% [markdown]
# `layers.conv2d_forward`, your function from lesson 02, can do this too. (Until you have written it, a stand-in
# takes its place and says so.)


# %% show="Time three ways to mix channels"
def seconds(function, *arguments, repetitions=7):
    """Time a call: the shortest of the repetitions, for whatever else the machine does only adds to it."""
    from time import perf_counter

    times = []
    for _ in range(repetitions):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return min(times)


def pixel_by_pixel(x, w, b):
    """The definition: one small product for every pixel."""
    y = np.empty((len(x), len(w), *x.shape[2:]), x.dtype)
    for n, i, j in np.ndindex(len(x), *x.shape[2:]):
        y[n, :, i, j] = w @ x[n, :, i, j] + b
    return y


if written(conv1x1_forward):
    rng = np.random.default_rng(0)
    x, w, b = (rng.random(shape, "float32") for shape in [(4, 256, 28, 28), (64, 256), 64])
    times = {
        "pixel by pixel": seconds(pixel_by_pixel, x, w, b),
        "conv2d_forward": seconds(layers.conv2d_forward, x, w[:, :, None, None], b),
        "conv1x1_forward": seconds(conv1x1_forward, x, w, b),
    }
    plot.bar_times(times, f"{x.shape[1]} channels to {len(w)} on {len(x)} images of 28 x 28")

# %% [markdown]
# ## What a layer costs
#
# Each of the $F\, O_H O_W$ outputs takes one **multiply-add** for every tap of its filter in every channel that
# the filter reads. With $G$ **groups** (below; mostly 1) it reads $C/G$ channels:
#
# $$\text{multiply-adds} = F \cdot O_H O_W \cdot \frac{C}{G} \cdot K_H K_W$$
#
# Without $O_H O_W$ this is the number of weights, which all positions share; some notes mix the two up. Three
# helpers read the settings, as in lesson 02:


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def sides(padding):
    """Turn a padding p, (h, w) or ((top, bottom), (left, right)) into the last, longest form."""
    rows, columns = pair(padding)
    return pair(rows), pair(columns)


def out_shape(image, kernel, stride=1, padding=0):
    """Return (OH, OW) of a convolution over images (H, W); ValueError where the kernel does not fit."""
    lengths = [size + sum(side) for size, side in zip(image, sides(padding), strict=True)]
    spare = [length - k for length, k in zip(lengths, pair(kernel), strict=True)]
    if min(spare) < 0:
        raise ValueError(f"a kernel of {pair(kernel)} does not fit into a padded image of {tuple(lengths)}")
    return tuple(room // s + 1 for room, s in zip(spare, pair(stride), strict=True))


# %% [markdown]
# ### Exercise: multiply-adds ({points:macs} points, 8 minutes)


# %% exercise="macs"
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    """Count the multiply-adds of a convolution on one image.

    in_shape: (C, H, W); filters: int; kernel, stride: int or (h, w); padding: int, (h, w) or ((top, bottom),
    (left, right)); groups: int, divides C and filters. Returns count, an int,
    filters * OH * OW * (C / groups) * KH * KW. Those with the zeros of the padding count, biases do not.
    """
    # BEGIN SOLUTION
    channels, *image = in_shape
    kh, kw = pair(kernel)
    oh, ow = out_shape(image, kernel, stride, padding)
    return filters * oh * ow * (channels // groups) * kh * kw
    # END SOLUTION


# %% check="macs"
check(macs)

# %% [markdown]
# ## The bottleneck
#
# The cost of a 3 x 3 layer grows with its channels, in times out. So narrow the channels with a 1 x 1 layer,
# work on the narrow maps, and widen again:
#
# 1. a 1 x 1 layer from `channels` to `reduced`,
# 2. a 3 x 3 layer from `reduced` to `reduced`,
# 3. a 1 x 1 layer from `reduced` back to `channels`.
#
# ### Exercise: parameters of a bottleneck ({points:bottleneck_parameters} points, 5 minutes)


# %% exercise="bottleneck_parameters"
@answer
def bottleneck_parameters(channels, reduced, kernel=3, bias=False):
    """Count the parameters of a bottleneck: 1x1 down, a convolution in between, 1x1 up.

    channels, reduced: int; kernel: int or (h, w), of the middle layer; bias: bool, whether each layer has one
    bias for each of its filters. Returns count, an int.
    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, arXiv 1512.03385.
    """
    # BEGIN SOLUTION
    kh, kw = pair(kernel)
    weights = channels * reduced + reduced * reduced * kh * kw + reduced * channels
    biases = reduced + reduced + channels
    return weights + (biases if bias else 0)
    # END SOLUTION


# %% check="bottleneck_parameters"
check(bottleneck_parameters)

# %% [markdown]
# The price: 256 values of a pixel must pass through 64. The two 1 x 1 layers alone make a matrix of rank 64 at
# most.

# %% show="Print what bottlenecks save, and the rank of the matrix"
if written(bottleneck_parameters, macs):
    plain, narrow = 256 * 3 * 3 * 256, bottleneck_parameters(256, 64)
    print(f"3 x 3 from 256 to 256: {plain:,} weights (some notes say {256 * 8 * 256:,}, a slip)")
    print(f"bottleneck 256-64-64-256: {narrow:,}, {plain / narrow:.2f} times fewer")
    wide = macs((256, 14, 14), 256, 3, padding=1)
    steps = [macs((256, 14, 14), 64, 1), macs((64, 14, 14), 64, 3, padding=1), macs((64, 14, 14), 256, 1)]
    print(f"multiply-adds on 14 x 14: {wide:,} against {sum(steps):,}, {wide / sum(steps):.2f} times fewer")
    for reduced in (16, 32, 64, 128, 256):
        times = plain / bottleneck_parameters(256, reduced)
        print(f"reduced to {reduced:3}: {times:6.2f} times fewer weights")
    rng = np.random.default_rng(0)
    down, up = rng.normal(size=(64, 256)), rng.normal(size=(256, 64))
    print(f"rank of up times down, a {(up @ down).shape} matrix: {np.linalg.matrix_rank(up @ down)}")

# %% [markdown]
# ## Groups
#
# Cut the channels into $G$ equal runs, and the filters too; the filters of a run read only the channels of
# the same run. Some layers of AlexNet did so, to spread over two GPUs. $w$ has the shape
# $(F,\ C/G,\ K_H,\ K_W)$: $G$ times fewer weights and multiply-adds.
#
# As a matrix, with a row for each filter and a column for each channel, $w$ is **block-diagonal**. (Below, 1 x 1
# layers; in others each square holds a kernel.)


# %% show="Draw the matrices of layers in 1, 2, 4 and 8 groups"
def as_matrix(w, groups):
    """Put the weights (F, C/G) of a grouped 1x1 layer into the (F, C) matrix of an ungrouped one."""
    filters, read = w.shape
    matrix = np.zeros((filters, read * groups))
    for f in range(filters):
        first = f // (filters // groups) * read  # the first channel that filter f reads
        matrix[f, first : first + read] = w[f]
    return matrix


rng = np.random.default_rng(3)
plot.show_images(
    [as_matrix(rng.normal(size=(8, 8 // groups)), groups) for groups in (1, 2, 4, 8)],
    ["1 group", "2 groups", "4 groups", "8 groups: depthwise"],
    signed=True,
)

# %% [markdown]
# ### Exercise: grouped convolution ({points:grouped_conv2d_forward} points, 10 minutes)
#
# A group is an ordinary convolution of its own channels with its own filters and biases: for each, call
# `layers.conv2d_forward(x, w, b, stride, padding)`, and join what comes back along the channels with
# `np.concatenate`. Grading calls your own `conv2d_forward`.


# %% exercise="grouped_conv2d_forward"
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    """Convolve each group of channels with the filters of that group.

    x: (N, C, H, W); w: (F, C/groups, KH, KW); b: (F,); groups: int, divides C and F; stride: int or (h, w);
    padding: int, (h, w) or ((top, bottom), (left, right)). Returns y, (N, F, OH, OW) of the dtype of x:
    filters g*F/groups to (g+1)*F/groups read channels g*C/groups to (g+1)*C/groups.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks,
    2012.
    """
    # BEGIN SOLUTION
    filters, read = w.shape[:2]
    parts = []
    for g in range(groups):
        channels = slice(g * read, (g + 1) * read)
        mine = slice(g * filters // groups, (g + 1) * filters // groups)
        parts.append(layers.conv2d_forward(x[:, channels], w[mine], b[mine], stride, padding))
    return np.concatenate(parts, axis=1)
    # END SOLUTION


# %% check="grouped_conv2d_forward"
check(grouped_conv2d_forward)

# %% [markdown]
# However many grouped layers follow each other, groups never meet. A **channel shuffle** in between deals the
# channels out anew, by a reshape and a transpose. Below, a row is an output, a column an input.

# %% show="Draw which inputs grouped layers connect, with and without a shuffle"
if written(grouped_conv2d_forward):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 9, 3, 1, 1))
    each = np.eye(9)[:, :, None, None]  # (9, 9, 1, 1): nine images, each with one channel at 1

    def shuffled(x, groups):
        n, c, height, width = x.shape
        return x.reshape(n, groups, c // groups, height, width).transpose(0, 2, 1, 3, 4).reshape(x.shape)

    hidden = grouped_conv2d_forward(each, first, np.zeros(9), groups=3)
    without = grouped_conv2d_forward(hidden, second, np.zeros(9), groups=3)
    between = grouped_conv2d_forward(shuffled(hidden, 3), second, np.zeros(9), groups=3)
    plot.show_images(
        [y[:, :, 0, 0].T for y in (hidden, without, between)],
        ["one layer in 3 groups", "two layers", "two, shuffled in between"],
        signed=True,
    )
    links = [np.count_nonzero(y) for y in (hidden, without, between)]
    print("inputs that an output depends on, of 9:", *(count // 9 for count in links))
    print("order of the channels after a shuffle:", *shuffled(np.arange(9).reshape(1, 9, 1, 1), 3).ravel())
    blocks = as_matrix(first[:, :, 0, 0], 3)[:, :, None, None]
    x, b = rng.normal(size=(2, 9, 5, 4)), np.zeros(9)
    ordinary, grouped = layers.conv2d_forward(x, blocks, b), grouped_conv2d_forward(x, first, b, groups=3)
    print(f"block-diagonal against grouped, largest difference: {np.abs(ordinary - grouped).max():.1g}")

# %% [markdown]
# ## Depthwise
#
# With as many groups as channels, nothing is summed over channels. With $M$ filters a channel, $w$ has the
# shape $(C, M, K_H, K_W)$, and the $M$ outputs of a channel are neighbours:
#
# $$z_{n,\,cM+m,\,i,\,j} = b_{cM+m} + \sum_u \sum_v x_{n,\,c,\,s_h i+u,\,s_w j+v}\; w_{c,m,u,v}$$
#
# with $x$ already padded (`np.pad` takes a pair for every axis). Matrix products would be tiny, so go tap by
# tap: for all outputs of a channel at once, tap $(u, v)$ reads one slice of $O_H \times O_W$ values, from row
# $u$ and column $v$ on, with the stride as its step. Multiply it by the number $w_{c,m,u,v}$, and add it to the
# output.

# %% [markdown]
# ## From slices to shifts
#
# Slices give all points; this part is for those who want speed. Take one channel of all images at a time, which
# fits into the cache. And avoid short rows: NumPy walks through a slice row by row, and starting a row takes
# time.
#
# A padded channel of $N$ images, each $H' \times W'$, is one long vector, `flat = padded.reshape(-1)`. The next
# column is one step on, the next row $W'$ steps, so tap $(u, v)$ reads $uW' + v$ steps after the corner of its
# window: a **shift**. One run, `flat[shift : shift + length]`, holds what it reads for all corners. That of the
# last tap must end inside:
#
# $$\text{length} = N H' W' - (K_H - 1)\, W' - (K_W - 1)$$
#
# Some corners have windows that leave the image and go on in the next row or image. Let their sums come: add
# up the runs, each times its weight, in an array shaped like `padded`. At the end one slice, with the strides
# as its steps, takes the outputs only.

# %% show="Draw what one tap reads: a slice of each image, and one run of memory"
padded = np.arange(24).reshape(2, 3, 4)  # a channel of two padded images; each number is its place in memory
flat, wide = padded.reshape(-1), padded.shape[2]
u, v = 1, 1  # the last tap of a 2 x 2 kernel
shift = u * wide + v
length = flat.size - shift
slices = np.zeros(padded.shape, bool)
slices[:, u:, v:] = True
run = np.arange(flat.size) >= shift
total = np.zeros(flat.size, int)
total[:length] = flat[run]
kept = np.zeros(padded.shape, bool)
kept[:, :-u, :-v] = True
plot.show_grids([*padded], [f"image 0: what tap ({u}, {v}) reads", "image 1"], [*slices], columns=2)
plot.show_grids([flat], [f"end to end: one run of {length}, shifted by {u} times {wide} plus {v}"], [run])
titles = ["the run in image 0; marked: outputs", "in image 1"]
plot.show_grids([*total.reshape(padded.shape)], titles, [*kept], columns=2)

# %% [markdown]
# ### Exercise: depthwise, forward ({points:depthwise_conv2d_forward} points, 14 minutes)
#
# With shifts, make arrays once, before the loops: `np.multiply(run, number, out=product)` writes into `product`,
# which stays in the cache.


# %% exercise="depthwise_conv2d_forward"
@answer
def depthwise_conv2d_forward(x, w, b, stride=1, padding=0):
    """Convolve every channel with filters of its own.

    x: (N, C, H, W); w: (C, M, KH, KW), M filters for each channel; b: (C*M,); stride: int or (h, w);
    padding: int, (h, w) or ((top, bottom), (left, right)). Returns y, (N, C*M, OH, OW) of the dtype of x;
    y[n, c*M + m, i, j] = b[c*M + m] + sum over u, v of padded[n, c, sh*i + u, sw*j + v] * w[c, m, u, v].
    Source: Chollet, Xception, arXiv 1610.02357. Raises ValueError when a filter does not fit.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    _, per_channel, kh, kw = w.shape
    (sh, sw), ((top, bottom), (left, right)) = pair(stride), sides(padding)
    oh, ow = out_shape((height, width), (kh, kw), stride, padding)
    high, wide = top + height + bottom, left + width + right
    padded, total = np.zeros((2, n, high, wide), x.dtype)  # a channel of all images, and its sums
    flat = padded.reshape(-1)  # the same memory, rows end to end
    length = flat.size - (kh - 1) * wide - (kw - 1)  # of the longest run that every tap can read
    sums, product = total.reshape(-1)[:length], np.empty(length, x.dtype)
    y = np.empty((n, c * per_channel, oh, ow), x.dtype)
    for f in range(c * per_channel):
        k, m = divmod(f, per_channel)  # filter m of channel k
        padded[:, top : top + height, left : left + width] = x[:, k]
        sums[...] = b[f]
        for u, v in np.ndindex(kh, kw):
            shift = u * wide + v
            np.multiply(flat[shift : shift + length], w[k, m, u, v], out=product)
            sums += product
        y[:, f] = total[:, : sh * oh : sh, : sw * ow : sw]  # the sums whose windows lie inside
    return y
    # END SOLUTION


# %% check="depthwise_conv2d_forward"
check(depthwise_conv2d_forward)


# %% show="Time five ways to convolve each channel by itself"
def by_windows(x, w, b):
    """Window by window: stride 1, no padding, one filter a channel."""
    kh, kw = w.shape[2:]
    oh, ow = out_shape(x.shape[2:], (kh, kw))
    y = np.empty((*x.shape[:2], oh, ow), x.dtype)
    for i, j in np.ndindex(oh, ow):
        y[:, :, i, j] = (x[:, :, i : i + kh, j : j + kw] * w[:, 0]).sum(axis=(2, 3)) + b
    return y


def by_slices(x, w, b):
    """Tap by tap, a slice of the whole batch for each."""
    kh, kw = w.shape[2:]
    oh, ow = out_shape(x.shape[2:], (kh, kw))
    y = np.zeros((*x.shape[:2], oh, ow), x.dtype) + b[:, None, None]
    for u, v in np.ndindex(kh, kw):
        y += x[:, :, u : u + oh, v : v + ow] * w[:, 0, u, v, None, None]
    return y


def by_channels(x, w, b):
    """The same slices, one channel of all images at a time."""
    one = [slice(k, k + 1) for k in range(len(w))]
    return np.concatenate([by_slices(x[:, k], w[k], b[k]) for k in one], axis=1)


if written(depthwise_conv2d_forward, grouped_conv2d_forward):
    rng = np.random.default_rng(0)
    x, w, b = (rng.random(shape, "float32") for shape in [(16, 128, 34, 34), (128, 1, 3, 3), 128])
    times = {
        "window by window": seconds(by_windows, x, w, b, repetitions=2),
        "grouped, 128 groups": seconds(grouped_conv2d_forward, x, w, b, 128, repetitions=3),
        "slices of the batch": seconds(by_slices, x, w, b),
        "slices, by channel": seconds(by_channels, x, w, b),
        "depthwise_conv2d_forward": seconds(depthwise_conv2d_forward, x, w, b),
    }
    plot.bar_times(times, f"{x.shape} input, 3 x 3, depthwise")

# %% [markdown]
# ## Each tap backwards
#
# Where tap $(u, v)$ read slice $s$ of the padded channel $c$:
#
# - forwards, output $cM + m$ got $w_{c,m,u,v} \cdot \text{padded}[s]$;
# - so $dw_{c,m,u,v}$ is the sum of $dz \cdot \text{padded}[s]$ over images and positions,
# - and $\text{dpadded}[s]$ gets $w_{c,m,u,v} \cdot dz$ *added*: windows overlap, and all $M$ filters read it.
#
# Cut the padding off at the end: the $x$ inside begins at row `top` and column `left`.
#
# With shifts, $s$ is a run, and $dz$ must be as long. So **spread** `dout`: its values go into zeros shaped like
# `padded`, where the forward pass took its outputs. The zeros add nothing to $dw$ or $\text{dpadded}$, and
# $dw_{c,m,u,v}$ is a dot product, `dz @ flat[s]`.

# %% show="Draw how dout is spread for stride 2"
dout = np.array([[[1, 2]], [[3, 4]]])  # of the 2 x 2 kernel above with stride 2: 1 x 2 outputs for each image
spread = np.zeros((2, 3, 4), int)
spread[:, :2:2, :4:2] = dout
plot.show_grids([*spread], ["dout spread, stride 2: image 0", "image 1"], [*(spread > 0)], columns=2)

# %% [markdown]
# ### Exercise: depthwise, backward ({points:depthwise_conv2d_backward} points, 14 minutes)


# %% exercise="depthwise_conv2d_backward"
@answer
def depthwise_conv2d_backward(dout, x, w, b, stride=1, padding=0):
    """Find the gradients of depthwise_conv2d_forward.

    dout: (N, C*M, OH, OW), the gradient of y; the rest as in depthwise_conv2d_forward.
    Returns dx, dw, db, shaped like x, w and b: dw[c, m, u, v] = sum over n, i, j of
    dout[n, c*M + m, i, j] * padded[n, c, sh*i + u, sw*j + v]; dx collects dout * w where the windows read it;
    db = sum of dout over images and positions.
    """
    # BEGIN SOLUTION
    n, _, height, width = x.shape
    _, per_channel, kh, kw = w.shape
    oh, ow = dout.shape[2:]
    (sh, sw), ((top, bottom), (left, right)) = pair(stride), sides(padding)
    high, wide = top + height + bottom, left + width + right
    padded, dpadded, spread = np.zeros((3, n, high, wide), x.dtype)
    flat, dflat = padded.reshape(-1), dpadded.reshape(-1)
    length = flat.size - (kh - 1) * wide - (kw - 1)
    dz, product = spread.reshape(-1)[:length], np.empty(length, x.dtype)
    dx, dw = np.empty_like(x), np.empty_like(w)
    for k in range(len(w)):
        padded[:, top : top + height, left : left + width] = x[:, k]
        dpadded[...] = 0
        for m in range(per_channel):
            spread[:, : sh * oh : sh, : sw * ow : sw] = dout[:, k * per_channel + m]
            for u, v in np.ndindex(kh, kw):
                run = slice(u * wide + v, u * wide + v + length)
                dw[k, m, u, v] = dz @ flat[run]
                np.multiply(dz, w[k, m, u, v], out=product)
                dflat[run] += product
        dx[:, k] = dpadded[:, top : top + height, left : left + width]
    return dx, dw, dout.sum(axis=(0, 2, 3))
    # END SOLUTION


# %% check="depthwise_conv2d_backward"
check(depthwise_conv2d_backward)

# %% [markdown]
# ## Depthwise separable
#
# A depthwise layer and then a 1 x 1 layer do both jobs, one after the other: that is a **depthwise separable**
# convolution. (The second must mix channels, so it is 1 x 1, not 3 x 3 on single channels.) For one output
# position, with $C$ channels in and $F$ out:
#
# - ordinary: $F\, C\, K_H K_W$ multiply-adds,
# - separable: $C\, K_H K_W$, then $F\, C$.
#
# ### Exercise: the cost ratio ({points:separable_cost_ratio} points, 5 minutes)
#
# Divide the second by the first. What is left of $C$?


# %% exercise="separable_cost_ratio"
@answer
def separable_cost_ratio(filters, kernel):
    """Compare a depthwise separable convolution with an ordinary one: its multiply-adds over theirs.

    filters: int, the output channels F; kernel: int or (h, w). Returns ratio, a float,
    1/F + 1/(KH*KW), below 1 where the separable one is cheaper.
    Source: Howard and others, MobileNets, arXiv 1704.04861.
    """
    # BEGIN SOLUTION
    kh, kw = pair(kernel)
    return 1 / filters + 1 / (kh * kw)
    # END SOLUTION


# %% check="separable_cost_ratio"
check(separable_cost_ratio)

# %% [markdown]
# Some notes call $1/F + 1/K^2$ the improvement, but it is the share of the cost that is left. Its inverse says
# how many times cheaper the layer is.

# %% show="Print the cost ratio for six settings, and one counted by macs"
if written(separable_cost_ratio, macs):
    print("filters  kernel   ratio  times cheaper")
    for filters, kernel in [(16, 3), (64, 3), (256, 3), (1024, 3), (256, 5), (256, 7)]:
        ratio = separable_cost_ratio(filters, kernel)
        print(f"{filters:7} {kernel:7} {ratio:7.3f} {1 / ratio:14.2f}")
    ordinary = macs((128, 28, 28), 256, 3, padding=1)
    separable = macs((128, 28, 28), 128, 3, padding=1, groups=128) + macs((128, 28, 28), 256, 1)
    print(f"counted by macs, 128 channels to 256: {separable:,} / {ordinary:,} = {separable / ordinary:.3f}")

# %% [markdown]
# ## Cheap, but fast?
#
# *Promised* are the multiply-adds and *measured* is the time on your machine, as shares of the ordinary
# layer's. The last column divides the multiply-adds by the numbers that a layer must at least move: input,
# weights and output.

# %% show="Time five layers, and compare with what their multiply-adds promise"
if written(macs, conv1x1_forward, grouped_conv2d_forward, depthwise_conv2d_forward):
    rng = np.random.default_rng(0)
    sizes = [(4, 128, 32, 32), (128, 128, 3, 3), (128, 32, 3, 3), (128, 1, 3, 3), (128, 128), 128]
    x, full, quarter, own, mix, b = (rng.random(size, "float32") for size in sizes)

    def separable(x):
        return conv1x1_forward(depthwise_conv2d_forward(x, own, b, 1, 1), mix, b)

    ways = {
        "ordinary 3 x 3": lambda: layers.conv2d_forward(x, full, b, 1, 1),
        "3 x 3 in 4 groups": lambda: grouped_conv2d_forward(x, quarter, b, 4, 1, 1),
        "1 x 1": lambda: conv1x1_forward(x, mix, b),
        "depthwise 3 x 3": lambda: depthwise_conv2d_forward(x, own, b, 1, 1),
        "depthwise separable": lambda: separable(x),
    }
    shape = x.shape[1:]
    pointwise, depthwise = macs(shape, 128, 1), macs(shape, 128, 3, 1, 1, groups=128)
    counts = [macs(shape, 128, 3, 1, 1), macs(shape, 128, 3, 1, 1, groups=4), pointwise, depthwise]
    counts.append(depthwise + pointwise)
    maps = 2 * x.size
    moved = [maps + full.size, maps + quarter.size, maps + mix.size, maps + own.size]
    moved.append(2 * maps + own.size + mix.size)
    times = {name: seconds(way) for name, way in ways.items()}
    plot.bar_times(times, "from 128 channels to 128 on four 32 x 32 images")
    print(f"{'':20} promised  measured  10^9 multiply-adds/s  multiply-adds per number moved")
    slowest = times["ordinary 3 x 3"]
    for (name, time), count, numbers in zip(times.items(), counts, moved, strict=True):
        total = count * len(x)
        shares = f"{count / counts[0]:9.1%} {time / slowest:9.1%}"
        print(f"{name:19} {shares} {total / time / 1e9:21.1f} {total / numbers:31.1f}")

# %% [markdown]
# The ordinary layer does hundreds of multiply-adds for each number that it moves, the depthwise one a few, and
# much of its time goes into moving them. (Where a matrix product is absurdly slow, another program holds a core:
# run the cell again.)

# %% [markdown]
# ## Question: fewer multiply-adds, no less time ({points:why_not_faster} points, 6 minutes)
#
# A depthwise 3 x 3 layer on 81 channels takes 1/9 of the multiply-adds of a 1 x 1 layer from 81 to 81. Why
# need it not be faster? Compare how many numbers the two read and write and how often each uses a number, and
# name one more reason, in how the two are programmed here.

# %% [markdown] question="why_not_faster" points=2
# ### BEGIN SOLUTION
# Time goes into arithmetic *and* into moving numbers between memory and processor. Both layers read the same
# input and write an output of the same size, so the depthwise layer moves as much as the 1 x 1 layer (but for
# a few weights). It uses each input 9 times, once for each tap; the 1 x 1 layer uses each 81 times, once for
# each filter. The 1 x 1 layer keeps the arithmetic units busy; the depthwise layer is done with a number soon
# and waits for the next, so its time is set by moving numbers, which it does not save.
#
# In NumPy the 1 x 1 layer is one matrix product, from a library that keeps blocks in the cache and uses the
# processor's widest instructions. The depthwise layer is a loop in Python over channels and nine taps,
# with two passes over the arrays for each, a multiplication and an addition, whose result is written and read
# again.
# ### END SOLUTION

# %% [markdown]
# ## A column, then a row
#
# If a kernel is a column times a row, $w_{u,v} = a_u\, r_v$, an $n \times 1$ convolution and then a
# $1 \times n$ one give the same map, with $2n$ multiply-adds for each value in place of $n^2$. Such a matrix has
# **rank** 1: all singular values but the first are zero. For any other, the first singular vectors give the
# closest one of rank 1. *Lost* is the length of the difference over the length of the kernel, a length being
# the root of the sum of squares.

# %% show="Print the ranks of four kernels, and draw the closest of rank 1"
bell = np.array([1.0, 4, 6, 4, 1]) / 16
kernels = {
    "Sobel": np.outer([1.0, 2, 1], [-1, 0, 1]),
    "binomial blur": np.outer(bell, bell),
    "Laplace": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "random": np.random.default_rng(0).normal(size=(5, 5)),
}
for name, kernel in kernels.items():
    values = np.linalg.svd(kernel, compute_uv=False)
    lost = np.sqrt((values[1:] ** 2).sum() / (values**2).sum())
    rank = np.linalg.matrix_rank(kernel)
    print(f"{name:14} rank {rank}, singular values {np.round(values, 2) + 0.0}, lost {lost:.0%}")
columns, values, rows = np.linalg.svd(kernels["random"])
closest = values[0] * np.outer(columns[:, 0], rows[0])
plot.show_images(
    [kernels["random"], closest, kernels["random"] - closest],
    ["a random kernel", "the closest of rank 1", "what is lost"],
    signed=True,
    size=1.8,
)

# %% [markdown]
# Your depthwise layer blurs a photograph both ways, each colour by itself.

# %% show="Time blurs in one step and in two, and draw them"
if written(depthwise_conv2d_forward):
    photo = data.photo().transpose(2, 0, 1)[None]  # (1, 3, H, W)
    zero = np.zeros(3)

    def at_once(x, bell):
        w = np.tile(np.outer(bell, bell), (3, 1, 1, 1))  # (3, 1, n, n): the same for each colour
        return depthwise_conv2d_forward(x, w, zero, 1, len(bell) // 2)

    def in_two_steps(x, bell):
        column, row = np.tile(bell[:, None], (3, 1, 1, 1)), np.tile(bell, (3, 1, 1, 1))
        half = depthwise_conv2d_forward(x, column, zero, 1, (len(bell) // 2, 0))
        return depthwise_conv2d_forward(half, row, zero, 1, (0, len(bell) // 2))

    print(" n    n x n   in two   promised  measured  largest difference")
    for n in (3, 5, 9, 17):
        bell = np.ones(1)
        for _ in range(n - 1):
            bell = np.convolve(bell, [0.5, 0.5])  # binomial weights, one more each time
        once, twice = at_once(photo, bell), in_two_steps(photo, bell)
        slow = seconds(at_once, photo, bell, repetitions=3)
        fast = seconds(in_two_steps, photo, bell, repetitions=3)
        times = f"{slow * 1e3:5.1f} ms {fast * 1e3:5.1f} ms"
        print(f"{n:2} {times} {2 * n / n**2:9.0%} {fast / slow:9.0%} {np.abs(once - twice).max():15.1g}")
    plot.show_images(
        [image[0].transpose(1, 2, 0) for image in (photo, once, twice)],
        ["photograph", f"{n} x {n}", f"{n} x 1, then 1 x {n}"],
    )

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# $n \times 1$ and $1 \times n$ layers: Szegedy and others, [*Rethinking the Inception architecture for computer
# vision*](https://arxiv.org/abs/1512.00567), on Inception-v3. Grouped 1 x 1 layers and shuffles: Zhang, Zhou, Lin and
# Sun, [*ShuffleNet*](https://arxiv.org/abs/1707.01083). Depthwise separable layers: Howard and others,
# [*MobileNets*](https://arxiv.org/abs/1704.04861). Bottlenecks: He, Zhang, Ren and Sun, [*Deep residual learning for
# image recognition*](https://arxiv.org/abs/1512.03385).

# %% [markdown] part="next"
# ## Where this goes
#
# A learned kernel need not be of rank 1, but a network can have $n \times 1$ and $1 \times n$ layers, as
# Inception-v3 does. ShuffleNet has grouped 1 x 1 layers and shuffles, MobileNet depthwise separable layers, a deep
# ResNet bottlenecks. Lesson 06 asks how far a stack of layers sees. Next: {next}.
