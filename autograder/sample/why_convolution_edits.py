"""Wrong answers to the lesson on why to convolve, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "01_why_convolution"

_ALL = [
    Edit(
        "bert-bias",
        "leaves the bias out of the scores",
        "linear_scores",
        "bias forgotten",
        ("bias",),
        """\
@answer
def linear_scores(x, W, b):
    return np.einsum("nd,dm->nm", x, W)
""",
    ),
    Edit(
        "tilda-transpose",
        "takes the rows of W for the templates",
        "linear_scores",
        "weights transposed",
        ("product", "bias"),
        """\
@answer
def linear_scores(x, W, b):
    # as nn.Linear does it
    return np.dot(x, W.T) + b
""",
    ),
    Edit(
        "sofie-softmax",
        "adds a softmax",
        "linear_scores",
        "probabilities",
        ("product", "bias"),
        """\
@answer
def linear_scores(x, W, b):
    s = x @ W + b
    s = s - s.max(axis=1)[:, None]
    e = np.exp(s)
    return e / e.sum(axis=1)[:, None]
""",
    ),
    Edit(
        "cora-channels",
        "counts one bias for each map of a dense layer",
        "dense_parameters",
        "a bias for each map",
        ("bias",),
        """\
@answer
def dense_parameters(in_shape, out_shape, bias=True):
    n = np.prod(in_shape) * np.prod(out_shape)
    if bias:
        n = n + out_shape[0]
    return int(n)
""",
    ),
    Edit(
        "felix-flag",
        "never looks at bias",
        "dense_parameters",
        "bias always",
        ("weights",),
        """\
@answer
def dense_parameters(in_shape, out_shape, bias=True):
    outputs = 1
    for side in out_shape:
        outputs *= side
    inputs = 1
    for side in in_shape:
        inputs *= side
    return (inputs + 1) * outputs
""",
    ),
    Edit(
        "linus-local",
        "shares the weights of the local layer",
        "local_parameters",
        "weights shared",
        ("weights", "bias"),
        """\
@answer
def local_parameters(in_shape, out_shape, kernel, bias=True):
    C, H, W = in_shape
    F, OH, OW = out_shape
    kh, kw = pair(kernel)
    weights = F * C * kh * kw
    return weights + F if bias else weights
""",
    ),
    Edit(
        "wilma-windows",
        "works the output size out again, for stride 1 and no padding, and counts biases by that",
        "local_parameters",
        "",
        ("bias",),
        """\
@answer
def local_parameters(in_shape, out_shape, kernel, bias=True):
    C, H, W = in_shape
    F, OH, OW = out_shape
    kh, kw = pair(kernel)
    count = F * OH * OW * C * kh * kw
    if bias:
        count += F * (H - kh) * (W - kw)
    return count
""",
    ),
    Edit(
        "gustav-groups",
        "counts the filters of one group only",
        "conv_parameters",
        "one group only",
        ("groups",),
        """\
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    filters = c_out // groups
    channels = c_in // groups
    n = filters * channels * kh * kw
    if bias:
        n += c_out
    return n
""",
    ),
    Edit(
        "frieda-float",
        "divides by the groups with /",
        "conv_parameters",
        "float returned",
        ("weights", "bias", "groups"),
        """\
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return c_out * (c_in / groups * kh * kw + bias)
""",
    ),
    Edit(
        "quirin-square",
        "squares the kernel",
        "conv_parameters",
        "square kernel",
        ("weights", "bias", "groups"),
        """\
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    k = pair(kernel)[0]
    per_filter = c_in // groups * k**2
    return c_out * (per_filter + 1) if bias else c_out * per_filter
""",
    ),
    Edit(
        "fabian-flip",
        "flips the kernel, as the convolution of mathematics does",
        "toeplitz_matrix",
        "flipped",
        ("basic", "stride", "padding", "together"),
        """\
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    before, after = pair(padding)
    K = len(w)
    out = (n + before + after - K) // stride + 1
    T = np.zeros((out, n), w.dtype)
    for i in range(out):
        for j in range(n):
            u = j + before - stride * i
            if 0 <= u < K:
                T[i, j] = w[K - 1 - u]
    return T
""",
    ),
    Edit(
        "sven-stride",
        "moves every row by one column whatever the stride",
        "toeplitz_matrix",
        "stride in the size only",
        ("stride", "together"),
        """\
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    before, after = pair(padding)
    total = n + before + after
    out = (total - len(w)) // stride + 1
    first = np.concatenate([w, np.zeros(total - len(w), w.dtype)])
    rows = [np.roll(first, i) for i in range(out)]
    return np.array(rows)[:, before:before + n]
""",
    ),
    Edit(
        "nele-negative",
        "lets an index before the signal count from its end",
        "toeplitz_matrix",
        "",
        ("padding", "together"),
        """\
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    before, after = pair(padding)
    out = (n + before + after - len(w)) // stride + 1
    m = np.zeros((out, n), dtype=w.dtype)
    for i in range(out):
        for u in range(len(w)):
            m[i, i * stride + u - before] = w[u]
    return m
""",
    ),
    Edit(
        "rita-run",
        "writes the whole kernel into one run of columns",
        "toeplitz_matrix_2d",
        "kernel in one run",
        ("basic", "stride", "padding", "together"),
        """\
@answer
def toeplitz_matrix_2d(w, shape, stride=1, padding=0):
    H, W = shape
    kh, kw = w.shape
    sh, sw = pair(stride)
    (t, b), (l, r) = sides(padding)
    Hp, Wp = H + t + b, W + l + r
    oh, ow = (Hp - kh) // sh + 1, (Wp - kw) // sw + 1
    M = np.zeros((oh * ow, Hp * Wp), w.dtype)
    for i in range(oh):
        for j in range(ow):
            start = i * sh * Wp + j * sw
            M[i * ow + j, start:start + kh * kw] = w.flatten()
    M = M.reshape(oh * ow, Hp, Wp)[:, t:t + H, l:l + W]
    return M.reshape(oh * ow, H * W)
""",
    ),
    Edit(
        "xenia-axes",
        "reads the stride as across, then down",
        "toeplitz_matrix_2d",
        "stride swapped",
        ("stride", "together"),
        """\
@answer
def toeplitz_matrix_2d(w, shape, stride=1, padding=0):
    sx, sy = pair(stride)
    (top, bottom), (left, right) = sides(padding)
    rows = toeplitz_rows(len(w), shape[0], sy, (top, bottom))
    cols = toeplitz_rows(w.shape[1], shape[1], sx, (left, right))
    m = np.einsum("iru,jcv,uv->ijrc", rows, cols, w)
    return m.reshape(len(rows) * len(cols), -1).astype(w.dtype)


def toeplitz_rows(k, n, stride, padding):
    # one matrix for each weight: (OUT, n, K)
    return np.stack([toeplitz_matrix(e, n, stride, padding) for e in np.eye(k)], axis=2)
""",
    ),
    Edit(
        "uwe-uncut",
        "leaves the columns of the padding in the matrix",
        "toeplitz_matrix_2d",
        "padding columns kept",
        ("padding", "together"),
        """\
@answer
def toeplitz_matrix_2d(w, shape, stride=1, padding=0):
    (t, b), (l, r) = sides(padding)
    sh, sw = pair(stride)
    h, wide = shape[0] + t + b, shape[1] + l + r
    result = []
    for i in range(0, h - w.shape[0] + 1, sh):
        for j in range(0, wide - w.shape[1] + 1, sw):
            picture = np.zeros((h, wide), w.dtype)
            picture[i:i + w.shape[0], j:j + w.shape[1]] = w
            result.append(picture.ravel())
    return np.array(result)
""",
    ),
]

EDITS = by_student(_ALL)
