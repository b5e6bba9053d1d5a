"""Wrong answers to the training lesson, written by hand as students write them.

None calls a Mistake's function or a reference: what recognises them must not be what made them.
"""

from autograder.sample.edit import Edit, by_student

LESSON = "13_training"

_ALL = [
    Edit(
        "rita-rebind",
        "gives the name p a new array",
        "SGD",
        "not in place",
        ("plain", "momentum", "decay", "nesterov", "rate"),
        """\
@answer
class SGD:
    def __init__(self, parameters, lr, momentum=0.9, weight_decay=0.0, nesterov=False):
        self.parameters = parameters
        self.lr, self.m, self.wd, self.nesterov = lr, momentum, weight_decay, nesterov
        self.v = [np.zeros(p.shape) for p in parameters]

    def step(self, gradients):
        for i, (p, g) in enumerate(zip(self.parameters, gradients)):
            g = g + self.wd * p
            self.v[i] = self.m * self.v[i] + g
            if self.nesterov:
                p = p - self.lr * (g + self.m * self.v[i])
            else:
                p = p - self.lr * self.v[i]
""",
    ),
    Edit(
        "lars-inside",
        "keeps lr times the gradient in the velocity",
        "SGD",
        "learning rate in the velocity",
        ("rate",),
        """\
@answer
class SGD:
    def __init__(self, parameters, lr, momentum=0.9, weight_decay=0.0, nesterov=False):
        self.lr, self.momentum, self.weight_decay, self.nesterov = lr, momentum, weight_decay, nesterov
        self.parameters = parameters
        self.velocity = {i: 0 * p for i, p in enumerate(parameters)}

    def step(self, gradients):
        for i, g in enumerate(gradients):
            p = self.parameters[i]
            delta = self.lr * (g + self.weight_decay * p)
            self.velocity[i] = self.momentum * self.velocity[i] + delta
            if self.nesterov:
                np.subtract(p, delta + self.momentum * self.velocity[i], out=p)
            else:
                np.subtract(p, self.velocity[i], out=p)
""",
    ),
    Edit(
        "adam-apart",
        "decays the weights after the step, as AdamW does",
        "SGD",
        "decay beside the velocity",
        ("decay", "nesterov"),
        """\
@answer
class SGD:
    def __init__(self, parameters, lr, momentum=0.9, weight_decay=0.0, nesterov=False):
        self.parameters, self.lr, self.weight_decay = parameters, lr, weight_decay
        self.mu, self.look_ahead = momentum, nesterov
        self.buffers = [np.zeros_like(p) for p in parameters]

    def step(self, gradients):
        for p, g, b in zip(self.parameters, gradients, self.buffers):
            b[...] = self.mu * b + g
            direction = g + self.mu * b if self.look_ahead else b
            decay = self.weight_decay * p
            p -= self.lr * direction
            p -= self.lr * decay
""",
    ),
    Edit(
        "gero-gradient",
        "adds the decay to the caller's gradient",
        "SGD",
        "",
        ("decay", "nesterov"),
        """\
@answer
class SGD:
    def __init__(self, parameters, lr, momentum=0.9, weight_decay=0.0, nesterov=False):
        self.parameters, self.lr, self.m, self.wd, self.n = parameters, lr, momentum, weight_decay, nesterov
        self.v = [np.zeros_like(p) for p in parameters]

    def step(self, gradients):
        for p, g, v in zip(self.parameters, gradients, self.v):
            if self.wd:
                g += self.wd * p
            v *= self.m
            v += g
            p -= self.lr * (g + self.m * v) if self.n else self.lr * v
""",
    ),
    Edit(
        "lotte-last",
        "compares each loss with the one before",
        "ReduceOnPlateau",
        "compared with the last",
        ("best", "threshold"),
        """\
@answer
class ReduceOnPlateau:
    def __init__(self, lr, factor=0.1, patience=10, threshold=1e-4, smallest=0.0):
        self.lr, self.factor, self.patience = lr, factor, patience
        self.threshold, self.smallest = threshold, smallest
        self.previous = float("inf")
        self.waiting = 0

    def step(self, loss):
        if loss < self.previous * (1 - self.threshold):
            self.waiting = 0
        else:
            self.waiting += 1
        self.previous = loss
        if self.waiting > self.patience:
            self.lr = max(self.smallest, self.lr * self.factor)
            self.waiting = 0
        return self.lr
""",
    ),
    Edit(
        "emil-early",
        "cuts as soon as the patience is used up",
        "ReduceOnPlateau",
        "one too early",
        ("wait", "best", "threshold", "floor"),
        """\
@answer
class ReduceOnPlateau:
    def __init__(self, lr, factor=0.1, patience=10, threshold=1e-4, smallest=0.0):
        self.lr = lr
        self.how = factor, patience, threshold, smallest
        self.losses, self.bad = [], 0
        self.best = None

    def step(self, loss):
        factor, patience, threshold, smallest = self.how
        if self.best is None or loss < (1 - threshold) * self.best:
            self.best = loss
            self.bad = 0
            if patience > 0:
                return self.lr
        else:
            self.bad = self.bad + 1
        if self.bad >= patience:
            self.lr = max(factor * self.lr, smallest)
            self.bad = 0
        return self.lr
""",
    ),
    Edit(
        "nora-none",
        "forgets to return the rate where it is not cut",
        "ReduceOnPlateau",
        "",
        ("wait", "best", "threshold", "floor"),
        """\
@answer
class ReduceOnPlateau:
    def __init__(self, lr, factor=0.1, patience=10, threshold=1e-4, smallest=0.0):
        self.lr, self.factor, self.patience = lr, factor, patience
        self.threshold, self.smallest = threshold, smallest
        self.best, self.count = 1e300, 0

    def step(self, loss):
        if loss < self.best * (1 - self.threshold):
            self.best, self.count = loss, 0
            return
        self.count += 1
        if self.count > self.patience:
            self.lr, self.count = max(self.lr * self.factor, self.smallest), 0
            return self.lr
""",
    ),
    Edit(
        "bodo-batch",
        "draws once and moves the whole batch",
        "random_crop_flip",
        "one draw for the batch",
        ("crop", "flip", "kinds"),
        """\
@answer
def random_crop_flip(images, padding, rng):
    H, W = images.shape[-2:]
    big = np.pad(images, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    i, j = rng.integers(2 * padding + 1), rng.integers(2 * padding + 1)
    out = big[:, :, i : i + H, j : j + W]
    if rng.uniform() < 0.5:
        out = np.flip(out, axis=3)
    return out
""",
    ),
    Edit(
        "ulla-upper",
        "thinks that the upper end of rng.integers is drawn",
        "random_crop_flip",
        "last place left out",
        ("crop", "flip", "kinds"),
        """\
@answer
def random_crop_flip(images, padding, rng):
    out = np.zeros_like(images)
    N, C, H, W = images.shape
    p = padding
    for n in range(N):
        big = np.zeros((C, H + 2 * p, W + 2 * p), images.dtype)
        big[:, p : p + H, p : p + W] = images[n]
        top, left = rng.integers(0, 2 * p), rng.integers(0, 2 * p)
        crop = big[:, top : top + H, left : left + W]
        out[n] = crop if rng.integers(0, 2) == 0 else np.flip(crop, -1)
    return out
""",
    ),
    Edit(
        "theo-thirds",
        "mirrors a third of the images",
        "random_crop_flip",
        "",
        ("crop", "flip", "kinds"),
        """\
@answer
def random_crop_flip(images, padding, rng):
    height, width = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    views = []
    for image in padded:
        top, left = rng.integers(0, 2 * padding, 2, endpoint=True)
        view = image[:, top : top + height, left : left + width]
        views.append(view[..., ::-1] if rng.random() < 1 / 3 else view)
    return np.array(views)
""",
    ),
    Edit(
        "nele-negative",
        "lets slices begin before 0",
        "cutout",
        "negative start",
        ("hole", "border", "kinds"),
        """\
@answer
def cutout(images, size, rng):
    out = np.array(images)
    N, _, H, W = out.shape
    half = size // 2
    for n in range(N):
        r, c = rng.integers(H), rng.integers(W)
        out[n, :, r - half : r - half + size, c - half : c - half + size] = 0
    return out
""",
    ),
    Edit(
        "dora-devries",
        "copies the published code, which makes odd holes one pixel short",
        "cutout",
        "odd sizes one short",
        ("hole", "border", "kinds"),
        """\
@answer
def cutout(images, size, rng):
    n, channels, h, w = images.shape
    mask = np.ones((n, 1, h, w), images.dtype)
    ys, xs = rng.integers(0, h, n), rng.integers(0, w, n)
    for i in range(n):
        y1, y2 = np.clip([ys[i] - size // 2, ys[i] + size // 2], 0, h)
        x1, x2 = np.clip([xs[i] - size // 2, xs[i] + size // 2], 0, w)
        mask[i, :, y1:y2, x1:x2] = 0
    return images * mask
""",
    ),
    Edit(
        "ivo-inside",
        "keeps every hole wholly inside",
        "cutout",
        "never cut off",
        ("hole", "border", "kinds"),
        """\
@answer
def cutout(images, size, rng):
    result = images.copy()
    for image in result:
        top = rng.integers(0, image.shape[1] - size + 1)
        left = rng.integers(0, image.shape[2] - size + 1)
        image[:, top : top + size, left : left + size] = 0
    return result
""",
    ),
    Edit(
        "otto-others",
        "shares the smoothing among the wrong classes",
        "label_smoothing_loss",
        "shared by the others alone",
        ("smooth", "large"),
        """\
@answer
def label_smoothing_loss(scores, labels, smoothing):
    n, m = scores.shape
    z = scores - np.max(scores, axis=1)[:, None]
    p = np.exp(z)
    p = p / p.sum(axis=1)[:, None]
    q = np.full((n, m), smoothing / (m - 1))
    q[np.arange(n), labels] = 1 - smoothing
    loss = -(q * np.log(p)).sum(axis=1).mean()
    return float(loss), ((p - q) / n).astype(scores.dtype)
""",
    ),
    Edit(
        "gwen-gradient",
        "forgets that the loss is a mean",
        "label_smoothing_loss",
        "gradient of the sum",
        ("smooth", "sharp", "large"),
        """\
@answer
def label_smoothing_loss(scores, labels, smoothing):
    N, M = scores.shape
    scores = scores - scores.max(1, keepdims=True)
    log_p = scores - np.log(np.sum(np.exp(scores), 1, keepdims=True))
    one_hot = np.zeros((N, M), scores.dtype)
    one_hot[range(N), labels] = 1
    target = one_hot * (1 - smoothing) + smoothing / M
    loss = np.mean(-np.sum(target * log_p, axis=1))
    return loss, np.exp(log_p) - target.astype(scores.dtype)
""",
    ),
    Edit(
        "sina-scores",
        "averages the scores",
        "ensemble_predict",
        "softmax of the mean score",
        ("one", "many"),
        """\
@answer
def ensemble_predict(models, images):
    modes = [m.training for m in models]
    total = 0
    with torch.no_grad():
        for m in models:
            m.eval()
            total = total + m(images) + m(torch.flip(images, dims=[-1]))
    for m, mode in zip(models, modes):
        m.train(mode)
    return torch.softmax(total / (2 * len(models)), dim=-1)
""",
    ),
    Edit(
        "hugo-height",
        "turns the images upside down",
        "ensemble_predict",
        "upside down",
        ("one", "many"),
        """\
@answer
def ensemble_predict(models, images):
    answers = []
    for model in models:
        mode = model.training
        model.train(False)
        with torch.inference_mode():
            for view in [images, torch.flip(images, [2])]:
                answers.append(torch.softmax(model(view), dim=1))
        model.train(mode)
    return sum(answers) / len(answers)
""",
    ),
    Edit(
        "tilda-training",
        "asks the networks in the mode in which they come",
        "ensemble_predict",
        "",
        ("one", "many"),
        """\
@answer
def ensemble_predict(models, images):
    with torch.no_grad():
        both = torch.cat([images, images.flip(3)])
        said = sum(model(both).softmax(1) for model in models) / len(models)
    return (said[: len(images)] + said[len(images) :]) / 2
""",
    ),
    Edit(
        "elsa-eval",
        "leaves the networks in eval mode",
        "ensemble_predict",
        "",
        ("one", "many"),
        """\
@answer
def ensemble_predict(models, images):
    said = []
    for model in models:
        model.eval()
        with torch.no_grad():
            said.append((model(images).softmax(1) + model(images.flip(3)).softmax(1)) / 2)
    return torch.stack(said).mean(0)
""",
    ),
]

EDITS = by_student(_ALL)
