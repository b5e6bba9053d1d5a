# %% [markdown]
# Wrong answers to lesson 02, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="tobias-total" exercise="conv_output_size" mistake="total padding" lost="padding, together" words="takes an int as the padding of both sides together"
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

# %% student="dora-dilation" exercise="conv_output_size" mistake="dilated kernel too large" lost="dilation, together" words="multiplies the kernel's size by the dilation" follows="im2col: dilation, together; conv2d_forward: dilation, together"
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    kernel = kernel * dilation
    before, after = pair(padding)
    n = size + before + after
    if kernel > n:
        raise ValueError("kernel %d does not fit into %d" % (kernel, n))
    return 1 + (n - kernel) // stride

# %% student="nils-negative" exercise="same_padding" mistake="negative padding" lost="stride" words="forgets that padding is never negative"
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    last = (-(-size // stride) - 1) * stride
    total = last + dilation * (kernel - 1) + 1 - size
    return (total // 2, total - total // 2)

# %% student="karl-kernel" exercise="same_padding" mistake="dilation ignored" lost="stride, dilation, together" words="pads by the kernel alone: two slips, and the one that shows more is named"
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    before = (kernel - 1) // 2
    return before, kernel - 1 - before

# %% student="zoe-zeros" exercise="pad2d" mistake="value ignored" lost="value" words="pads with zeros only"
@answer
def pad2d(x, padding, value=0.0):
    tb, lr = sides(padding)
    N, C, H, W = x.shape
    bigger = np.zeros((N, C, H + sum(tb), W + sum(lr)), dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            bigger[:, :, tb[0] + i, lr[0] + j] = x[:, :, i, j]
    return bigger

# %% student="flora-flip" exercise="conv2d_naive" mistake="flipped" lost="basic, stride, padding, together" words="flips the kernel in the loops"
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

# %% student="sina-stride" exercise="conv2d_naive" mistake="stride in the size only" lost="stride, together" words="uses the stride for the size of the output, not for the windows"
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

# %% student="rita-rows" exercise="im2col" mistake="rows ordered KH, KW, C" lost="basic, stride, padding, dilation, together" words="puts the channels innermost in each column" follows="conv2d_forward: basic, stride, padding, dilation, groups, together"
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

# %% student="wanda-windows" exercise="im2col" mistake="output transposed" lost="basic, stride, padding, dilation, together" words="returns the windows as rows" follows="conv2d_forward: basic, stride, padding, dilation, groups, together; filter_image: basic, edges, colour, even, together"
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

# %% student="gerda-groups" exercise="conv2d_forward" mistake="groups ignored" lost="groups, together" words="multiplies all filters with all channels"
@answer
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F, C, KH, KW = w.shape
    tb, lr = sides(padding)
    OH = conv_output_size(x.shape[2], KH, pair(stride)[0], tb, pair(dilation)[0])
    OW = conv_output_size(x.shape[3], KW, pair(stride)[1], lr, pair(dilation)[1])
    cols = im2col(x, (KH, KW), stride, padding, dilation)
    y = w.reshape(F, -1) @ cols + b.reshape(1, F, 1)
    return y.reshape(len(x), F, OH, OW)

# %% student="dieter-dealt" exercise="conv2d_forward" mistake="filters dealt out in turn" lost="groups, together" words="lets filter f read group f mod G"
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

# %% student="dina-dilation" exercise="conv2d_forward" mistake="dilation ignored" lost="dilation, together" words="does not hand the dilation on"
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

# %% student="zita-zero" exercise="filter_image" mistake="zero edges" lost="edges, together" words="puts zeros around the photograph"
@answer
def filter_image(image, kernel):
    h, w = image.shape[:2]
    kh, kw = kernel.shape
    x = image[None, None] if image.ndim == 2 else image.transpose(2, 0, 1)[:, None]
    out = conv2d_naive(x, kernel[None, None], np.zeros(1), 1, (same_padding(h, kh), same_padding(w, kw)))
    return out[0, 0] if image.ndim == 2 else out[:, 0].transpose(1, 2, 0)

# %% student="silas-symmetric" exercise="filter_image" mistake="edge pixel mirrored too" lost="edges, together" words="mirrors the edge pixel too"
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
