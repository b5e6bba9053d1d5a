# %% [markdown]
# Wrong answers to lesson 08, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="cecilia-ceil" exercise="alexnet_sides" mistake="rounded up" lost="rest, padding" words="rounds windows that do not fit up" follows="AlexNet: basic, sides, two cards"
@answer
def alexnet_sides(image=227, padding=0):
    def out(n, k, s, p):
        return math.ceil((n + 2 * p - k) / s) + 1

    c1 = out(image, 11, 4, padding)
    p1 = out(c1, 3, 2, 0)
    c2 = out(p1, 5, 1, 2)
    p2 = out(c2, 3, 2, 0)
    c3 = out(p2, 3, 1, 1)
    c4 = out(c3, 3, 1, 1)
    c5 = out(c4, 3, 1, 1)
    return [c1, p1, c2, p2, c3, c4, c5, out(c5, 3, 2, 0)]

# %% student="paul-pools" exercise="alexnet_sides" mistake="windows that do not overlap" lost="rest, padding" words="halves in the poolings, as with windows that lie side by side" follows="AlexNet: basic"
@answer
def alexnet_sides(image=227, padding=0):
    n = (image + 2 * padding - 11) // 4 + 1
    sides = [n]
    n = n // 2
    sides += [n, n]
    n = n // 2
    sides += [n, n, n, n]
    sides.append(n // 2)
    return sides

# %% student="ignaz-ignores" exercise="alexnet_sides" lost="padding" words="never looks at the padding that is asked for, which no known mistake explains"
@answer
def alexnet_sides(image=227, padding=0):
    sides = [(image - 11) // 4 + 1]
    for kernel, stride, p in [(3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]:
        sides.append((sides[-1] - kernel + 2 * p) // stride + 1)
    return sides

# %% student="theo-torch" exercise="local_response_norm" mistake="alpha divided by size" lost="paper, window, constants, borders" words="hands everything on to torch, which divides alpha by the size"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    return F.local_response_norm(x, size, alpha, beta, k)

# %% student="sven-slice" exercise="local_response_norm" mistake="last channel left out" lost="paper, window, constants, borders" words="forgets that a slice stops before its end"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    y = torch.zeros_like(x)
    half = size // 2
    for i in range(x.shape[1]):
        near = x[:, max(0, i - half) : i + half]
        y[:, i] = x[:, i] / (k + alpha * (near**2).sum(dim=1)) ** beta
    return y

# %% student="emil-end" exercise="local_response_norm" mistake="last channel taken for an end" lost="paper, window, constants, borders" words="takes the formula's last channel for the end of a slice"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    C, half = x.shape[1], size // 2
    out = []
    for i in range(C):
        lo = max(0, i - half)
        hi = min(C - 1, i + half)
        total = torch.sum(x[:, lo:hi] ** 2, dim=1)
        out.append(x[:, i] / (k + alpha * total) ** beta)
    return torch.stack(out, dim=1)

# %% student="pixie-pixels" exercise="local_response_norm" mistake="neighbouring pixels" lost="paper, window, constants, borders" words="sums over neighbouring pixels of the same channel"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    mean = F.avg_pool2d(x.square(), size, stride=1, padding=size // 2)
    total = mean * size * size
    return x * torch.pow(k + alpha * total, -beta)

# %% student="inge-inplace" exercise="local_response_norm" lost="paper, window, constants, borders" words="divides x in place"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    C = x.shape[1]
    scale = torch.full_like(x, k)
    for i in range(C):
        for j in range(max(0, i - size // 2), min(C, i + size // 2 + 1)):
            scale[:, i] += alpha * x[:, j] ** 2
    x /= scale**beta
    return x

# %% student="gerda-grouped" exercise="alexnet_features" mistake="groups everywhere" lost="two cards" words="cuts the third convolution too" follows="AlexNet: two cards"
@answer
def alexnet_features(groups=1, width=96):
    w1, w2, w3 = width, width * 8 // 3, width * 4
    norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
    pool = nn.MaxPool2d(3, 2)
    return nn.Sequential(
        nn.Conv2d(3, w1, 11, 4), nn.ReLU(), norm, pool,
        nn.Conv2d(w1, w2, 5, padding=2, groups=groups), nn.ReLU(), norm, pool,
        nn.Conv2d(w2, w3, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(w3, w3, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(w3, w2, 3, padding=1, groups=groups), nn.ReLU(), pool,
    )

# %% student="alma-alpha" exercise="alexnet_features" mistake="alpha of the paper given to torch" lost="one card, two cards, full width" words="gives torch the paper's alpha" follows="AlexNet: basic, sides, two cards"
@answer
def alexnet_features(groups=1, width=96):
    net = nn.Sequential()
    sizes = [width, 8 * width // 3, 4 * width, 4 * width, 8 * width // 3]
    before = 3
    for i, filters in enumerate(sizes):
        kernel = [11, 5, 3, 3, 3][i]
        g = groups if i in (1, 3, 4) else 1
        pad = 0 if i == 0 else kernel // 2
        conv = nn.Conv2d(before, filters, kernel, stride=4 if i == 0 else 1, padding=pad, groups=g)
        net.append(conv)
        net.append(nn.ReLU())
        if i < 2:
            net.append(nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2))
        if i in (0, 1, 4):
            net.append(nn.MaxPool2d(kernel_size=3, stride=2))
        before = filters
    return net

# %% student="dora-default" exercise="alexnet_features" mistake="torch's own constants" lost="one card, two cards, full width" words="leaves torch's norm as torch makes it" follows="AlexNet: basic, sides, two cards"
@answer
def alexnet_features(groups=1, width=96):
    w2, w3 = 8 * width // 3, 4 * width
    return nn.Sequential(
        nn.Conv2d(3, width, 11, 4), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
        nn.Conv2d(width, w2, 5, 1, 2, groups=groups), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, 2),
        nn.Conv2d(w2, w3, 3, 1, 1), nn.ReLU(),
        nn.Conv2d(w3, w3, 3, 1, 1, groups=groups), nn.ReLU(),
        nn.Conv2d(w3, w2, 3, 1, 1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2),
    )

# %% student="nora-normlast" exercise="alexnet_features" mistake="norm after pooling" lost="one card, two cards, full width" words="pools before the norm, as the lecture lists them" follows="AlexNet: basic, sides, two cards"
@answer
def alexnet_features(groups=1, width=96):
    a, b, c = width, 8 * width // 3, 4 * width
    return nn.Sequential(
        nn.Conv2d(3, a, 11, stride=4),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0),
        nn.Conv2d(a, b, 5, padding=2, groups=groups),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0),
        nn.Conv2d(b, c, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(c, c, 3, padding=1, groups=groups),
        nn.ReLU(),
        nn.Conv2d(c, b, 3, padding=1, groups=groups),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
    )

# %% student="walter-width" exercise="alexnet_features" lost="one card, two cards" words="lets only the first convolution follow the width" follows="AlexNet: basic, sides, two cards"
@answer
def alexnet_features(groups=1, width=96):
    lrn = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
    return nn.Sequential(
        nn.Conv2d(3, width, 11, stride=4), nn.ReLU(), lrn, nn.MaxPool2d(3, stride=2),
        nn.Conv2d(width, 256, 5, padding=2, groups=groups), nn.ReLU(), lrn, nn.MaxPool2d(3, stride=2),
        nn.Conv2d(256, 384, 3, padding=1), nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, stride=2),
    )

# %% student="vera-vision" exercise="AlexNet" mistake="dropout before the layers" lost="basic, sides, two cards" words="drops the layers' inputs, as torchvision does"
@answer
class AlexNet(nn.Module):
    def __init__(self, classes=1000, groups=1, width=96, hidden=4096, image=227):
        super().__init__()
        self.features = alexnet_features(groups, width)
        n = alexnet_sides(image)[-1]
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(8 * width // 3 * n * n, hidden),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = x.flatten(start_dim=1)
        return self.classifier(x)

# %% student="adele-always" exercise="AlexNet" mistake="dropout never off" lost="basic, sides, two cards" words="uses F.dropout, which does not know the mode"
@answer
class AlexNet(nn.Module):
    def __init__(self, classes=1000, groups=1, width=96, hidden=4096, image=227):
        super().__init__()
        self.features = alexnet_features(groups=groups, width=width)
        with torch.no_grad():
            flat = self.features(torch.zeros(1, 3, image, image)).numel()
        self.fc6 = nn.Linear(flat, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, classes)

    def forward(self, x):
        x = torch.flatten(self.features(x), 1)
        x = F.dropout(F.relu(self.fc6(x)), 0.5)
        x = F.dropout(F.relu(self.fc7(x)), 0.5)
        return self.fc8(x)

# %% student="nick-numbers" exercise="AlexNet" lost="basic, sides, two cards" words="writes 9,216 down, whatever the image and the width"
@answer
class AlexNet(nn.Module):
    def __init__(self, classes=1000, groups=1, width=96, hidden=4096, image=227):
        super().__init__()
        self.features = alexnet_features(groups, width)
        self.dense = nn.Sequential(
            nn.Linear(9216, hidden), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.5),
            nn.Linear(hidden, classes),
        )

    def forward(self, x):
        return self.dense(torch.flatten(self.features(x), 1))

# %% student="gunda-groupless" exercise="layer_table" mistake="groups ignored" lost="groups" words="gives each filter all channels"
@answer
def layer_table(model, input_shape):
    rows = []
    handles = []
    used = []
    names = dict((m, n) for n, m in model.named_modules())

    def hook(module, args, out):
        _, *shape = out.shape
        macs = 0
        if isinstance(module, nn.Conv2d):
            kh, kw = module.kernel_size
            macs = module.out_channels * module.in_channels * kh * kw * shape[1] * shape[2]
        elif isinstance(module, nn.Linear):
            macs = module.in_features * module.out_features
        params = sum(p.numel() for p in module.parameters()) if module not in used else 0
        used.append(module)
        rows.append((names[module], type(module).__name__, tuple(shape), params, out[0].numel(), macs))

    for m in model.modules():
        if len(list(m.children())) == 0:
            handles.append(m.register_forward_hook(hook))
    mode = model.training
    model.eval()
    model(torch.zeros(1, *input_shape))
    model.train(mode)
    for h in handles:
        h.remove()
    keys = ["name", "kind", "shape", "parameters", "activations", "macs"]
    return [dict(zip(keys, row)) for row in rows]

# %% student="conny-containers" exercise="layer_table" mistake="containers counted" lost="chain, groups, nested, shared, biases" words="hooks containers too"
@answer
def layer_table(model, input_shape):
    rows, hooks, done = [], [], set()

    def make(name):
        def hook(m, i, o):
            n = 0 if m in done else sum(p.numel() for p in m.parameters())
            done.add(m)
            size = o[0].numel()
            macs = 0
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                macs = size * m.weight[0].numel()
            rows.append(
                dict(name=name, kind=m.__class__.__name__, shape=tuple(o.shape[1:]),
                     parameters=n, activations=size, macs=macs)
            )
        return hook

    for name, m in model.named_modules():
        hooks.append(m.register_forward_hook(make(name)))
    model.eval()
    with torch.no_grad():
        model(torch.zeros((1,) + tuple(input_shape)))
    model.train()
    for h in hooks:
        h.remove()
    return rows

# %% student="clara-closure" exercise="layer_table" mistake="one name for all" lost="chain, groups, nested, shared, biases" words="makes the hooks in the loop, where they all see the last name"
@answer
def layer_table(model, input_shape):
    rows, handles, counted = [], [], []
    modes = [(m, m.training) for m in model.modules()]
    for name, layer in model.named_modules():
        if len(list(layer.children())) > 0:
            continue

        def hook(m, inp, out):
            size = out[0].numel()
            params = 0 if any(m is c for c in counted) else sum(p.numel() for p in m.parameters())
            counted.append(m)
            weighs = type(m) in (nn.Conv2d, nn.Linear)
            rows.append({
                "name": name, "kind": type(m).__name__, "shape": tuple(out.shape[1:]), "parameters": params,
                "activations": size, "macs": size * m.weight[0].numel() if weighs else 0,
            })

        handles.append(layer.register_forward_hook(hook))
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, *input_shape))
    for handle in handles:
        handle.remove()
    for m, mode in modes:
        m.training = mode
    return rows

# %% student="moritz-mode" exercise="layer_table" lost="chain" words="leaves every network in training mode, whatever it was in"
@answer
def layer_table(model, input_shape):
    rows, hooks, done = [], [], set()

    def make(name):
        def hook(m, i, o):
            shape = tuple(o.shape[1:])
            size = math.prod(shape)
            macs = 0
            if isinstance(m, nn.Conv2d):
                kh, kw = m.kernel_size
                macs = size * (m.in_channels // m.groups) * kh * kw
            if isinstance(m, nn.Linear):
                macs = size * m.in_features
            n = 0 if m in done else sum(p.numel() for p in m.parameters())
            done.add(m)
            kind = type(m).__name__
            rows.append(
                {"name": name, "kind": kind, "shape": shape, "parameters": n, "activations": size, "macs": macs}
            )
        return hook

    for name, m in model.named_modules():
        if not list(m.children()):
            hooks.append(m.register_forward_hook(make(name)))
    model.eval()
    model(torch.zeros(1, *input_shape))
    model.train()
    for h in hooks:
        h.remove()
    return rows

# %% student="trude-train" exercise="layer_table" lost="chain, groups, nested" words="runs the network in train mode, so batch norm takes note"
@answer
def layer_table(model, input_shape):
    rows, hooks, done = [], [], set()

    def make(name):
        def hook(m, i, o):
            n = 0 if m in done else sum(p.numel() for p in m.parameters())
            done.add(m)
            shape = tuple(o.shape[1:])
            size = math.prod(shape)
            macs = 0
            if isinstance(m, nn.Conv2d):
                kh, kw = m.kernel_size
                macs = size * (m.in_channels // m.groups) * kh * kw
            if isinstance(m, nn.Linear):
                macs = size * m.in_features
            kind = type(m).__name__
            rows.append(
                {"name": name, "kind": kind, "shape": shape, "parameters": n, "activations": size, "macs": macs}
            )
        return hook

    for name, m in model.named_modules():
        if not list(m.children()):
            hooks.append(m.register_forward_hook(make(name)))
    model(torch.zeros(1, *input_shape))
    for h in hooks:
        h.remove()
    return rows

# %% student="matz-maps" exercise="conv_share" mistake="all maps" lost="shares" words="takes every layer that returns maps for a convolution"
@answer
def conv_share(rows):
    params = sum(r["parameters"] for r in rows) or 1
    macs = sum(r["macs"] for r in rows) or 1
    conv = [r for r in rows if len(r["shape"]) == 3]
    return sum(r["parameters"] for r in conv) / params, sum(r["macs"] for r in conv) / macs

# %% student="zora-zero" exercise="conv_share" lost="nothing" words="divides by zero where there is nothing"
@answer
def conv_share(rows):
    result = []
    for key in ["parameters", "macs"]:
        result.append(sum(r[key] for r in rows if r["kind"] == "Conv2d") / sum(r[key] for r in rows))
    return tuple(result)
