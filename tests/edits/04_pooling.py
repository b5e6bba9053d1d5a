# %% [markdown]
# Wrong answers to lesson 04, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="lena-leaky" exercise="relu_forward" mistake="leaky" lost="values" words="lets a hundredth of the negative values through"
@answer
def relu_forward(x):
    """x where positive, a little of it where negative."""
    y = x.copy()
    y[y < 0] *= 0.01
    return y

# %% student="ingo-inplace" exercise="relu_forward" lost="values" words="sets the negative values of x itself to zero"
@answer
def relu_forward(x):
    x[x < 0] = 0
    return x

# %% student="dirk-dout" exercise="relu_backward" mistake="mask of dout" lost="values, zeros" words="masks by the sign of dout"
@answer
def relu_backward(dout, x):
    dx = dout.copy()
    dx[dout <= 0] = 0
    return dx

# %% student="zita-zero" exercise="relu_backward" mistake="zero counts as positive" lost="zeros" words="passes the gradient at zero"
@answer
def relu_backward(dout, x):
    dx = np.array(dout)
    dx[x < 0] = 0.0
    return dx

# %% student="olaf-zeros" exercise="max_pool2d_forward" mistake="padded with zeros" lost="padding, together" words="pads with zeros before taking the largest" follows="min_pool2d_forward: padding"
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

# %% student="stella-stride" exercise="max_pool2d_forward" mistake="stride one" lost="basic, padding" words="takes 1 as the default of the stride, as a convolution has it" follows="min_pool2d_forward: basic, padding; max_pool2d_backward: basic, ties, padding; lp_pool2d: infinity"
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    if stride is None:
        stride = 1
    x = surround(x, padding, -np.inf)
    return np.max([x[where] for where in positions(x.shape, kernel, stride)], axis=0)

# %% student="rolf-reshape" exercise="max_pool2d_forward" lost="basic, stride, padding, together" words="cuts the image into tiles by a reshape, which only works side by side and where the sizes fit" follows="min_pool2d_forward: basic, stride, padding; max_pool2d_backward: basic, overlap, padding, together"
@answer
def max_pool2d_forward(x, kernel, stride=None, padding=0):
    kh, kw = pair(kernel)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // kh, kh, w // kw, kw).max(axis=(3, 5))

# %% student="conny-ceil" exercise="max_pool2d_forward" mistake="sizes rounded up" lost="basic, stride, padding, together" words="rounds the sizes up, so that the last windows hang over" follows="min_pool2d_forward: basic, stride, padding; max_pool2d_backward: basic, overlap, padding"
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

# %% student="mara-max" exercise="min_pool2d_forward" mistake="largest value" lost="basic, stride, padding" words="takes the largest value, as the exercise before"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    x = surround(x, padding, np.inf)
    out = -np.inf
    for index in positions(x.shape, kernel, stride):
        out = np.maximum(out, x[index])
    return out

# %% student="sina-sign" exercise="min_pool2d_forward" mistake="result not negated" lost="basic, stride, padding" words="negates x and forgets to turn the result back"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    return max_pool2d_forward(0 - x, kernel, stride, padding)

# %% student="nils-once" exercise="min_pool2d_forward" mistake="x not negated" lost="basic, stride, padding" words="negates the largest values"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    y = max_pool2d_forward(x, kernel, stride, padding)
    return -1 * y

# %% student="zoe-zeros" exercise="min_pool2d_forward" mistake="padded with zeros" lost="padding" words="pads with zeros before taking the smallest"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    xp = np.pad(x, [(0, 0), (0, 0), *sides(padding)])
    return np.array([xp[i] for i in positions(xp.shape, kernel, stride)]).min(0)

# %% student="mike-minus" exercise="min_pool2d_forward" mistake="padded with minus infinity" lost="padding" words="keeps the padding of max pooling, minus infinity"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    """Copied from max pooling, np.minimum in place of np.maximum."""
    padded = surround(x, padding, -np.inf)
    first, *rest = positions(padded.shape, kernel, stride)
    out = padded[first].copy()
    for index in rest:
        out = np.minimum(out, padded[index])
    return out

# %% student="fred-forgets" exercise="min_pool2d_forward" mistake="padding ignored" lost="padding" words="calls max pooling and passes no padding on"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    return -max_pool2d_forward(-x, kernel, stride)

# %% student="tom-tiles" exercise="min_pool2d_forward" lost="basic, stride, padding" words="cuts the image into tiles by a reshape, which only works side by side and where the sizes fit"
@answer
def min_pool2d_forward(x, kernel, stride=None, padding=0):
    k, l = pair(kernel)
    x = surround(x, padding, np.inf)
    n, c, h, w = x.shape
    return x.reshape(n, c, h // k, k, w // l, l).min(axis=(3, 5))

# %% student="lars-last" exercise="max_pool2d_backward" mistake="last at a tie" lost="ties, together" words="lets the last of several largest values take the gradient"
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

# %% student="anton-all" exercise="max_pool2d_backward" mistake="every tied value" lost="ties, together" words="gives every tied value the whole gradient"
@answer
def max_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    y = max_pool2d_forward(x, kernel, stride, padding)
    big = surround(x, padding, -np.inf)
    grad = np.zeros(big.shape, dtype=x.dtype)
    for index in positions(big.shape, kernel, stride):
        grad[index] += dout * (big[index] == y)
    (top, bottom), (left, right) = sides(padding)
    return grad[:, :, top:grad.shape[2] - bottom, left:grad.shape[3] - right]

# %% student="ole-overwrites" exercise="max_pool2d_backward" mistake="overwritten" lost="overlap, together" words="writes into the winner in place of adding"
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

# %% student="pia-padding" exercise="max_pool2d_backward" mistake="padding kept" lost="padding, together" words="returns the gradient of the padded image"
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

# %% student="rudi-real" exercise="avg_pool2d_forward" mistake="padding not counted" lost="padding, together" words="divides by the number of real pixels at the border"
@answer
def avg_pool2d_forward(x, kernel, stride=None, padding=0):
    p = surround(x, padding, 0.0)
    inside = surround(np.ones_like(x), padding, 0.0)
    total = sum(p[index] for index in positions(p.shape, kernel, stride))
    count = sum(inside[index] for index in positions(p.shape, kernel, stride))
    return total / count

# %% student="summer-sum" exercise="avg_pool2d_forward" mistake="sum" lost="basic, stride, padding, together" words="adds the window up and forgets to divide" follows="lp_pool2d: two, other, stride"
@answer
def avg_pool2d_forward(x, kernel, stride=None, padding=0):
    p = surround(x, padding, 0.0)
    out = 0
    for index in positions(p.shape, kernel, stride):
        out = out + p[index]
    return out

# %% student="wim-window" exercise="avg_pool2d_backward" mistake="overwritten" lost="overlap, together" words="writes each window's share over that of its neighbours"
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

# %% student="uwe-undivided" exercise="avg_pool2d_backward" mistake="not divided" lost="basic, overlap, padding, together" words="gives the whole gradient to every pixel of the window"
@answer
def avg_pool2d_backward(dout, x, kernel, stride=None, padding=0):
    dp = np.zeros_like(surround(x, padding, 0.0))
    for index in positions(dp.shape, kernel, stride):
        dp[index] += dout
    t, l = sides(padding)[0][0], sides(padding)[1][0]
    return dp[:, :, t:t + x.shape[2], l:l + x.shape[3]]

# %% student="tilda-torch" exercise="lp_pool2d" mistake="as torch does" lost="two, other, stride" words="adds up x ** p, as torch does"
@answer
def lp_pool2d(x, p, kernel, stride=None):
    if p == np.inf:
        return max_pool2d_forward(np.abs(x), kernel, stride)
    kh, kw = pair(kernel)
    total = avg_pool2d_forward(x**p, kernel, stride) * kh * kw
    return total ** (1 / p)

# %% student="nora-noabs" exercise="lp_pool2d" mistake="no absolute value" lost="other, stride" words="forgets the absolute value"
@answer
def lp_pool2d(x, p, kernel, stride=None):
    if np.isinf(p):
        return max_pool2d_forward(abs(x), kernel, stride)
    windows = np.stack([x[index] for index in positions(x.shape, kernel, stride)])
    return np.mean(windows**p, axis=0) ** (1 / p)

# %% student="fritz-flat" exercise="global_avg_pool2d_forward" mistake="axes dropped" lost="values" words="drops the last two axes"
@answer
def global_avg_pool2d_forward(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h * w).sum(axis=2) / (h * w)

# %% student="hanna-height" exercise="global_avg_pool2d_backward" mistake="divided by the height" lost="values" words="divides by the height alone"
@answer
def global_avg_pool2d_backward(dout, x):
    dx = np.empty_like(x)
    dx[:] = dout / len(x[0, 0])
    return dx
