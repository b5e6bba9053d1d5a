# %% [markdown]
# # ReLU and pooling
#
# {badge}
#
# {cover}
#
# Between convolutions stand two kinds of layer that learn nothing: one bends, one shrinks. You will write
# both, forward and backward, settle who gets the gradient at a tie, and measure what pooling is said to do:
# make a network care less about where things are.
#
# About 90 minutes, {points} points.

# %% cover="A map of 4 x 6 numbers, and what subsampling, the maximum and the average of each 2 x 2 window keep of it."
import numpy as np

from cnnlab import plot

numbers = np.array([[1, 3, 0, 2, 5, 1], [2, 8, 4, 1, 0, 0], [6, 1, 2, 2, 3, 7], [0, 1, 3, 9, 4, 4]])
windows = numbers.reshape(2, 2, 3, 2).swapaxes(1, 2)  # (2, 3, 2, 2)
plot.show_grids(
    [numbers, windows[..., 0, 0], windows.max((2, 3)), windows.mean((2, 3))],
    ["a map", "subsampling", "maximum", "average"],
    columns=4,
)

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
# ## Cut off below zero
#
# A stack of convolutions alone is one big convolution: linear. So after each comes a function that is not,
# applied to every value by itself, mostly the **rectified linear unit**
#
# $$\text{ReLU}(x) = \max(x, 0)$$
#
# ### Exercise: ReLU ({points:relu_forward} points, 3 minutes)


# %% exercise="relu_forward"
@answer
def relu_forward(x):
    """Keep what is positive and set the rest to zero.

    x: an array of any shape. Returns y, a new array of the shape and dtype of x: y = max(x, 0).
    Source: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, 2010.
    """
    # BEGIN SOLUTION
    return np.maximum(x, 0)
    # END SOLUTION


# %% check="relu_forward"
check(relu_forward)

# %% [markdown]
# Sobel's filter answers to edges of both kinds, dark to light and light to dark; after the ReLU one kind is
# left, and the other needs a filter of its own. `layers.conv2d_forward` is your function
# from lesson 02; `layers` lends a stand-in for what you have not written.

# %% show="Draw the photograph's edges, before and after the ReLU"
sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
edges = np.stack([sobel, -sobel, sobel.T, -sobel.T])[:, None]  # (4, 1, 3, 3)
grey = data.photo() @ [0.299, 0.587, 0.114]  # (256, 216), the eye's weights


def edge_maps(x):
    """Four maps of edges, each of one kind, from images (N, 1, H, W): (N, 4, H - 2, W - 2)."""
    return relu_forward(layers.conv2d_forward(x, edges, np.zeros(4)))


if written(relu_forward):
    response = layers.conv2d_forward(grey[None, None], edges[:1], np.zeros(1))[0, 0]
    kept = relu_forward(response)
    plot.show_images(
        [grey, response, kept],
        ["photograph", "right minus left", "after the ReLU"],
        signed=[False, True, True],
        size=2.6,
    )
    print(f"{np.mean(kept == 0):.0%} of the values are zero now.")

# %% [markdown]
# ## Backwards through the bend
#
# The slope is 1 where $x > 0$ and 0 where $x < 0$. At $x = 0$ there is none; this course takes 0, as torch does.
# What counts is the sign of the *input*: a negative gradient passes where $x$ was positive.
#
# ### Exercise: ReLU backward ({points:relu_backward} points, 4 minutes)


# %% exercise="relu_backward"
@answer
def relu_backward(dout, x):
    """Pass the gradient on where the input was positive.

    dout: the gradient of the loss with respect to y, of the shape of x; x: the input of relu_forward.
    Returns dx, the gradient with respect to x: dout where x > 0, and 0 elsewhere, also at x = 0.
    """
    # BEGIN SOLUTION
    return dout * (x > 0)
    # END SOLUTION


# %% check="relu_backward"
check(relu_backward)

# %% [markdown]
# A slope of 1 is why deep networks took to the ReLU (it is older than they are). The sigmoid, $1 / (1 + e^{-x})$,
# has a slope of $\frac14$ at most, so a gradient that goes back through many of them vanishes. The ReLU has a
# risk of its own: a unit below zero for *every* input gets no gradient, so no step ever changes it. It is
# **dead**.

# %% show="Print what sigmoids and ReLUs pass back, and which units are dead"
if written(relu_forward, relu_backward):
    z = np.linspace(-8, 8, 1601)
    sigmoid = 1 / (1 + np.exp(-z))
    steepest = np.max(sigmoid * (1 - sigmoid))
    for depth in (1, 5, 10, 20):
        print(f"a gradient of 1, through {depth:2} sigmoids: at most {steepest**depth:.2g}; ReLUs: at most 1")

    images, labels = data.digits()
    rng = np.random.default_rng(0)
    w = rng.normal(size=64)
    for bias in (10, 0, -10):
        before = images.reshape(-1, 64) @ w + bias  # (1797,): one unit looks at every digit
        slope = relu_backward(np.ones_like(before), before)
        print(f"bias {bias:3}: a gradient passes for {int(slope.sum()):4} of {len(slope)} digits")

# %% [markdown]
# ## Fewer pixels
#
# **Pooling** lays windows over a map and makes one number of each. There is no filter, and channels are *not*
# added up: each is pooled by itself, so $C$ maps stay $C$. With windows of $K_H \times K_W$ and strides $s_h$,
# $s_w$, indices from 0, max pooling is
#
# $$y_{n,c,i,j} = \max_{0 \le u < K_H,\ 0 \le v < K_W} x_{n,\,c,\,s_h i+u,\,s_w j+v}$$
#
# **Average** and **min pooling** put the mean or the minimum in its place; **subsampling** keeps one pixel of
# each window, here the first. The stride is usually the kernel's size: windows side by side.

# %% show="Draw a map and four ways to shrink it"
grid = np.array([[1, 3, 0, 2, 5, 1], [2, 8, 4, 1, 0, 0], [6, 1, 2, 2, 3, 7], [0, 1, 3, 9, 4, 4]])
cut = grid.reshape(2, 2, 3, 2).swapaxes(1, 2)  # (2, 3, 2, 2): windows, each 2 x 2
window, out = np.zeros(grid.shape, bool), np.zeros((2, 3), bool)
window[0:2, 2:4] = out[0, 1] = True
pooled = [cut[..., 0, 0], cut.max((2, 3)), cut.min((2, 3)), cut.mean((2, 3))]
plot.show_grids(
    [grid, *pooled],
    ["map", "subsampling", "maximum", "minimum", "average"],
    [window] + [out] * 4,
    columns=5,
)

# %% [markdown]
# ## All windows at once
#
# The trick of `im2col` again: do not visit the windows, visit the *positions in* the window. The first pixels
# of all windows are one slice with a step, so are the second ones, and so on. `surround` pads, `positions` lists
# these slices; below, those of 3 x 3 windows at stride 2: nine slices, of 2 x 2 pixels each, for four windows
# that **overlap**.


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


def sides(padding):
    """Turn a padding p, (h, w) or ((top, bottom), (left, right)) into the last, longest form."""
    rows, columns = pair(padding)
    return pair(rows), pair(columns)


def surround(x, padding, value):
    """Pad the last two axes with one value; without padding, return x itself and not a copy."""
    borders = sides(padding)
    return np.pad(x, ((0, 0), (0, 0), *borders), constant_values=value) if np.any(borders) else x


def positions(shape, kernel, stride=None):
    """List, for each position in the window, the index of the pixels that all the windows have there.

    shape: (..., H, W), of what is pooled, padding included; kernel, stride: int or (h, w), and no stride means
    the kernel. Returns KH*KW indices in row-major order; x[index] is (..., OH, OW), OH = (H - KH)//sh + 1.
    Raises ValueError when the window does not fit.
    """
    (kh, kw), (sh, sw) = pair(kernel), pair(kernel if stride is None else stride)
    height, width = shape[-2:]
    if kh > height or kw > width:
        raise ValueError(f"a window of {(kh, kw)} does not fit into {(height, width)}")
    oh, ow = (height - kh) // sh + 1, (width - kw) // sw + 1
    return [np.s_[..., u : u + sh * oh : sh, v : v + sw * ow : sw] for u in range(kh) for v in range(kw)]


# %% show="Draw the nine positions of a 3 x 3 window, stride 2"
numbers = np.arange(25).reshape(5, 5)
marks = []
for index in positions(numbers.shape, 3, 2):
    mark = np.zeros((5, 5), bool)
    mark[index] = True
    marks.append(mark)
titles = [f"position ({u}, {v})" for u in range(3) for v in range(3)]
plot.show_grids([numbers] * 9, titles, marks, columns=3, cell=0.28)

# %% [markdown]
# ### Exercise: max pooling ({points:max_pool2d_forward} points, 12 minutes)
#
# Padding must never win, not even where all pixels are negative: surround with `-np.inf`. Sizes are rounded
# down: a row or column left over is not seen. `np.maximum(a, b)` compares two arrays element by element.


# %% exercise="max_pool2d_forward"
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    """Take the largest value of each window.

    x: (N, C, H, W); kernel, stride: int or (h, w), stride defaults to the kernel; padding: int, (h, w) or
    ((top, bottom), (left, right)), and padded places count as minus infinity.
    Returns y, (N, C, OH, OW) of the dtype of x, OH = (H + top + bottom - KH) // sh + 1, OW likewise;
    y[n, c, i, j] = max over u, v of padded[n, c, sh*i + u, sw*j + v].
    The same as torch.nn.functional.max_pool2d. Raises ValueError when the window does not fit.
    """
    # BEGIN SOLUTION
    padded = surround(x, padding, -np.inf)
    first, *others = positions(padded.shape, kernel, stride)
    out = padded[first].copy()  # (N, C, OH, OW)
    for index in others:
        np.maximum(out, padded[index], out=out)
    return out
    # END SOLUTION


# %% check="max_pool2d_forward"
check(max_pool2d_forward)

# %% [markdown]
# ### Exercise: min pooling ({points:min_pool2d_forward} points, 3 minutes)
#
# Now the smallest value of each window. Padding must not win here either, not even where all pixels are
# positive. One line is enough.


# %% exercise="min_pool2d_forward"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    """Take the smallest value of each window.

    x: (N, C, H, W), floats; kernel, stride, padding: as in max_pool2d_forward, but padded places count as plus
    infinity.
    Returns y, (N, C, OH, OW) of the dtype of x;
    y[n, c, i, j] = min over u, v of padded[n, c, sh*i + u, sw*j + v].
    Raises ValueError when the window does not fit.
    """
    # BEGIN SOLUTION
    return -max_pool2d_forward(-x, kernel, stride, padding)
    # END SOLUTION


# %% check="min_pool2d_forward"
check(min_pool2d_forward)

# %% [markdown]
# Min pooling is max pooling upside down, $-\max(-x)$, padding included. AlexNet's windows overlap: 3 x 3 at
# stride 2.

# %% show="Print AlexNet's map sizes"
if written(max_pool2d_forward):
    size = 55
    for layer in ("pool1", "pool2", "pool5"):
        out = max_pool2d_forward(np.zeros((1, 1, size, size)), 3, 2).shape[2]
        print(f"AlexNet, {layer}: {size} x {size} -> {out} x {out}")
        size = 13 if layer == "pool2" else out  # the convolutions between them keep the size

# %% show="Shrink the photograph in four ways"
if written(max_pool2d_forward, min_pool2d_forward):
    x = grey[None, None]  # (1, 1, 256, 216)
    k = 6
    averaged = np.mean([x[index] for index in positions(x.shape, k)], axis=0)
    shrunk = [x[positions(x.shape, k)[0]], max_pool2d_forward(x, k), min_pool2d_forward(x, k), averaged]
    plot.show_images(
        [grey, *(small[0, 0] for small in shrunk)],
        ["photograph", "subsampling", "maximum", "minimum", "average"],
        columns=5,
        size=2.2,
    )

# %% [markdown]
# The maximum loses the rims of her glasses, the minimum the stars of the flag. None *sharpens*, as some notes
# have it: sharpening overshoots at an edge, but no pooled value leaves the range of its window.

# %% show="Draw an edge, sharpened, and the pixels that maxima keep"
if written(max_pool2d_forward, min_pool2d_forward):
    edge = np.array([[2, 2, 2, 2, 3, 5, 6, 6, 6, 6]])
    wider = np.pad(edge, ((0, 0), (1, 1)), "edge")
    blurred = (wider[:, :-2] + 2 * edge + wider[:, 2:]) / 4
    sharp = edge + 2 * (edge - blurred)
    x = edge[None, None].astype(float)  # (1, 1, 1, 10)
    highest, lowest = max_pool2d_forward(x, (1, 2)), min_pool2d_forward(x, (1, 2))
    plot.show_grids(
        [edge, sharp, highest[0, 0], lowest[0, 0]],
        ["an edge", f"sharpened: {sharp.min()} to {sharp.max()}", "maximum of pairs", "minimum of pairs"],
        columns=2,
    )

# %% [markdown]
# ## The winner takes the gradient
#
# Change a pixel that is not its window's largest a little, and the output stays. So the largest pixel gets the
# whole gradient, the others nothing. A pixel that wins in several overlapping windows gets the *sum* of their
# gradients.
#
# And a tie? After a ReLU whole windows are zero. All to the first winner, all to the last, or a share to each:
# any of these can be defended; the full gradient to every winner hands out more than came in. Our rule, and
# torch's: **the first in row-major order takes all**.

# %% show="Draw who gets the gradient at a tie"
tied = np.array([[2, 7, 0], [7, 1, 7], [3, 7, 5]])
winners = tied == tied.max()
numbers = np.where(winners, np.cumsum(winners).reshape(3, 3), 0)  # 1, 2, 3, 4 in row-major order
plot.show_grids(
    [tied, 12.0 * (numbers == 1), 12.0 * (numbers == 4), 12 * winners / winners.sum(), 12 * winners],
    ["a window, dout 12", "the first: ours", "the last", "split", f"all: {12 * winners.sum()} handed out"],
    [winners, numbers == 1, numbers == 4, winners, winners],
    columns=5,
)

# %% [markdown]
# ### Exercise: max pooling backward ({points:max_pool2d_backward} points, 18 minutes)
#
# In loops: for each window find the first largest pixel, add `dout` there, and in the end cut the padding
# off. With slices: `padded[index] == y`, with `y` from your forward, marks the windows whose largest value lies
# at this position. Visit the positions in order and remember in a boolean array which windows are still *free*,
# their winner not yet found.


# %% exercise="max_pool2d_backward"
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    """Give each window's gradient to its largest pixel.

    dout: (N, C, OH, OW), the gradient with respect to the output; x, kernel, stride, padding: as in
    max_pool2d_forward. Returns dx, (N, C, H, W) of the dtype of x: dx[n, c, r, q] is the sum of
    dout[n, c, i, j] over the windows (i, j) in which pixel (r, q) is the first, in row-major order, of the
    largest values. The same as torch's gradient.
    """
    # BEGIN SOLUTION
    padded = surround(x, padding, -np.inf)
    dpadded = np.zeros_like(padded)
    (kh, kw), (sh, sw) = pair(kernel), pair(kernel if stride is None else stride)
    overlap = sh < kh or sw < kw
    at_once = max(1, 2**18 // padded[0].size)  # images whose pixels fit into the processor's cache together
    for n in range(0, len(x), at_once):
        some, dsome, given = padded[n : n + at_once], dpadded[n : n + at_once], dout[n : n + at_once]
        largest = max_pool2d_forward(some, kernel, stride)  # (N, C, OH, OW)
        free = np.ones(largest.shape, bool)  # windows whose winner is not found yet
        for index in positions(some.shape, kernel, stride):
            here = some[index] == largest
            here &= free
            free ^= here
            if overlap:
                dsome[index] += given * here
            else:  # no other window writes here, and writing is faster than adding
                np.multiply(given, here, out=dsome[index])
    (top, _), (left, _) = sides(padding)
    return dpadded[..., top : top + x.shape[2], left : left + x.shape[3]]
    # END SOLUTION


# %% check="max_pool2d_backward"
check(max_pool2d_backward)

# %% [markdown]
# A gradient of 1 from every output. Where windows overlap, a bright pixel can win several times; where they
# leave gaps (kernel 2, stride 3), some pixels are never even seen.

# %% show="Draw which pixels of an eye get a gradient"
if written(max_pool2d_backward):
    patch = grey[80:110, 90:120][None, None]  # one of her eyes
    settings = [(2, 2), (3, 2), (2, 3)]
    gradients = []
    for kernel, stride in settings:
        shape = max_pool2d_forward(patch, kernel, stride).shape
        gradients.append(max_pool2d_backward(np.ones(shape), patch, kernel, stride)[0, 0])
    names = [f"kernel {kernel}, stride {stride}" for kernel, stride in settings]
    plot.show_images([patch[0, 0], *gradients], ["photograph", *names], size=2.2)
    for name, gradient in zip(names, gradients, strict=True):
        got = np.mean(gradient > 0)
        print(f"{name}: {got:.0%} of the pixels get a gradient, the luckiest {int(gradient.max())}")

# %% [markdown]
# ## How much faster?
#
# Loops; `argmax` over a view of all windows, then `np.add.at`, which adds one element at a time; and yours. With
# slices it takes only as many steps as the window has positions, each over the whole batch.


# %% show="Time three backward passes of max pooling"
def backward_in_loops(dout, x, k, s):
    """One window at a time."""
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        u, v = divmod(int(x[n, c, i * s : i * s + k, j * s : j * s + k].argmax()), k)
        dx[n, c, i * s + u, j * s + v] += dout[n, c, i, j]
    return dx


def backward_add_at(dout, x, k, s):
    """All windows as a view, their winners by argmax, then a scattered addition."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))[:, :, ::s, ::s]
    best = windows.reshape(*dout.shape, k * k).argmax(axis=4)  # (N, C, OH, OW)
    n, c, i, j = np.indices(dout.shape, sparse=True)
    dx = np.zeros_like(x)
    np.add.at(dx, (n, c, i * s + best // k, j * s + best % k), dout)
    return dx


def seconds(function, *arguments, repetitions):
    """Time a call: the median over the repetitions, after one call that is not counted."""
    from time import perf_counter

    times = []
    for _ in range(repetitions + 1):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return float(np.median(times[1:]))


if written(max_pool2d_forward, max_pool2d_backward):
    rng = np.random.default_rng(0)
    x = np.maximum(rng.normal(size=(8, 16, 31, 31)), 0)  # zeros, as after a ReLU: many ties
    dout = rng.normal(size=(8, 16, 15, 15))
    ways = {
        "loops": (backward_in_loops, 1),
        "argmax, np.add.at": (backward_add_at, 10),
        "max_pool2d_backward": (max_pool2d_backward, 20),
    }
    expected = backward_in_loops(dout, x, 3, 2)
    for name, (way, _) in ways.items():
        if not np.allclose(way(dout, x, 3, 2), expected):
            print(f"{name} gives other numbers than the loops; its check says more.")
    times = {name: seconds(way, dout, x, 3, 2, repetitions=count) for name, (way, count) in ways.items()}
    plot.bar_times(times, f"gradient of 3 x 3 max pooling, stride 2, {x.shape} input")

# %% [markdown]
# ## Averages
#
# The mean of a window is linear: every pixel has the factor $1 / (K_H K_W)$, forward and backward. Do the zeros
# of the padding count? Here, and by default in torch, they do: divide by $K_H K_W$ everywhere, so borders come
# out darker.
#
# ### Exercise: average pooling ({points:avg_pool2d_forward} points, 6 minutes)


# %% exercise="avg_pool2d_forward"
@answer
def avg_pool2d_forward(x, kernel, stride=None, padding=0):
    """Average each window.

    x, kernel, stride, padding: as in max_pool2d_forward, but padded places hold zeros, which count.
    Returns y, (N, C, OH, OW) of the dtype of x;
    y[n, c, i, j] = (sum over u, v of padded[n, c, sh*i + u, sw*j + v]) / (KH * KW).
    The same as torch.nn.functional.avg_pool2d. Raises ValueError when the window does not fit.
    """
    # BEGIN SOLUTION
    padded = surround(x, padding, 0)
    first, *others = places = positions(padded.shape, kernel, stride)
    out = padded[first].copy()  # (N, C, OH, OW)
    for index in others:
        out += padded[index]
    return out / len(places)
    # END SOLUTION


# %% check="avg_pool2d_forward"
check(avg_pool2d_forward)

# %% [markdown]
# Nines show the border. And an average is also a convolution, one filter of equal weights for each channel.

# %% show="Draw what padding does to an average, and compare with a convolution"
if written(avg_pool2d_forward):
    nines = np.full((1, 1, 4, 6), 9.0)
    plot.show_grids(
        [nines[0, 0], avg_pool2d_forward(nines, 3, 1, 1)[0, 0]], ["nines", "3 x 3 average, padding 1"]
    )

    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8))
    w = np.full((3, 1, 2, 2), 1 / 4)
    convolved = layers.conv2d_forward(x, w, np.zeros(3), stride=2, groups=3)
    print("The same as a convolution:", np.allclose(avg_pool2d_forward(x, 2), convolved))

# %% [markdown]
# ### Exercise: average pooling backward ({points:avg_pool2d_backward} points, 8 minutes)
#
# Every pixel of a window gets the same share of its gradient; windows that overlap add up.


# %% exercise="avg_pool2d_backward"
@answer
def avg_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    """Share each window's gradient evenly among its pixels.

    dout: (N, C, OH, OW); x, kernel, stride, padding: as in avg_pool2d_forward.
    Returns dx, (N, C, H, W) of the dtype of x: dx[n, c, r, q] is the sum of dout[n, c, i, j] / (KH * KW) over
    the windows (i, j) that hold pixel (r, q).
    """
    # BEGIN SOLUTION
    (top, bottom), (left, right) = sides(padding)
    n, c, height, width = x.shape
    dpadded = np.zeros((n, c, top + height + bottom, left + width + right), x.dtype)
    places = positions(dpadded.shape, kernel, stride)
    share = dout / len(places)
    for index in places:
        dpadded[index] += share
    return dpadded[..., top : top + height, left : left + width]
    # END SOLUTION


# %% check="avg_pool2d_backward"
check(avg_pool2d_backward)

# %% [markdown]
# ## Between average and maximum
#
# The averaged $\ell_p$ norm of a window has both as its ends:
#
# $$y = \Big( \frac{1}{K_H K_W} \sum_{u,v} |x_{u,v}|^p \Big)^{1/p}$$
#
# $p = 1$ is the average of $|x|$, $p = 2$ the root mean square, and as $p$ grows the largest $|x|$ outweighs
# all others: $p = \infty$ is their maximum. (Torch's `lp_pool2d` adds up $x^p$ for finite $p$, without average
# and without absolute value.)
#
# ### Exercise: l_p pooling ({points:lp_pool2d} points, 8 minutes)
#
# Your poolings do most of it. `np.inf` as a power gives nonsense; treat it as its own case.


# %% exercise="lp_pool2d"
@answer
def lp_pool2d(x, p, kernel, stride=None):
    """Take the averaged l_p norm of each window.

    x: (N, C, H, W); p: a number >= 1, or np.inf; kernel, stride: as in max_pool2d_forward.
    Returns y, (N, C, OH, OW) of the dtype of x: (mean over the window of |x|^p)^(1/p), and for p = np.inf the
    largest |x| of the window.
    """
    # BEGIN SOLUTION
    size = np.abs(x)
    if np.isinf(p):
        return max_pool2d_forward(size, kernel, stride)
    return avg_pool2d_forward(size**p, kernel, stride) ** (1 / p)
    # END SOLUTION


# %% check="lp_pool2d"
check(lp_pool2d)

# %% show="Draw p-norm pooling from the average to the maximum"
if written(lp_pool2d):
    window = np.array([[1.0, -2.0], [3.0, -10.0]])
    powers = [1, 2, 3, 5, 8, 16, 32, 64]
    values = [float(lp_pool2d(window[None, None], p, 2)[0, 0, 0, 0]) for p in powers]
    ends = float(np.mean(np.abs(window))), float(lp_pool2d(window[None, None], np.inf, 2)[0, 0, 0, 0])
    plot.show_lines(
        powers,
        {
            "l_p pooling": values,
            "average of |x|": [ends[0]] * len(powers),
            "p = infinity": [ends[1]] * len(powers),
        },
        xlabel="p, logarithmic scale",
        title=f"one window: {window.ravel().tolist()}",
        logarithmic="x",
    )

# %% [markdown]
# ## The whole map
#
# Let the window be the map, and one number is left of each channel. **Global average pooling** stands at the
# end of GoogLeNet and of ResNet.
#
# ### Exercise: global average pooling ({points:global_avg_pool2d_forward} points, 3 minutes)
#
# Keep the last two axes, with length 1.


# %% exercise="global_avg_pool2d_forward"
@answer
def global_avg_pool2d_forward(x):
    """Average each channel of each image.

    x: (N, C, H, W). Returns y, (N, C, 1, 1) of the dtype of x: y[n, c, 0, 0] is the mean of x[n, c].
    Source: Lin, Chen and Yan, Network in network, arXiv 1312.4400.
    """
    # BEGIN SOLUTION
    return x.mean(axis=(2, 3), keepdims=True)
    # END SOLUTION


# %% check="global_avg_pool2d_forward"
check(global_avg_pool2d_forward)

# %% [markdown]
# ### Exercise: global average pooling backward ({points:global_avg_pool2d_backward} points, 4 minutes)


# %% exercise="global_avg_pool2d_backward"
@answer
def global_avg_pool2d_backward(dout, x):
    """Share each channel's gradient evenly among its pixels.

    dout: (N, C, 1, 1); x: (N, C, H, W). Returns dx, (N, C, H, W) of the dtype of x:
    dx[n, c, r, q] = dout[n, c, 0, 0] / (H * W).
    """
    # BEGIN SOLUTION
    height, width = x.shape[2:]
    return np.ones_like(x) * (dout / (height * width))
    # END SOLUTION


# %% check="global_avg_pool2d_backward"
check(global_avg_pool2d_backward)

# %% [markdown]
# ## What is saved
#
# Does pooling spare the *next* layers parameters? Not a convolution: its filters are as large on a small map as
# on a large one; only its multiply-adds become fewer. A dense layer on the flattened map does shrink.

# %% show="Print the parameters of three ways to end a network"
channels, classes = 64, 10
print("map        conv 3 x 3 to 128: weights, multiply-adds    dense to 10: weights")
for name, size in [("32 x 32", 32), ("16 x 16", 16), ("global", 1)]:
    weights = 128 * channels * 9
    dense = channels * size * size * classes
    print(f"{name:8} {weights:22,} {weights * size * size:18,} {dense:22,}")

# %% [markdown]
# ## Move the image
#
# Pooling is said to make a network **invariant**: the output stays when the image moves. Lesson 02 found
# convolution **equivariant**: the output moves along. Which is max pooling? The table shows, on noise, the
# largest difference inside the map from the output moved by a whole number (the better one, where the shift
# falls between two) and from the output that stayed. A zero means that the property holds.

# %% show="Measure whether max pooling moves along"
if written(max_pool2d_forward):
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(1, 1, 33, 33))
    print("kernel  stride  shift   moved along   stayed")
    for kernel, stride, shift in [(2, 2, 2), (2, 2, 1), (3, 2, 2), (3, 2, 1), (3, 1, 1)]:
        before = max_pool2d_forward(noise, kernel, stride)
        after = max_pool2d_forward(np.roll(noise, shift, axis=3), kernel, stride)
        moves = {shift // stride, -(-shift // stride)}  # rounded down, rounded up
        along = min(np.abs(after - np.roll(before, move, axis=3))[..., 3:-3].max() for move in moves)
        stayed = np.abs(after - before)[..., 3:-3].max()
        print(f"{kernel:6} {stride:7} {shift:6} {along:13.2f} {stayed:8.2f}")

# %% [markdown]
# So pooling is equivariant too, to shifts by whole strides, and not invariant. But images are no noise. Here
# the camera moves over the photograph, with 4 x 4 windows: how far is the output from what it was, in units of
# its own length?

# %% show="Draw how much each pooling changes when the image moves"
if written(relu_forward, max_pool2d_forward, avg_pool2d_forward, global_avg_pool2d_forward):

    def subsample(x, kernel):
        return x[positions(x.shape, kernel)[0]]

    poolings = {
        "no pooling": lambda x: x,
        "subsampling": lambda x: subsample(x, 4),
        "maximum": lambda x: max_pool2d_forward(x, 4),
        "average": lambda x: avg_pool2d_forward(x, 4),
        "global average": global_avg_pool2d_forward,
    }
    shifts = range(5)
    views = np.stack([grey[60:190, 30 + s : 160 + s] for s in shifts])[:, None]  # (5, 1, 130, 130)
    for title, maps in [("pixels", views), ("edges: four filters, then the ReLU", edge_maps(views))]:
        moved = {}
        for name, pool in poolings.items():
            y = pool(maps)
            moved[name] = [float(np.linalg.norm(y[s] - y[0]) / np.linalg.norm(y[0])) for s in shifts]
        plot.show_lines(shifts, moved, xlabel="shift, pixels", ylabel="change of the output", title=title)

# %% [markdown]
# Maximum and average, which look at every pixel of the window, soften a shift, on the edges the less the larger
# it is; subsampling softens next to nothing. That is *some local* invariance. Only the global average hardly
# moves at all, and only because picture enters and leaves at the borders.
#
# ## What invariance buys
#
# Recognise digits that move. Small patches of digits are the filters; ReLU; pooling; then the label of the
# nearest training image, none of which was moved.

# %% show="Train on digits in the middle, test on moved ones"
if written(relu_forward, max_pool2d_forward, global_avg_pool2d_forward):
    images, labels = data.digits()

    def place(digits, shift):
        """Digits on an empty canvas, moved to the right: (N, 1, 16, 20)."""
        canvas = np.zeros((len(digits), 1, 16, 20))
        canvas[:, 0, 4:12, 4 + shift : 12 + shift] = digits
        return canvas

    rng = np.random.default_rng(0)
    train, test = images[:500], images[500:800]
    patches = []
    while len(patches) < 64:
        i, top, left = rng.integers(0, (500, 4, 4))
        patch = train[i, top : top + 5, left : left + 5]
        patch = patch - patch.mean()
        if np.linalg.norm(patch) > 0.8:  # not an empty corner
            patches.append(patch / np.linalg.norm(patch))
    filters = np.array(patches)[:, None]  # (64, 1, 5, 5)

    def parts(x):
        """Where each part is, and how clearly: (N, 64, 12, 16)."""
        return relu_forward(layers.conv2d_forward(x, filters, np.zeros(64)))

    features = {
        "pixels": lambda x: x,
        "parts, maximum 4 x 4, stride 2": lambda x: max_pool2d_forward(parts(x), 4, 2),
        "parts, global average": lambda x: global_avg_pool2d_forward(parts(x)),
        "parts, global maximum": lambda x: max_pool2d_forward(parts(x), (12, 16)),
    }
    accuracy = {}
    for name, feature in features.items():
        known = feature(place(train, 0)).reshape(len(train), -1)
        accuracy[name] = []
        for shift in range(5):
            new = feature(place(test, shift)).reshape(len(test), -1)
            distance = np.sum(known**2, axis=1) - 2 * new @ known.T  # squared, less a constant of each row
            guess = labels[:500][distance.argmin(axis=1)]
            accuracy[name].append(100 * float(np.mean(guess == labels[500:800])))
    plot.show_lines(range(5), accuracy, xlabel="shift, pixels", ylabel="% of digits recognised")

# %% [markdown]
# Local pooling helps with one pixel; global pooling does not care where the digit is. The price: it does not
# know. Two digits side by side are the same to it as the two exchanged.

# %% show="Draw seventeen and seventy-one, and compare their poolings"
if written(relu_forward, max_pool2d_forward, global_avg_pool2d_forward):
    one, seven = images[labels == 1][0], images[labels == 7][0]

    def number(left, right):
        canvas = np.zeros((1, 1, 16, 32))
        canvas[0, 0, 4:12, 4:12], canvas[0, 0, 4:12, 20:28] = left, right
        return canvas

    seventeen, seventy_one = number(one, seven), number(seven, one)
    plot.show_images([seventeen[0, 0], seventy_one[0, 0]], ["seventeen", "seventy-one"], size=1.3)
    for name, kernel in [("maximum 4 x 4", 4), ("global maximum", (12, 28))]:
        a, b = (max_pool2d_forward(parts(x), kernel) for x in (seventeen, seventy_one))
        print(f"{name}: they differ by {np.linalg.norm(a - b) / np.linalg.norm(a):.2f} of their length")

# %% [markdown]
# ## Question: is there a cat? ({points:indifferent_to_place} points, 6 minutes)
#
# Build a network that says whether a photograph shows a cat, wherever it sits. Which layers of this lesson and
# of lesson 02 do you take, in which order, and what does each contribute? Name a question about the photograph
# that this network can no longer answer, and why.

# %% [markdown] question="indifferent_to_place" points=2
# ### BEGIN SOLUTION
# Convolutions with ReLUs between them, a few max poolings on the way, a global pooling at the end, and a linear
# layer on the numbers that are left.
#
# The convolutions use the same filters everywhere, so a cat's parts are found wherever they are, and their maps
# move along with the cat (equivariance). The max poolings forgive small shifts of the parts against each other,
# make the maps smaller, and let later filters see more of the picture. Only the global pooling at the end makes
# the answer nearly independent of the place (invariance): it keeps how strongly each part was found and throws
# away where. Borders, and shifts that are no multiple of the strides, leave a rest.
#
# What is lost is position: the network can no longer say where the cat is, whether it sits left or right of the
# dog, or (with an average or a maximum over everything) how many cats there are; a picture with the cat's parts
# in the wrong places may pass as well, unless a filter before the pooling has seen them together.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# On subsampling and shifts read Zhang, [*Making convolutional networks shift-invariant
# again*](https://arxiv.org/abs/1904.11486).

# %% [markdown] part="next"
# ## Where this goes
#
# Lesson 06 asks how far an output sees through such stacks, and lesson 07 trains one, with your layers. Next: {next}.
