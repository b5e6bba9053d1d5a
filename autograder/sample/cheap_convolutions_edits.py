"""Wrong answers to the lesson on cheap convolutions, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "05_cheap_convolutions"

_ALL = [
    Edit(
        "theo-transposed",
        "reads w as (C, F)",
        "conv1x1_forward",
        "weights transposed",
        ("basic", "one"),
        """\
@answer
def conv1x1_forward(x, w, b):
    out = np.tensordot(x, w, axes=(1, 0))
    return out.transpose(0, 3, 1, 2) + b.reshape(1, -1, 1, 1)
""",
    ),
    Edit(
        "benno-batch",
        "flattens the batch into the pixels by reshape alone",
        "conv1x1_forward",
        "batch mixed into the channels",
        ("basic", "one"),
        """\
@answer
def conv1x1_forward(x, w, b):
    N, C, H, W = x.shape
    F = w.shape[0]
    columns = x.reshape(C, N * H * W)
    z = np.dot(w, columns)
    return z.reshape(N, F, H, W) + b.reshape(F, 1, 1)
""",
    ),
    Edit(
        "rosa-relu",
        "cuts negative values off, which no known mistake explains",
        "conv1x1_forward",
        "",
        ("basic", "one"),
        """\
@answer
def conv1x1_forward(x, w, b):
    y = np.einsum("fc,nchw->nfhw", w, x) + b[None, :, None, None]
    return np.maximum(y, 0)
""",
    ),
    Edit(
        "olga-one",
        "keeps the last image's dw",
        "conv1x1_backward",
        "dw of the last image",
        ("batch",),
        """\
@answer
def conv1x1_backward(dout, x, w, b):
    n, c, height, width = x.shape
    dx = np.zeros_like(x)
    for i in range(n):
        dz = dout[i].reshape(len(w), -1)
        dw = dz @ x[i].reshape(c, -1).T
        dx[i] = (w.T @ dz).reshape(c, height, width)
    return dx, dw, dout.sum(axis=(0, 2, 3))
""",
    ),
    Edit(
        "davina-db",
        "averages db over images and pixels",
        "conv1x1_backward",
        "db averaged",
        ("one image", "batch"),
        """\
@answer
def conv1x1_backward(dout, x, w, b):
    dx = np.einsum("fc,nfhw->nchw", w, dout)
    dw = np.einsum("nfhw,nchw->fc", dout, x)
    db = np.mean(dout, axis=(0, 2, 3))
    return dx, dw, db
""",
    ),
    Edit(
        "iris-input",
        "counts a window for every input position",
        "macs",
        "input size",
        ("basic", "stride", "padding", "groups", "together"),
        """\
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    return kh * kw * (c // groups) * filters * h * w
""",
    ),
    Edit(
        "gero-groups",
        "forgets the groups",
        "macs",
        "groups ignored",
        ("groups", "together"),
        """\
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    oh, ow = out_shape(in_shape[1:], kernel, stride, padding)
    per_value = in_shape[0] * pair(kernel)[0] * pair(kernel)[1]
    return per_value * filters * oh * ow
""",
    ),
    Edit(
        "fabian-float",
        "divides by the groups with /",
        "macs",
        "float returned",
        ("basic", "stride", "padding", "groups", "together"),
        """\
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    oh, ow = out_shape((h, w), kernel, stride, padding)
    return filters * (c / groups) * kh * kw * oh * ow
""",
    ),
    Edit(
        "lena-last",
        "forgets the way back up",
        "bottleneck_parameters",
        "last 1x1 forgotten",
        ("basic", "kernel", "bias"),
        """\
@answer
def bottleneck_parameters(channels, reduced, kernel=3, bias=False):
    kh, kw = pair(kernel)
    total = channels * reduced
    total += reduced * reduced * kh * kw
    if bias:
        total += reduced + reduced
    return total
""",
    ),
    Edit(
        "wim-weights",
        "adds a bias for every weight",
        "bottleneck_parameters",
        "bias for every weight",
        ("bias",),
        """\
@answer
def bottleneck_parameters(channels, reduced, kernel=3, bias=False):
    kh, kw = pair(kernel)
    count = 0
    for c, f, taps in [(channels, reduced, 1), (reduced, reduced, kh * kw), (reduced, channels, 1)]:
        count += c * f * taps
        if bias:
            count += c * f * taps
    return count
""",
    ),
    Edit(
        "timo-turn",
        "deals the channels out to the groups in turn",
        "grouped_conv2d_forward",
        "channels dealt out in turn",
        ("groups", "stride", "padding", "together"),
        """\
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    per_group = len(w) // groups
    outs = []
    for g in range(groups):
        f = slice(g * per_group, (g + 1) * per_group)
        outs.append(layers.conv2d_forward(x[:, g::groups], w[f], b[f], stride, padding))
    return np.concatenate(outs, axis=1)
""",
    ),
    Edit(
        "bodo-bias",
        "gives every group the first biases",
        "grouped_conv2d_forward",
        "first biases for every group",
        ("groups", "depthwise", "stride", "padding", "together"),
        """\
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    xs = np.split(x, groups, axis=1)
    ws = np.split(w, groups)
    n = len(b) // groups
    return np.concatenate(
        [layers.conv2d_forward(a, c, b[:n], stride, padding) for a, c in zip(xs, ws)], axis=1
    )
""",
    ),
    Edit(
        "pia-passed",
        "passes the groups on, but neither stride nor padding",
        "grouped_conv2d_forward",
        "stride and padding ignored",
        ("stride", "padding", "together"),
        """\
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    return layers.conv2d_forward(x, w, b, groups=groups)
""",
    ),
    Edit(
        "mika-order",
        "stores filter m of channel c at m*C + c",
        "depthwise_conv2d_forward",
        "filters outside channels but for the bias",
        ("multiplier", "together"),
        """\
@answer
def depthwise_conv2d_forward(x, w, b, stride=1, padding=0):
    C, M, KH, KW = w.shape
    N, _, H, W = x.shape
    sh, sw = pair(stride)
    OH, OW = out_shape((H, W), (KH, KW), stride, padding)
    xp = np.pad(x, ((0, 0), (0, 0)) + sides(padding))
    y = np.zeros((N, C * M, OH, OW), x.dtype)
    for m in range(M):
        for c in range(C):
            for i in range(OH):
                for j in range(OW):
                    window = xp[:, c, i * sh:i * sh + KH, j * sw:j * sw + KW]
                    y[:, m * C + c, i, j] = (window * w[c, m]).sum(axis=(1, 2))
    return y + b[:, None, None]
""",
    ),
    Edit(
        "suse-sum",
        "sums over the channels as an ordinary layer does",
        "depthwise_conv2d_forward",
        "channels added up",
        ("basic", "multiplier", "stride", "padding", "together"),
        """\
@answer
def depthwise_conv2d_forward(x, w, b, stride=1, padding=0):
    c, m, kh, kw = w.shape
    sh, sw = pair(stride)
    oh, ow = out_shape(x.shape[2:], (kh, kw), stride, padding)
    padded = np.pad(x, ((0, 0), (0, 0), *sides(padding)))
    y = np.zeros((len(x), m, oh, ow), x.dtype)
    for u in range(kh):
        for v in range(kw):
            seen = padded[:, :, u : u + sh * oh : sh, v : v + sw * ow : sw]
            y += np.einsum("nchw,cm->nmhw", seen, w[:, :, u, v])
    return y + b[:m, None, None]
""",
    ),
    Edit(
        "meret-mean",
        "averages over the taps, which no known mistake explains",
        "depthwise_conv2d_forward",
        "",
        ("basic", "multiplier", "stride", "padding", "together"),
        """\
@answer
def depthwise_conv2d_forward(x, w, b, stride=1, padding=0):
    c, m, kh, kw = w.shape
    sh, sw = pair(stride)
    padded = np.pad(x, ((0, 0), (0, 0), *sides(padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    y = np.einsum("nchwuv,cmuv->ncmhw", windows, w / (kh * kw))
    return y.reshape(len(x), c * m, *y.shape[3:]) + b[:, None, None]
""",
    ),
    Edit(
        "onno-overlap",
        "writes into dx where it must add",
        "depthwise_conv2d_backward",
        "overlaps overwritten",
        ("basic", "multiplier", "stride", "padding", "together"),
        """\
@answer
def depthwise_conv2d_backward(dout, x, w, b, stride=1, padding=0):
    c, m, kh, kw = w.shape
    sh, sw = pair(stride)
    (top, bottom), (left, right) = sides(padding)
    xp = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    dxp, dw = np.zeros_like(xp), np.zeros_like(w)
    oh, ow = dout.shape[2:]
    for k in range(m):
        d = dout[:, k::m]
        for u in range(kh):
            for v in range(kw):
                s = np.s_[:, :, u:u + sh * oh:sh, v:v + sw * ow:sw]
                dw[:, k, u, v] = (d * xp[s]).sum(axis=(0, 2, 3))
                dxp[s] = d * w[:, k, u, v][:, None, None]
    dx = dxp[:, :, top:top + x.shape[2], left:left + x.shape[3]]
    return dx, dw, dout.sum(axis=(0, 2, 3))
""",
    ),
    Edit(
        "mirko-minus",
        "cuts the padding off with a minus zero",
        "depthwise_conv2d_backward",
        "cut to minus zero",
        ("basic", "multiplier", "stride", "padding", "together"),
        """\
@answer
def depthwise_conv2d_backward(dout, x, w, b, stride=1, padding=0):
    C, M, KH, KW = w.shape
    sh, sw = pair(stride)
    (t, bo), (l, r) = sides(padding)
    xp = np.pad(x, ((0, 0), (0, 0), (t, bo), (l, r)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            for c in range(C):
                for m in range(M):
                    for n in range(len(x)):
                        g = dout[n, c * M + m, i, j]
                        rows, cols = slice(i * sh, i * sh + KH), slice(j * sw, j * sw + KW)
                        dw[c, m] += g * xp[n, c, rows, cols]
                        dxp[n, c, rows, cols] += g * w[c, m]
    return dxp[:, :, t:-bo, l:-r], dw, dout.sum((0, 2, 3))
""",
    ),
    Edit(
        "ida-inverse",
        "says how many times cheaper it is",
        "separable_cost_ratio",
        "inverted",
        ("square", "sides"),
        """\
@answer
def separable_cost_ratio(filters, kernel):
    kh, kw = pair(kernel)
    ordinary = filters * kh * kw
    separable = kh * kw + filters
    return ordinary / separable
""",
    ),
    Edit(
        "fritz-f",
        "takes 1/f in place of 1/f^2",
        "separable_cost_ratio",
        "kernel not squared",
        ("square", "sides"),
        """\
@answer
def separable_cost_ratio(filters, kernel):
    f = kernel[0] if isinstance(kernel, tuple) else kernel
    return 1 / filters + 1 / f
""",
    ),
]

EDITS = by_student(_ALL)
