# %% [markdown]
# # Why convolution?
#
# {badge}
#
# {cover}
#
# See what the layer of convolutional networks is for before you build it. You will classify handwritten
# digits by their pixels and watch that fail when they move by one pixel, count what different layers have
# to learn, and write a convolution as a matrix: mostly zeros.
#
# About 75 minutes, {points} points.

# %% cover="Weights of a dense, a locally connected and a convolutional layer as matrices: 225, 81 and 9 weights."
import matplotlib.pyplot as plt
import numpy as np

rng = np.random.default_rng(0)
# From 5 x 5 pixels to a map of 3 x 3; no weight is so small that it looks like a zero.
dense = rng.choice([-1, 1], (9, 25)) * rng.uniform(0.3, 1, (9, 25))
local, shared = np.zeros((2, 3, 3, 5, 5))
for i, j in np.ndindex(3, 3):
    local[i, j, i : i + 3, j : j + 3] = dense[3 * i + j, :9].reshape(3, 3)
    shared[i, j, i : i + 3, j : j + 3] = [[-0.9, 0.4, 0.6], [0.7, -0.5, 0.9], [-0.3, -0.7, 0.5]]
figure, panels = plt.subplots(1, 3, figsize=(7, 2), layout="constrained")
for axes, matrix, name, count in zip(
    panels,
    [dense, local.reshape(9, 25), shared.reshape(9, 25)],
    ["dense", "locally connected", "convolution"],
    [dense.size, np.count_nonzero(local), 9],
    strict=True,
):
    axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_title(name, fontsize=14)
    axes.set_xlabel(f"{count} weights", fontsize=14)
    axes.set_xticks([])
    axes.set_yticks([])
panels[0].set_ylabel("9 outputs", fontsize=12)

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
# ## An image as a vector
#
# Most of machine learning works on vectors. `image.ravel()` makes one of an image, row after row: $C$
# channels, $H$ rows and $W$ columns give $D = C \cdot H \cdot W$ numbers. The tinted pixels touch; in the
# vector nothing says that they were neighbours.

# %% show="Draw an image as a grid and as a vector"
image = np.arange(1, 13).reshape(3, 4)
touching = np.isin(image, [6, 10])
plot.show_grids([image, image.ravel()], ["image", "vector"], [touching, touching.ravel()])

# %% [markdown]
# ## A linear classifier
#
# It gives each of $M$ classes a score, a weighted sum of all the numbers, and chooses the highest:
#
# $$s_m = \sum_{d} x_d\, W_{d,m} + b_m$$
#
# Column $m$ of $W$ has one weight for each pixel, so it is an image too: a **template** of its class. The
# border between two classes, where they score the same, is always flat.
#
# ### Exercise: linear scores ({points:linear_scores} points, 5 minutes)
#
# Score many images at once: each row of $x$ is one image.


# %% exercise="linear_scores"
@answer
def linear_scores(x, W, b):
    """Score images for each class, by a weighted sum of their pixels.

    x: (N, D), one image in each row; W: (D, M), one template in each column; b: (M,).
    Returns scores, (N, M) of the dtype of x: scores[n, m] = b[m] + sum over d of x[n, d] * W[d, m].
    """
    # BEGIN SOLUTION
    return x @ W + b  # (N, M): each row gets all of b
    # END SOLUTION


# %% check="linear_scores"
check(linear_scores)

# %% [markdown]
# ## Templates for digits
#
# `fit` finds $W$ and $b$ by least squares: scores near 1 for the right class and 0 for the others. The
# last digits are kept for the test.

# %%
images, labels = data.digits()  # (N, 8, 8), (N,)
TRAIN, TEST = slice(0, 1200), slice(1200, None)


def fit(x, labels):
    """Find W: (D, M) and b: (M,) by least squares, for x: (N, D) and labels: (N,)."""
    targets = np.eye(labels.max() + 1)[labels]  # (N, M): a 1 at the right class
    with_one = np.column_stack([x, np.ones(len(x))])  # the bias is the weight of a pixel that is always 1
    # The identity keeps the weights small: without it, rarely inked pixels could get huge ones.
    gram = with_one.T @ with_one + np.eye(with_one.shape[1])
    solution = np.linalg.solve(gram, with_one.T @ targets)  # (D + 1, M)
    return solution[:-1], solution[-1]


def accuracy(x, labels, W, b):
    """Return the share of images whose highest score is that of their label."""
    return float(np.mean(linear_scores(x, W, b).argmax(axis=1) == labels))


# %% show="Draw one template for each digit, and print how many digits they get right"
if written(linear_scores):
    pixels = images.reshape(len(images), -1)  # (N, 64)
    W, b = fit(pixels[TRAIN], labels[TRAIN])
    plot.show_images([images[labels == m][0] for m in range(10)], columns=10, size=0.8)
    plot.show_images(
        list(W.T.reshape(10, 8, 8)), [f"template {m}" for m in range(10)], signed=True, columns=5, size=1.2
    )
    for name, part in [("to learn from", TRAIN), ("for the test", TEST)]:
        share = accuracy(pixels[part], labels[part], W, b)
        print(f"{len(labels[part]):,} digits {name}: {share:.1%} right")

# %% [markdown]
# Red wants ink, blue forbids it; templates need not look like digits, only tell them apart. A success?
# These digits were cut out so that each fills its 8 x 8 pixels. Put them into a larger field and move
# them. Above each picture: by how many pixels to the right, and the share of all test digits still right.


# %% show="Draw a digit that moves, with the share of test digits still right"
def on_field(digits, right=0):
    """Put 8 x 8 digits into the middle of empty 20 x 20 fields, or some pixels to the right of it."""
    fields = np.zeros((len(digits), 20, 20))
    fields[:, 6:14, 6 + right : 14 + right] = digits
    return fields


def flat(fields):
    return fields.reshape(len(fields), -1)


if written(linear_scores):
    W, b = fit(flat(on_field(images[TRAIN])), labels[TRAIN])
    moves = [-3, -2, -1, 0, 1, 2, 3]
    by_pixels = [accuracy(flat(on_field(images[TEST], move)), labels[TEST], W, b) for move in moves]
    shown = [on_field(images[TEST][1:2], move)[0] for move in moves]
    titles = [f"by {move}: {share:.0%}" for move, share in zip(moves, by_pixels, strict=True)]
    plot.show_images(shown, titles, columns=7, size=1.2)

# %% [markdown]
# ## What no template can do
#
# Guessing would get a tenth. Training alone cannot cure this. Take bars of two pixels, lying or standing,
# anywhere in a 4 x 4 image; what leaves it on one side comes in on the other. Each pixel is lit in two
# lying bars and in two standing ones. So whatever the weights, both classes have the same total score,
# and lying bars cannot all score above standing ones. Least squares gives up:

# %% show="Draw lying and standing bars, and print how they score"
if written(linear_scores):
    bar = np.zeros((4, 4))
    bar[1, 1:3] = 1
    lying = np.array([np.roll(bar, move, axis=(0, 1)) for move in np.ndindex(4, 4)])  # (16, 4, 4)
    standing = lying.transpose(0, 2, 1)
    some = [lying[0].astype(int), lying[6].astype(int), standing[0].astype(int), standing[6].astype(int)]
    plot.show_grids(some, ["lying"] * 2 + ["standing"] * 2, [x > 0 for x in some], cell=0.28)
    bars = flat(np.concatenate([lying, standing]))
    kind = np.repeat([0, 1], 16)
    scores = linear_scores(bars, *fit(bars, kind))[:, 0]
    print(f"score for 'lying': lying bars {scores[:16].min():.2f} to {scores[:16].max():.2f}, ", end="")
    print(f"standing bars {scores[16:].min():.2f} to {scores[16:].max():.2f}")
    best = [(x + np.roll(x, -1, axis=2)).max(axis=(1, 2)) for x in (lying, standing)]
    print(f"most ink in two pixels side by side: lying bars {best[0].min():g} to {best[0].max():g}, ", end="")
    print(f"standing bars {best[1].min():g} to {best[1].max():g}")

# %% [markdown]
# ## Features first
#
# The last line shows a cure: look everywhere for the same small thing and keep the best match. That one
# number, a **feature**, tells the classes apart. For decades image recognition was features designed by
# hand, then a linear classifier. Networks still end in one, but learn the features before it too. Linear
# steps alone cannot make them, for together they are one linear step; here the maximum is not linear.
#
# The extractor below cuts 64 patches of 4 x 4 pixels out of training digits, at random. A feature is the
# largest dot product of one patch with any window of the image, wherever that is.


# %% show="Draw some patches, and compare their best matches with pixels on moved digits"
def cut_patches(fields, count=64, side=4):
    """Cut out patches that show some ink, with mean 0 and length 1: (count, side*side)."""
    rng = np.random.default_rng(0)
    patches = []
    while len(patches) < count:
        top, left = rng.integers(0, fields.shape[1] - side + 1, size=2)
        patch = fields[rng.integers(len(fields)), top : top + side, left : left + side]
        patch = patch - patch.mean()
        length = np.linalg.norm(patch)
        if length > 1:
            patches.append(patch.ravel() / length)
    return np.array(patches)


def best_matches(fields, patches, side=4):
    """Find the largest dot product of each patch with any window of each image: (N, count)."""
    windows = np.lib.stride_tricks.sliding_window_view(fields, (side, side), axis=(1, 2))
    return np.array([(w.reshape(-1, side * side) @ patches.T).max(axis=0) for w in windows])


if written(linear_scores):
    still = on_field(images[TRAIN])
    patches = cut_patches(still)
    plot.show_images(list(patches[:12].reshape(-1, 4, 4)), signed=True, columns=12, size=0.6)

    W, b = fit(best_matches(still, patches), labels[TRAIN])
    tests = [on_field(images[TEST], move) for move in moves]
    by_patches = [accuracy(best_matches(x, patches), labels[TEST], W, b) for x in tests]

    moved = np.concatenate([flat(on_field(images[TRAIN], move)) for move in moves])
    W, b = fit(moved, np.tile(labels[TRAIN], len(moves)))
    by_moved = [accuracy(flat(x), labels[TEST], W, b) for x in tests]

    lines = {"64 best matches": by_patches, "pixels": by_pixels, "pixels, trained on moved digits": by_moved}
    plot.show_lines(moves, lines, xlabel="test digits moved to the right, pixels", ylabel="share right")
    for name, shares in lines.items():
        print(f"{name:32}", "  ".join(f"{share:4.0%}" for share in shares))

# %% [markdown]
# The matches are the same wherever the digit is. Training on moved digits is not enough for the pixels:
# one template has to fit every place, and digits in the middle get worse.
#
# ## Who needs neighbours?
#
# Give every pixel of the field a new place, the same in all images. Who notices, apart from you?

# %% show="Draw shuffled digits, and print the share right by pixels and by best matches"
if written(linear_scores):
    order = np.random.default_rng(1).permutation(20 * 20)
    fields = on_field(images)
    shuffled = flat(fields)[:, order].reshape(-1, 20, 20)
    plot.show_images(
        [fields[0], fields[1], shuffled[0], shuffled[1]], ["0", "1", "0, shuffled", "1, shuffled"], size=1.2
    )
    for name, x in [("as it is", fields), ("shuffled", shuffled)]:
        patches = cut_patches(x[TRAIN])
        for way, features in [("pixels", flat(x)), ("64 best matches", best_matches(x, patches))]:
            share = accuracy(features[TEST], labels[TEST], *fit(features[TRAIN], labels[TRAIN]))
            print(f"{name}: {way:15} {share:.1%}")

# %% [markdown]
# The linear classifier does not: its weights just go to the new places. The patches lose, since they
# believe two things about images:
#
# - **locality**: what belongs together is close together, so look at a small window;
# - **sharing**: what is worth finding here is worth finding anywhere, so use the same weights everywhere.
#
# The second is often called translation *invariance*. But when the image moves, the answers of the
# windows move along (except at the borders): that is **equivariance**. Our features are invariant because
# of the maximum.
#
# ## Everything sees everything
#
# What are the two beliefs worth? Count parameters. The outputs of our layers are $F$ maps of $O_H \times
# O_W$ values. In a **dense** layer each of them has a weight for each of the $C \cdot H \cdot W$ inputs,
# and a bias of its own.
#
# ### Exercise: a dense layer's parameters ({points:dense_parameters} points, 5 minutes)


# %% exercise="dense_parameters"
@answer
def dense_parameters(in_shape, out_shape, bias=True):
    """Count the parameters of a layer whose every output sees every input.

    in_shape: (C, H, W); out_shape: (F, OH, OW); bias: whether each output has a bias. Returns an int.
    """
    # BEGIN SOLUTION
    c, h, w = in_shape
    f, oh, ow = out_shape
    inputs, outputs = c * h * w, f * oh * ow
    return inputs * outputs + (outputs if bias else 0)
    # END SOLUTION


# %% check="dense_parameters"
check(dense_parameters)

# %% show="Print the weights of one dense layer, and the memory they take"
if written(dense_parameters):
    for channels, side, classes in [(1, 8, 10), (1, 256, 1024), (3, 256, 1024)]:
        count = dense_parameters((channels, side, side), (classes, 1, 1), bias=False)
        memory = count * 4 / 2**20  # MiB, at 4 bytes each
        print(
            f"{channels} x {side:3} x {side:3} to {classes:4} classes: {count:11,} weights, {memory:7.3f} MiB"
        )

# %% [markdown]
# So much for *one* layer on a small photograph.
#
# ## Which inputs, which weights?
#
# The outputs of a map see all inputs or a window each, with their own weights or the same. That makes
# four layers. The weights of one map:
#
# | each output sees | with its own weights | with the same weights |
# |---|---|---|
# | all inputs | dense: $C H W \cdot O_H O_W$ | useless: $C H W$ |
# | a window of its own | locally connected: $C K_H K_W \cdot O_H O_W$ | convolution: $C K_H K_W$ |
#
# Useless, since all its outputs are the same number. A convolution looks for one thing everywhere; for
# more it has $F$ filters, which make $F$ maps.
#
# ### Exercise: a locally connected layer's parameters ({points:local_parameters} points, 5 minutes)
#
# A window reaches through all $C$ channels; each output has its own weights and bias. A kernel is one
# number or (height, width); `pair` reads both.


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


# %% exercise="local_parameters"
@answer
def local_parameters(in_shape, out_shape, kernel, bias=True):
    """Count the parameters of a layer whose every output sees a window, with weights of its own.

    in_shape: (C, H, W); out_shape: (F, OH, OW); kernel: int or (h, w); bias: whether each output has a bias.
    Returns an int.
    """
    # BEGIN SOLUTION
    c = in_shape[0]
    f, oh, ow = out_shape
    kh, kw = pair(kernel)
    outputs = f * oh * ow
    return outputs * c * kh * kw + (outputs if bias else 0)
    # END SOLUTION


# %% check="local_parameters"
check(local_parameters)

# %% [markdown]
# ### Exercise: a convolution's parameters ({points:conv_parameters} points, 6 minutes)
#
# One filter with one bias for each output channel, used in every window. **Groups** make it smaller
# still: input channels and filters are cut into equal groups, and a filter sees the channels of its own
# group only. (Lesson 05 says why.)


# %% exercise="conv_parameters"
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    """Count the parameters of a convolution: c_out filters of c_in/groups channels, and their biases.

    c_in, c_out: channels of input and output; kernel: int or (h, w); groups: int; bias: whether each filter
    has a bias. Returns an int. Raises ValueError when groups does not divide c_in and c_out.
    """
    # BEGIN SOLUTION
    if c_in % groups or c_out % groups:
        raise ValueError(f"{groups} groups do not divide {c_in} and {c_out} channels")
    kh, kw = pair(kernel)
    return c_out * (c_in // groups) * kh * kw + (c_out if bias else 0)
    # END SOLUTION


# %% check="conv_parameters"
check(conv_parameters)

# %% [markdown]
# All three for six maps of 5 x 5 windows on a 32 x 32 colour image, with the **multiply-adds** for one
# image. Locality saves both. Sharing saves parameters but no work: each weight is used in every window.
# (Some notes call $K_H K_W C F \cdot O_H O_W$ parameters; it is multiply-adds.)

# %% show="Print the parameters and multiply-adds of three layers"
if written(dense_parameters, local_parameters, conv_parameters):
    before, after, kernel = (3, 32, 32), (6, 28, 28), 5
    positions = after[1] * after[2]
    local = local_parameters(before, after, kernel, bias=False)
    rows = {
        "dense": (dense_parameters(before, after), dense_parameters(before, after, bias=False)),
        "locally connected": (local_parameters(before, after, kernel), local),
        "convolution": (conv_parameters(3, 6, kernel), conv_parameters(3, 6, kernel, bias=False) * positions),
    }
    print("                     parameters  multiply-adds")
    for name, (parameters, work) in rows.items():
        print(f"{name:18} {parameters:12,} {work:14,}")
    few, more = conv_parameters(10, 10, 3, bias=False), conv_parameters(10, 10, 3)
    print(f"3 x 3 from 10 to 10 channels: {few} weights, {more} parameters")

# %% [markdown]
# ## What the image's size changes
#
# You may read that pooling, which shrinks the maps, saves parameters in later layers. Not in a
# convolution: $H$ and $W$ are not in its formula. Only a dense layer on the flattened maps gets smaller.

# %% show="Print what smaller maps change: a convolution's parameters and a dense layer's"
if written(dense_parameters, conv_parameters):
    print("maps             3 x 3 convolution to 32 maps  flattened, dense to 10 classes")
    for side in (64, 32, 16):
        dense = dense_parameters((16, side, side), (10, 1, 1))
        print(f"16 x {side} x {side} {conv_parameters(16, 32, 3):33,} {dense:31,}")

# %% [markdown]
# ## Convolution is a matrix
#
# A convolution is linear: a matrix times a vector. In one dimension the kernel $w$ slides over the
# signal, $z_i = \sum_u x_{i+u} w_u$, so row $i$ of the matrix is $w$, beginning at column $i$. Equal
# along its diagonals, it is called a **Toeplitz** matrix. (Strictly this is a *cross-correlation*; see
# lesson 02.)
#
# **Stride** $s$ keeps every $s$-th row: each begins $s$ columns further on. **Padding** puts zeros before
# and after the signal; weights that meet them add nothing and are left out. Below, the kernel 1 2 3 on
# six values.

# %% show="Draw a kernel's matrix: as it is, with stride 2, with padding"
plain = np.array([[1, 2, 3, 0, 0, 0], [0, 1, 2, 3, 0, 0], [0, 0, 1, 2, 3, 0], [0, 0, 0, 1, 2, 3]])
padded = np.concatenate([[[2, 3, 0, 0, 0, 0]], plain, [[0, 0, 0, 0, 1, 2]]])
matrices = [plain, plain[::2], padded]
plot.show_grids(matrices, ["as it is", "stride 2", "padding 1 before, 1 after"], [m > 0 for m in matrices])

# %% [markdown]
# ### Exercise: convolution as a matrix ({points:toeplitz_matrix} points, 12 minutes)
#
# Only windows that end inside the padded signal count; so many of them fit:
#
# $$\left\lfloor \frac{n + \text{before} + \text{after} - K}{s} \right\rfloor + 1$$
#
# Padding is one number for each side or (before, after): `pair` reads it. An easy way: build the matrix
# for the padded signal, then cut off the columns of the padding.


# %% exercise="toeplitz_matrix"
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    """Lay the matrix that slides a kernel over a signal: matrix @ x is the cross-correlation of x with w.

    w: (K,); n: length of the signal; stride: int; padding: int for each side, or (before, after).
    Returns matrix, (OUT, n) of the dtype of w, OUT = floor((n + before + after - K) / stride) + 1;
    matrix[i, j] = w[j + before - stride*i] where that index is in 0..K-1, else 0.
    Raises ValueError when the kernel is longer than the padded signal.
    """
    # BEGIN SOLUTION
    before, after = pair(padding)
    room, k = before + n + after, len(w)
    if k > room:
        raise ValueError(f"a kernel of {k} does not fit into a padded signal of {room}")
    out = (room - k) // stride + 1
    matrix = np.zeros((out, room), dtype=w.dtype)
    for i in range(out):
        matrix[i, i * stride : i * stride + k] = w
    return matrix[:, before : before + n]
    # END SOLUTION


# %% check="toeplitz_matrix"
check(toeplitz_matrix)

# %% [markdown]
# ## The same in two dimensions
#
# Flatten image and output, both row by row; output $(i, j)$ is then row $i \cdot O_W + j$ of the matrix.
# Fold that row back into an image, and it shows the kernel in its window. Here 2 x 2 on 3 x 3:

# %% show="Draw each output's weights as an image, and all four as a matrix"
painted = np.zeros((2, 2, 3, 3), int)
for i, j in np.ndindex(2, 2):
    painted[i, j, i : i + 2, j : j + 2] = [[1, 2], [3, 4]]
names = [f"output ({i}, {j})" for i, j in np.ndindex(2, 2)]
plot.show_grids(list(painted.reshape(4, 3, 3)), names, [m > 0 for m in painted.reshape(4, 3, 3)])
plot.show_grids([painted.reshape(4, 9)], ["all four flattened: the matrix"], [painted.reshape(4, 9) > 0])

# %% [markdown]
# ### Exercise: a matrix for images ({points:toeplitz_matrix_2d} points, 14 minutes)
#
# A stride is one number or (down, across). Padding is one number, (h, w) for above and below, left and
# right, or ((top, bottom), (left, right)); `sides` turns any of them into the last.


# %%
def sides(padding):
    """Turn a padding p, (h, w) or ((top, bottom), (left, right)) into the last, longest form."""
    rows, columns = pair(padding)
    return pair(rows), pair(columns)


# %% exercise="toeplitz_matrix_2d"
@answer
def toeplitz_matrix_2d(w, shape, stride=1, padding=0):
    """Lay the matrix of a 2-D convolution: matrix @ x.ravel() is the flattened cross-correlation of x with w.

    w: (KH, KW); shape: (H, W) of the image; stride: int or (h, w); padding: int, (h, w) or
    ((top, bottom), (left, right)). Returns matrix, (OH*OW, H*W) of the dtype of w, OH and OW as OUT in
    toeplitz_matrix. Row i*OW + j, column r*W + c holds w[r + top - sh*i, c + left - sw*j] where both indices
    are inside w, else 0. Raises ValueError when the kernel does not fit into the padded image.
    """
    # BEGIN SOLUTION
    (height, width), (kh, kw), (sh, sw) = shape, w.shape, pair(stride)
    (top, bottom), (left, right) = sides(padding)
    tall, wide = top + height + bottom, left + width + right
    if kh > tall or kw > wide:
        raise ValueError(f"a {kh} x {kw} kernel does not fit into a padded image of {tall} x {wide}")
    oh, ow = (tall - kh) // sh + 1, (wide - kw) // sw + 1
    matrix = np.zeros((oh, ow, tall, wide), dtype=w.dtype)  # for each output an image
    for i in range(oh):
        for j in range(ow):
            matrix[i, j, i * sh : i * sh + kh, j * sw : j * sw + kw] = w
    inside = matrix[:, :, top : top + height, left : left + width]  # (OH, OW, H, W)
    return inside.reshape(oh * ow, height * width)
    # END SOLUTION


# %% check="toeplitz_matrix_2d"
check(toeplitz_matrix_2d)

# %% [markdown]
# ## Three matrices
#
# From a 6 x 6 image to a 4 x 4 map: each row is an output, each column a pixel, white a zero. Locality
# empties the dense matrix, sharing repeats the same nine weights in every row.

# %% show="Draw three matrices, and print how many weights each has to learn"
if written(toeplitz_matrix_2d, dense_parameters, local_parameters, conv_parameters):
    rng = np.random.default_rng(0)
    shared = toeplitz_matrix_2d(np.array([[-4.0, 2, 1], [3, -2, 4], [-1, -3, 2.5]]), (6, 6))
    dense = rng.uniform(-4, 4, size=shared.shape)
    local = np.where(shared != 0, dense, 0)
    names = ["dense", "locally connected", "convolution"]
    plot.show_images([dense, local, shared], names, signed=True, columns=1, size=1.9)
    counts = [
        dense_parameters((1, 6, 6), (1, 4, 4), bias=False),
        local_parameters((1, 6, 6), (1, 4, 4), 3, bias=False),
        conv_parameters(1, 1, 3, bias=False),
    ]
    for name, matrix, count in zip(names, (dense, local, shared), counts, strict=True):
        print(f"{name:17} {np.count_nonzero(matrix):3} of {matrix.size} are not zero, {count:3} to learn")

# %% [markdown]
# And equivariance: does the map move along when its image moves by one column?

# %% show="Measure whether the map moves along, and print how large the matrix would be"
if written(toeplitz_matrix_2d, dense_parameters, local_parameters, conv_parameters):
    image = np.zeros((6, 6))
    image[:, :5] = rng.normal(size=(6, 5))
    moved = np.roll(image, 1, axis=1)
    for name, matrix in zip(names, (dense, local, shared), strict=True):
        first, second = (matrix @ x.ravel() for x in (image, moved))
        apart = np.abs(second.reshape(4, 4)[:, 1:] - first.reshape(4, 4)[:, :-1]).max()
        print(f"{name:17} map of the moved image and moved map: up to {apart:.2f} apart")
    side, k = 256, 3
    entries = side**2 * (side - k + 1) ** 2
    print(f"For {side} x {side} pixels the matrix would take {entries * 8 / 2**30:.1f} GiB,")
    print(f"of which {k**2 * (side - k + 1) ** 2 / entries:.3%} are not zero.")

# %% [markdown]
# Nobody stores that matrix. Lesson 02 computes the product from the few weights alone, and lesson 03 that
# with the matrix transposed.
#
# ## Question: why not dense? ({points:why_not_dense} points, 6 minutes)
#
# A friend says: "A dense layer can compute whatever a convolution computes, and more. So it can only be
# better." Is the first sentence true? Where does the second go wrong? Say what a convolution assumes of
# images, what each assumption saves, in parameters and in multiply-adds, and name data for which it would
# be wrong.

# %% [markdown] question="why_not_dense" points=2
# ### BEGIN SOLUTION
# The first sentence is true: a convolution is a matrix product, and a dense layer can have that matrix too.
# But it would have to find the zeros and the repeated weights from examples. With millions of weights it
# needs far more of them, and more memory, fits accidents of the training set, and what it learns in one
# place it does not know in another: our templates failed on digits moved by one pixel.
#
# A convolution assumes locality, that neighbouring pixels belong together, which saves parameters and
# multiply-adds, and sharing, that what is worth finding in one place is worth finding in all, which saves
# parameters only.
#
# Locality is wrong where neighbours mean nothing, as with shuffled pixels or the columns of a table.
# Sharing is wrong where the place matters, as in photographs of faces that all have the eyes in the same
# place; a locally connected layer can use that.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The network that joined local windows, shared weights and smaller maps: LeCun, Bottou, Bengio and Haffner,
# [*Gradient-based learning applied to document recognition*](https://doi.org/10.1109/5.726791) (1998).

# %% [markdown] part="next"
# ## Where this goes
#
# Lesson 02 builds the convolution itself, and lesson 07 the network that joined local windows, shared
# weights and smaller maps. Next: {next}.
