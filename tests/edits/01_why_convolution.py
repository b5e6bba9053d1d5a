# %% [markdown]
# Wrong answers to lesson 01, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="bert-bias" exercise="linear_scores" mistake="bias forgotten" lost="bias" words="leaves the bias out of the scores"
@answer
def linear_scores(x, W, b):
    return np.einsum("nd,dm->nm", x, W)

# %% student="tilda-transpose" exercise="linear_scores" mistake="weights transposed" lost="product, bias" words="takes the rows of W for the templates"
@answer
def linear_scores(x, W, b):
    # as nn.Linear does it
    return np.dot(x, W.T) + b

# %% student="sofie-softmax" exercise="linear_scores" mistake="probabilities" lost="product, bias" words="adds a softmax"
@answer
def linear_scores(x, W, b):
    s = x @ W + b
    s = s - s.max(axis=1)[:, None]
    e = np.exp(s)
    return e / e.sum(axis=1)[:, None]

# %% student="cora-channels" exercise="dense_parameters" mistake="a bias for each map" lost="bias" words="counts one bias for each map of a dense layer"
@answer
def dense_parameters(in_shape, out_shape, bias=True):
    n = np.prod(in_shape) * np.prod(out_shape)
    if bias:
        n = n + out_shape[0]
    return int(n)

# %% student="felix-flag" exercise="dense_parameters" mistake="bias always" lost="weights" words="never looks at bias"
@answer
def dense_parameters(in_shape, out_shape, bias=True):
    outputs = 1
    for side in out_shape:
        outputs *= side
    inputs = 1
    for side in in_shape:
        inputs *= side
    return (inputs + 1) * outputs

# %% student="linus-local" exercise="local_parameters" mistake="weights shared" lost="weights, bias" words="shares the weights of the local layer"
@answer
def local_parameters(in_shape, out_shape, kernel, bias=True):
    C, H, W = in_shape
    F, OH, OW = out_shape
    kh, kw = pair(kernel)
    weights = F * C * kh * kw
    return weights + F if bias else weights

# %% student="wilma-windows" exercise="local_parameters" lost="bias" words="works the output size out again, for stride 1 and no padding, and counts biases by that"
@answer
def local_parameters(in_shape, out_shape, kernel, bias=True):
    C, H, W = in_shape
    F, OH, OW = out_shape
    kh, kw = pair(kernel)
    count = F * OH * OW * C * kh * kw
    if bias:
        count += F * (H - kh) * (W - kw)
    return count

# %% student="gustav-groups" exercise="conv_parameters" mistake="one group only" lost="groups" words="counts the filters of one group only"
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    filters = c_out // groups
    channels = c_in // groups
    n = filters * channels * kh * kw
    if bias:
        n += c_out
    return n

# %% student="frieda-float" exercise="conv_parameters" mistake="float returned" lost="weights, bias, groups" words="divides by the groups with /"
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    kh, kw = pair(kernel)
    return c_out * (c_in / groups * kh * kw + bias)

# %% student="quirin-square" exercise="conv_parameters" mistake="square kernel" lost="weights, bias, groups" words="squares the kernel"
@answer
def conv_parameters(c_in, c_out, kernel, groups=1, bias=True):
    k = pair(kernel)[0]
    per_filter = c_in // groups * k**2
    return c_out * (per_filter + 1) if bias else c_out * per_filter

# %% student="fabian-flip" exercise="toeplitz_matrix" mistake="flipped" lost="basic, stride, padding, together" words="flips the kernel, as the convolution of mathematics does"
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

# %% student="sven-stride" exercise="toeplitz_matrix" mistake="stride in the size only" lost="stride, together" words="moves every row by one column whatever the stride"
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    before, after = pair(padding)
    total = n + before + after
    out = (total - len(w)) // stride + 1
    first = np.concatenate([w, np.zeros(total - len(w), w.dtype)])
    rows = [np.roll(first, i) for i in range(out)]
    return np.array(rows)[:, before:before + n]

# %% student="nele-negative" exercise="toeplitz_matrix" lost="padding, together" words="lets an index before the signal count from its end"
@answer
def toeplitz_matrix(w, n, stride=1, padding=0):
    before, after = pair(padding)
    out = (n + before + after - len(w)) // stride + 1
    m = np.zeros((out, n), dtype=w.dtype)
    for i in range(out):
        for u in range(len(w)):
            m[i, i * stride + u - before] = w[u]
    return m

# %% student="rita-run" exercise="toeplitz_matrix_2d" mistake="kernel in one run" lost="basic, stride, padding, together" words="writes the whole kernel into one run of columns"
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

# %% student="xenia-axes" exercise="toeplitz_matrix_2d" mistake="stride swapped" lost="stride, together" words="reads the stride as across, then down"
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

# %% student="uwe-uncut" exercise="toeplitz_matrix_2d" mistake="padding columns kept" lost="padding, together" words="leaves the columns of the padding in the matrix"
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
