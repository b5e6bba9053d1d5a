"""Wrong answers to the LeNet-5 lesson, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "07_lenet"

_ALL = [
    Edit(
        "bruno-bias",
        "multiplies and leaves the bias out",
        "linear_forward",
        "bias forgotten",
        ("basic", "edges"),
        """\
@answer
def linear_forward(x, W, b):
    return np.dot(x, W)
""",
    ),
    Edit(
        "fatima-features",
        "takes W as torch's, outputs first",
        "linear_forward",
        "W transposed",
        ("basic", "edges"),
        '''\
@answer
def linear_forward(x, W, b):
    """y = x W^T + b, as in torch.nn.Linear."""
    return np.einsum("nd,md->nm", x, W) + b
''',
    ),
    Edit(
        "mona-mean",
        "averages the gradients of weights and bias over the batch",
        "linear_backward",
        "mean over the batch",
        ("basic", "edges"),
        """\
@answer
def linear_backward(dout, x, W, b):
    n = x.shape[0]
    dx = dout.dot(W.T)
    dW = (1 / n) * x.T.dot(dout)
    db = np.mean(dout, axis=0)
    return dx, dW.astype(W.dtype), db
""",
    ),
    Edit(
        "sven-sum",
        "sums the bias's gradient over the wrong axis",
        "linear_backward",
        "db over the scores",
        ("basic", "edges"),
        """\
@answer
def linear_backward(dout, x, W, b):
    db = np.sum(dout, axis=-1)
    dW = np.zeros_like(W)
    for n in range(len(x)):
        dW += np.outer(x[n], dout[n])
    return dout @ W.transpose(), dW, db
""",
    ),
    Edit(
        "olaf-overflow",
        "writes the formula as it stands",
        "softmax_cross_entropy",
        "not shifted",
        ("large", "far apart"),
        """\
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
""",
    ),
    Edit(
        "lola-log",
        "shifts, but takes the logarithm of the probability",
        "softmax_cross_entropy",
        "logarithm of a rounded zero",
        ("far apart",),
        """\
@answer
def softmax_cross_entropy(scores, labels):
    N = len(scores)
    z = scores - np.max(scores, axis=1, keepdims=True)
    p = np.exp(z)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[range(N), labels]).sum() / N
    p[range(N), labels] -= 1
    return float(loss), p / N
""",
    ),
    Edit(
        "nadia-n",
        "divides the loss by N, but not its gradient",
        "softmax_cross_entropy",
        "gradient not divided",
        ("basic", "large", "far apart"),
        """\
@answer
def softmax_cross_entropy(scores, labels):
    top = scores.max(1).reshape(-1, 1)
    lse = top + np.log(np.exp(scores - top).sum(1)).reshape(-1, 1)
    logp = scores - lse
    onehot = np.eye(scores.shape[1], dtype=scores.dtype)[labels]
    return float(-(onehot * logp).sum() / len(scores)), np.exp(logp) - onehot
""",
    ),
    Edit(
        "clemens-clip",
        "clips the probabilities, which no known mistake explains",
        "softmax_cross_entropy",
        "",
        ("far apart",),
        """\
@answer
def softmax_cross_entropy(scores, labels):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = np.clip(e / e.sum(axis=1, keepdims=True), 1e-12, 1.0)
    picked = p[np.arange(len(p)), labels]
    d = p.copy()
    d[np.arange(len(p)), labels] -= 1
    return -np.log(picked).mean(), d / len(p)
""",
    ),
    Edit(
        "rolf-rate",
        "has the learning rate inside the velocity",
        "sgd_momentum_step",
        "learning rate in the velocity",
        ("plain", "momentum", "decay", "together"),
        '''\
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    """Velocity as in the older books."""
    g = g + weight_decay * p
    velocity = momentum * velocity + lr * g
    return p - velocity, velocity
''',
    ),
    Edit(
        "wanda-adamw",
        "shrinks the weights beside the step",
        "sgd_momentum_step",
        "decay beside the velocity",
        ("decay", "together"),
        """\
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    v = velocity * momentum + g
    new_p = (1 - lr * weight_decay) * p
    new_p = new_p - lr * v
    return new_p, v
""",
    ),
    Edit(
        "igor-inplace",
        "changes its arguments, which no known mistake explains",
        "sgd_momentum_step",
        "",
        ("plain", "momentum", "decay", "together"),
        """\
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    g += weight_decay * p
    velocity *= momentum
    velocity += g
    p -= lr * velocity
    return p, velocity
""",
    ),
    Edit(
        "hedda-half",
        "takes the rule for tanh",
        "he_normal",
        "1 in place of 2",
        ("filters", "matrix"),
        """\
@answer
def he_normal(shape, rng):
    if len(shape) == 4:
        F, C, KH, KW = shape
        fan_in = C * KH * KW
    else:
        fan_in, _ = shape
    return rng.standard_normal(size=shape) / np.sqrt(fan_in)
""",
    ),
    Edit(
        "franz-first",
        "reads the fan in of a matrix from its second axis",
        "he_normal",
        "fan in of a matrix read from the wrong axis",
        ("matrix",),
        """\
@answer
def he_normal(shape, rng):
    fan_in = 1
    for n in shape[1:]:
        fan_in *= n
    std = (2.0 / fan_in) ** 0.5
    return rng.normal(loc=0.0, scale=std, size=shape)
""",
    ),
    Edit(
        "gustav-global",
        "draws from NumPy's global generator, which no known mistake explains",
        "he_normal",
        "",
        ("filters", "matrix"),
        """\
@answer
def he_normal(shape, rng):
    fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return np.random.randn(*shape) * np.sqrt(2 / fan_in)
""",
    ),
    Edit(
        "uta-unscaled",
        "leaves the survivors as they are",
        "dropout_forward",
        "survivors not scaled",
        ("vectors", "maps"),
        """\
@answer
def dropout_forward(x, rate, rng):
    mask = rng.uniform(size=x.shape) > rate
    y = x.copy()
    y[~mask] = 0
    return y, mask
""",
    ),
    Edit(
        "karla-keep",
        "reads the rate as the share that is kept",
        "dropout_forward",
        "rate taken as what is kept",
        ("vectors", "maps"),
        """\
@answer
def dropout_forward(x, rate, rng):
    mask = rng.binomial(1, rate, size=x.shape).astype(bool)
    return x * mask / (1 - rate), mask
""",
    ),
    Edit(
        "bea-broadcast",
        "draws one mask for all images",
        "dropout_forward",
        "one mask for the batch",
        ("vectors", "maps"),
        """\
@answer
def dropout_forward(x, rate, rng):
    if x.ndim == 1:
        mask = rng.random(len(x)) >= rate
    else:
        mask = np.stack([rng.random(x[0].shape) >= rate] * len(x))
    return np.where(mask, x / (1 - rate), 0.0), mask
""",
    ),
    Edit(
        "moritz-mask",
        "passes the gradient through the mask as it is",
        "dropout_backward",
        "not scaled",
        ("basic",),
        """\
@answer
def dropout_backward(dout, mask, rate):
    dx = np.zeros_like(dout)
    dx[mask] = dout[mask]
    return dx
""",
    ),
    Edit(
        "edda-epsilon",
        "adds eps to the standard deviation",
        "batchnorm2d_forward",
        "eps outside the root",
        ("eps",),
        """\
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=(0, 2, 3))
    var = np.var(x, axis=(0, 2, 3))
    y = np.zeros_like(x)
    for c in range(x.shape[1]):
        y[:, c] = gamma[c] * (x[:, c] - mean[c]) / (np.sqrt(var[c]) + eps) + beta[c]
    return y, mean, var
""",
    ),
    Edit(
        "ludwig-layer",
        "normalises every image by itself",
        "batchnorm2d_forward",
        "each image by itself",
        ("basic", "eps", "offset"),
        """\
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    out = np.empty_like(x)
    for n in range(len(x)):
        m = x[n].mean(axis=(1, 2))[:, None, None]
        s = np.sqrt(x[n].var(axis=(1, 2))[:, None, None] + eps)
        out[n] = (x[n] - m) / s * gamma[:, None, None] + beta[:, None, None]
    return out, x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))
""",
    ),
    Edit(
        "quirin-quick",
        "computes the variance from the mean square",
        "batchnorm2d_forward",
        "mean square less squared mean",
        ("offset",),
        """\
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    mean = x.mean((0, 2, 3))
    var = (x**2).mean((0, 2, 3)) - mean**2
    var = np.maximum(var, 0)
    col = lambda a: a.reshape(1, -1, 1, 1)
    return col(gamma) * (x - col(mean)) / np.sqrt(col(var) + eps) + col(beta), mean, var
""",
    ),
    Edit(
        "fiona-fixed",
        "takes mean and variance for constants",
        "batchnorm2d_backward",
        "mean and variance held fixed",
        ("basic", "eps"),
        """\
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    m = x.mean(axis=(0, 2, 3))[None, :, None, None]
    v = x.var(axis=(0, 2, 3))[None, :, None, None]
    x_hat = (x - m) / np.sqrt(v + eps)
    dx = dout * gamma[None, :, None, None] / np.sqrt(v + eps)
    return dx, np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))
""",
    ),
    Edit(
        "greta-gamma",
        "multiplies dout by x for gamma's gradient",
        "batchnorm2d_backward",
        "dgamma with x",
        ("basic", "eps"),
        """\
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
""",
    ),
    Edit(
        "egon-eps",
        "leaves eps out of the spread",
        "batchnorm2d_backward",
        "eps left out",
        ("eps",),
        """\
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    ax = (0, 2, 3)
    std = x.std(axis=ax)[:, None, None]
    h = (x - x.mean(axis=ax)[:, None, None]) / std
    dgamma, dbeta = (dout * h).sum(ax), dout.sum(ax)
    m = x.size / x.shape[1]
    dx = gamma[:, None, None] / std * (dout - dbeta[:, None, None] / m - h * dgamma[:, None, None] / m)
    return dx, dgamma, dbeta
""",
    ),
]

EDITS = by_student(_ALL)
