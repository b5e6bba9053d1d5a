# %% [markdown]
# Wrong answers to lesson 02, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="carla-ceil" exercise="conv_output_size" mistake="ceil instead of floor" lost="stride, together" words="rounds the output size up" follows="conv2d_naive: stride, together; im2col: stride, together; conv2d_forward: stride, together"
@answer
def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
    """How many windows fit."""
    p = pair(padding)
    span = dilation * (kernel - 1) + 1
    if span > size + p[0] + p[1]:
        raise ValueError(f"kernel spans {span}, padded size is only {size + sum(p)}")
    return int(np.ceil((size + p[0] + p[1] - span) / stride)) + 1

# %% student="emil-extra" exercise="same_padding" mistake="extra before" lost="even, stride, dilation, together" words="puts the odd one of the padding before" follows="filter_image: even, together"
@answer
def same_padding(size, kernel, stride=1, dilation=1):
    out = int(np.ceil(size / stride))
    needed = (out - 1) * stride + (kernel - 1) * dilation + 1
    missing = max(0, needed - size)
    after = missing // 2
    before = missing - after
    return before, after

# %% student="xaver-axes" exercise="pad2d" mistake="axes swapped" lost="axes, sides" words="reads (h, w) as x first, then y" follows="conv2d_naive: padding, together; im2col: padding, together; conv2d_forward: padding, together"
@answer
def pad2d(x, padding, value=0.0):
    (left, right), (top, bottom) = sides(padding)
    n, c, h, w = x.shape
    out = np.full((n, c, h + top + bottom, w + left + right), value, dtype=x.dtype)
    out[:, :, top:top + h, left:left + w] = x
    return out

# %% student="bruno-bias" exercise="conv2d_naive" mistake="bias once per channel" lost="basic, stride, padding, together" words="adds the bias once for every channel"
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

# %% student="mona-mean" exercise="conv2d_naive" lost="basic, stride, padding, together" words="takes the mean of the products in place of their sum, which no known mistake explains"
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

# %% student="peter-padding" exercise="im2col" lost="padding, together" words="pads only where the padding is one number" follows="conv2d_forward: padding, together"
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

# %% student="boris-batch" exercise="conv2d_forward" mistake="batch and filters mixed up" lost="basic, stride, padding, dilation, groups, together" words="reshapes (filters, batch) into (batch, filters) without a transpose"
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

# %% student="greta-grey" exercise="filter_image" mistake="grey only" lost="colour, together" words="takes grey photographs only"
@answer
def filter_image(image, kernel):
    height, width = image.shape
    borders = same_padding(height, kernel.shape[0]), same_padding(width, kernel.shape[1])
    padded = np.pad(image, borders, "reflect")
    return conv2d_forward(padded[None, None], kernel[None, None], np.zeros(1, image.dtype))[0, 0]

# %% student="ines-inplace" exercise="filter_image" lost="basic, edges, colour, even, together" words="scales the kernel in place, which changes an argument and the result"
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
