# %% [markdown]
# Wrong answers to lesson 09, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="arno-adds" exercise="stack_parameters" mistake="kernels added" lost="stack" words="multiplies the kernel by the depth"
@answer
def stack_parameters(kernel, depth, channels, image):
    h, w = image
    rf = kernel * depth
    params = depth * kernel**2 * channels**2
    return rf, params, params * h * w, depth * channels * h * w

# %% student="berit-places" exercise="stack_parameters" mistake="places forgotten" lost="one, stack" words="takes the weights for the multiply-adds"
@answer
def stack_parameters(kernel, depth, channels, image):
    field, weights, macs, activations = 1, 0, 0, 0
    for _ in range(depth):
        field += kernel - 1
        weights += (kernel * channels) ** 2
        macs += kernel * kernel * channels * channels
        activations += channels * image[0] * image[1]
    return field, weights, macs, activations

# %% student="cleo-shrinks" exercise="stack_parameters" lost="one, stack" words="lets the maps shrink, which no known mistake explains"
@answer
def stack_parameters(kernel, depth, channels, image):
    h, w = image
    weights = kernel**2 * channels**2
    macs = maps = 0
    for _ in range(depth):
        h, w = h - kernel + 1, w - kernel + 1
        macs += weights * h * w
        maps += channels * h * w
    return 1 + depth * (kernel - 1), depth * weights, macs, maps

# %% student="dario-doubles" exercise="vgg_config" mistake="doubled without end" lost="paper, other" words="doubles on to 1,024 filters" follows="vgg: ImageNet, batch norm, sizes"
@answer
def vgg_config(convolutions, width=64):
    config = []
    for stage, n in enumerate(convolutions):
        for _ in range(n):
            config.append(width * 2**stage)
        config.append("M")
    return config

# %% student="elif-ends" exercise="vgg_config" mistake="last pooling forgotten" lost="paper, other" words="puts poolings between the stages only" follows="vgg: ImageNet, batch norm, sizes"
@answer
def vgg_config(convolutions, width=64):
    out = []
    filters = width
    for i, n in enumerate(convolutions):
        if i > 0:
            out.append("M")
        out.extend([filters] * n)
        if filters < 8 * width:
            filters *= 2
    return out

# %% student="finn-biases" exercise="vgg16_table" mistake="bias forgotten" lost="VGG16, small, sizes" words="never counts a bias"
@answer
def vgg16_table(config, image=224, classes=1000, bias=True, hidden=4096):
    h, w = pair(image)
    c = 3
    rows = [("input", (c, h, w), c * h * w, 0, 0)]
    block, conv = 1, 0
    for layer in config:
        if layer == "M":
            h //= 2
            w //= 2
            rows.append((f"pool{block}", (c, h, w), c * h * w, 0, 0))
            block += 1
            conv = 0
        else:
            conv += 1
            params = 3 * 3 * c * layer
            c = layer
            rows.append((f"conv{block}_{conv}", (c, h, w), c * h * w, params, params * h * w))
    n = c * h * w
    for i, m in enumerate((hidden, hidden, classes)):
        rows.append((f"dense{i + 1}", (m,), m, n * m, n * m))
        n = m
    return rows

# %% student="gesa-channels" exercise="vgg16_table" mistake="channels last" lost="VGG16, small, sizes, bias" words="writes height and width first, as the slide does"
@answer
def vgg16_table(config, image=224, classes=1000, bias=True, hidden=4096):
    H, W = pair(image)
    C = 3
    b = 1 if bias else 0
    rows = [dict(name="input", shape=(H, W, C), activations=H * W * C, parameters=0, macs=0)]
    stage = number = 1
    for entry in config:
        if entry == "M":
            H, W = H // 2, W // 2
            name, parameters, macs = f"pool{stage}", 0, 0
            stage += 1
            number = 1
        else:
            name = f"conv{stage}_{number}"
            number += 1
            parameters = (9 * C + b) * entry
            macs = 9 * C * entry * H * W
            C = entry
        rows.append(dict(name=name, shape=(H, W, C), activations=H * W * C, parameters=parameters, macs=macs))
    inputs = [H * W * C, hidden, hidden]
    for k, (n, m) in enumerate(zip(inputs, [hidden, hidden, classes]), 1):
        rows.append(dict(name=f"dense{k}", shape=(m,), activations=m, parameters=(n + b) * m, macs=n * m))
    return rows

# %% student="hugo-first" exercise="vgg16_table" mistake="first dense layer reads channels" lost="VGG16, small, sizes, bias" words="lets the first dense layer read the channels only"
@answer
def vgg16_table(config, image=224, classes=1000, bias=True, hidden=4096):
    def row(name, shape, weights, biases, places):
        size = 1
        for n in shape:
            size *= n
        return name, shape, size, weights + (biases if bias else 0), weights * places

    shape = (3, *pair(image))
    rows = [row("input", shape, 0, 0, 0)]
    stages = [[]]
    for entry in config:
        if entry == "M":
            stages.append([])
        else:
            stages[-1].append(entry)
    for s, stage in enumerate(stages, 1):
        for i, f in enumerate(stage, 1):
            old, shape = shape, (f, shape[1], shape[2])
            rows.append(row(f"conv{s}_{i}", shape, f * old[0] * 9, f, shape[1] * shape[2]))
        if s < len(stages):
            shape = (shape[0], shape[1] // 2, shape[2] // 2)
            rows.append(row(f"pool{s}", shape, 0, 0, 0))
    rows.append(row("dense1", (hidden,), shape[0] * hidden, hidden, 1))
    rows.append(row("dense2", (hidden,), hidden * hidden, hidden, 1))
    rows.append(row("dense3", (classes,), hidden * classes, classes, 1))
    return rows

# %% student="ines-flops" exercise="vgg16_table" lost="VGG16, small, sizes, bias" words="counts a multiplication and an addition as two, which no known mistake explains"
@answer
def vgg16_table(config, image=224, classes=1000, bias=True, hidden=4096):
    (h, w), c = pair(image), 3
    table = [("input", (c, h, w), c * h * w, 0, 0)]
    a = b = 1
    for e in config:
        if e == "M":
            h, w = h // 2, w // 2
            table.append((f"pool{a}", (c, h, w), c * h * w, 0, 0))
            a, b = a + 1, 1
            continue
        n = 9 * c * e
        c = e
        table.append((f"conv{a}_{b}", (c, h, w), c * h * w, n + bias * c, 2 * n * h * w))
        b += 1
    n = c * h * w
    for i, m in ((1, hidden), (2, hidden), (3, classes)):
        table.append((f"dense{i}", (m,), m, n * m + bias * m, 2 * n * m))
        n = m
    return table

# %% student="jonna-single" exercise="memory_bytes" mistake="largest map only" lost="one image, batch, bytes" words="takes the largest map in place of two neighbours"
@answer
def memory_bytes(rows, batch, value_bytes=4):
    P = sum(r["parameters"] for r in rows)
    A = sum(r["activations"] for r in rows)
    peak = max(r["activations"] for r in rows)
    return (P + batch * peak) * value_bytes, (3 * P + batch * (A + peak)) * value_bytes

# %% student="kai-slide" exercise="memory_bytes" mistake="all maps twice" lost="one image, batch, bytes" words="takes all maps twice, as the slide says"
@answer
def memory_bytes(rows, batch, value_bytes=4):
    params = maps = pair = 0
    before = 0
    for row in rows:
        params += row["parameters"]
        maps += row["activations"]
        pair = max(pair, before + row["activations"])
        before = row["activations"]
    predicting = params + batch * pair
    training = params * 3 + batch * maps * 2
    return value_bytes * predicting, value_bytes * training

# %% student="lena-batch" exercise="memory_bytes" mistake="weights for each image" lost="batch, bytes" words="multiplies the parameters by the batch"
@answer
def memory_bytes(rows, batch, value_bytes=4):
    a = [row["activations"] for row in rows]
    p = sum([row["parameters"] for row in rows])
    largest = max(a[i] + a[i + 1] for i in range(len(a) - 1))
    scale = value_bytes * batch
    return scale * (p + largest), scale * (3 * p + sum(a) + largest)

# %% student="mara-softmax" exercise="make_vgg" mistake="softmax at the end" lost="one convolution, stages, batch norm, sizes" words="ends with a softmax"
@answer
def make_vgg(config, classes=1000, batch_norm=False, image=224, hidden=4096, channels=3):
    features = nn.Sequential()
    h, w = pair(image)
    for v in config:
        if v == "M":
            features.append(nn.MaxPool2d(kernel_size=2, stride=2))
            h //= 2
            w //= 2
            continue
        features.append(nn.Conv2d(channels, v, kernel_size=3, padding=1))
        if batch_norm:
            features.append(nn.BatchNorm2d(v))
        features.append(nn.ReLU())
        channels = v
    classifier = nn.Sequential(
        nn.Linear(channels * h * w, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(hidden, classes),
        nn.Softmax(dim=1),
    )
    return nn.Sequential(features, nn.Flatten(), classifier)

# %% student="nils-order" exercise="make_vgg" mistake="batch norm after ReLU" lost="batch norm" words="normalises after the ReLU"
@answer
def make_vgg(config, classes=1000, batch_norm=False, image=224, hidden=4096, channels=3):
    class VGG(nn.Module):
        def __init__(self):
            super().__init__()
            c, (h, w) = channels, pair(image)
            layers = []
            for entry in config:
                if entry == "M":
                    layers += [nn.MaxPool2d(2, 2)]
                    h, w = h // 2, w // 2
                else:
                    layers += [nn.Conv2d(c, entry, 3, 1, 1), nn.ReLU()]
                    layers += [nn.BatchNorm2d(entry)] if batch_norm else []
                    c = entry
            self.features = nn.Sequential(*layers)
            self.fc1 = nn.Linear(c * h * w, hidden)
            self.fc2 = nn.Linear(hidden, hidden)
            self.fc3 = nn.Linear(hidden, classes)
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            x = self.features(x).flatten(1)
            x = self.drop(torch.relu(self.fc1(x)))
            x = self.drop(torch.relu(self.fc2(x)))
            return self.fc3(x)

    return VGG()

# %% student="pia-square" exercise="make_vgg" mistake="square image assumed" lost="batch norm, sizes" words="takes every image for a square" follows="vgg: batch norm, sizes"
@answer
def make_vgg(config, classes=1000, batch_norm=False, image=224, hidden=4096, channels=3):
    side, _ = pair(image)
    layers = []
    c = channels
    for item in config:
        if item == "M":
            layers.append(nn.MaxPool2d(2))
            side = side // 2
        else:
            layers.append(nn.Conv2d(c, item, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(item))
            layers.append(nn.ReLU())
            c = item
    layers.append(nn.Flatten())
    sizes = [c * side**2, hidden, hidden]
    for n, m in zip(sizes[:-1], sizes[1:]):
        layers += [nn.Linear(n, m), nn.ReLU(), nn.Dropout(0.5)]
    layers.append(nn.Linear(hidden, classes))
    return nn.Sequential(*layers)

# %% student="quirin-rate" exercise="make_vgg" lost="one convolution, stages, batch norm, sizes" words="drops a fifth, not half, which no known mistake explains"
@answer
def make_vgg(config, classes=1000, batch_norm=False, image=224, hidden=4096, channels=3):
    h, w = pair(image)
    halvings = config.count("M")
    parts = []
    for entry in config:
        if isinstance(entry, str):
            parts.append(nn.MaxPool2d(2))
        else:
            norm = nn.BatchNorm2d(entry) if batch_norm else nn.Identity()
            parts.append(nn.Sequential(nn.Conv2d(channels, entry, 3, padding=1), norm, nn.ReLU()))
            channels = entry
    flat = channels * (h >> halvings) * (w >> halvings)
    parts += [nn.Flatten(), nn.Linear(flat, hidden), nn.ReLU(), nn.Dropout(0.2)]
    parts += [nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden, classes)]
    return nn.Sequential(*parts)

# %% student="stine-norm" exercise="vgg" mistake="batch norm not handed on" lost="batch norm" words="takes batch_norm and forgets it"
@answer
def vgg(depth, classes=1000, batch_norm=False, image=224, hidden=4096):
    if depth == 11:
        n = [1, 1, 2, 2, 2]
    elif depth == 13:
        n = [2] * 5
    elif depth == 16:
        n = [2, 2, 3, 3, 3]
    elif depth == 19:
        n = [2, 2, 4, 4, 4]
    else:
        raise ValueError("depth")
    return make_vgg(vgg_config(n), classes, image=image, hidden=hidden)

# %% student="till-reversed" exercise="vgg" mistake="stages reversed" lost="ImageNet, batch norm, sizes" words="grows the early stages in place of the late ones"
@answer
def vgg(depth, classes=1000, batch_norm=False, image=224, hidden=4096):
    counts = {11: "22211", 13: "22222", 16: "33322", 19: "44422"}[depth]
    return make_vgg(vgg_config([int(n) for n in counts]), classes, batch_norm, image, hidden)
