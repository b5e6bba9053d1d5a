# %% [markdown]
# # Convolution
#
# {badge}
#
# {cover}
#
# You will build the layer that convolutional networks are made of: first as loops that say exactly what it
# is, then as one matrix product that gives the same numbers much faster. With it you will filter a photograph
# and find handwritten digits in a scene. Each exercise is a function to write; the `check` below it says what
# is right and what is not yet.
#
# About 85 minutes, {points} points.

# %% cover="A photograph, a filter of 3 x 3 numbers, and the feature map that it makes: where the brightness changes."
import matplotlib.pyplot as plt
import numpy as np

from cnnlab import data

grey = data.photo()[24:168:2, 50:194:2] @ [0.299, 0.587, 0.114]  # (72, 72)
kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
windows = np.lib.stride_tricks.sliding_window_view(grey, (3, 3))  # (70, 70, 3, 3)
edges = np.einsum("ijuv,uv->ij", windows, kernel)
figure, panels = plt.subplots(1, 3, figsize=(7, 2.7), width_ratios=(3, 2, 3), layout="constrained")
panels[0].imshow(np.round(grey * 24), cmap="gray")
panels[1].imshow(kernel, cmap="RdBu_r", vmin=-5, vmax=5)
for (row, column), weight in np.ndenumerate(kernel):
    panels[1].text(column, row, f"{weight}", ha="center", va="center", fontsize=16)
panels[2].imshow(np.round(edges * 6), cmap="RdBu_r", vmin=-12, vmax=12)
for axes, title in zip(panels, ["image", "filter", "feature map"], strict=True):
    axes.set_title(title, fontsize=14)
    axes.set_xticks([])
    axes.set_yticks([])

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import numpy as np

from cnnlab import answer, check, data, plot, written

# %% [markdown]
# ## A window that slides
#
# Lay a short list of weights $w$, the **kernel**, over a signal $x$; multiply, add up, move one step, repeat:
#
# $$z_i = \sum_{u=0}^{K-1} x_{i+u}\, w_u$$
#
# Each output sees a few neighbours, and all use the same weights. The tinted cells below make the tinted
# output.

# %% show="Draw a kernel that slides over a signal"
x = np.array([0, 0, 1, 2, 4, 4, 4, 1, 0])
w = np.array([-1, 0, 1])
z = [int(x[i : i + 3] @ w) for i in range(len(x) - 2)]
plot.show_grids(
    [x, w, z],
    ["signal x", "kernel w: right neighbour minus left", "output z: where the signal rises, where it falls"],
    [np.isin(np.arange(9), [2, 3, 4]), np.ones(3), np.arange(7) == 2],
    columns=1,
)

# %% [markdown]
# ## The flip
#
# This sum is called **cross-correlation**; the **convolution** of mathematics, $\sum_u x_{i-u}\, w_u$, runs
# through the kernel backwards. A signal with a single 1 shows it: convolution gives the kernel
# back, cross-correlation its mirror image. Learned weights would simply come out mirrored, so layers
# cross-correlate and are called convolution all the same.

# %% show="Draw cross-correlation and convolution of a single 1"
impulse = np.array([0, 0, 0, 1, 0, 0, 0])
w = np.array([1, 2, 3])
correlated = [int(impulse[i : i + 3] @ w) for i in range(5)]
convolved = [int(impulse[i : i + 3] @ w[::-1]) for i in range(5)]
plot.show_grids(
    [impulse, w, correlated, convolved], ["signal", "kernel", "cross-correlation", "convolution"], columns=2
)

# %% [markdown]
# ## Padding, stride, dilation
#
# **Padding** adds values, mostly zeros, around the input. **Stride** $s$ moves the window $s$ steps at a
# time; beyond the kernel's size it would skip input. **Dilation** $d$ reads every $d$-th value, so that $K$
# weights span $d(K-1)+1$. Below, the signal 1 to 7 with padding 1.

# %% show="Draw windows with padding, stride and dilation"
padded = np.array([0, 1, 2, 3, 4, 5, 6, 7, 0])
cells = np.arange(9)
plot.show_grids(
    [padded] * 3,
    [
        "padding 1: the first window",
        "stride 2: the third window",
        "dilation 2: three weights span five values",
    ],
    [np.isin(cells, [0, 1, 2]), np.isin(cells, [4, 5, 6]), np.isin(cells, [0, 2, 4])],
    columns=1,
)

# %% [markdown]
# ## How many outputs?
#
# With $P$ values of padding in all, the last window must end inside the padded signal of $n + P$; a step that
# does not fit is dropped:
#
# $$\text{out} = \left\lfloor \frac{n + P - d(K-1) - 1}{s} \right\rfloor + 1$$
#
# Padding is given for each side, $P = 2p$, or as a pair (before, after). Two helpers
# read such settings: `pair` for one axis, `sides` for both axes of an image.


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def sides(padding):
    """Turn a padding p, (h, w) or ((top, bottom), (left, right)) into the last, longest form."""
    rows, columns = pair(padding)
    return pair(rows), pair(columns)


# %% [markdown]
# ### Exercise: the output size ({points:conv_output_size} points, 6 minutes)
#
# Write the formula, and refuse a kernel that does not fit with a sentence that names the sizes.


# %% exercise="conv_output_size"
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Count the outputs of a convolution along one axis.

    size, kernel, stride, dilation: int; padding: int for each side, or (before, after). Returns an int,
    floor((size + before + after - dilation*(kernel - 1) - 1) / stride) + 1.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, arXiv 1603.07285.
    Raises ValueError when the dilated kernel spans more than the padded size.
    """
    # BEGIN SOLUTION
    before, after = pair(padding)
    room = size + before + after
    span = dilation * (kernel - 1) + 1
    if span > room:
        raise ValueError(f"a kernel that spans {span} does not fit into a padded size of {room}")
    return (room - span) // stride + 1
    # END SOLUTION


# %% check="conv_output_size"
check(conv_output_size)

# %% [markdown]
# Some texts mean by $p$ the padding of both sides together, and mixing the two gives wrong sizes. An odd
# kernel keeps the size with $(K-1)/2$ on each side, $K-1$ in all; $K-1$ on *each* side gives the **full**
# output, $n+K-1$. An even kernel keeps it only with more on one side.

# %% show="Print the output sizes of ten settings"
if written(conv_output_size):
    settings = [(5, 3, 1, 0), (5, 3, 1, 1), (5, 3, 1, 2), (5, 3, 2, 0), (5, 3, 2, 1)]
    settings += [(256, 2, 1, 0), (256, 3, 1, 0), (32, 4, 1, 1), (32, 4, 1, 2), (32, 4, 1, (1, 2))]
    for size, kernel, stride, padding in settings:
        out = conv_output_size(size, kernel, stride, padding)
        print(f"size {size:3}, kernel {kernel}, stride {stride}, padding {padding!s:6} -> {out}")

# %% [markdown]
# ## Same padding
#
# "Same" means as large as the input at stride 1, and $\lceil n/s \rceil$ outputs in general. (To keep all $n$
# at stride 2, about half of the padded input would be zeros.) The last window ends at
# $(\lceil n/s \rceil - 1)s + d(K-1) + 1$; pad what exceeds $n$, half on each side. If the excess is odd, the
# extra one goes after; if it is negative, pad nothing. In whole numbers $\lceil n/s \rceil$ is `-(-n // s)`.
#
# ### Exercise: same padding ({points:same_padding} points, 8 minutes)


# %% exercise="same_padding"
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    """Find the padding that makes the output ceil(size / stride) long.

    size, kernel, stride, dilation: int. Returns (before, after), ints >= 0, with after - before 0 or 1;
    together max((ceil(size/stride) - 1)*stride + dilation*(kernel - 1) + 1 - size, 0).
    Source: TensorFlow's padding "SAME", https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2
    """
    # BEGIN SOLUTION
    outputs = -(-size // stride)  # minus floor of minus is the ceiling
    total = max((outputs - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2
    # END SOLUTION


# %% check="same_padding"
check(same_padding)

# %% [markdown]
# ## Two dimensions
#
# A batch of images is an array $(N, C, H, W)$: images, channels, height, width. Padding is one number,
# $(h, w)$ or ((top, bottom), (left, right)); `sides` turns any of them into the last.
#
# ### Exercise: padding an image ({points:pad2d} points, 6 minutes)
#
# Pad the last two axes only. `np.pad` helps, as does filling a larger array.


# %% exercise="pad2d"
@answer
def pad2d(x, padding, value=0.0):
    """Surround each image with a border of one value.

    x: (N, C, H, W); padding: int, (h, w) or ((top, bottom), (left, right)); value: float.
    Returns padded, a new array (N, C, top + H + bottom, left + W + right) of the dtype of x.
    """
    # BEGIN SOLUTION
    return np.pad(x, ((0, 0), (0, 0), *sides(padding)), constant_values=value)
    # END SOLUTION


# %% check="pad2d"
check(pad2d)

# %% [markdown]
# ## Channels are added up
#
# A filter reaches through all channels, and its products are summed over them. One filter makes *one* map;
# $F$ filters, each with a bias of its own, make a stack of $F$ maps:
#
# $$z_{n,f,i,j} = b_f + \sum_{c} \sum_{u} \sum_{v} x_{n,\,c,\,s_h i+u,\,s_w j+v}\; w_{f,c,u,v}$$
#
# with indices from 0, $x$ already padded, and strides $s_h$ down and $s_w$ across. Here is the lecture's
# example, with padding 1. At stride 2 the tinted window makes output row 0, column 1.

# %% show="Draw the lecture's image and filter, and print how one output comes about"
red = [[0, 2, 2, 1, 0], [2, 2, 1, 2, 0], [1, 2, 0, 0, 0], [2, 1, 0, 0, 2], [2, 1, 0, 2, 2]]
green = [[1, 1, 2, 2, 1], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1], [2, 1, 0, 0, 0], [0, 2, 0, 2, 0]]
blue = [[1, 2, 0, 0, 2], [0, 0, 2, 1, 0], [2, 1, 1, 2, 2], [0, 0, 0, 1, 0], [0, 0, 1, 0, 2]]
example_x = np.array([[red, green, blue]], dtype=float)  # (1, 3, 5, 5)

first = [
    [[1, -1, 0], [0, -1, -1], [1, 0, 1]],
    [[-1, -1, 1], [1, 0, 1], [-1, 1, 1]],
    [[-1, -1, -1], [-1, 1, 1], [-1, 1, -1]],
]
second = [
    [[-1, 0, 1], [0, -1, 0], [0, 0, 0]],
    [[-1, 0, 1], [-1, -1, -1], [-1, 1, 1]],
    [[1, 0, 0], [0, 0, 0], [1, 0, -1]],
]
example_w = np.array([first, second], dtype=float)  # (2, 3, 3, 3)
example_b = np.array([1.0, 0.0])

padded = np.pad(example_x[0], ((0, 0), (1, 1), (1, 1)))
window = np.zeros((7, 7), bool)
window[0:3, 2:5] = True
names = ["red", "green", "blue"]
plot.show_grids(
    [*padded, *example_w[0]],
    [f"input, {name}" for name in names] + [f"filter, {name}" for name in names],
    [window] * 3 + [np.ones((3, 3))] * 3,
    columns=3,
)
sums = (padded[:, 0:3, 2:5] * example_w[0]).sum(axis=(1, 2))  # (3,): one sum for each channel
total = sums.sum() + example_b[0]
print(f"red {sums[0]:g}, green {sums[1]:g}, blue {sums[2]:g}, bias {example_b[0]:g}: output {total:g}")

# %% [markdown]
# ### Exercise: convolution in loops ({points:conv2d_naive} points, 12 minutes)
#
# Loop over images, filters, output rows and output columns: cut the window out of the padded input, multiply
# it by the filter, sum, add the bias. Your earlier functions are there to be used. The cell after the check
# compares with the lecture.


# %% exercise="conv2d_naive"
@answer
def conv2d_naive(x, w, b, stride=1, padding=0):
    """Cross-correlate a batch of images with a bank of filters, one window at a time.

    x: (N, C, H, W); w: (F, C, KH, KW); b: (F,); stride: int or (h, w); padding: as in pad2d.
    Returns y, (N, F, OH, OW) of the dtype of x, OH = conv_output_size(H, KH, ...), OW likewise;
    y[n, f, i, j] = b[f] + sum over c, u, v of padded[n, c, sh*i + u, sw*j + v] * w[f, c, u, v].
    Raises ValueError when a filter does not fit into the padded image.
    """
    # BEGIN SOLUTION
    n_images, _, height, width = x.shape
    n_filters, _, kh, kw = w.shape
    sh, sw = pair(stride)
    rows, columns = sides(padding)
    oh = conv_output_size(height, kh, sh, rows)
    ow = conv_output_size(width, kw, sw, columns)
    padded = pad2d(x, padding)
    out = np.empty((n_images, n_filters, oh, ow), dtype=x.dtype)
    for n in range(n_images):
        for f in range(n_filters):
            for i in range(oh):
                for j in range(ow):
                    window = padded[n, :, i * sh : i * sh + kh, j * sw : j * sw + kw]  # (C, KH, KW)
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    return out
    # END SOLUTION


# %% check="conv2d_naive"
check(conv2d_naive)

# %% show="Draw your maps beside the lecture's"
lecture = np.array([[[6, 4, 7], [5, 0, 1], [-3, 3, 0]], [[-1, -8, -1], [3, -6, -2], [-2, -6, -3]]])
if written(conv2d_naive):
    maps = conv2d_naive(example_x, example_w, example_b, stride=2, padding=1)[0]
    plot.show_grids(
        [*maps, *lecture], ["yours, filter 0", "yours, filter 1", "lecture, filter 0", "lecture, filter 1"]
    )
    print("All equal." if np.array_equal(maps, lecture) else "They differ.")

# %% [markdown]
# ## What a layer costs
#
# It learns $F C K_H K_W$ weights and $F$ biases, whatever the size of the image. But each weight is used at
# every output position, and these **multiply-adds** take the time. Six 5 x 5 filters on a colour image of
# 32 x 32:

# %% show="Print the output size, parameters and multiply-adds of a layer"
if written(conv_output_size):
    filters, channels, kernel, size = 6, 3, 5, 32
    out = conv_output_size(size, kernel)
    weights = filters * channels * kernel * kernel
    print(f"output {filters} x {out} x {out}")
    print(f"parameters {weights} + {filters} = {weights + filters:,}")
    print(f"multiply-adds {weights} x {out} x {out} = {weights * out * out:,}")

# %% [markdown]
# ## From windows to columns
#
# Loops in Python are slow, matrix products fast. So copy every window into a *column*, its values in the
# order channel, row, column. A filter in the same order is a row, and row times columns gives all its
# outputs. This is **im2col**.

# %% show="Draw how windows become columns, and a filter a row"
image = np.arange(1, 10).reshape(3, 3)
windows = [image[i : i + 2, j : j + 2] for i in range(2) for j in range(2)]
columns = np.stack([window.ravel() for window in windows], axis=1)
marked = np.zeros((3, 3), bool)
marked[0:2, 1:3] = True
weights = np.array([[1, 2], [3, 4]])
plot.show_grids(
    [image, columns, weights, weights.ravel(), weights.ravel() @ columns],
    ["image", "its 2 x 2 windows", "filter", "filter as a row", "row times windows"],
    [marked, np.arange(16).reshape(4, 4) % 4 == 1, None, None, np.arange(4) == 1],
    columns=5,
)

# %% [markdown]
# ### Exercise: im2col ({points:im2col} points, 14 minutes)
#
# Loop over the positions of the *kernel*; there are fewer of them than windows. Weight $(u, v)$ meets the
# padded rows $ud_h,\ ud_h + s_h,\ ud_h + 2s_h, \dots$, one for each output row, and columns likewise: one
# slice with a step. Fill an array $(N, C, K_H, K_W, O_H, O_W)$ with these slices and reshape it at the end.
#
# The two loops need not be nested. Slide along the rows first, which makes windows one row high,
# $(N, C, K_W, H_\text{padded}, O_W)$; then pick whole rows of them, $K_H$ for each window. That is $K_H + K_W$
# slices in place of $K_H K_W$, and the second half are long runs, which copy fast. Either way is right.


# %% exercise="im2col"
@answer
def im2col(x, kernel, stride=1, padding=0, dilation=1):
    """Copy every window of each image into a column.

    x: (N, C, H, W); kernel, stride, dilation: int or (h, w); padding: as in pad2d.
    Returns cols, (N, C*KH*KW, OH*OW) of the dtype of x. Row c*KH*KW + u*KW + v, column i*OW + j holds
    padded[n, c, sh*i + dh*u, sw*j + dw*v].
    Source: Chellapilla, Puri and Simard, High performance convolutional neural networks for document
    processing, 2006. Raises ValueError when the dilated kernel does not fit into the padded image.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
    rows, columns = sides(padding)
    oh = conv_output_size(height, kh, sh, rows, dh)
    ow = conv_output_size(width, kw, sw, columns, dw)
    padded = pad2d(x, padding) if np.any(sides(padding)) else x  # no copy where there is nothing to pad
    pieces = np.empty((n, c, kw, padded.shape[2], ow), dtype=x.dtype)  # the windows, cut to one row high
    for v in range(kw):
        pieces[:, :, v] = padded[..., v * dw : v * dw + sw * ow : sw]
    if kh == sh == 1:
        return pieces.reshape(n, c * kw, oh * ow)
    out = np.empty((n, c, kh, kw, oh, ow), dtype=x.dtype)
    for u in range(kh):
        out[:, :, u] = pieces[..., u * dh : u * dh + sh * oh : sh, :]  # (N, C, KW, OH, OW)
    return out.reshape(n, c * kh * kw, oh * ow)
    # END SOLUTION


# %% check="im2col"
check(im2col)

# %% [markdown]
# ## One matrix product
#
# Reshape the filters to $(F,\ C K_H K_W)$, multiply by the columns, add the bias, reshape to maps: that is
# the layer. **Groups** make it $G$ layers side by side. Channels and filters are cut into $G$ equal runs, the
# filters of a run see only the channels of the same run, and $w$ has the shape $(F,\ C/G,\ K_H,\ K_W)$.
#
# Take one image at a time: its columns are $K_H K_W$ times as large as the image, and those of a whole batch
# would not fit into the processor's cache.
#
# **For the curious.** At stride 1 even one image's columns say everything $K_H$ times, for windows one below the
# other share all rows but one. So let a column hold *one row* of a window, take each row of the kernel as a
# filter of its own, and add up their maps, row $u$'s shifted up by $u d_h$. The product is as large as before,
# the copying is not. The solved lesson does this, with the helper below; plain columns are just as right, and
# fast enough for all the points.


# %%
def stack_rows(w, stride, groups):
    """Lay the filters out for columns that hold one row of a window, at stride 1 down, else the whole window.

    Returns the height of what a column holds, and filters (G, rows*F/G, C/G*height*KW) with rows*height = KH.
    """
    n_filters, c_group, kh, kw = w.shape
    height = 1 if pair(stride)[0] == 1 else kh
    filters = w.reshape(groups, n_filters // groups, c_group, kh // height, height * kw)
    return height, filters.transpose(0, 3, 1, 2, 4).reshape(groups, kh // height * (n_filters // groups), -1)


# %% [markdown]
# ### Exercise: convolution, fast ({points:conv2d_forward} points, 14 minutes)
#
# `@` multiplies stacks of matrices: $(G, F/G, R)$ by $(G, R, L)$ gives $(G, F/G, L)$. Here
# $R = (C/G) K_H K_W$ is the length of a window and $L$ the number of output positions.
#
# Two of the points are for speed, with a batch of large images: at most {at_most:conv2d_forward} times the time
# of the bare matrix product.


# %% exercise="conv2d_forward"
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlate a batch of images with a bank of filters, as one matrix product.

    x: (N, C, H, W); w: (F, C/groups, KH, KW); b: (F,); stride, dilation: int or (h, w); padding: as in pad2d.
    Returns y, (N, F, OH, OW) of the dtype of x, OH = conv_output_size(H, KH, ...), OW likewise;
    y[n, f, i, j] = b[f] + sum over c, u, v of
    padded[n, g*C/groups + c, sh*i + dh*u, sw*j + dw*v] * w[f, c, u, v] with g = f // (F/groups), the group of
    filter f. The same as torch.nn.functional.conv2d.
    Raises ValueError when groups divides F or C unevenly, w does not have C/groups channels, or a filter does
    not fit into the padded image.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    f, c_group, kh, kw = w.shape
    if f % groups or c_group * groups != c:
        raise ValueError(f"{f} filters of {c_group} channels do not fit {c} channels in {groups} groups")
    (sh, sw), (dh, dw), (rows, columns) = pair(stride), pair(dilation), sides(padding)
    oh = conv_output_size(height, kh, sh, rows, dh)
    ow = conv_output_size(width, kw, sw, columns, dw)
    tall, filters = stack_rows(w, stride, groups)  # (G, rows*F/G, C/G*tall*KW), with KH/tall rows
    out = np.empty((n, f, oh, ow), dtype=x.dtype)
    for image in range(n):
        cols = im2col(x[image : image + 1], (tall, kw), stride, padding, dilation)
        # In a column the channels come first, so a group is one run of rows.
        maps = filters @ cols.reshape(groups, filters.shape[2], -1)
        maps = maps.reshape(groups, kh // tall, f // groups, -1, ow)  # a map for each row of the kernel
        total = maps[:, 0, :, :oh]  # (G, F/G, OH, OW)
        for u in range(1, kh // tall):
            total += maps[:, u, :, u * dh : u * dh + oh]
        out[image] = total.reshape(f, oh, ow) + b[:, None, None]
    return out
    # END SOLUTION


# %% check="conv2d_forward"
check(conv2d_forward)

# %% [markdown]
# ## How much faster?
#
# Timed on your machine, with one way more. NumPy can give the same memory more axes by repeating its
# **strides**, the bytes from one index to the next (not the layer's stride), so that all windows exist
# without a copy. The matrix product wants them in one piece, though, and copies them after all.


# %% show="Time four ways to convolve, and columns of a whole batch against your layer"
def conv2d_scalars(x, w, b):
    """The definition, one multiplication at a time: seven loops, no padding, stride 1."""
    n_images, channels, height, width = x.shape
    n_filters, _, kh, kw = w.shape
    oh, ow = height - kh + 1, width - kw + 1
    out = np.empty((n_images, n_filters, oh, ow))
    x, w = x.tolist(), w.tolist()  # Python reads a list's element faster than an array's
    for n, f, i, j in np.ndindex(out.shape):
        total = b[f]
        for c in range(channels):
            for u in range(kh):
                for v in range(kw):
                    total += x[n][c][i + u][j + v] * w[f][c][u][v]
        out[n, f, i, j] = total
    return out


def conv2d_strided(x, w, b):
    """Windows as a view, summed over channels and kernel by tensordot."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))  # (N, C, OH, OW, KH, KW)
    out = np.tensordot(windows, w, axes=((1, 4, 5), (1, 2, 3)))  # (N, OH, OW, F)
    return out.transpose(0, 3, 1, 2) + b[:, None, None]


def seconds(function, *arguments, repetitions):
    """Time a call: the median over the repetitions, after one call that is not counted."""
    from time import perf_counter

    times = []
    for _ in range(repetitions + 1):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return float(np.median(times[1:]))


if written(conv2d_naive, conv2d_forward):
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(4, 8, 34, 34)), rng.normal(size=(16, 8, 3, 3)), rng.normal(size=16)
    ways = {
        "seven loops": (conv2d_scalars, 1),
        "conv2d_naive": (conv2d_naive, 3),
        "strided view, tensordot": (conv2d_strided, 20),
        "conv2d_forward": (conv2d_forward, 20),
    }
    expected = conv2d_scalars(x[:1], w, b)
    for name, (way, _) in ways.items():
        out = way(x[:1], w, b)
        if out.shape != expected.shape or not np.allclose(out, expected):
            print(f"{name} gives other numbers than the seven loops; its check says more.")
    times = {name: seconds(way, x, w, b, repetitions=count) for name, (way, count) in ways.items()}
    plot.bar_times(times, f"{x.shape} input, {w.shape} filters")
    view = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))  # (N, C, OH, OW, KH, KW)
    print(f"strides of the input {x.strides}, of its windows {view.strides}")
    print(f"the windows share the input's memory: {np.shares_memory(x, view)}")
    ratio = times["conv2d_naive"] / times["conv2d_forward"]
    print(f"Your matrix product is {ratio:.0f} times as fast as your loops.")

    x, w = (rng.normal(size=shape).astype(np.float32) for shape in ((16, 64, 32, 32), (64, 64, 3, 3)))
    b = np.zeros(64, np.float32)

    def conv2d_whole_batch(x, w, b):
        """The columns of all images at once."""
        cols = im2col(x, 3, 1, 1)  # (N, C*KH*KW, OH*OW)
        return (w.reshape(64, -1) @ cols).reshape(x.shape) + b[:, None, None]

    whole = seconds(conv2d_whole_batch, x, w, b, repetitions=5)
    single = seconds(conv2d_forward, x, w, b, 1, 1, repetitions=5)
    print(
        f"16 images of {x.shape[1:]}: columns of all at once {whole * 1e3:.0f} ms, yours {single * 1e3:.0f} ms"
    )

# %% [markdown]
# ## Filters on a photograph
#
# Weights that sum to 1 keep the brightness: a **blur** averages neighbours, **sharpening** adds to a pixel
# its difference from the blur. Weights that sum to 0 are silent where nothing changes: **Sobel's** kernel
# takes right minus left and answers to edges.
#
# Zeros around a photograph would be an edge of their own, so mirror it instead:
# `np.pad(..., mode="reflect")`.
#
# ### Exercise: filter a photograph ({points:filter_image} points, 8 minutes)
#
# Filter each colour by itself. An even kernel needs an odd number of mirrored rows; the extra one
# goes after.


# %% exercise="filter_image"
@answer
def filter_image(image, kernel):
    """Cross-correlate an image with one kernel, mirroring the image at its edges.

    image: (H, W) or (H, W, 3); kernel: (KH, KW). Returns filtered, not clipped, of image's shape and dtype:
    filtered[i, j] = sum over u, v of padded[i + u, j + v] * kernel[u, v], with (KH - 1)//2 mirrored rows before
    and KH//2 after, columns likewise; the edge row itself is not repeated (NumPy's mode "reflect").
    """
    # BEGIN SOLUTION
    height, width = image.shape[:2]
    kh, kw = kernel.shape
    channels = image.reshape(height, width, -1)  # (H, W, C)
    planes = channels.transpose(2, 0, 1)[:, None]  # (C, 1, H, W): a batch of grey images
    borders = same_padding(height, kh), same_padding(width, kw)
    padded = np.pad(planes, ((0, 0), (0, 0), *borders), mode="reflect")
    weights = kernel.astype(image.dtype)[None, None]  # (1, 1, KH, KW)
    out = conv2d_forward(padded, weights, np.zeros(1, image.dtype))  # (C, 1, H, W)
    return out[:, 0].transpose(1, 2, 0).reshape(image.shape)
    # END SOLUTION


# %% check="filter_image"
check(filter_image)

# %% show="Draw the photograph's edges, and a face blurred and sharpened"
if written(filter_image):
    photo = data.photo()
    grey = photo @ [0.299, 0.587, 0.114]  # the eye's weights for red, green and blue (ITU-R BT.601)
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    across, down = filter_image(grey, sobel), filter_image(grey, sobel.T)
    plot.show_images(
        [grey, across, down, np.hypot(across, down)],
        ["photograph", "Sobel, right minus left", "Sobel, below minus above", "strength of the edge"],
        signed=[False, True, True, False],
        size=2.8,
    )

    bell = np.array([1.0, 4, 6, 4, 1]) / 16  # binomial weights: nearly a Gaussian
    blur = np.outer(bell, bell)
    same = np.zeros((5, 5))
    same[2, 2] = 1
    sharpen = same + (same - blur)
    face = photo[60:180, 50:170]
    results = [filter_image(face, kernel) for kernel in (same, blur, sharpen)]
    plot.show_images(results, ["as it is", "blurred", "sharpened"], size=2.8)
    for name, kernel in [("Sobel", sobel), ("blur", blur), ("sharpen", sharpen)]:
        print(f"{name}: the weights sum to {kernel.sum():g}")

# %% [markdown]
# ## A filter is a template
#
# A dot product is large where the window resembles the filter. Take the average zero as a filter, and search
# a scene of other digits and one white square.
#
# The plain dot product falls for the square: bright windows score high whatever they show. Subtract the mean
# from template and window and divide by their lengths, and what is left is the **cosine** of the angle
# between them, at most 1.

# %% show="Draw where a template finds zeros: by dot product and by cosine"
if written(conv2d_forward):
    images, labels = data.digits()
    template = images[:1000][labels[:1000] == 0].mean(axis=0)
    scene_labels = labels[1000:1032].reshape(4, 8)
    scene = np.zeros((4, 8, 10, 10))
    scene[:, :, 1:9, 1:9] = images[1000:1032].reshape(4, 8, 8, 8)
    scene[2, 5, 1:9, 1:9] = 1  # the white square
    scene_labels[2, 5] = -1
    scene = scene.transpose(0, 2, 1, 3).reshape(40, 80)  # rows of tiles, side by side

    def respond(image, kernel):
        return conv2d_forward(image[None, None], kernel[None, None], np.zeros(1))[0, 0]

    raw = respond(scene, template)
    ones = np.ones((8, 8))
    # The squared length of a window less its mean: sum of squares minus squared sum over their number.
    squared = respond(scene**2, ones) - respond(scene, ones) ** 2 / ones.size
    centred = template - template.mean()
    cosine = respond(scene, centred) / np.sqrt(np.maximum(squared, 1e-9) * np.sum(centred**2))

    zeros = int(np.sum(scene_labels == 0))
    best = {}
    for name, response in [("dot product", raw), ("cosine", cosine)]:
        at_digits = response[1::10, 1::10]  # (4, 8): the windows that lie exactly on a tile
        top = np.argsort(at_digits, axis=None)[::-1][:zeros]
        best[name] = [(int(i) // 8 * 10 + 1, int(i) % 8 * 10 + 1, 8, 8) for i in top]
        print(f"{name}: of its best {zeros} tiles, {np.sum(scene_labels.ravel()[top] == 0)} are zeros")
    plot.show_images([template], ["template"], size=1.2)
    plot.show_images(
        [scene, scene, raw, cosine],
        ["best by dot product", "best by cosine", "dot product", "cosine"],
        signed=[False, False, False, True],
        boxes=[best["dot product"], best["cosine"], (), ()],
        columns=2,
    )

# %% [markdown]
# ## Move the image
#
# The weights are the same everywhere, so when the image moves, its map moves along: convolution is
# **equivariant** to translation. Many texts call it *invariant*, but it is not: the map does change. And
# borders and strides limit it: the table shows, on noise, how far the map of the moved image is from the
# moved map, and from the map that stayed. A zero means that the property holds.

# %% show="Draw the map of a moved digit, and measure how far maps move along"
if written(conv2d_forward):
    digit = np.zeros((16, 16))
    digit[1:9, 1:9] = images[0]
    moved = np.roll(digit, (6, 5), axis=(0, 1))
    edges = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    plot.show_images(
        [digit, moved, respond(digit, edges), respond(moved, edges)],
        ["image", "image, moved", "map of the image", "map of the moved image"],
        signed=[False, False, True, True],
        size=1.8,
    )

    rng = np.random.default_rng(1)
    image, w, b = rng.normal(size=(1, 1, 32, 32)), rng.normal(size=(1, 1, 3, 3)), np.zeros(1)
    print("stride  shift  moved along: inside  everywhere  stayed")
    for stride, shift in [(1, 1), (2, 2), (2, 1)]:
        moved = np.roll(image, shift, axis=3)  # to the right; what leaves comes back on the left
        before = conv2d_forward(image, w, b, stride, padding=1)
        after = conv2d_forward(moved, w, b, stride, padding=1)
        along = np.abs(after - np.roll(before, shift // stride, axis=3))
        stayed = np.abs(after - before).max()
        print(f"{stride:6} {shift:6} {along[..., 2:-2].max():20.2f} {along.max():11.2f} {stayed:7.2f}")

# %% [markdown]
# ## Question: equivariant or invariant? ({points:why_not_invariant} points, 5 minutes)
#
# A friend reads: "Convolution makes a network translation invariant." Correct the sentence: say what a
# convolutional layer does when its input moves, name two things that break this, and name something that does
# bring invariance.

# %% [markdown] question="why_not_invariant" points=2
# ### BEGIN SOLUTION
# A convolutional layer is translation *equivariant*: when its input moves, its map moves by the same amount
# and otherwise stays as it is. Invariant would mean that the output does not change at all.
#
# The property breaks at the borders, where windows meet padding or lose what has left the image, and with a
# stride above 1, where only shifts by multiples of the stride give a moved map.
#
# Invariance comes from throwing the position away: pooling does so within its window, and a global maximum or
# average over the whole map does so entirely, up to the borders. Training on shifted images can teach some of
# it as well.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# For a picture of each setting see Dumoulin and Visin, [*A guide to convolution arithmetic for deep
# learning*](https://arxiv.org/abs/1603.07285); the worked example was first animated in Stanford's CS231n notes.

# %% [markdown] part="next"
# ## Where this goes
#
# Your layer computes what `torch.nn.functional.conv2d` computes. Lesson 03 runs it backwards, so that its
# weights can be learned. Next: {next}.
