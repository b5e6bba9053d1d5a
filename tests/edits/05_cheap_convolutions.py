# %% [markdown]
# Wrong answers to lesson 05, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="theo-transposed" exercise="conv1x1_forward" mistake="weights transposed" lost="basic, one" words="reads w as (C, F)"
@answer
def conv1x1_forward(x, w, b):
    out = np.tensordot(x, w, axes=(1, 0))
    return out.transpose(0, 3, 1, 2) + b.reshape(1, -1, 1, 1)

# %% student="benno-batch" exercise="conv1x1_forward" mistake="batch mixed into the channels" lost="basic, one" words="flattens the batch into the pixels by reshape alone"
@answer
def conv1x1_forward(x, w, b):
    N, C, H, W = x.shape
    F = w.shape[0]
    columns = x.reshape(C, N * H * W)
    z = np.dot(w, columns)
    return z.reshape(N, F, H, W) + b.reshape(F, 1, 1)

# %% student="rosa-relu" exercise="conv1x1_forward" lost="basic, one" words="cuts negative values off, which no known mistake explains"
@answer
def conv1x1_forward(x, w, b):
    y = np.einsum("fc,nchw->nfhw", w, x) + b[None, :, None, None]
    return np.maximum(y, 0)

# %% student="olga-one" exercise="conv1x1_backward" mistake="dw of the last image" lost="batch" words="keeps the last image's dw"
@answer
def conv1x1_backward(dout, x, w, b):
    n, c, height, width = x.shape
    dx = np.zeros_like(x)
    for i in range(n):
        dz = dout[i].reshape(len(w), -1)
        dw = dz @ x[i].reshape(c, -1).T
        dx[i] = (w.T @ dz).reshape(c, height, width)
    return dx, dw, dout.sum(axis=(0, 2, 3))

# %% student="davina-db" exercise="conv1x1_backward" mistake="db averaged" lost="one image, batch" words="averages db over images and pixels"
@answer
def conv1x1_backward(dout, x, w, b):
    dx = np.einsum("fc,nfhw->nchw", w, dout)
    dw = np.einsum("nfhw,nchw->fc", dout, x)
    db = np.mean(dout, axis=(0, 2, 3))
    return dx, dw, db

# %% student="iris-input" exercise="macs" mistake="input size" lost="basic, stride, padding, groups, together" words="counts a window for every input position"
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    return kh * kw * (c // groups) * filters * h * w

# %% student="gero-groups" exercise="macs" mistake="groups ignored" lost="groups, together" words="forgets the groups"
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    oh, ow = out_shape(in_shape[1:], kernel, stride, padding)
    per_value = in_shape[0] * pair(kernel)[0] * pair(kernel)[1]
    return per_value * filters * oh * ow

# %% student="fabian-float" exercise="macs" mistake="float returned" lost="basic, stride, padding, groups, together" words="divides by the groups with /"
@answer
def macs(in_shape, filters, kernel, stride=1, padding=0, groups=1):
    c, h, w = in_shape
    kh, kw = pair(kernel)
    oh, ow = out_shape((h, w), kernel, stride, padding)
    return filters * (c / groups) * kh * kw * oh * ow

# %% student="lena-last" exercise="bottleneck_parameters" mistake="last 1x1 forgotten" lost="basic, kernel, bias" words="forgets the way back up"
@answer
def bottleneck_parameters(channels, reduced, kernel=3, bias=False):
    kh, kw = pair(kernel)
    total = channels * reduced
    total += reduced * reduced * kh * kw
    if bias:
        total += reduced + reduced
    return total

# %% student="wim-weights" exercise="bottleneck_parameters" mistake="bias for every weight" lost="bias" words="adds a bias for every weight"
@answer
def bottleneck_parameters(channels, reduced, kernel=3, bias=False):
    kh, kw = pair(kernel)
    count = 0
    for c, f, taps in [(channels, reduced, 1), (reduced, reduced, kh * kw), (reduced, channels, 1)]:
        count += c * f * taps
        if bias:
            count += c * f * taps
    return count

# %% student="timo-turn" exercise="grouped_conv2d_forward" mistake="channels dealt out in turn" lost="groups, stride, padding, together" words="deals the channels out to the groups in turn"
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    per_group = len(w) // groups
    outs = []
    for g in range(groups):
        f = slice(g * per_group, (g + 1) * per_group)
        outs.append(layers.conv2d_forward(x[:, g::groups], w[f], b[f], stride, padding))
    return np.concatenate(outs, axis=1)

# %% student="bodo-bias" exercise="grouped_conv2d_forward" mistake="first biases for every group" lost="groups, depthwise, stride, padding, together" words="gives every group the first biases"
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    xs = np.split(x, groups, axis=1)
    ws = np.split(w, groups)
    n = len(b) // groups
    return np.concatenate(
        [layers.conv2d_forward(a, c, b[:n], stride, padding) for a, c in zip(xs, ws)], axis=1
    )

# %% student="pia-passed" exercise="grouped_conv2d_forward" mistake="stride and padding ignored" lost="stride, padding, together" words="passes the groups on, but neither stride nor padding"
@answer
def grouped_conv2d_forward(x, w, b, groups, stride=1, padding=0):
    return layers.conv2d_forward(x, w, b, groups=groups)

# %% student="mika-order" exercise="depthwise_conv2d_forward" mistake="filters outside channels but for the bias" lost="multiplier, together" words="stores filter m of channel c at m*C + c"
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

# %% student="suse-sum" exercise="depthwise_conv2d_forward" mistake="channels added up" lost="basic, multiplier, stride, padding, together" words="sums over the channels as an ordinary layer does"
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

# %% student="meret-mean" exercise="depthwise_conv2d_forward" lost="basic, multiplier, stride, padding, together" words="averages over the taps, which no known mistake explains"
@answer
def depthwise_conv2d_forward(x, w, b, stride=1, padding=0):
    c, m, kh, kw = w.shape
    sh, sw = pair(stride)
    padded = np.pad(x, ((0, 0), (0, 0), *sides(padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
    y = np.einsum("nchwuv,cmuv->ncmhw", windows, w / (kh * kw))
    return y.reshape(len(x), c * m, *y.shape[3:]) + b[:, None, None]

# %% student="onno-overlap" exercise="depthwise_conv2d_backward" mistake="overlaps overwritten" lost="basic, multiplier, stride, padding, together" words="writes into dx where it must add"
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

# %% student="mirko-minus" exercise="depthwise_conv2d_backward" mistake="cut to minus zero" lost="basic, multiplier, stride, padding, together" words="cuts the padding off with a minus zero"
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

# %% student="ida-inverse" exercise="separable_cost_ratio" mistake="inverted" lost="square, sides" words="says how many times cheaper it is"
@answer
def separable_cost_ratio(filters, kernel):
    kh, kw = pair(kernel)
    ordinary = filters * kh * kw
    separable = kh * kw + filters
    return ordinary / separable

# %% student="fritz-f" exercise="separable_cost_ratio" mistake="kernel not squared" lost="square, sides" words="takes 1/f in place of 1/f^2"
@answer
def separable_cost_ratio(filters, kernel):
    f = kernel[0] if isinstance(kernel, tuple) else kernel
    return 1 / filters + 1 / f
