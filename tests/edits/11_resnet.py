# %% [markdown]
# Wrong answers to lesson 11, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="rolf-relu" exercise="BasicBlock" mistake="ReLU before the addition" lost="identity, projection" words="has a last ReLU before the addition and none after it" follows="make_resnet: shallow, deep, options; ResNet18: stem, stages, options"
@answer
class BasicBlock(nn.Module):
    """conv-bn-relu-conv-bn-relu, then the shortcut."""

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, filters, kernel_size=3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        )
        if stride == 1 and channels == filters:
            self.shortcut = nn.Identity()
        else:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        return self.body(x) + self.shortcut(x)

# %% student="sophie-stride" exercise="BasicBlock" mistake="projection only for a stride" lost="projection" words="looks at the stride alone for the projection"
@answer
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.c1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.c2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.b1, self.b2 = nn.BatchNorm2d(filters), nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        out = torch.relu(self.b1(self.c1(x)))
        out = self.b2(self.c2(out))
        out = out + self.shortcut(x)
        return torch.relu(out)

# %% student="oskar-or" exercise="BasicBlock" mistake="projection only where both change" lost="projection" words="lets either condition keep the shortcut as it is"
@answer
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        if stride == 1 or channels == filters:
            self.shortcut = nn.Identity()
        else:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(out)) + self.shortcut(x))

# %% student="nele-norm" exercise="BasicBlock" lost="identity, projection" words="uses the first normalisation in the place of the second, which no value shows"
@answer
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != filters:
            self.shortcut.append(nn.Conv2d(channels, filters, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm1(self.conv2(y)) + self.shortcut(x))

# %% student="klara-kernel" exercise="BasicBlock" lost="projection" words="projects by a 3 x 3 convolution" follows="ResNet18: stem, stages, options"
@answer
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()

        def conv(inputs, step):
            return nn.Sequential(
                nn.Conv2d(inputs, filters, 3, step, padding=1, bias=False), nn.BatchNorm2d(filters)
            )

        self.conv1, self.conv2 = conv(channels, stride), conv(filters, 1)
        same = stride == 1 and channels == filters
        self.shortcut = nn.Identity() if same else conv(channels, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.shortcut(x))

# %% student="beate-bias" exercise="BasicBlock" mistake="convolutions with biases" lost="identity, projection" words="leaves torch's biases in the convolutions" follows="make_resnet: shallow, deep, options; ResNet18: stem, stages, options"
@answer
class BasicBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, filters, 1, stride), nn.BatchNorm2d(filters))

    def forward(self, x):
        identity = self.shortcut(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x += identity
        return F.relu(x)

# %% student="till-twenty" exercise="make_resnet" mistake="two layers counted as one" lost="shallow, deep, options" words="makes n blocks of (depth - 2) / 3"
@answer
def make_resnet(depth, classes=10, width=16):
    if (depth - 2) % 6 != 0 or depth < 8:
        raise ValueError(f"depth {depth} is not 6n + 2")
    n = (depth - 2) // 3
    net = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    c = width
    for stage in (1, 2, 4):
        for i in range(n):
            s = 2 if i == 0 and stage != 1 else 1
            b = BasicBlock(c, width * stage, s)
            if c != width * stage:
                b.shortcut = PaddedShortcut(c, width * stage, s)
            net.append(b)
            c = width * stage
    net.extend([nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(c, classes)])
    return net

# %% student="petra-projection" exercise="make_resnet" mistake="shortcuts that project" lost="shallow, deep, options" words="leaves the projections in"
@answer
def make_resnet(depth, classes=10, width=16):
    if depth % 6 != 2 or depth < 8:
        raise ValueError(f"{depth} is not 6n + 2")
    n = (depth - 2) // 6

    def stage(c, f, s):
        return nn.Sequential(BasicBlock(c, f, s), *[BasicBlock(f, f) for _ in range(n - 1)])

    return nn.Sequential(
        nn.Conv2d(3, width, 3, 1, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        stage(width, width, 1),
        stage(width, 2 * width, 2),
        stage(2 * width, 4 * width, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4 * width, classes),
    )

# %% student="viktor-values" exercise="make_resnet" lost="shallow, deep, options" words="applies a ReLU to the scores"
@answer
def make_resnet(depth, classes=10, width=16):
    if depth % 6 != 2 or depth < 8:
        raise ValueError(f"{depth} is not 6n + 2")
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    for stage in range(3):
        f = width * 2**stage
        c = f if stage == 0 else f // 2
        for i in range((depth - 2) // 6):
            block = BasicBlock(c, f, 1 if c == f else 2)
            if c != f:
                block.shortcut = PaddedShortcut(c, f, 2)
            layers.append(block)
            c = f
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(f, classes), nn.ReLU()]
    return nn.Sequential(*layers)

# %% student="franka-front" exercise="Bottleneck" mistake="stride on the first convolution" lost="projection" words="has the stride on the first convolution, as in the paper"
@answer
class Bottleneck(nn.Module):
    def __init__(self, channels, reduced, stride=1):
        super().__init__()
        wide = reduced * 4
        self.reduce = nn.Conv2d(channels, reduced, 1, stride=stride, bias=False)
        self.bn1 = nn.BatchNorm2d(reduced)
        self.conv = nn.Conv2d(reduced, reduced, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(reduced)
        self.expand = nn.Conv2d(reduced, wide, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.shortcut = None
        if stride != 1 or channels != wide:
            self.shortcut = nn.Conv2d(channels, wide, 1, stride=stride, bias=False)
            self.bn4 = nn.BatchNorm2d(wide)

    def forward(self, x):
        out = self.bn1(self.reduce(x)).relu()
        out = self.bn2(self.conv(out)).relu()
        out = self.bn3(self.expand(out))
        if self.shortcut is not None:
            x = self.bn4(self.shortcut(x))
        return (out + x).relu()

# %% student="rita-relu" exercise="Bottleneck" mistake="ReLU on the projection" lost="projection" words="has a ReLU behind the projection"
@answer
class Bottleneck(nn.Module):
    def __init__(self, channels, reduced, stride=1):
        super().__init__()

        def unit(c, f, k, s=1):
            return nn.Sequential(nn.Conv2d(c, f, k, s, k // 2, bias=False), nn.BatchNorm2d(f), nn.ReLU())

        f = 4 * reduced
        self.body = nn.Sequential(
            unit(channels, reduced, 1), unit(reduced, reduced, 3, stride), unit(reduced, f, 1)[:2]
        )
        self.shortcut = unit(channels, f, 1, stride) if stride != 1 or channels != f else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))

# %% student="nadja-nonlinear" exercise="Bottleneck" lost="identity, projection" words="forgets the ReLU between the last two convolutions only"
@answer
class Bottleneck(nn.Module):
    def __init__(self, channels, reduced, stride=1):
        super().__init__()
        filters = 4 * reduced
        self.body = nn.Sequential(
            nn.Conv2d(channels, reduced, 1, bias=False),
            nn.BatchNorm2d(reduced),
            nn.ReLU(),
            nn.Conv2d(reduced, reduced, 3, stride, 1, bias=False),
            nn.BatchNorm2d(reduced),
            nn.Conv2d(reduced, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != filters:
            self.shortcut.append(nn.Conv2d(channels, filters, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(filters))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))

# %% student="ole-one" exercise="ResNet18" mistake="first stage strided" lost="stem, stages, options" words="halves the maps in the first stage too"
@answer
class ResNet18(nn.Module):
    def __init__(self, classes=1000, width=64):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        stages, channels = [], width
        for filters in (width, 2 * width, 4 * width, 8 * width):
            stages += [BasicBlock(channels, filters, 2), BasicBlock(filters, filters)]
            channels = filters
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.stages(self.stem(x))
        return self.fc(x.mean(dim=(2, 3)))

# %% student="ida-inner" exercise="ResNet18" lost="stem, stages, options" words="pools without padding"
@answer
class ResNet18(nn.Module):
    def __init__(self, classes=1000, width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self.stage(width, width, 1)
        self.layer2 = self.stage(width, width * 2, 2)
        self.layer3 = self.stage(width * 2, width * 4, 2)
        self.layer4 = self.stage(width * 4, width * 8, 2)
        self.fc = nn.Linear(width * 8, classes)

    def stage(self, channels, filters, stride):
        return nn.Sequential(BasicBlock(channels, filters, stride), BasicBlock(filters, filters))

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, stride=2)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
