# %% [markdown]
# Wrong answers to lesson 07, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="bruno-bias" exercise="linear_forward" mistake="bias forgotten" lost="basic, edges" words="multiplies and leaves the bias out"
@answer
def linear_forward(x, W, b):
    return np.dot(x, W)

# %% student="fatima-features" exercise="linear_forward" mistake="W transposed" lost="basic, edges" words="takes W as torch's, outputs first"
@answer
def linear_forward(x, W, b):
    """y = x W^T + b, as in torch.nn.Linear."""
    return np.einsum("nd,md->nm", x, W) + b

# %% student="mona-mean" exercise="linear_backward" mistake="mean over the batch" lost="basic, edges" words="averages the gradients of weights and bias over the batch"
@answer
def linear_backward(dout, x, W, b):
    n = x.shape[0]
    dx = dout.dot(W.T)
    dW = (1 / n) * x.T.dot(dout)
    db = np.mean(dout, axis=0)
    return dx, dW.astype(W.dtype), db

# %% student="sven-sum" exercise="linear_backward" mistake="db over the scores" lost="basic, edges" words="sums the bias's gradient over the wrong axis"
@answer
def linear_backward(dout, x, W, b):
    db = np.sum(dout, axis=-1)
    dW = np.zeros_like(W)
    for n in range(len(x)):
        dW += np.outer(x[n], dout[n])
    return dout @ W.transpose(), dW, db

# %% student="olaf-overflow" exercise="softmax_cross_entropy" mistake="not shifted" lost="large, far apart" words="writes the formula as it stands"
@answer
def softmax_cross_entropy(scores, labels):
    N = scores.shape[0]
    exps = np.exp(scores)
    probs = exps / np.sum(exps, axis=1)[:, None]
    loss = 0.0
    for i in range(N):
        loss += -np.log(probs[i, labels[i]])
    grad = probs.copy()
    for i in range(N):
        grad[i, labels[i]] -= 1
    return loss / N, grad / N

# %% student="lola-log" exercise="softmax_cross_entropy" mistake="logarithm of a rounded zero" lost="far apart" words="shifts, but takes the logarithm of the probability"
@answer
def softmax_cross_entropy(scores, labels):
    N = len(scores)
    z = scores - np.max(scores, axis=1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[range(N), labels]).sum() / N
    p[range(N), labels] -= 1
    return float(loss), p / N

# %% student="nadia-n" exercise="softmax_cross_entropy" mistake="gradient not divided" lost="basic, large, far apart" words="divides the loss by N, but not its gradient"
@answer
def softmax_cross_entropy(scores, labels):
    top = scores.max(1).reshape(-1, 1)
    lse = top + np.log(np.exp(scores - top).sum(1)).reshape(-1, 1)
    logp = scores - lse
    onehot = np.eye(scores.shape[1], dtype=scores.dtype)[labels]
    return float(-(onehot * logp).sum() / len(scores)), np.exp(logp) - onehot

# %% student="clemens-clip" exercise="softmax_cross_entropy" lost="far apart" words="clips the probabilities, which no known mistake explains"
@answer
def softmax_cross_entropy(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = np.clip(e / e.sum(axis=1, keepdims=True), 1e-12, 1.0)
    picked = p[np.arange(len(p)), labels]
    d = p.copy()
    d[np.arange(len(p)), labels] -= 1
    return -np.log(picked).mean(), d / len(p)

# %% student="rolf-rate" exercise="sgd_momentum_step" mistake="learning rate in the velocity" lost="plain, momentum, decay, together" words="has the learning rate inside the velocity"
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    """Velocity as in the older books."""
    g = g + weight_decay * p
    velocity = momentum * velocity + lr * g
    return p - velocity, velocity

# %% student="wanda-adamw" exercise="sgd_momentum_step" mistake="decay beside the velocity" lost="decay, together" words="shrinks the weights beside the step"
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    v = velocity * momentum + g
    new_p = (1 - lr * weight_decay) * p
    new_p = new_p - lr * v
    return new_p, v

# %% student="igor-inplace" exercise="sgd_momentum_step" lost="plain, momentum, decay, together" words="changes its arguments, which no known mistake explains"
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    g += weight_decay * p
    velocity *= momentum
    velocity += g
    p -= lr * velocity
    return p, velocity

# %% student="hedda-half" exercise="he_normal" mistake="1 in place of 2" lost="filters, matrix" words="takes the rule for tanh"
@answer
def he_normal(shape, rng):
    if len(shape) == 4:
        F, C, KH, KW = shape
        fan_in = C * KH * KW
    else:
        fan_in, _ = shape
    return rng.standard_normal(size=shape) / np.sqrt(fan_in)

# %% student="franz-first" exercise="he_normal" mistake="fan in of a matrix read from the wrong axis" lost="matrix" words="reads the fan in of a matrix from its second axis"
@answer
def he_normal(shape, rng):
    fan_in = 1
    for n in shape[1:]:
        fan_in *= n
    std = (2.0 / fan_in) ** 0.5
    return rng.normal(loc=0.0, scale=std, size=shape)

# %% student="gustav-global" exercise="he_normal" lost="filters, matrix" words="draws from NumPy's global generator, which no known mistake explains"
@answer
def he_normal(shape, rng):
    fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return np.random.randn(*shape) * np.sqrt(2 / fan_in)

# %% student="uta-unscaled" exercise="dropout_forward" mistake="survivors not scaled" lost="vectors, maps" words="leaves the survivors as they are"
@answer
def dropout_forward(x, rate, rng):
    mask = rng.uniform(size=x.shape) > rate
    y = x.copy()
    y[~mask] = 0
    return y, mask

# %% student="karla-keep" exercise="dropout_forward" mistake="rate taken as what is kept" lost="vectors, maps" words="reads the rate as the share that is kept"
@answer
def dropout_forward(x, rate, rng):
    mask = rng.binomial(1, rate, size=x.shape).astype(bool)
    return x * mask / (1 - rate), mask

# %% student="bea-broadcast" exercise="dropout_forward" mistake="one mask for the batch" lost="vectors, maps" words="draws one mask for all images"
@answer
def dropout_forward(x, rate, rng):
    if x.ndim == 1:
        mask = rng.random(len(x)) >= rate
    else:
        mask = np.stack([rng.random(x[0].shape) >= rate] * len(x))
    return np.where(mask, x / (1 - rate), 0.0), mask

# %% student="moritz-mask" exercise="dropout_backward" mistake="not scaled" lost="basic" words="passes the gradient through the mask as it is"
@answer
def dropout_backward(dout, mask, rate):
    dx = np.zeros_like(dout)
    dx[mask] = dout[mask]
    return dx

# %% student="edda-epsilon" exercise="batchnorm2d_forward" mistake="eps outside the root" lost="eps" words="adds eps to the standard deviation"
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=(0, 2, 3))
    var = np.var(x, axis=(0, 2, 3))
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        y[:, c] = gamma[c] * (x[:, c] - mean[c]) / (np.sqrt(var[c]) + eps) + beta[c]
    return y, mean, var

# %% student="ludwig-layer" exercise="batchnorm2d_forward" mistake="each image by itself" lost="basic, eps, offset" words="normalises every image by itself"
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    out = np.empty_like(x)
    for n in range(len(x)):
        m = x[n].mean(axis=(1, 2))[:, None, None]
        s = np.sqrt(x[n].var(axis=(1, 2))[:, None, None] + eps)
        out[n] = (x[n] - m) / s * gamma[:, None, None] + beta[:, None, None]
    return out, x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))

# %% student="quirin-quick" exercise="batchnorm2d_forward" mistake="mean square less squared mean" lost="offset" words="computes the variance from the mean square"
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean((0, 2, 3))
    var = (x**2).mean((0, 2, 3)) - mean**2
    var = np.maximum(var, 0)
    col = lambda a: a.reshape(1, -1, 1, 1)
    return col(gamma) * (x - col(mean)) / np.sqrt(col(var) + eps) + col(beta), mean, var

# %% student="fiona-fixed" exercise="batchnorm2d_backward" mistake="mean and variance held fixed" lost="basic, eps" words="takes mean and variance for constants"
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    m = x.mean(axis=(0, 2, 3))[None, :, None, None]
    v = x.var(axis=(0, 2, 3))[None, :, None, None]
    x_hat = (x - m) / np.sqrt(v + eps)
    dx = dout * gamma[None, :, None, None] / np.sqrt(v + eps)
    return dx, np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))

# %% student="greta-gamma" exercise="batchnorm2d_backward" mistake="dgamma with x" lost="basic, eps" words="multiplies dout by x for gamma's gradient"
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    N, C, H, W = x.shape
    m = N * H * W
    dgamma, dbeta = np.zeros_like(gamma), np.zeros_like(beta)
    dx = np.zeros_like(x)
    for c in range(C):
        mu, var = x[:, c].mean(), x[:, c].var()
        inv = 1 / np.sqrt(var + eps)
        dgamma[c] = np.sum(dout[:, c] * x[:, c])
        dbeta[c] = np.sum(dout[:, c])
        dxhat = dout[:, c] * gamma[c]
        dvar = np.sum(dxhat * (x[:, c] - mu)) * -0.5 * inv**3
        dmu = -inv * np.sum(dxhat)
        dx[:, c] = dxhat * inv + dvar * 2 * (x[:, c] - mu) / m + dmu / m
    return dx, dgamma, dbeta

# %% student="egon-eps" exercise="batchnorm2d_backward" mistake="eps left out" lost="eps" words="leaves eps out of the spread"
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    ax = (0, 2, 3)
    std = x.std(axis=ax)[:, None, None]
    h = (x - x.mean(axis=ax)[:, None, None]) / std
    dgamma, dbeta = (dout * h).sum(ax), dout.sum(ax)
    m = x.size / x.shape[1]
    dx = gamma[:, None, None] / std * (dout - dbeta[:, None, None] / m - h * dgamma[:, None, None] / m)
    return dx, dgamma, dbeta
