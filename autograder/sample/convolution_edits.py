"""Wrong answers to the convolution lesson, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "02_convolution"

_ALL = [
    Edit(
        "carla-ceil",
        "rounds the output size up",
        "conv_output_size",
        "ceil instead of floor",
        ("stride", "together"),
        '''\
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit."""
    p = pair(padding)
    span = dilation * (kernel - 1) + 1
    if span > size + p[0] + p[1]:
        raise ValueError(f"kernel spans {span}, padded size is only {size + sum(p)}")
    return int(np.ceil((size + p[0] + p[1] - span) / stride)) + 1
''',
        {name: ("stride", "together") for name in ("conv2d_naive", "im2col", "conv2d_forward")},
    ),
    Edit(
        "tobias-total",
        "takes an int as the padding of both sides together",
        "conv_output_size",
        "total padding",
        ("padding", "together"),
        '''\
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    """Formula from the slides: (i - f + p) / s + 1."""
    if isinstance(padding, tuple):
        p = padding[0] + padding[1]
    else:
        p = padding
    f = (kernel - 1) * dilation + 1
    if f > size + p:
        raise ValueError("the kernel is too large")
    return (size - f + p) // stride + 1
''',
    ),
    Edit(
        "dora-dilation",
        "multiplies the kernel's size by the dilation",
        "conv_output_size",
        "dilated kernel too large",
        ("dilation", "together"),
        """\
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    kernel = kernel * dilation
    before, after = pair(padding)
    n = size + before + after
    if kernel > n:
        raise ValueError("kernel %d does not fit into %d" % (kernel, n))
    return 1 + (n - kernel) // stride
""",
        {name: ("dilation", "together") for name in ("im2col", "conv2d_forward")},
    ),
    Edit(
        "emil-extra",
        "puts the odd one of the padding before",
        "same_padding",
        "extra before",
        ("even", "stride", "dilation", "together"),
        """\
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    out = int(np.ceil(size / stride))
    needed = (out - 1) * stride + (kernel - 1) * dilation + 1
    missing = max(0, needed - size)
    after = missing // 2
    before = missing - after
    return before, after
""",
        {"filter_image": ("even", "together")},
    ),
    Edit(
        "nils-negative",
        "forgets that padding is never negative",
        "same_padding",
        "negative padding",
        ("stride",),
        """\
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    last = (-(-size // stride) - 1) * stride
    total = last + dilation * (kernel - 1) + 1 - size
    return (total // 2, total - total // 2)
""",
    ),
    Edit(
        "karl-kernel",
        "pads by the kernel alone: two slips, and the one that shows more is named",
        "same_padding",
        "dilation ignored",
        ("stride", "dilation", "together"),
        """\
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    before = (kernel - 1) // 2
    return before, kernel - 1 - before
""",
    ),
    Edit(
        "xaver-axes",
        "reads (h, w) as x first, then y",
        "pad2d",
        "axes swapped",
        ("axes", "sides"),
        """\
@answer
def pad2d(x, padding, value=0.0):
    (left, right), (top, bottom) = sides(padding)
    n, c, h, w = x.shape
    out = np.full((n, c, h + top + bottom, w + left + right), value, dtype=x.dtype)
    out[:, :, top:top + h, left:left + w] = x
    return out
""",
        {name: ("padding", "together") for name in ("conv2d_naive", "im2col", "conv2d_forward")},
    ),
    Edit(
        "zoe-zeros",
        "pads with zeros only",
        "pad2d",
        "value ignored",
        ("value",),
        """\
@answer
def pad2d(x, padding, value=0.0):
    tb, lr = sides(padding)
    N, C, H, W = x.shape
    bigger = np.zeros((N, C, H + sum(tb), W + sum(lr)), dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            bigger[:, :, tb[0] + i, lr[0] + j] = x[:, :, i, j]
    return bigger
""",
    ),
    Edit(
        "flora-flip",
        "flips the kernel in the loops",
        "conv2d_naive",
        "flipped",
        ("basic", "stride", "padding", "together"),
        '''\
@answer
def conv2d_naive(x, w, b, stride=1, padding=0):
    """Convolution, as in the maths lecture."""
    s1, s2 = pair(stride)
    xp = pad2d(x, padding)
    N, C, H, W = xp.shape
    F, _, KH, KW = w.shape
    out_h = (H - KH) // s1 + 1
    out_w = (W - KW) // s2 + 1
    y = np.zeros((N, F, out_h, out_w), x.dtype)
    for n in range(N):
        for f in range(F):
            for i in range(out_h):
                for j in range(out_w):
                    for c in range(C):
                        patch = xp[n, c, i * s1:i * s1 + KH, j * s2:j * s2 + KW]
                        y[n, f, i, j] += (patch * w[f, c][::-1, ::-1]).sum()
                    y[n, f, i, j] += b[f]
    return y
''',
    ),
    Edit(
        "bruno-bias",
        "adds the bias once for every channel",
        "conv2d_naive",
        "bias once per channel",
        ("basic", "stride", "padding", "together"),
        """\
@answer
def conv2d_naive(x, w, b, stride=1, padding=0):
    sh, sw = pair(stride)
    padded = pad2d(x, padding)
    n_images, channels, height, width = padded.shape
    filters, _, kh, kw = w.shape
    oh, ow = conv_output_size(height, kh, sh), conv_output_size(width, kw, sw)
    out = np.zeros((n_images, filters, oh, ow), dtype=x.dtype)
    for n in range(n_images):
        for f in range(filters):
            for c in range(channels):
                for i in range(oh):
                    for j in range(ow):
                        window = padded[n, c, i * sh : i * sh + kh, j * sw : j * sw + kw]
                        out[n, f, i, j] += np.sum(window * w[f, c]) + b[f]
    return out
""",
    ),
    Edit(
        "sina-stride",
        "uses the stride for the size of the output, not for the windows",
        "conv2d_naive",
        "stride in the size only",
        ("stride", "together"),
        """\
@answer
def conv2d_naive(x, w, b, stride=1, padding=0):
    top_bottom, left_right = sides(padding)
    sh, sw = pair(stride)
    oh = conv_output_size(x.shape[2], w.shape[2], sh, top_bottom)
    ow = conv_output_size(x.shape[3], w.shape[3], sw, left_right)
    x = pad2d(x, padding)
    out = np.empty((len(x), len(w), oh, ow), x.dtype)
    for n in range(len(x)):
        for f in range(len(w)):
            for i in range(oh):
                for j in range(ow):
                    out[n, f, i, j] = (x[n, :, i:i + w.shape[2], j:j + w.shape[3]] * w[f]).sum() + b[f]
    return out
""",
    ),
    Edit(
        "mona-mean",
        "takes the mean of the products in place of their sum, which no known mistake explains",
        "conv2d_naive",
        "",
        ("basic", "stride", "padding", "together"),
        """\
@answer
def conv2d_naive(x, w, b, stride=1, padding=0):
    sh, sw = pair(stride)
    x = pad2d(x, padding)
    kh, kw = w.shape[2:]
    oh = (x.shape[2] - kh) // sh + 1
    ow = (x.shape[3] - kw) // sw + 1
    out = np.zeros((x.shape[0], w.shape[0], oh, ow), x.dtype)
    for n in range(x.shape[0]):
        for f in range(w.shape[0]):
            for i in range(oh):
                for j in range(ow):
                    window = x[n, :, sh * i:sh * i + kh, sw * j:sw * j + kw]
                    out[n, f, i, j] = np.mean(window * w[f]) + b[f]
    return out
""",
    ),
    Edit(
        "rita-rows",
        "puts the channels innermost in each column",
        "im2col",
        "rows ordered KH, KW, C",
        ("basic", "stride", "padding", "dilation", "together"),
        """\
@answer
def im2col(x, kernel, stride=1, padding=0, dilation=1):
    kh, kw = pair(kernel)
    sh, sw = pair(stride)
    dh, dw = pair(dilation)
    p = pad2d(x, padding)
    oh = conv_output_size(p.shape[2], kh, sh, 0, dh)
    ow = conv_output_size(p.shape[3], kw, sw, 0, dw)
    rows = []
    for u in range(kh):
        for v in range(kw):
            for c in range(x.shape[1]):
                piece = p[:, c, u * dh:u * dh + sh * oh:sh, v * dw:v * dw + sw * ow:sw]
                rows.append(piece.reshape(len(x), oh * ow))
    return np.stack(rows, axis=1)
""",
        {"conv2d_forward": ("basic", "stride", "padding", "dilation", "groups", "together")},
    ),
    Edit(
        "wanda-windows",
        "returns the windows as rows",
        "im2col",
        "output transposed",
        ("basic", "stride", "padding", "dilation", "together"),
        """\
@answer
def im2col(x, kernel, stride=1, padding=0, dilation=1):
    kh, kw = pair(kernel)
    sh, sw = pair(stride)
    dh, dw = pair(dilation)
    padded = pad2d(x, padding)
    N, C, H, W = padded.shape
    windows = []
    for i in range(0, H - dh * (kh - 1), sh):
        for j in range(0, W - dw * (kw - 1), sw):
            window = padded[:, :, i : i + dh * (kh - 1) + 1 : dh, j : j + dw * (kw - 1) + 1 : dw]
            windows.append(window.reshape(N, C * kh * kw))
    return np.array(windows).transpose(1, 0, 2)
""",
        {
            "conv2d_forward": ("basic", "stride", "padding", "dilation", "groups", "together"),
            "filter_image": ("basic", "edges", "colour", "even", "together"),
        },
    ),
    Edit(
        "peter-padding",
        "pads only where the padding is one number",
        "im2col",
        "",
        ("padding", "together"),
        """\
@answer
def im2col(x, kernel, stride=1, padding=0, dilation=1):
    kh, kw = pair(kernel)
    sh, sw = pair(stride)
    dh, dw = pair(dilation)
    if isinstance(padding, int):
        x = pad2d(x, padding)
    n, c, h, w = x.shape
    oh = (h - dh * (kh - 1) - 1) // sh + 1
    ow = (w - dw * (kw - 1) - 1) // sw + 1
    cols = np.zeros((n, c, kh, kw, oh, ow), x.dtype)
    for i in range(oh):
        for j in range(ow):
            for u in range(kh):
                for v in range(kw):
                    cols[:, :, u, v, i, j] = x[:, :, i * sh + u * dh, j * sw + v * dw]
    return cols.reshape(n, c * kh * kw, oh * ow)
""",
        {"conv2d_forward": ("padding", "together")},
    ),
    Edit(
        "gerda-groups",
        "multiplies all filters with all channels",
        "conv2d_forward",
        "groups ignored",
        ("groups", "together"),
        """\
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F, C, KH, KW = w.shape
    tb, lr = sides(padding)
    OH = conv_output_size(x.shape[2], KH, pair(stride)[0], tb, pair(dilation)[0])
    OW = conv_output_size(x.shape[3], KW, pair(stride)[1], lr, pair(dilation)[1])
    cols = im2col(x, (KH, KW), stride, padding, dilation)
    y = w.reshape(F, -1) @ cols + b.reshape(1, F, 1)
    return y.reshape(len(x), F, OH, OW)
""",
    ),
    Edit(
        "boris-batch",
        "reshapes (filters, batch) into (batch, filters) without a transpose",
        "conv2d_forward",
        "batch and filters mixed up",
        ("basic", "stride", "padding", "dilation", "groups", "together"),
        """\
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C, H, W = x.shape
    F, Cg, KH, KW = w.shape
    (sh, sw), (dh, dw), (tb, lr) = pair(stride), pair(dilation), sides(padding)
    OH = (H + sum(tb) - dh * (KH - 1) - 1) // sh + 1
    OW = (W + sum(lr) - dw * (KW - 1) - 1) // sw + 1
    out = []
    for g in range(groups):
        part = x[:, g * Cg:(g + 1) * Cg]
        cols = im2col(part, (KH, KW), stride, padding, dilation)
        flat = np.concatenate(list(cols), axis=1)  # one matrix for the whole batch
        mine = slice(g * F // groups, (g + 1) * F // groups)
        out.append(w[mine].reshape(F // groups, -1) @ flat + b[mine][:, None])
    return np.concatenate(out).reshape(N, F, OH, OW)
""",
    ),
    Edit(
        "dieter-dealt",
        "lets filter f read group f mod G",
        "conv2d_forward",
        "filters dealt out in turn",
        ("groups", "together"),
        """\
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    n = x.shape[0]
    f, c, kh, kw = w.shape
    cols = im2col(x, (kh, kw), stride, padding, dilation)
    size = c * kh * kw
    oh = conv_output_size(x.shape[2], kh, pair(stride)[0], sides(padding)[0], pair(dilation)[0])
    y = np.zeros((n, f, cols.shape[2]), x.dtype)
    for k in range(f):
        g = k % groups
        for i in range(n):
            y[i, k] = w[k].ravel() @ cols[i, g * size:(g + 1) * size] + b[k]
    return y.reshape(n, f, oh, -1)
""",
    ),
    Edit(
        "dina-dilation",
        "does not hand the dilation on",
        "conv2d_forward",
        "dilation ignored",
        ("dilation", "together"),
        """\
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    N, C = x.shape[:2]
    F, Cg, KH, KW = w.shape
    oh = conv_output_size(x.shape[2], KH, pair(stride)[0], sides(padding)[0])
    ow = conv_output_size(x.shape[3], KW, pair(stride)[1], sides(padding)[1])
    cols = im2col(x, (KH, KW), stride, padding).reshape(N, groups, Cg * KH * KW, oh * ow)
    kernels = w.reshape(groups, F // groups, Cg * KH * KW)
    y = np.einsum("gfk,ngkp->ngfp", kernels, cols)
    return y.reshape(N, F, oh, ow) + b.reshape(-1, 1, 1)
""",
    ),
    Edit(
        "zita-zero",
        "puts zeros around the photograph",
        "filter_image",
        "zero edges",
        ("edges", "together"),
        """\
@answer
def filter_image(image, kernel):
    h, w = image.shape[:2]
    kh, kw = kernel.shape
    x = image[None, None] if image.ndim == 2 else image.transpose(2, 0, 1)[:, None]
    out = conv2d_naive(x, kernel[None, None], np.zeros(1), 1, (same_padding(h, kh), same_padding(w, kw)))
    return out[0, 0] if image.ndim == 2 else out[:, 0].transpose(1, 2, 0)
""",
    ),
    Edit(
        "silas-symmetric",
        "mirrors the edge pixel too",
        "filter_image",
        "edge pixel mirrored too",
        ("edges", "together"),
        """\
@answer
def filter_image(image, kernel):
    kh, kw = kernel.shape
    around = [((kh - 1) // 2, kh // 2), ((kw - 1) // 2, kw // 2)]
    if image.ndim == 3:
        around.append((0, 0))
    big = np.pad(image, around, mode="symmetric")
    out = np.zeros_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for u in range(kh):
                for v in range(kw):
                    out[i, j] += kernel[u, v] * big[i + u, j + v]
    return out
""",
    ),
    Edit(
        "greta-grey",
        "takes grey photographs only",
        "filter_image",
        "grey only",
        ("colour", "together"),
        """\
@answer
def filter_image(image, kernel):
    height, width = image.shape
    borders = same_padding(height, kernel.shape[0]), same_padding(width, kernel.shape[1])
    padded = np.pad(image, borders, "reflect")
    return conv2d_forward(padded[None, None], kernel[None, None], np.zeros(1, image.dtype))[0, 0]
""",
    ),
    Edit(
        "ines-inplace",
        "scales the kernel in place, which changes an argument and the result",
        "filter_image",
        "",
        ("basic", "edges", "colour", "even", "together"),
        """\
@answer
def filter_image(image, kernel):
    kernel /= np.abs(kernel).sum()
    borders = [same_padding(image.shape[0], kernel.shape[0]), same_padding(image.shape[1], kernel.shape[1])]
    planes = image[:, :, None] if image.ndim == 2 else image
    done = []
    for c in range(planes.shape[2]):
        padded = np.pad(planes[:, :, c], borders, mode="reflect")
        done.append(conv2d_naive(padded[None, None], kernel[None, None], np.zeros(1))[0, 0])
    return done[0] if image.ndim == 2 else np.stack(done, axis=2)
""",
    ),
]

EDITS = by_student(_ALL)
