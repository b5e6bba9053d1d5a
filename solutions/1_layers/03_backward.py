# %% [markdown]
# # Backward
#
# {badge}
#
# {cover}
#
# A network learns by asking what each of its numbers did to the loss. You will run the convolution of lesson 02
# backwards, in one dimension and then in full, prove your gradients in two ways, and meet the same operation
# again as a layer that enlarges images.
#
# About 85 minutes, {points} points.

# %% cover="Forward, the kernel makes z of x; backward, the flipped kernel makes the gradient of x of that of z."
import matplotlib.pyplot as plt
import numpy as np

x, w, dout = np.array([2, 0, 1, 3, 1]), np.array([1, 2, 3]), np.array([1, 0, -1])
z = np.correlate(x, w)
dx = np.convolve(dout, w)  # the kernel flipped, over dout with zeros around
figure, axes = plt.subplots(figsize=(7, 2.5), layout="constrained")
axes.set(xlim=(-2.7, 15.6), ylim=(5.9, -0.9), aspect="equal")
axes.axis("off")


def row(values, left, top, title, colour):
    axes.text(left + len(values) / 2, top - 0.25, title, ha="center", fontsize=12)
    for i, value in enumerate(values):
        axes.add_patch(plt.Rectangle((left + i, top), 1, 1, facecolor=colour, edgecolor="#59636e"))
        axes.text(left + i + 0.5, top + 0.53, f"{value}", ha="center", va="center", fontsize=13)


def arrow(start, end, top, colour):
    axes.annotate(
        "", (end, top), (start, top), arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.5}
    )


for top, words, colour, tint, rows in [
    (0.4, "forward", "#3b6ea8", "#dbe7f4", [(x, "x"), (w, "kernel"), (z, "z")]),
    (
        3.9,
        "backward",
        "#d55e00",
        "#fbe3d0",
        [(dx, "gradient of x"), (w[::-1], "kernel, flipped"), (dout, "gradient of z")],
    ),
]:
    axes.text(-2.7, top + 0.55, words, va="center", fontsize=13, color=colour)
    for (values, title), left in zip(rows, (0.6, 7, 11.6), strict=True):
        row(values, left, top, title, tint)
    for start, end in [(5.7, 6.9), (10.1, 11.5)]:
        arrow(*((start, end) if words == "forward" else (end, start)), top + 0.5, colour)
arrow(14.8, 15.6, 0.9, "#3b6ea8")
arrow(15.6, 14.8, 4.4, "#d55e00")
axes.plot([15.6, 15.6], [0.9, 4.4], color="#59636e", linewidth=1.5, linestyle=":")
axes.text(15.4, 2.65, "loss", ha="right", va="center", fontsize=13)

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
# ## What comes back
#
# A layer makes $z$ from $x$ and its weights $w$; whatever follows turns $z$ into one number, the loss $e$.
# Coming back, the layer is handed $\partial e / \partial z$, one number for each output: the **upstream
# gradient**, `dout` in code. It owes two more: $\partial e / \partial w$, to change the weights by, and
# $\partial e / \partial x$, the `dout` of the layer before. The chain rule adds up every way by which a number
# reaches the loss:
#
# $$\frac{\partial e}{\partial x_i} = \sum_k \frac{\partial e}{\partial z_k}\,
# \frac{\partial z_k}{\partial x_i}$$

# %% [markdown]
# ## Three weights
#
# Take the lecture's kernel of three weights, $z_i = w_1 x_{i-1} + w_2 x_i + w_3 x_{i+1}$. The value $x_i$ is
# used three times: by $z_{i-1}$ as its *right* neighbour, with $w_3$; by $z_i$ with $w_2$; by $z_{i+1}$ as its
# *left* neighbour, with $w_1$. So
#
# $$\frac{\partial e}{\partial x_i} = \frac{\partial e}{\partial z_{i-1}}\, w_3 +
# \frac{\partial e}{\partial z_i}\, w_2 + \frac{\partial e}{\partial z_{i+1}}\, w_1$$
#
# From left to right the weights stand backwards: the **flipped** kernel slides over the upstream gradient.
# (Some notes give $\sum_j \frac{\partial e}{\partial z_i} w_j$, as the kernel's gradient. But each weight goes
# with an output of its own, and this is the input's.)

# %% show="Draw which outputs use x3, and the weights it meets there"
w = np.array([1, 2, 3])
middle = np.arange(7) == 3
plot.show_grids(
    [np.arange(7), w, np.arange(7), w[::-1]],
    ["places in x: x3", "the kernel w", "places in z that use x3", "the weights x3 met there"],
    [middle, None, np.isin(np.arange(7), [2, 3, 4]), np.ones(3)],
    columns=2,
)

# %% [markdown]
# ## Two sums
#
# Count from 0 and start each window at its own index, as in lesson 02: $z_i = \sum_u x_{i+u}\, w_u$. Then
#
# $$\frac{\partial e}{\partial x_i} = \sum_u \frac{\partial e}{\partial z_{i-u}}\, w_u \qquad
# \frac{\partial e}{\partial w_u} = \sum_i \frac{\partial e}{\partial z_i}\, x_{i+u}$$
#
# The first is the convolution of mathematics, flip and all. Pad `dout` with $K-1$ zeros on each side, for the
# outputs that do not exist, and this **full** convolution is as long as $x$. The second cross-correlates $x$
# with `dout`.

# %% show="Draw both sums: dx with the flipped kernel, dw from x and dout"
x, dout = np.array([2, 0, 1, 3, 1]), np.array([1, 0, -1])
padded = np.pad(dout, 2)
dx = [int(padded[i : i + 3] @ w[::-1]) for i in range(5)]
dw = [int(x[u : u + 3] @ dout) for u in range(3)]
plot.show_grids(
    [padded, w[::-1], dx, x, dout, dw],
    ["dout, padded", "kernel, flipped", "dx", "x", "dout", "dw"],
    [np.isin(np.arange(7), [1, 2, 3]), np.ones(3), np.arange(5) == 1]
    + [np.isin(np.arange(5), [2, 3, 4]), np.ones(3), np.arange(3) == 2],
    columns=3,
)

# %% [markdown]
# ### Exercise: backward in one dimension ({points:conv1d_backward} points, 8 minutes)
#
# If you lose your way in the indices, walk the other way round: output $i$ sends `dout[i] * w[u]` to `dx[i + u]`
# and `dout[i] * x[i + u]` to `dw[u]`, for every `u`.


# %% exercise="conv1d_backward"
@answer
def conv1d_backward(dout, x, w):
    """Find the gradients of a kernel that slides over a signal with stride 1 and no padding.

    dout: (N - K + 1,), the loss's gradient for z[i] = sum over u of x[i + u] * w[u]; x: (N,); w: (K,).
    Returns dx, dw of the shapes of x and w: dx[i] = sum over u of dout[i - u] * w[u], where dout is 0 beyond
    its ends; dw[u] = sum over i of dout[i] * x[i + u].
    """
    # BEGIN SOLUTION
    outputs = len(dout)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for u in range(len(w)):
        dx[u : u + outputs] += dout * w[u]
        dw[u] = dout @ x[u : u + outputs]
    return dx, dw
    # END SOLUTION


# %% check="conv1d_backward"
check(conv1d_backward)

# %% [markdown]
# ## Do not believe a gradient
#
# A wrong gradient seldom crashes; the network just learns badly. So measure the slope: move one entry by
# $\varepsilon$ to each side and see how far the loss goes,
#
# $$\frac{\partial f}{\partial x_k} \approx \frac{f(x + \varepsilon \delta_k) - f(x - \varepsilon \delta_k)}{2\varepsilon}$$
#
# where $\delta_k$ is 1 at entry $k$ and 0 elsewhere. Two calls for each entry: too slow to train with, good
# enough to judge.
#
# ### Exercise: the gradient by measurement ({points:numerical_gradient} points, 8 minutes)
#
# `np.ndindex(x.shape)` gives the indices of an array of any shape. Work on a float64 copy of `x`: the caller's
# array must not change, and whole numbers cannot move by $\varepsilon$ at all.


# %% exercise="numerical_gradient"
@answer
def numerical_gradient(f, x, eps=1e-5):
    """Measure the gradient of f at x by central differences.

    f: function of an array of x's shape -> float; x: array of any shape and dtype; eps: the step to each side.
    Returns grad, float64 of the shape of x: grad[k] = (f(x with eps added at k) - f(x with eps subtracted at
    k)) / (2 * eps), computed in float64 whatever the dtype of x.
    """
    # BEGIN SOLUTION
    x = x.astype(np.float64)  # a copy
    grad = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + eps
        above = f(x)
        x[index] = old - eps
        below = f(x)
        x[index] = old
        grad[index] = (above - below) / (2 * eps)
    return grad
    # END SOLUTION


# %% check="numerical_gradient"
check(numerical_gradient)

# %% [markdown]
# To judge a layer, make one number of its outputs, $f(x) = \sum_i v_i\, z_i(x)$ with random $v$; then `dout` is
# $v$. (All ones would hide a `dout` that is out of order, or ignored.)

# %% show="Print how far your gradients are from measured ones"
if written(conv1d_backward, numerical_gradient):
    rng = np.random.default_rng(0)
    x, w, v = rng.normal(size=9), rng.normal(size=3), rng.normal(size=7)

    def slide(x, w):
        return np.array([x[i : i + len(w)] @ w for i in range(len(x) - len(w) + 1)])

    dx, dw = conv1d_backward(v, x, w)
    print(f"dx: off by {np.abs(dx - numerical_gradient(lambda x: v @ slide(x, w), x)).max():.1e}")
    print(f"dw: off by {np.abs(dw - numerical_gradient(lambda w: v @ slide(x, w), w)).max():.1e}")
    wrong = np.convolve(v, w[::-1])  # the kernel not flipped
    print(f"dx with the kernel not flipped: off by {np.abs(wrong - dx).max():.1e}")

# %% [markdown]
# ## How small a step?
#
# In a large step the curve bends: an error like $\varepsilon^2$ (like $\varepsilon$ where only one side is
# measured). In a small one the difference drowns in rounding: an error like $\eta/\varepsilon$, with $\eta$ the
# precision of the numbers. With two sides the best lies near $\sqrt[3]{\eta}$. Look where each line has its
# valley, and how deep it is. (Where float32 runs flat, the step no longer moves the number at all.)

# %% show="Draw the error of measured gradients for different steps"
if written(numerical_gradient):
    x = np.random.default_rng(0).normal(size=50)
    true = np.cos(x)  # the gradient of the sum of the sines
    powers = range(-1, -13, -1)
    steps = [10.0**power for power in powers]

    def double(x):
        return float(np.sum(np.sin(x)))

    def single(x):
        return float(np.sum(np.sin(x.astype(np.float32))))

    def one_sided(f, x, eps):
        return np.array([f(x + eps * (np.arange(x.size) == k)) - f(x) for k in range(x.size)]) / eps

    ways = {
        "float64": (numerical_gradient, double),
        "float64, one-sided": (one_sided, double),
        "float32": (numerical_gradient, single),
    }
    errors = {name: [np.abs(way(f, x, eps) - true).max() for eps in steps] for name, (way, f) in ways.items()}
    plot.show_lines(
        powers,
        errors,
        xlabel="eps, as a power of 10",
        ylabel="largest error",
        title=f"the sum of {x.size} sines",
        logarithmic="y",
    )
    for name, error in errors.items():
        best = int(np.argmin(error))
        print(
            f"{name}: best at eps {steps[best]:.0e}, off by {error[best]:.0e}; at {steps[4]:.0e} by {error[4]:.0e}"
        )
    for kind in (np.float64, np.float32):
        print(f"cube root of the precision of {kind.__name__}: {np.finfo(kind).eps ** (1 / 3):.0e}")

# %% [markdown]
# So check gradients in float64: in float32 no step comes near.
#
# ## The adjoint
#
# A convolution is **linear** in $x$: it is $z = A x$ with a matrix $A$, the one of lesson 01. By the chain rule
# its backward multiplies by $A^T$, the transposed matrix or **adjoint**. With $\langle a, b \rangle$ for the sum
# of `a * b`, that can be seen without any matrix: for *all* $x$ and $y$
#
# $$\langle A x,\, y \rangle = \langle x,\, A^T y \rangle$$
#
# Random $x$ and $y$ test all entries in two calls, with no step to choose.
#
# ### Exercise: the gap ({points:adjoint_gap} points, 6 minutes)
#
# Divide the difference of the two sides by the size of the products they add up. Where all of these are 0, so
# is the gap.


# %% exercise="adjoint_gap"
@answer
def adjoint_gap(forward, adjoint, x, y):
    """Measure how far `adjoint` is from the adjoint of the linear map `forward`.

    forward: function of an array like x -> array like y; adjoint: the other way; x, y: arrays.
    Returns gap, a float from 0 to 1: |sum(left) - sum(right)| / (sum(|left|) + sum(|right|)) with left =
    forward(x) * y and right = x * adjoint(y), and 0.0 where all those products are 0.
    """
    # BEGIN SOLUTION
    left, right = forward(x) * y, x * adjoint(y)
    scale = np.abs(left).sum() + np.abs(right).sum()
    if scale == 0:
        return 0.0
    return float(abs(left.sum() - right.sum()) / scale)
    # END SOLUTION


# %% check="adjoint_gap"
check(adjoint_gap)

# %% show="Print the gap of your backward and of three wrong ones"
if written(conv1d_backward, adjoint_gap):
    x, y = rng.normal(size=9), rng.normal(size=7)
    backward = {
        "yours": lambda y: conv1d_backward(y, x, w)[0],
        "kernel not flipped": lambda y: conv1d_backward(y, x, w[::-1])[0],
        "one place further": lambda y: np.roll(conv1d_backward(y, x, w)[0], 1),
        "1 % too large": lambda y: 1.01 * conv1d_backward(y, x, w)[0],
    }
    for name, adjoint in backward.items():
        print(f"{name:20} {adjoint_gap(lambda x: slide(x, w), adjoint, x, y):.1e}")

# %% [markdown]
# ## Backward of im2col
#
# Now two dimensions. `im2col` copies a pixel into every window that holds it, so what comes back for the pixel
# is the *sum* over those places: **col2im**. From columns of ones, a pixel gets the number of its windows, so
# col2im is not the inverse of im2col but its adjoint.

# %% show="Draw the ones that come back to each pixel, and their sum"
image = np.arange(1, 10).reshape(3, 3)
places = [(i, j) for i in range(2) for j in range(2)]
columns = np.stack([image[i : i + 2, j : j + 2].ravel() for i, j in places], axis=1)
counts = np.zeros((3, 3), int)
for i, j in places:
    counts[i : i + 2, j : j + 2] += 1
plot.show_grids(
    [image, columns, np.ones((4, 4), int), counts],
    ["image", "its 2 x 2 windows", "ones come back", "and add up"],
    [image == 5, columns == 5, columns == 5, image == 5],
)

# %% [markdown]
# Two helpers of lesson 02 read the settings again.


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def sides(padding):
    """Turn a padding p, (h, w) or ((top, bottom), (left, right)) into the last, longest form."""
    rows, columns = pair(padding)
    return pair(rows), pair(columns)


# %% [markdown]
# ### Exercise: col2im ({points:col2im} points, 12 minutes)
#
# Your functions of lesson 02 are at hand, as `layers.im2col` or
# `layers.conv_output_size(H, KH, sh, (top, bottom), dh)`; cnnlab lends those that you have not written. Turn
# your im2col round: the same slices in the same loop over the kernel's positions, but now slices of an image of
# zeros, padding included, *grow* by the columns. At the end cut the padding off.
#
# (Faster, but not needed: two loops one after the other, as in lesson 02. The first adds up the kernel's rows,
# into windows one row high; the second its columns.)


# %% exercise="col2im"
@answer
def col2im(cols, x_shape, kernel, stride=1, padding=0, dilation=1):
    """Add every column back to the window that im2col took it from.

    cols: (N, C*KH*KW, OH*OW) as from im2col; x_shape: (N, C, H, W), the images' shape without padding;
    kernel, stride, dilation: int or (h, w); padding: as in pad2d.
    Returns x of x_shape and of the dtype of cols: each pixel is the sum of the values that im2col would have
    copied from it, 0 where there are none; what falls on the padding is dropped.
    """
    # BEGIN SOLUTION
    n, c, height, width = x_shape
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
    (top, bottom), (left, right) = sides(padding)
    oh = layers.conv_output_size(height, kh, sh, (top, bottom), dh)
    ow = layers.conv_output_size(width, kw, sw, (left, right), dw)
    windows = cols.reshape(n, c, kh, kw, oh, ow)
    pieces = np.zeros((n, c, kw, top + height + bottom, ow), dtype=cols.dtype)  # windows one row high
    for u in range(kh):
        pieces[..., u * dh : u * dh + sh * oh : sh, :] += windows[:, :, u]
    padded = np.zeros((n, c, top + height + bottom, left + width + right), dtype=cols.dtype)
    for v in range(kw):
        padded[..., v * dw : v * dw + sw * ow : sw] += pieces[:, :, v]
    return padded[:, :, top : top + height, left : left + width]
    # END SOLUTION


# %% check="col2im"
check(col2im)

# %% show="Print the gap of col2im for four settings"
if written(adjoint_gap, col2im):
    rng = np.random.default_rng(0)
    for how in [{}, {"stride": 2}, {"padding": ((2, 1), (0, 1))}, {"stride": (1, 2), "dilation": (2, 1)}]:
        x = rng.normal(size=(2, 3, 7, 6))
        y = rng.normal(size=layers.im2col(x, 3, **how).shape)
        gap = adjoint_gap(lambda x: layers.im2col(x, 3, **how), lambda y: col2im(y, x.shape, 3, **how), x, y)
        print(f"gap {gap:.0e} for {how or 'the defaults'}")

# %% [markdown]
# ## Backward of the layer
#
# For one image the layer is $Z = W X + b$: filters $W$ $(F, R)$ times columns $X$ $(R, L)$, with
# $R = C K_H K_W$ values in a window and $L$ output positions. The chain rule can almost be read off the shapes:
#
# | gradient | formula | shape |
# |---|---|---|
# | of the columns | $W^T\, \partial e/\partial Z$ | $(R, F)\,(F, L)$ |
# | of the filters | $\partial e/\partial Z\; X^T$ | $(F, L)\,(L, R)$ |
# | of the bias | $\partial e/\partial Z$ summed over positions | $(F)$ |
#
# The columns' gradient goes through col2im to become that of $x$; the filters' is again the correlation of $x$
# with `dout`. All images share filters and bias, so those gradients add up over the batch. With groups there are
# $G$ such products side by side.
#
# **For the curious.** Lesson 02's trick of one row at a time works backwards too, at stride 1: each row $u$ of the
# kernel gets `dout` at the place from which its map was taken, $u d_h$ rows down, with zeros around. The solved
# lesson does this, with lesson 02's helper; whole windows are just as right, and fast enough for all the points.


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
# ### Exercise: backward of the convolution ({points:conv2d_backward} points, 18 minutes)
#
# Take one image at a time, as in `conv2d_forward`, and for its groups stacks of matrices: $W^T$ is $(G, R, F/G)$
# with $R = (C/G) K_H K_W$, the upstream gradient $(G, F/G, L)$. Part of the points is for speed: at most
# {at_most:conv2d_backward} times the time of the bare matrix products.


# %% exercise="conv2d_backward"
@answer
def conv2d_backward(dout, x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """Find the gradients of conv2d_forward.

    dout: (N, F, OH, OW), the loss's gradient for the output; x: (N, C, H, W); w: (F, C/groups, KH, KW);
    b: (F,); stride, padding, dilation, groups: as in conv2d_forward.
    Returns dx, dw, db of the shapes of x, w and b. With p the padded x, g the group of filter f and the output
    (i, j) at rows sh*i, columns sw*j: dw[f, c, u, v] = sum over n, i, j of dout[n, f, i, j] *
    p[n, g*C/groups + c, sh*i + dh*u, sw*j + dw*v]; db[f] = sum over n, i, j of dout[n, f, i, j]; dx is the sum
    of dout[n, f, i, j] * w[f, c, u, v] over all outputs and weights that meet a pixel.
    Source: LeCun et al., Backpropagation applied to handwritten zip code recognition, 1989.
    """
    # BEGIN SOLUTION
    (n, f, oh, ow), (kh, kw), dh = dout.shape, w.shape[2:], pair(dilation)[0]
    tall, filters = stack_rows(w, stride, groups)  # (G, rows*F/G, R), with KH/tall rows
    dx, dfilters = np.empty_like(x), np.zeros_like(filters)
    for i in range(n):  # the columns of one image stay in the processor's cache, those of a batch do not
        image = x[i : i + 1]
        cols = layers.im2col(image, (tall, kw), stride, padding, dilation)
        dmaps = dout[i].reshape(groups, 1, f // groups, oh, ow)
        if tall < kh:
            dmaps = np.zeros((groups, kh, f // groups, cols.shape[2] // ow, ow), x.dtype)
            for u in range(kh):  # where forward took this row's map from
                dmaps[:, u, :, u * dh : u * dh + oh] = dout[i].reshape(groups, -1, oh, ow)
        dmaps = dmaps.reshape(groups, filters.shape[1], -1)  # (G, rows*F/G, L)
        by_group = cols.reshape(groups, filters.shape[2], -1)  # (G, R, L)
        dfilters += (by_group @ dmaps.transpose(0, 2, 1)).transpose(0, 2, 1)
        dcols = (filters.transpose(0, 2, 1) @ dmaps).reshape(cols.shape)
        dx[i] = col2im(dcols, image.shape, (tall, kw), stride, padding, dilation)[0]
    dw = dfilters.reshape(groups, kh // tall, f // groups, -1, tall, kw).transpose(0, 2, 3, 1, 4, 5)
    return dx, dw.reshape(w.shape), dout.sum(axis=(0, 2, 3))
    # END SOLUTION


# %% check="conv2d_backward"
check(conv2d_backward)

# %% [markdown]
# Both proofs again, with everything switched on. The layer is linear in $x$ and in $w$: two adjoints to test.

# %% show="Print how far your layer's gradients are from measured ones, and their gaps"
if written(numerical_gradient, adjoint_gap, conv2d_backward):
    rng = np.random.default_rng(0)
    how = {"stride": (2, 1), "padding": ((1, 0), (2, 1)), "dilation": (1, 2), "groups": 2}
    x, w, b = rng.normal(size=(2, 4, 7, 6)), rng.normal(size=(6, 2, 3, 3)), rng.normal(size=6)
    dout = rng.normal(size=layers.conv2d_forward(x, w, b, **how).shape)
    dx, dw, db = conv2d_backward(dout, x, w, b, **how)

    def loss(x, w, b):
        return np.sum(dout * layers.conv2d_forward(x, w, b, **how))

    print(f"dx: off by {np.abs(dx - numerical_gradient(lambda x: loss(x, w, b), x)).max():.0e}")
    print(f"dw: off by {np.abs(dw - numerical_gradient(lambda w: loss(x, w, b), w)).max():.0e}")
    print(f"db: off by {np.abs(db - numerical_gradient(lambda b: loss(x, w, b), b)).max():.0e}")
    linear = 0 * b  # with a bias the layer is not linear
    gap_x = adjoint_gap(
        lambda x: layers.conv2d_forward(x, w, linear, **how),
        lambda y: conv2d_backward(y, x, w, linear, **how)[0],
        x,
        dout,
    )
    gap_w = adjoint_gap(
        lambda w: layers.conv2d_forward(x, w, linear, **how),
        lambda y: conv2d_backward(y, x, w, linear, **how)[1],
        w,
        dout,
    )
    print(f"gap for x {gap_x:.0e}, for w {gap_w:.0e}")


# %% show="Time your backward against one output at a time"
def backward_in_loops(dout, x, w):
    """The chain rule, one output at a time: stride 1, no padding."""
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    kh, kw = w.shape[2:]
    for n, f, i, j in np.ndindex(dout.shape):
        dx[n, :, i : i + kh, j : j + kw] += dout[n, f, i, j] * w[f]
        dw[f] += dout[n, f, i, j] * x[n, :, i : i + kh, j : j + kw]
    return dx, dw


def seconds(function, *arguments, repetitions):
    """Time a call: the median over the repetitions, after one call that is not counted."""
    from time import perf_counter

    times = []
    for _ in range(repetitions + 1):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return float(np.median(times[1:]))


if written(conv2d_backward):
    x, w, b = rng.normal(size=(4, 8, 34, 34)), rng.normal(size=(16, 8, 3, 3)), rng.normal(size=16)
    dout = rng.normal(size=(4, 16, 32, 32))
    times = {
        "one output at a time": seconds(backward_in_loops, dout, x, w, repetitions=1),
        "conv2d_backward": seconds(conv2d_backward, dout, x, w, b, repetitions=20),
    }
    plot.bar_times(times, f"{x.shape} input, {w.shape} filters")

# %% [markdown]
# ## The input's gradient is a convolution
#
# The flipped kernel is still there: $\partial e/\partial x$ is a forward convolution of `dout`. With stride $s$
# the outputs lie $s$ pixels apart, so insert $s-1$ zeros between them. Pad with $K-1-p$ zeros on each side, and
# with more at the end where the last window stopped short of the border. Flip the filters, and let channels and
# filters change places, for the sum now runs over the filters.

# %% show="Draw dx as a forward convolution of dout"
if written(conv2d_backward):
    stride, pad, kernel = 2, 1, 3
    x, w, b = np.zeros((1, 1, 6, 6)), np.arange(1.0, 10).reshape(1, 1, 3, 3), np.zeros(1)
    dout = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]])[None, None]
    short = (6 + 2 * pad - kernel) % stride  # rows that no window reached
    before, after = kernel - 1 - pad, kernel - 1 - pad + short
    spread = np.zeros((1, 1, 5, 5))
    spread[:, :, ::stride, ::stride] = dout
    spread = np.pad(spread, ((0, 0), (0, 0), (before, after), (before, after)))
    turned = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    by_convolution = layers.conv2d_forward(spread, turned, b)
    window, here = np.zeros((8, 8), bool), np.zeros((6, 6), bool)
    window[2:5, 2:5] = here[2, 2] = True
    plot.show_grids(
        [dout[0, 0], spread[0, 0], turned[0, 0], by_convolution[0, 0]],
        ["dout", "zeros between and around", "flipped filter", "dx, 6 x 6"],
        [dout[0, 0] == 5, window, np.ones((3, 3)), here],
    )
    same = np.allclose(by_convolution, conv2d_backward(dout, x, w, b, stride, pad)[0])
    print("The same dx as yours." if same else "Your conv2d_backward gives another dx.")

# %% [markdown]
# ## The way back as a way forward
#
# The backward of a layer with stride 2 turns a small map into a large image. As a layer of its own it is the
# **transposed convolution**; networks that draw, or label each pixel, enlarge with it. (Some say
# deconvolution, but it is the adjoint, not the inverse.) Every input value lays its multiple of the kernel into
# the output, $s$ apart, and overlaps add up. From $n$ values in a row come
#
# $$\text{out} = (n-1)\,s - P + K + \text{extra}$$
#
# Padding, $P$ values in all, is cut *off*. With a stride, several sizes shrink to the same $n$; *extra*, the
# `output_padding` below $s$, says which one to return to: so many more rows below, or columns on the right.
#
# ### Exercise: transposed convolution ({points:conv_transpose2d_forward} points, 12 minutes)
#
# In the table of products, `x` now stands for the upstream gradient: which product makes columns of it, and where
# do they go? The filters are $(C, F, K_H, K_W)$: the convolution whose adjoint this is makes $C$ channels of $F$.


# %% exercise="conv_transpose2d_forward"
@answer
def conv_transpose2d_forward(x, w, b, stride=1, padding=0, output_padding=0):
    """Enlarge a batch of images: the adjoint of a convolution, plus a bias.

    x: (N, C, H, W); w: (C, F, KH, KW); b: (F,); stride, output_padding: int or (h, w); padding: as in pad2d.
    Returns y, (N, F, OH, OW) of the dtype of x, OH = (H - 1)*sh - top - bottom + KH + output_padding, OW
    likewise; y[n, f] is b[f] plus the sum over c, i, j of x[n, c, i, j] * w[c, f], laid with its corner at row
    sh*i - top, column sw*j - left. The same as torch.nn.functional.conv_transpose2d.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, arXiv 1603.07285.
    Raises ValueError when output_padding is not below the stride.
    """
    # BEGIN SOLUTION
    n, c, height, width = x.shape
    _, f, kh, kw = w.shape
    (sh, sw), (more_rows, more_columns) = pair(stride), pair(output_padding)
    if more_rows >= sh or more_columns >= sw:
        raise ValueError(f"output_padding {output_padding} is not below the stride {stride}")
    rows, columns = sides(padding)
    oh = (height - 1) * sh - sum(rows) + kh + more_rows
    ow = (width - 1) * sw - sum(columns) + kw + more_columns
    cols = w.reshape(c, f * kh * kw).T @ x.reshape(n, c, height * width)  # (N, F*KH*KW, H*W)
    return col2im(cols, (n, f, oh, ow), (kh, kw), stride, padding) + b[:, None, None]
    # END SOLUTION


# %% check="conv_transpose2d_forward"
check(conv_transpose2d_forward)

# %% [markdown]
# ## A checkerboard
#
# Enlarge an even grey by 2. Windows of 3 x 3 overlap unevenly: pixels lie in one, in two or in four. With 4 x 4,
# which the stride divides, all are covered alike, and weights that fall off to the sides interpolate.

# %% show="Draw an even grey and a photograph, enlarged with three kernels"
if written(conv_transpose2d_forward):
    grey = data.photo()[48:192:3, 40:184:3] @ [0.299, 0.587, 0.114]
    flat = np.full_like(grey, 0.5)
    slope = np.array([1, 3, 3, 1]) / 4
    kernels = {
        "3 x 3, equal weights": np.full((3, 3), 4 / 9),  # sums to 4: each value fills 2 x 2 pixels
        "4 x 4, equal weights": np.full((4, 4), 1 / 4),
        "4 x 4, falling off": np.outer(slope, slope),
    }
    pictures = []
    for name, kernel in kernels.items():
        both = np.stack([flat, grey])[:, None]  # (2, 1, H, W)
        large = conv_transpose2d_forward(both, kernel[None, None], np.zeros(1), stride=2, padding=1)[:, 0]
        inside = large[0, 4:-4, 4:-4]
        print(f"{name}: even grey comes out between {inside.min():.3f} and {inside.max():.3f}")
        pictures.append(large)
    plot.show_grids(
        [np.round(large[0, 4:9, 4:9], 2) for large in pictures], list(kernels), columns=3, cell=0.45
    )
    plot.show_images([large[1, 4:-4, 4:-4] for large in pictures], list(kernels), size=2.8)

# %% [markdown]
# ## Question: what to keep ({points:what_to_keep} points, 5 minutes)
#
# In training, a convolution keeps its input $x$ until its backward. Which of the three gradients need it, and
# which do not? Say why, and what follows for a network whose first layers are frozen: their weights stay.

# %% [markdown] question="what_to_keep" points=2
# ### BEGIN SOLUTION
# Only dw needs x: the output is linear in w, and the factor of w[f, c, u, v] in an output is the pixel it met
# there, so dw correlates dout with x. dx needs dout and w alone, because the factor of a pixel is a weight;
# db needs dout alone, because the factor of the bias is 1.
#
# So layers whose weights are frozen need not keep their inputs, which saves memory. If all layers up to some
# point are frozen, nothing at all has to go back beyond that point: neither dw nor dx is asked for there.
# (A layer that is not linear in x, such as ReLU, has to keep something in any case.)
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# For pictures of every setting see Dumoulin and Visin, [*A guide to convolution arithmetic for deep
# learning*](https://arxiv.org/abs/1603.07285), for the checkerboard Odena, Dumoulin and Olah, [*Deconvolution and
# checkerboard artifacts*](https://doi.org/10.23915/distill.00003), Distill 2016.

# %% [markdown] part="next"
# ## Where this goes
#
# In lesson 07 your backward trains a network. Next: {next}.
