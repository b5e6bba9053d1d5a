# %% [markdown]
# # The receptive field
#
# {badge}
#
# {cover}
#
# How much of the image does one output of a deep network see, and where? You will predict both from the
# layers' settings, then measure them. On the way you will find why VGG and its heirs build with 3 x 3
# kernels, and that a unit does not care equally for all that it sees.
#
# About 65 minutes, {points} points.

# %% cover="Three 3 x 3 convolutions, one above the other: one output sees 7 x 7 pixels of the image."
import matplotlib.pyplot as plt
import numpy as np


def place(column, row, height):
    """Return the place in the drawing of a corner of a map; the maps lie flat, one above the other."""
    return column + 0.55 * row, height + 0.36 * row


figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
axes.set_aspect("equal")
axes.axis("off")
names = ["7 x 7 pixels of the image", "5 x 5 values", "3 x 3 values", "one output"]
for depth, name in enumerate(names):
    height, first, last = 4.1 * depth, depth, 7 - depth  # what the output sees: columns first to last - 1
    for row, column in np.ndindex(7, 7):
        corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
        inside = first <= row < last and first <= column < last
        axes.fill(
            *zip(*(place(*corner, height) for corner in corners), strict=True),
            facecolor="#ffd37a" if inside else "white",
            edgecolor="#9aa5b1",
            linewidth=0.8,
        )
    axes.text(11.4, height + 1.3, name, va="center", fontsize=14)
    if depth < 3:
        for corner in [(0, 0), (1, 0), (0, 1), (1, 1)]:
            below = [first if side == 0 else last for side in corner]
            above = [first + 1 if side == 0 else last - 1 for side in corner]
            ends = place(*below, height), place(*above, height + 4.1)
            axes.plot(*zip(*ends, strict=True), color="#d55e00", linewidth=1, zorder=3)
        axes.text(11.4, height + 3.4, "3 x 3 convolution", va="center", fontsize=12, color="#59636e")

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
# ## What a unit sees
#
# The **receptive field** of a unit is the region of the input whose values contribute to it. One layer:
# the kernel's window. Two layers: all windows of all units in the window. Follow the tinted output back,
# row by row; the numbers are positions.

# %% show="Draw which inputs one output sees, layer by layer"
grids, titles, marks = [], [], []
for strides in [(1, 1), (2, 1)]:
    sizes = [11]
    for stride in strides:
        sizes.append((sizes[-1] - 3) // stride + 1)
    units, found = {1}, []  # output 1 and, layer by layer, what it reads
    for size, stride in zip(sizes[::-1], (*strides[::-1], 0)):
        found.append(np.isin(np.arange(size), list(units)))
        units = {stride * unit + tap for unit in units for tap in range(3)}
    grids.append([np.arange(size) for size in sizes])
    titles.append(["input", *(f"kernel 3, stride {stride}" for stride in strides)])
    marks.append(found[::-1])
plot.show_grids(*([row for rows in zip(*what) for row in rows] for what in (grids, titles, marks)), columns=2)

# %% [markdown]
# ## Adding up the layers
#
# Start with one pixel. A kernel of $K$ values reaches $K-1$ steps beyond its first value, or $d(K-1)$ if
# dilation puts them $d$ apart: so much each layer adds. But a step in a deep map is not a step in the
# image. Left, both layers step by 1, and the field is $1+2+2=5$. Right, neighbours in the middle row lie
# 2 inputs apart, and it is $1+2+2\cdot 2=7$.
#
# The distance in the input between neighbours of a map is its **jump**: all strides up to that map,
# multiplied. A layer steps over the map *below* it, so its own stride does not count:
#
# $$r = 1 + \sum_{u=1}^{L} d_u (K_u - 1) \prod_{v=1}^{u-1} s_v$$
#
# with the layers numbered from the input. Pooling counts like convolution: it has a kernel and a stride.
#
# ### Exercise: the size of the field ({points:receptive_field} points, 10 minutes)
#
# The field is a span, from the first pixel to the last. Strides larger than their kernel, or dilated
# kernels, may leave pixels between unread; they count all the same.


# %% exercise="receptive_field"
@answer
def receptive_field(layers):
    """Count the input positions, along one axis, from the first to the last that one output sees.

    layers: list of (kernel, stride, dilation), ints, in order from the input. Returns size, an int,
    1 + sum over u of dilation[u]*(kernel[u] - 1) * (product of the strides of the layers before u);
    1 where there is no layer. Borders are ignored.
    Source: Araujo, Norris and Sim, Computing receptive fields of convolutional neural networks, Distill 2019.
    """
    # BEGIN SOLUTION
    size, jump = 1, 1
    for kernel, stride, dilation in layers:
        size += dilation * (kernel - 1) * jump
        jump *= stride  # only now: the kernel stepped over the map below
    return size
    # END SOLUTION


# %% check="receptive_field"
check(receptive_field)

# %% [markdown]
# ## A window of outputs
#
# What do $i$ neighbouring outputs see together? One more layer with kernel $i$ and stride 1 would read
# just these, so your function answers this too. With $a = d(K-1)+1$, the span of a kernel, it is
#
# $$i \prod_{r=1}^{L} s_r + \sum_{u=1}^{L} (a_u - s_u) \prod_{v=1}^{u-1} s_v$$
#
# and $i = 1$ gives the formula above. A single layer makes it $(i-1)s + a$, and $L$ equal ones $i s^L +
# (a-s)\frac{s^L-1}{s-1}$; at stride 1, $i + (a-1)L$. For what a unit sees of an inner map, pass only the
# layers after that map.

# %% show="Print what four neighbouring outputs see, by your function and by the formula"
if written(receptive_field):

    def product_sum(i, stack):
        """The formula above, with the sums and products written out."""
        strides = [stride for _, stride, _ in stack]
        spans = [dilation * (kernel - 1) + 1 for kernel, _, dilation in stack]
        gains = [(spans[u] - strides[u]) * int(np.prod(strides[:u])) for u in range(len(stack))]
        return i * int(np.prod(strides)) + sum(gains)

    i, a, s, depth = 4, 5, 2, 3
    equal = i * s**depth + (a - s) * (s**depth - 1) // (s - 1)
    shown = [
        ("one layer", [(a, s, 1)], (i - 1) * s + a),
        ("equal layers", [(a, s, 1)] * depth, equal),
        ("equal, stride 1", [(a, 1, 1)] * depth, i + (a - 1) * depth),
        ("mixed", [(7, 2, 1), (3, 1, 2), (2, 2, 1)], None),
    ]
    print(f"what {i} neighbouring outputs see      yours  product-sum  special case")
    for name, stack, special in shown:
        yours = receptive_field([*stack, (i, 1, 1)])
        print(f"{name:34} {yours:6} {product_sum(i, stack):12} {special or '':13}")

# %% [markdown]
# ## Two famous networks
#
# AlexNet begins with a large kernel and a large stride, VGG16 has nothing but 3 x 3 convolutions and 2 x 2
# pooling. Which sees more in its last map?


# %%
# (kernel, stride, padding, dilation) of each layer up to the last pooling.
ALEXNET = {
    "conv1": (11, 4, 0, 1),
    "pool1": (3, 2, 0, 1),
    "conv2": (5, 1, 2, 1),
    "pool2": (3, 2, 0, 1),
    "conv3": (3, 1, 1, 1),
    "conv4": (3, 1, 1, 1),
    "conv5": (3, 1, 1, 1),
    "pool5": (3, 2, 0, 1),
}
VGG16 = {}
for block, convolutions in enumerate([2, 2, 3, 3, 3], start=1):
    VGG16 |= {f"conv{block}_{i}": (3, 1, 1, 1) for i in range(1, convolutions + 1)}
    VGG16[f"pool{block}"] = (2, 2, 0, 1)


def without_padding(stack):
    """Turn (kernel, stride, padding, dilation) of each layer into (kernel, stride, dilation)."""
    return [(kernel, stride, dilation) for kernel, stride, _, dilation in stack]


# %% show="Print the kernels, strides, jumps and fields of AlexNet and VGG16"
if written(receptive_field):
    tables = []
    for title, network in [("AlexNet", ALEXNET), ("VGG16", VGG16)]:
        stack = without_padding(network.values())
        lines = [f"{title:8} kernel stride jump field", "-" * 32]
        for depth, (name, (kernel, stride, _)) in enumerate(zip(network, stack), start=1):
            jump = int(np.prod([stride for _, stride, _ in stack[:depth]]))
            lines.append(f"{name:8} {kernel:6} {stride:6} {jump:4} {receptive_field(stack[:depth]):5}")
        tables.append(lines)
    tables[0] += [""] * (len(tables[1]) - len(tables[0]))
    for left, right in zip(*tables):
        print(f"{left:32}     {right}".rstrip())

# %% [markdown]
# ## Growing fast
#
# At stride 1 each layer adds the same few pixels. Strides make the field grow exponentially, but throw
# positions away. **Dilation** that doubles from layer to layer also does, and keeps every position and
# nine weights a layer.

# %% show="Print how fast the field grows: plain, with dilation, with stride"
if written(receptive_field):
    print("layers of kernel 3     plain  dilation 1, 2, 4, ...  stride 2 (one output for ... inputs)")
    for depth in range(1, 9):
        plain = receptive_field([(3, 1, 1)] * depth)
        dilated = receptive_field([(3, 1, 2**u) for u in range(depth)])
        strided = receptive_field([(3, 2, 1)] * depth)
        print(f"{depth:18} {plain:9} {dilated:22} {strided:9} {f'({2**depth})':>9}")

# %% [markdown]
# ## Where it looks
#
# Now the place. Padding $p$ puts $p$ positions in front of the map that its layer reads, each a jump $J$ wide
# in the input, so the first window begins $pJ$ pixels earlier. Keep two numbers, `jump` and `start`, beginning
# with 1 and 0, and update them layer by layer:
#
# $$\text{start} \leftarrow \text{start} - p\,J \qquad J \leftarrow J\,s$$
#
# Output `row` then sees the $r$ pixels from $\text{start} + \text{row}\cdot J$ on; columns alike. Below,
# stride 2 after padding 1: the window of output 0 begins at $-1$, outside the input.

# %% show="Draw the windows of three outputs, with stride 2 and padding 1"
positions = np.arange(-1, 8)  # seven pixels, one of padding on either side
plot.show_grids(
    [positions] * 3,
    [
        f"kernel 3, stride 2, padding 1: output {unit} sees {2 * unit - 1} to {2 * unit + 1}"
        for unit in range(3)
    ],
    [np.isin(positions, np.arange(3) + 2 * unit - 1) for unit in range(3)],
    columns=1,
)

# %% [markdown]
# ### Exercise: the window of an output ({points:input_window} points, 12 minutes)
#
# Give windows as slices do: the first pixel, and the one *after* the last. They may reach outside the
# image: a negative number lies in the padding. Kernels are square, their numbers the same for both axes.
# `without_padding` turns such layers into those that `receptive_field` takes.


# %% exercise="input_window"
@answer
def input_window(layers, row, col):
    """Find the pixels of the input that the output at (row, col) sees.

    layers: list of (kernel, stride, padding, dilation), ints, in order from the input, padding that of each
    side; row, col: int. Returns (top, bottom), (left, right), ints in pixels of the input: rows top to
    bottom - 1 and columns left to right - 1, so bottom - top is the receptive field. Not cut at the image's
    borders: numbers below 0 lie in the padding.
    """
    # BEGIN SOLUTION
    start, jump = 0, 1
    for _, stride, padding, _ in layers:
        start -= padding * jump
        jump *= stride
    size = receptive_field([(kernel, stride, dilation) for kernel, stride, _, dilation in layers])
    top, left = start + row * jump, start + col * jump
    return (top, top + size), (left, left + size)
    # END SOLUTION


# %% check="input_window"
check(input_window)

# %% [markdown]
# Read off your function: jump and start. The picture shows VGG16's poolings on a photograph: the window
# of the unit in the middle of each map, and of the unit in its corner, which looks mostly at padding
# (grey).

# %% show="Print jumps, starts and fields, and draw what units of VGG16 see"
if written(receptive_field, input_window):
    print("                 jump  start  field")
    for title, network in [("AlexNet", ALEXNET), ("VGG16", VGG16)]:
        for depth, name in enumerate(network, start=1):
            stack = list(network.values())[:depth]
            (first, end), (second, _) = input_window(stack, 0, 1)  # rows of unit 0, columns of unit 1
            if title == "AlexNet" or name.startswith("pool"):
                print(f"{title:8} {name:7} {second - first:5} {first:6} {end - first:6}")

    photo = data.photo()
    height, width = photo.shape[:2]
    border = 96  # pixels around the photograph, for what lies in the padding
    canvas = np.full((height + 2 * border, width + 2 * border, 3), 0.75)
    canvas[border:-border, border:-border] = photo
    middle, corner = [], []
    for depth, name in enumerate(VGG16, start=1):
        if name.startswith("pool"):
            stack = list(VGG16.values())[:depth]
            halvings = 2 ** int(name[-1])
            for boxes, row, col in [
                (middle, height // halvings // 2, width // halvings // 2),
                (corner, 0, 0),
            ]:
                (top, bottom), (left, right) = input_window(stack, row, col)
                boxes.append((top + border, left + border, bottom - top, right - left))
    titles = ["units in the middle", "units in the corner"]
    plot.show_images([canvas, canvas], titles, boxes=[middle, corner], size=4)

# %% [markdown]
# ## Predict, then measure
#
# Take any `forward` as a black box: add 1 to one number of its input and look whether output (row, col) moves.
# The pixels that move it are its **footprint**. In a linear stack this move *is* the gradient with respect to
# that number, whatever the image.
#
# Step one number at a time, and look at each filter by itself: opposite weights would cancel. Loop over
# the numbers, or let all changed images go in as one batch: for an image of $D$ numbers, `np.eye(D)`
# reshaped to $(D, C, H, W)$ holds all steps. Call a move below $10^{-9}$ rounding.
#
# ### Exercise: the footprint ({points:gradient_footprint} points, 15 minutes)
#
# The cases use small stacks, linear up to a bias; a failed check shows the name of its stack.


# %% exercise="gradient_footprint"
@answer
def gradient_footprint(forward, x_shape, row, col):
    """Find the pixels that the output at (row, col) depends on, using nothing but forward.

    forward: function from x (N, C, H, W) to (N, F, OH, OW); x_shape: (1, C, H, W); row, col: int.
    Returns footprint, (H, W) of bool: True where changing the pixel, in any one of its channels, changes
    forward(x)[0, f, row, col] for any filter f.
    """
    # BEGIN SOLUTION
    _, channels, height, width = x_shape
    numbers = channels * height * width
    x = np.random.default_rng(0).normal(size=x_shape)
    changed = x + np.eye(numbers).reshape(numbers, channels, height, width)  # one number moved in each
    before = forward(x)[:, :, row, col]  # (1, F)
    after = forward(changed)[:, :, row, col]  # (C*H*W, F)
    moves = np.any(np.abs(after - before) > 1e-9, axis=1)
    return moves.reshape(channels, height, width).any(axis=0)
    # END SOLUTION


# %% check="gradient_footprint"
check(gradient_footprint)

# %% [markdown]
# ## Does the prediction hold?
#
# `layers.conv2d_forward` is your own function from lesson 02 (or a stand-in, which says so). Three 3 x 3
# convolutions with padding 1 on a 12 x 12 image: white is measured, the outline is predicted. Away from
# the border they agree; a corner unit sees only what is left of its window.


# %% show="Draw measured footprints and their predicted windows"
def stack_of(settings):
    """Build a forward of one channel from (kernel, stride, padding, dilation) of each layer, all weights 1."""

    def forward(x):
        for kernel, stride, padding, dilation in settings:
            x = layers.conv2d_forward(
                x, np.ones((1, 1, kernel, kernel)), np.zeros(1), stride, padding, dilation
            )
        return x

    return forward


if written(receptive_field, input_window, gradient_footprint):
    three = [(3, 1, 1, 1)] * 3
    pictures, names, outlines = [], [], []
    for name, row, col in [("inside", 5, 6), ("at the edge", 5, 0), ("in the corner", 0, 0)]:
        seen = gradient_footprint(stack_of(three), (1, 1, 12, 12), row, col)
        canvas = np.full((18, 18), 0.5)  # grey: three pixels of padding
        canvas[3:-3, 3:-3] = seen
        (top, bottom), (left, right) = input_window(three, row, col)
        pictures.append(canvas)
        names.append(f"{name}: {seen.sum()} of {(bottom - top) * (right - left)}")
        outlines.append([(top + 3, left + 3, bottom - top, right - left)])
    plot.show_images(pictures, names, boxes=outlines)

# %% [markdown]
# ## Gaps, and chance
#
# The prediction is a span. Equal dilations above 1, or a stride larger than its kernel, leave pixels
# inside it that nobody reads; with 3 x 3 kernels, dilations that double fill it. And what is *not* linear
# may hide pixels: the maximum of a window moves only with the pixel that holds it, in this one image.

# %% show="Draw footprints with gaps, and the one of a maximum"
if written(receptive_field, input_window, gradient_footprint):
    shown = {
        "dilation 2, 2, 2": [(3, 1, 0, 2)] * 3,
        "dilation 1, 2, 4": [(3, 1, 0, 1), (3, 1, 0, 2), (3, 1, 0, 4)],
        "kernel 2, stride 3": [(2, 3, 0, 1), (3, 1, 0, 1)],
        "3 x 3 maximum": [(3, 3, 0, 1)],
    }
    # Values far apart: one step of 1 does not make another pixel the largest.
    image = 9 * np.random.default_rng(4).normal(size=(1, 1, 17, 17))

    def largest(x):
        return layers.max_pool2d_forward(image + x, 3)

    pictures, outlines = [], []
    print("stack               field  pixels predicted  measured")
    for name, settings in shown.items():
        forward = largest if "maximum" in name else stack_of(settings)
        seen = gradient_footprint(forward, (1, 1, 17, 17), 1, 1)
        (top, bottom), (left, right) = input_window(settings, 1, 1)
        field = receptive_field(without_padding(settings))
        print(f"{name:20}{field:5} {(bottom - top) * (right - left):17} {seen.sum():9}")
        pictures.append(seen.astype(float))
        outlines.append([(top, left, bottom - top, right - left)])
    plot.show_images(pictures, list(shown), boxes=outlines)

# %% [markdown]
# ## Three small kernels or one large
#
# Three 3 x 3 convolutions in a row see as much as one of 7 x 7. They cost $3 \cdot 9$ weights in place of
# 49, times $C^2$ when each has $C$ channels in and out; multiply-adds fall alike. And a ReLU can follow
# each of them: three bends where the large kernel has one, so more functions can be formed.
#
# ### Exercise: compare stacks ({points:stack_compare} points, 6 minutes)


# %% exercise="stack_compare"
@answer
def stack_compare(kernels, channels):
    """Work out what a stack of square convolutions at stride 1 sees, and how many weights it learns.

    kernels: list of int, in order from the input; channels: int, in and out of every layer. No biases.
    Returns field, parameters: the receptive field along one axis, and the sum over the layers of
    channels * channels * kernel * kernel.
    Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition,
    arXiv 1409.1556.
    """
    # BEGIN SOLUTION
    field = receptive_field([(kernel, 1, 1) for kernel in kernels])
    parameters = sum(kernel * kernel for kernel in kernels) * channels * channels
    return field, parameters
    # END SOLUTION


# %% check="stack_compare"
check(stack_compare)

# %% show="Print what seven stacks see, and how many weights they learn"
if written(receptive_field, stack_compare):
    print("kernels            field   weights with 1 channel   with 64   with 512")
    for kernels in [[7], [5, 3], [3, 3, 3], [5], [3, 3], [11], [3] * 5]:
        field, single = stack_compare(kernels, 1)
        some, many = (stack_compare(kernels, channels)[1] for channels in (64, 512))
        print(f"{kernels!s:18} {field:5} {single:24} {some:9,} {many:10,}")

# %% [markdown]
# ## Thinner still
#
# An $n \times 1$ kernel followed by $1 \times n$ sees $n \times n$ pixels with $2n$ weights in place of
# $n^2$. In one channel and without a ReLU between, the pair is exactly the $n \times n$ kernel
# `np.outer(down, across)`: it can make only kernels whose rows are all alike but for a factor.

# %% show="Print what thin pairs of kernels see, and how far they are from an outer product"
if written(gradient_footprint):
    rng = np.random.default_rng(2)
    zero = np.zeros(1)
    print("  n  pixels seen by n x 1, 1 x n   weights  n x n weights  apart from the outer product")
    for n in (3, 5, 7):
        down, across = rng.uniform(1, 2, n), rng.uniform(1, 2, n)

        def pair_of_thin(x):
            tall = layers.conv2d_forward(x, down.reshape(1, 1, n, 1), zero)
            return layers.conv2d_forward(tall, across.reshape(1, 1, 1, n), zero)

        seen = gradient_footprint(pair_of_thin, (1, 1, 11, 11), 1, 2)
        x = rng.normal(size=(1, 1, 11, 11))
        square = layers.conv2d_forward(x, np.outer(down, across)[None, None], zero)
        apart = np.abs(pair_of_thin(x) - square).max()
        print(f"{n:3} {seen.sum():27} {2 * n:9} {n * n:14} {apart:29.0e}")

# %% [markdown]
# ## Not all pixels count alike
#
# A pixel in the middle of the field reaches the output by many paths, one in the corner by a single one.
# Below, a 1 goes back from one output through 20 layers of 3 x 3 kernels and your
# `layers.conv2d_backward`. Each square is the whole receptive field; what matters is a soft spot in its
# middle, shaped like a Gaussian: the **effective receptive field** (Luo and others, 2016, arXiv
# 1701.04128). Random weights have both signs, so we show the root of their mean square over 8 channels
# and 12 draws; for ReLU a coin stops half the values.


# %% show="Draw how much each pixel of the field counts"
def influence(depth, channels=1, rng=None, keep=1.0):
    """Send a 1 back through 3 x 3 convolutions without padding: (C, 2*depth + 1, 2*depth + 1)."""
    gradient = np.zeros((1, channels, 1, 1))
    gradient[0, 0] = 1
    for size in range(3, 2 * depth + 2, 2):  # the maps grow by 2 on the way back
        weights = np.full((channels, channels, 3, 3), 1 / (9 * channels))
        if rng:
            weights = rng.normal(size=weights.shape) / np.sqrt(9 * channels)
        x = np.zeros((1, channels, size, size))  # a convolution's gradient does not depend on its input
        gradient = layers.conv2d_backward(gradient, x, weights, np.zeros(channels))[0]
        if keep < 1:
            gradient = gradient * (rng.random(gradient.shape) < keep)
    return gradient[0]


def bell(depth, spread):
    """A Gaussian on the field of `depth` layers, with its standard deviation in pixels."""
    along = np.exp(-0.5 * (np.arange(-depth, depth + 1) / spread) ** 2)
    return np.outer(along, along) / along.sum() ** 2


rng = np.random.default_rng(0)
depth = 20
pictures = [influence(depth)[0]]
for keep in (1.0, 0.5):
    squares = [np.mean(influence(depth, 8, rng, keep) ** 2, axis=0) for _ in range(12)]
    pictures.append(np.sqrt(np.mean(squares, axis=0)))
gaussian = bell(depth, np.sqrt(2 * depth / 3))  # the next cell says why this width
titles = ["equal weights", "random weights", "random, ReLU", "a Gaussian"]
plot.show_images([*pictures, gaussian], titles, size=2.2)
off = np.abs(pictures[0] - gaussian).max() / gaussian.max()
print(f"Equal weights differ from the Gaussian by at most {off:.1%} of its peak.")

# %% [markdown]
# ## How large is the soft spot?
#
# With equal weights each layer blurs the gradient with a box of three, whose variance is
# $\frac{1+0+1}{3}=\frac{2}{3}$. Variances add, so after $n$ layers the standard deviation is $\sqrt{2n/3}$,
# while the field is $2n+1$: the soft spot grows only with $\sqrt{n}$, and its *share* of the field shrinks.

# %% show="Measure the soft spot of 2 to 40 layers"
print("layers  field  deviation  sqrt(2n/3)  middle square with 95 % of the gradient  its share of the area")
for depth in (2, 5, 10, 20, 40):
    gradient = influence(depth)[0]
    along = gradient.sum(axis=0) / gradient.sum()
    deviation = np.sqrt(along @ np.arange(-depth, depth + 1) ** 2)
    inside = [gradient[depth - k : depth + k + 1, depth - k : depth + k + 1].sum() for k in range(depth + 1)]
    side = 2 * int(np.argmax(np.array(inside) >= 0.95 * gradient.sum())) + 1
    field = 2 * depth + 1
    share = side**2 / field**2
    print(
        f"{depth:6} {field:6} {deviation:10.2f} {np.sqrt(2 * depth / 3):11.2f} {f'{side} x {side}':>40} {share:22.0%}"
    )

# %% [markdown]
# ## Question: why three small kernels? ({points:why_three_small} points, 5 minutes)
#
# VGG uses three 3 x 3 convolutions where an older network had one of 7 x 7. Say why, with two numbers and one
# reason that is not a number.

# %% [markdown] question="why_three_small" points=2
# ### BEGIN SOLUTION
# Both see the same: the receptive field of three 3 x 3 convolutions at stride 1 is 1 + 2 + 2 + 2 = 7, so
# nothing of the view is lost. With C channels in and out, they have 3 x 9 x C² = 27 C² weights, and the single
# 7 x 7 has 49 C²: about 45 % fewer weights, and as many fewer multiply-adds.
#
# What is not a number: a ReLU can stand after each of the three, so the stack is bent three times where the
# large kernel is bent once and can form functions that a single linear filter cannot. (Without the ReLUs it
# would be one 7 x 7 convolution again, and only some of those: the small stack is also a restriction, which
# acts as a regulariser.)
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# For more on the arithmetic see Araujo, Norris and Sim, [*Computing receptive fields of convolutional neural
# networks*](https://doi.org/10.23915/distill.00021) (Distill, 2019).

# %% [markdown] part="next"
# ## Where this goes
#
# Lesson 07 puts your layers together and trains a network; before you do, work out what its last map
# sees. AlexNet and VGG16 come back in lessons 08 and 09. Next: {next}.
