# %% [markdown]
# Wrong answers to lesson 13, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="rita-rebind" exercise="SGD" mistake="not in place" lost="plain, momentum, decay, nesterov, rate" words="gives the name p a new array"
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

# %% student="lars-inside" exercise="SGD" mistake="learning rate in the velocity" lost="rate" words="keeps lr times the gradient in the velocity"
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

# %% student="adam-apart" exercise="SGD" mistake="decay beside the velocity" lost="decay, nesterov" words="decays the weights after the step, as AdamW does"
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

# %% student="gero-gradient" exercise="SGD" lost="decay, nesterov" words="adds the decay to the caller's gradient"
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

# %% student="lotte-last" exercise="ReduceOnPlateau" mistake="compared with the last" lost="best, threshold" words="compares each loss with the one before"
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

# %% student="emil-early" exercise="ReduceOnPlateau" mistake="one too early" lost="wait, best, threshold, floor" words="cuts as soon as the patience is used up"
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

# %% student="nora-none" exercise="ReduceOnPlateau" lost="wait, best, threshold, floor" words="forgets to return the rate where it is not cut"
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

# %% student="bodo-batch" exercise="random_crop_flip" mistake="one draw for the batch" lost="crop, flip, kinds" words="draws once and moves the whole batch"
@answer
def random_crop_flip(images, padding, rng):
    H, W = images.shape[-2:]
    big = np.pad(images, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    i, j = rng.integers(2 * padding + 1), rng.integers(2 * padding + 1)
    out = big[:, :, i : i + H, j : j + W]
    if rng.uniform() < 0.5:
        out = np.flip(out, axis=3)
    return out

# %% student="ulla-upper" exercise="random_crop_flip" mistake="last place left out" lost="crop, flip, kinds" words="thinks that the upper end of rng.integers is drawn"
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

# %% student="theo-thirds" exercise="random_crop_flip" lost="crop, flip, kinds" words="mirrors a third of the images"
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

# %% student="nele-negative" exercise="cutout" mistake="negative start" lost="hole, border, kinds" words="lets slices begin before 0"
@answer
def cutout(images, size, rng):
    out = np.array(images)
    N, _, H, W = out.shape
    half = size // 2
    for n in range(N):
        r, c = rng.integers(H), rng.integers(W)
        out[n, :, r - half : r - half + size, c - half : c - half + size] = 0
    return out

# %% student="dora-devries" exercise="cutout" mistake="odd sizes one short" lost="hole, border, kinds" words="copies the published code, which makes odd holes one pixel short"
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

# %% student="ivo-inside" exercise="cutout" mistake="never cut off" lost="hole, border, kinds" words="keeps every hole wholly inside"
@answer
def cutout(images, size, rng):
    result = images.copy()
    for image in result:
        top = rng.integers(0, image.shape[1] - size + 1)
        left = rng.integers(0, image.shape[2] - size + 1)
        image[:, top : top + size, left : left + size] = 0
    return result

# %% student="otto-others" exercise="label_smoothing_loss" mistake="shared by the others alone" lost="smooth, large" words="shares the smoothing among the wrong classes"
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

# %% student="gwen-gradient" exercise="label_smoothing_loss" mistake="gradient of the sum" lost="smooth, sharp, large" words="forgets that the loss is a mean"
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

# %% student="sina-scores" exercise="ensemble_predict" mistake="softmax of the mean score" lost="one, many" words="averages the scores"
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

# %% student="hugo-height" exercise="ensemble_predict" mistake="upside down" lost="one, many" words="turns the images upside down"
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

# %% student="tilda-training" exercise="ensemble_predict" lost="one, many" words="asks the networks in the mode in which they come"
@answer
def ensemble_predict(models, images):
    with torch.no_grad():
        both = torch.cat([images, images.flip(3)])
        said = sum(model(both).softmax(1) for model in models) / len(models)
    return (said[: len(images)] + said[len(images) :]) / 2

# %% student="elsa-eval" exercise="ensemble_predict" lost="one, many" words="leaves the networks in eval mode"
@answer
def ensemble_predict(models, images):
    said = []
    for model in models:
        model.eval()
        with torch.no_grad():
            said.append((model(images).softmax(1) + model(images.flip(3)).softmax(1)) / 2)
    return torch.stack(said).mean(0)
