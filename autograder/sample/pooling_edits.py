"""Wrong answers to the pooling lesson, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "04_pooling"

ALL_MAX = ("basic", "stride", "padding", "together")
ALL_AVG_BACK = ("basic", "overlap", "padding", "together")

_ALL = [
    Edit(
        "lena-leaky",
        "lets a hundredth of the negative values through",
        "relu_forward",
        "leaky",
        ("values",),
        '''\
@answer
def relu_forward(x):
    """x where positive, a little of it where negative."""
    y = x.copy()
    y[y < 0] *= 0.01
    return y
''',
    ),
    Edit(
        "ingo-inplace",
        "sets the negative values of x itself to zero",
        "relu_forward",
        "",
        ("values",),
        """\
@answer
def relu_forward(x):
    x[x < 0] = 0
    return x
""",
    ),
    Edit(
        "dirk-dout",
        "masks by the sign of dout",
        "relu_backward",
        "mask of dout",
        ("values", "zeros"),
        """\
@answer
def relu_backward(dout, x):
    dx = dout.copy()
    dx[dout <= 0] = 0
    return dx
""",
    ),
    Edit(
        "zita-zero",
        "passes the gradient at zero",
        "relu_backward",
        "zero counts as positive",
        ("zeros",),
        """\
@answer
def relu_backward(dout, x):
    dx = np.array(dout)
    dx[x < 0] = 0.0
    return dx
""",
    ),
    Edit(
        "olaf-zeros",
        "pads with zeros before taking the largest",
        "max_pool2d_forward",
        "padded with zeros",
        ("padding", "together"),
        '''\
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    """Slide, take the max."""
    kh, kw = pair(kernel)
    sh, sw = (kh, kw) if stride is None else pair(stride)
    xp = np.pad(x, ((0, 0), (0, 0)) + sides(padding))
    N, C, H, W = xp.shape
    OH, OW = (H - kh) // sh + 1, (W - kw) // sw + 1
    y = np.zeros((N, C, OH, OW), x.dtype)
    for i in range(OH):
        for j in range(OW):
            y[:, :, i, j] = xp[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw].max(axis=(2, 3))
    return y
''',
    ),
    Edit(
        "stella-stride",
        "takes 1 as the default of the stride, as a convolution has it",
        "max_pool2d_forward",
        "stride one",
        ("basic", "padding"),
        """\
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    if stride is None:
        stride = 1
    x = surround(x, padding, -np.inf)
    return np.max([x[where] for where in positions(x.shape, kernel, stride)], axis=0)
""",
        {"max_pool2d_backward": ("basic", "ties", "padding"), "lp_pool2d": ("infinity",)},
    ),
    Edit(
        "rolf-reshape",
        "cuts the image into tiles by a reshape, which only works side by side and where the sizes fit",
        "max_pool2d_forward",
        "",
        ALL_MAX,
        """\
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // kh, kh, w // kw, kw).max(axis=(3, 5))
""",
        {"max_pool2d_backward": ("basic", "overlap", "padding", "together")},
    ),
    Edit(
        "conny-ceil",
        "rounds the sizes up, so that the last windows hang over",
        "max_pool2d_forward",
        "sizes rounded up",
        ALL_MAX,
        """\
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    sh, sw = pair(kernel if stride is None else stride)
    x = surround(x, padding, -np.inf)
    oh = int(np.ceil((x.shape[2] - kh) / sh)) + 1
    ow = int(np.ceil((x.shape[3] - kw) / sw)) + 1
    out = np.full(x.shape[:2] + (oh, ow), -np.inf, x.dtype)
    for i in range(oh):
        for j in range(ow):
            for row in x[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw].transpose(2, 3, 0, 1):
                for pixel in row:
                    out[:, :, i, j] = np.maximum(out[:, :, i, j], pixel)
    return out
""",
        {"max_pool2d_backward": ("basic", "overlap", "padding")},
    ),
    Edit(
        "lars-last",
        "lets the last of several largest values take the gradient",
        "max_pool2d_backward",
        "last at a tie",
        ("ties", "together"),
        """\
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    sh, sw = pair(kernel if stride is None else stride)
    xp = surround(x, padding, -np.inf)
    dxp = np.zeros_like(xp)
    for n, c, i, j in np.ndindex(dout.shape):
        best, where = -np.inf, None
        for u in range(i * sh, i * sh + kh):
            for v in range(j * sw, j * sw + kw):
                if xp[n, c, u, v] >= best:
                    best, where = xp[n, c, u, v], (u, v)
        dxp[n, c, where[0], where[1]] += dout[n, c, i, j]
    (t, _), (l, _) = sides(padding)
    return dxp[:, :, t:t + x.shape[2], l:l + x.shape[3]]
""",
    ),
    Edit(
        "anton-all",
        "gives every tied value the whole gradient",
        "max_pool2d_backward",
        "every tied value",
        ("ties", "together"),
        """\
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    y = max_pool2d_forward(x, kernel, stride, padding)
    big = surround(x, padding, -np.inf)
    grad = np.zeros(big.shape, dtype=x.dtype)
    for index in positions(big.shape, kernel, stride):
        grad[index] += dout * (big[index] == y)
    (top, bottom), (left, right) = sides(padding)
    return grad[:, :, top:grad.shape[2] - bottom, left:grad.shape[3] - right]
""",
    ),
    Edit(
        "ole-overwrites",
        "writes into the winner in place of adding",
        "max_pool2d_backward",
        "overwritten",
        ("overlap", "together"),
        """\
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    sh, sw = pair(stride) if stride is not None else (kh, kw)
    xp = surround(x, padding, -np.inf)
    dx = np.zeros_like(xp)
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    win = xp[n, c, i * sh:i * sh + kh, j * sw:j * sw + kw]
                    u, v = np.unravel_index(np.argmax(win), win.shape)
                    dx[n, c, i * sh + u, j * sw + v] = dout[n, c, i, j]
    tb, lr = sides(padding)
    return dx[:, :, tb[0]:tb[0] + x.shape[2], lr[0]:lr[0] + x.shape[3]]
""",
    ),
    Edit(
        "pia-padding",
        "returns the gradient of the padded image",
        "max_pool2d_backward",
        "padding kept",
        ("padding", "together"),
        """\
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    x = surround(x, padding, -np.inf)
    y = max_pool2d_forward(x, kernel, stride)
    dx, todo = np.zeros_like(x), np.ones(y.shape, bool)
    for index in positions(x.shape, kernel, stride):
        hit = todo & (x[index] == y)
        dx[index] += np.where(hit, dout, 0)
        todo = todo & ~hit
    return dx
""",
    ),
    Edit(
        "rudi-real",
        "divides by the number of real pixels at the border",
        "avg_pool2d_forward",
        "padding not counted",
        ("padding", "together"),
        """\
@answer
def avg_pool2d_forward(x, kernel, stride=None, padding=0):
    p = surround(x, padding, 0.0)
    inside = surround(np.ones_like(x), padding, 0.0)
    total = sum(p[index] for index in positions(p.shape, kernel, stride))
    count = sum(inside[index] for index in positions(p.shape, kernel, stride))
    return total / count
""",
    ),
    Edit(
        "summer-sum",
        "adds the window up and forgets to divide",
        "avg_pool2d_forward",
        "sum",
        ("basic", "stride", "padding", "together"),
        """\
@answer
def avg_pool2d_forward(x, kernel, stride=None, padding=0):
    p = surround(x, padding, 0.0)
    out = 0
    for index in positions(p.shape, kernel, stride):
        out = out + p[index]
    return out
""",
        {"lp_pool2d": ("two", "other", "stride")},
    ),
    Edit(
        "wim-window",
        "writes each window's share over that of its neighbours",
        "avg_pool2d_backward",
        "overwritten",
        ("overlap", "together"),
        """\
@answer
def avg_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    sh, sw = pair(kernel if stride is None else stride)
    dp = np.zeros_like(surround(x, padding, 0.0))
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            dp[:, :, i * sh:i * sh + kh, j * sw:j * sw + kw] = dout[:, :, i:i + 1, j:j + 1] / (kh * kw)
    (t, b), (l, r) = sides(padding)
    return dp[:, :, t:dp.shape[2] - b, l:dp.shape[3] - r]
""",
    ),
    Edit(
        "uwe-undivided",
        "gives the whole gradient to every pixel of the window",
        "avg_pool2d_backward",
        "not divided",
        ALL_AVG_BACK,
        """\
@answer
def avg_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    dp = np.zeros_like(surround(x, padding, 0.0))
    for index in positions(dp.shape, kernel, stride):
        dp[index] += dout
    t, l = sides(padding)[0][0], sides(padding)[1][0]
    return dp[:, :, t:t + x.shape[2], l:l + x.shape[3]]
""",
    ),
    Edit(
        "tilda-torch",
        "adds up x ** p, as torch does",
        "lp_pool2d",
        "as torch does",
        ("two", "other", "stride"),
        """\
@answer
def lp_pool2d(x, p, kernel, stride=None):
    if p == np.inf:
        return max_pool2d_forward(np.abs(x), kernel, stride)
    kh, kw = pair(kernel)
    total = avg_pool2d_forward(x**p, kernel, stride) * kh * kw
    return total ** (1 / p)
""",
    ),
    Edit(
        "nora-noabs",
        "forgets the absolute value",
        "lp_pool2d",
        "no absolute value",
        ("other", "stride"),
        """\
@answer
def lp_pool2d(x, p, kernel, stride=None):
    if np.isinf(p):
        return max_pool2d_forward(abs(x), kernel, stride)
    windows = np.stack([x[index] for index in positions(x.shape, kernel, stride)])
    return np.mean(windows**p, axis=0) ** (1 / p)
""",
    ),
    Edit(
        "fritz-flat",
        "drops the last two axes",
        "global_avg_pool2d_forward",
        "axes dropped",
        ("values",),
        """\
@answer
def global_avg_pool2d_forward(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h * w).sum(axis=2) / (h * w)
""",
    ),
    Edit(
        "hanna-height",
        "divides by the height alone",
        "global_avg_pool2d_backward",
        "divided by the height",
        ("values",),
        """\
@answer
def global_avg_pool2d_backward(dout, x):
    dx = np.empty_like(x)
    dx[:] = dout / len(x[0, 0])
    return dx
""",
    ),
]

EDITS = by_student(_ALL)
