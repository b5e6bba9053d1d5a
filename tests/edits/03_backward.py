# %% [markdown]
# Wrong answers to lesson 03, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="flora-flip" exercise="conv1d_backward" mistake="kernel not flipped" lost="basic, edges" words="slides the kernel over dout without turning it round"
@answer
def conv1d_backward(dout, x, w):
    k = len(w)
    padded = np.concatenate([np.zeros(k - 1), dout, np.zeros(k - 1)]).astype(x.dtype)
    dx = np.array([padded[i:i + k] @ w for i in range(len(x))])
    dw = np.array([x[u:u + len(dout)] @ dout for u in range(k)])
    return dx, dw

# %% student="lena-lecture" exercise="conv1d_backward" mistake="every value by itself" lost="basic, edges" words="takes the lecture's formula by its word: one output for all weights"
@answer
def conv1d_backward(dout, x, w):
    dx, dw = np.zeros(x.shape, x.dtype), np.zeros(w.shape, w.dtype)
    for i in range(len(dout)):
        for j in range(len(w)):
            dx[i] += dout[i] * w[j]
            dw[j] += dout[i] * x[i + j]
    return dx, dw

# %% student="valentin-valid" exercise="conv1d_backward" lost="basic, edges" words="returns only the part of dx that all weights saw"
@answer
def conv1d_backward(dout, x, w):
    dx = np.convolve(dout, w, "valid")
    dw = np.correlate(x, dout, "valid")
    return dx, dw

# %% student="felix-forward" exercise="numerical_gradient" mistake="forward difference" lost="basic, eps, dtype" words="measures from x upwards only"
@answer
def numerical_gradient(f, x, eps=1e-5):
    x = np.array(x, dtype=float)
    here = f(x)
    g = np.zeros(x.shape)
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = eps
        g.flat[i] = (f(x + step.reshape(x.shape)) - here) / eps
    return g

# %% student="willi-whole" exercise="numerical_gradient" mistake="in the dtype of x" lost="dtype" words="copies whole numbers as whole numbers"
@answer
def numerical_gradient(f, x, eps=1e-5):
    grad = np.zeros(x.shape)
    it = np.nditer(x, flags=["multi_index"])
    for _ in it:
        k = it.multi_index
        plus = np.copy(x)
        plus[k] += eps
        minus = np.copy(x)
        minus[k] -= eps
        grad[k] = (f(plus) - f(minus)) / (2 * eps)
    return grad

# %% student="paula-place" exercise="numerical_gradient" lost="basic, eps" words="moves the caller's own array"
@answer
def numerical_gradient(f, x, eps=1e-5):
    if x.dtype != np.float64:
        x = x.astype(np.float64)
    grad = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        x[k] += eps
        up = f(x)
        x[k] -= 2 * eps
        down = f(x)
        x[k] += eps + 1e-9
        grad[k] = (up - down) / (2 * eps)
    return grad

# %% student="gustav-gap" exercise="adjoint_gap" mistake="not divided" lost="wrong" words="leaves the difference as it is"
@answer
def adjoint_gap(forward, adjoint, x, y):
    a = np.vdot(forward(x), y)
    b = np.vdot(x, adjoint(y))
    return float(abs(a - b))

# %% student="nora-nought" exercise="adjoint_gap" mistake="nought by nought" lost="zeros" words="divides nought by nought"
@answer
def adjoint_gap(forward, adjoint, x, y):
    terms = [(forward(x) * y).ravel(), (x * adjoint(y)).ravel()]
    difference = np.sum(terms[0]) - np.sum(terms[1])
    return np.abs(difference) / np.sum(np.abs(np.concatenate(terms)))

# %% student="owen-overwrite" exercise="col2im" mistake="overwritten window by window" lost="basic, stride, padding, dilation, together" words="assigns where windows overlap" follows="conv2d_backward: basic, stride, padding, dilation, groups, together; conv_transpose2d_forward: basic, stride, padding, output_padding, together"
@answer
def col2im(cols, x_shape, kernel, stride=1, padding=0, dilation=1):
    N, C, H, W = x_shape
    KH, KW = pair(kernel)
    s, d = pair(stride), pair(dilation)
    (t, b), (l, r) = sides(padding)
    OH = (H + t + b - d[0] * (KH - 1) - 1) // s[0] + 1
    OW = (W + l + r - d[1] * (KW - 1) - 1) // s[1] + 1
    six = cols.reshape(N, C, KH, KW, OH, OW)
    x = np.zeros((N, C, H + t + b, W + l + r), cols.dtype)
    for i in range(OH):
        for j in range(OW):
            rows = i * s[0] + d[0] * np.arange(KH)
            columns = j * s[1] + d[1] * np.arange(KW)
            x[:, :, rows[:, None], columns] = six[:, :, :, :, i, j]
    return x[:, :, t:t + H, l:l + W]

# %% student="minna-minus" exercise="col2im" mistake="cut with a minus" lost="basic, stride, padding, dilation" words="cuts the padding off from the end with a minus" follows="conv2d_backward: basic, stride, padding, dilation, groups, together; conv_transpose2d_forward: basic, stride, padding, output_padding, together"
@answer
def col2im(cols, x_shape, kernel, stride=1, padding=0, dilation=1):
    n, c, h, w = x_shape
    (kh, kw), (sh, sw), (dh, dw) = pair(kernel), pair(stride), pair(dilation)
    (top, bottom), (left, right) = sides(padding)
    big = np.zeros((n, c, h + top + bottom, w + left + right), cols.dtype)
    places = np.stack(np.meshgrid(np.arange(big.shape[2]), np.arange(big.shape[3]), indexing="ij"))
    down = [u for u in range(big.shape[2]) if u % sh == 0 and u + dh * (kh - 1) < big.shape[2]]
    across = [v for v in range(big.shape[3]) if v % sw == 0 and v + dw * (kw - 1) < big.shape[3]]
    parts = cols.reshape(n, c, kh, kw, len(down), len(across))
    for a, u in enumerate(down):
        for b, v in enumerate(across):
            big[:, :, u:u + dh * (kh - 1) + 1:dh, v:v + dw * (kw - 1) + 1:dw] += parts[..., a, b]
    return big[:, :, top:-bottom, left:-right]

# %% student="ludwig-last" exercise="conv2d_backward" mistake="dw of the last image" lost="basic, stride, padding, dilation, groups, together" words="finds the weights' gradient anew for each image"
@answer
def conv2d_backward(dout, x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F, Cg, KH, KW = w.shape
    size = (KH, KW)
    dx = np.zeros(x.shape, x.dtype)
    for n in range(x.shape[0]):
        image = x[n][None]
        cols = layers.im2col(image, size, stride, padding, dilation)[0]
        dcols = np.zeros_like(cols)
        dw = np.zeros_like(w)
        R = Cg * KH * KW
        for g in range(groups):
            f = slice(g * F // groups, (g + 1) * F // groups)
            d = dout[n, f].reshape(F // groups, -1)
            dw[f] = (d @ cols[g * R:(g + 1) * R].T).reshape(dw[f].shape)
            dcols[g * R:(g + 1) * R] = w[f].reshape(F // groups, R).T @ d
        dx[n] = col2im(dcols[None], image.shape, size, stride, padding, dilation)[0]
    return dx, dw, dout.sum((0, 2, 3))

# %% student="berta-bias" exercise="conv2d_backward" mistake="db averaged" lost="basic, stride, padding, dilation, groups, together" words="takes the mean for the bias"
@answer
def conv2d_backward(dout, x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F = w.shape[0]
    kernel = w.shape[2:]
    cols = layers.im2col(x, kernel, stride, padding, dilation)
    N, _, L = cols.shape
    grad = dout.reshape(N, groups, F // groups, L)
    split = cols.reshape(N, groups, -1, L)
    dw = np.einsum("ngfl,ngrl->gfr", grad, split)
    dcols = np.einsum("gfr,ngfl->ngrl", w.reshape(groups, F // groups, -1), grad)
    dx = col2im(dcols.reshape(cols.shape), x.shape, kernel, stride, padding, dilation)
    return dx, dw.reshape(w.shape), dout.mean(axis=(0, 2, 3))

# %% student="gero-groups" exercise="conv2d_backward" mistake="groups ignored" lost="groups, together" words="multiplies all filters with all channels"
@answer
def conv2d_backward(dout, x, w, b, stride=1, padding=0, dilation=1, groups=1):
    filters = w.reshape(len(w), -1)
    cols = layers.im2col(x, w.shape[2:], stride, padding, dilation)
    flat = dout.reshape(len(x), len(w), -1)
    dw = sum(flat[n] @ cols[n].T for n in range(len(x))).reshape(w.shape)
    dx = col2im(filters.T @ flat, x.shape, w.shape[2:], stride, padding, dilation)
    return dx, dw, flat.sum(axis=(0, 2))

# %% student="fritz-full" exercise="conv2d_backward" mistake="filters flipped for dx" lost="basic, stride, padding, dilation, groups, together" words="gets dx by a convolution of dout and forgets to flip the filters and to insert zeros"
@answer
def conv2d_backward(dout, x, w, b, stride=1, padding=0, dilation=1, groups=1):
    F, Cg, KH, KW = w.shape
    cols = layers.im2col(x, (KH, KW), stride, padding, dilation)
    N, rows, L = cols.shape
    grad = dout.reshape(N, groups, F // groups, L)
    dw = (grad @ cols.reshape(N, groups, -1, L).transpose(0, 1, 3, 2)).sum(axis=0).reshape(w.shape)
    turned = w[:, :, ::-1, ::-1].reshape(groups, F // groups, -1)
    dcols = (turned.transpose(0, 2, 1) @ grad).reshape(N, rows, L)
    return col2im(dcols, x.shape, (KH, KW), stride, padding, dilation), dw, dout.sum(axis=(0, 2, 3))

# %% student="bruno-border" exercise="conv_transpose2d_forward" mistake="padding added" lost="padding, output_padding, together" words="puts the padding around the output"
@answer
def conv_transpose2d_forward(x, w, b, stride=1, padding=0, output_padding=0):
    N, C, H, W = x.shape
    F, KH, KW = w.shape[1:]
    s, extra = pair(stride), pair(output_padding)
    if extra[0] >= s[0] or extra[1] >= s[1]:
        raise ValueError("output_padding must be smaller than stride")
    y = np.zeros((N, F, (H - 1) * s[0] + KH + extra[0], (W - 1) * s[1] + KW + extra[1]), x.dtype)
    for i in range(H):
        for j in range(W):
            stamp = np.einsum("nc,cfuv->nfuv", x[:, :, i, j], w)
            y[:, :, i * s[0]:i * s[0] + KH, j * s[1]:j * s[1] + KW] += stamp
    y = layers.pad2d(y, padding)
    return y + b.reshape(1, -1, 1, 1)

# %% student="ernst-extra" exercise="conv_transpose2d_forward" mistake="output padding of bias" lost="output_padding, together" words="appends rows of nothing but the bias"
@answer
def conv_transpose2d_forward(x, w, b, stride=1, padding=0, output_padding=0):
    (t, bo), (l, r) = sides(padding)
    n, c, h, ww = x.shape
    kernel = w.shape[2:]
    oh = (h - 1) * pair(stride)[0] + kernel[0] - t - bo
    ow = (ww - 1) * pair(stride)[1] + kernel[1] - l - r
    cols = w.reshape(c, -1).T @ x.reshape(n, c, -1)
    y = col2im(cols, (n, w.shape[1], oh, ow), kernel, stride, padding)
    more = pair(output_padding)
    y = np.pad(y, ((0, 0), (0, 0), (0, more[0]), (0, more[1])))
    return y + b[None, :, None, None]

# %% student="wanda-way" exercise="conv_transpose2d_forward" mistake="kernel flipped" lost="basic, stride, padding, output_padding, together" words="turns the kernel round as for an input gradient by sliding"
@answer
def conv_transpose2d_forward(x, w, b, stride=1, padding=0, output_padding=0):
    (sh, sw), (eh, ew) = pair(stride), pair(output_padding)
    N, C, H, W = x.shape
    KH, KW = w.shape[2:]
    (t, bo), (l, r) = sides(padding)
    spread = np.zeros((N, C, (H - 1) * sh + 2 * KH - 1 + eh, (W - 1) * sw + 2 * KW - 1 + ew), x.dtype)
    spread[:, :, KH - 1:KH - 1 + (H - 1) * sh + 1:sh, KW - 1:KW - 1 + (W - 1) * sw + 1:sw] = x
    y = layers.conv2d_forward(spread, w.transpose(1, 0, 2, 3), b)
    return y[:, :, t:y.shape[2] - bo, l:y.shape[3] - r]
