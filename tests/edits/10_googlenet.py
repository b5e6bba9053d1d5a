# %% [markdown]
# Wrong answers to lesson 10, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="nadia-naive" exercise="inception_macs" mistake="a 1 x 1 after the pooling, without reductions" lost="without reductions" words="keeps the 1 x 1 after the pooling when there are no reductions"
@answer
def inception_macs(in_shape, ones, reduce3, threes, reduce5, fives, pooled, reduction=True):
    C, H, W = in_shape
    per_place = C * ones + C * pooled
    if reduction:
        per_place += C * reduce3 + reduce3 * threes * 9 + C * reduce5 + reduce5 * fives * 25
    else:
        per_place += C * threes * 9 + C * fives * 25
    return ones + threes + fives + pooled, per_place * H * W

# %% student="petra-places" exercise="inception_macs" mistake="places left out" lost="with reductions, without reductions" words="counts weights and forgets that they are used everywhere"
@answer
def inception_macs(in_shape, ones, reduce3, threes, reduce5, fives, pooled, reduction=True):
    c = in_shape[0]
    if not reduction:
        return ones + threes + fives + c, c * ones + 3**2 * c * threes + 5**2 * c * fives
    total = c * (ones + reduce3 + reduce5 + pooled)
    total += 9 * reduce3 * threes
    total += 25 * reduce5 * fives
    return ones + threes + fives + pooled, total

# %% student="sami-square" exercise="inception_macs" lost="with reductions, without reductions" words="takes the height for the width too"
@answer
def inception_macs(in_shape, ones, reduce3, threes, reduce5, fives, pooled, reduction=True):
    channels, size, _ = in_shape
    def conv(i, o, k):
        return i * o * k * k * size * size
    if reduction:
        macs = conv(channels, ones, 1) + conv(channels, reduce3, 1) + conv(reduce3, threes, 3)
        macs += conv(channels, reduce5, 1) + conv(reduce5, fives, 5) + conv(channels, pooled, 1)
        return ones + threes + fives + pooled, macs
    macs = conv(channels, ones, 1) + conv(channels, threes, 3) + conv(channels, fives, 5)
    return ones + threes + fives + channels, macs

# %% student="ravi-relu" exercise="Inception" mistake="no ReLU after the reductions" lost="branches, equal, edges, one" words="reduces by bare convolutions with a norm" follows="GoogLeNet: thin, sizes, without heads, full width"
@answer
class Inception(nn.Module):
    def __init__(self, channels, ones, reduce3, threes, reduce5, fives, pooled):
        super().__init__()
        def reduce(n):
            return nn.Sequential(nn.Conv2d(channels, n, kernel_size=1, bias=False), nn.BatchNorm2d(n))
        self.b1 = conv_norm_relu(channels, ones, 1)
        self.b2 = nn.Sequential(reduce(reduce3), conv_norm_relu(reduce3, threes, 3, 1, 1))
        self.b3 = nn.Sequential(reduce(reduce5), conv_norm_relu(reduce5, fives, 5, 1, 2))
        self.b4 = nn.Sequential(nn.MaxPool2d(3, 1, 1), conv_norm_relu(channels, pooled, 1))

    def forward(self, x):
        branches = [b(x) for b in (self.b1, self.b2, self.b3, self.b4)]
        return torch.concat(branches, 1)

# %% student="stella-stride" exercise="Inception" mistake="sizes do not fit" lost="branches, equal, edges, one" words="leaves the pooling's stride to torch" follows="GoogLeNet: thin, sizes, without heads, full width"
@answer
class Inception(nn.Module):
    def __init__(self, channels, ones, reduce3, threes, reduce5, fives, pooled):
        super().__init__()
        self.p1 = conv_norm_relu(channels, ones, 1)
        self.p2a = conv_norm_relu(channels, reduce3, 1)
        self.p2b = conv_norm_relu(reduce3, threes, 3, padding=1)
        self.p3a = conv_norm_relu(channels, reduce5, 1)
        self.p3b = conv_norm_relu(reduce5, fives, 5, padding=2)
        self.p4a = nn.MaxPool2d(3, padding=1)
        self.p4b = conv_norm_relu(channels, pooled, 1)

    def forward(self, x):
        p1, p2, p3 = self.p1(x), self.p2b(self.p2a(x)), self.p3b(self.p3a(x))
        p4 = self.p4b(self.p4a(x))
        return torch.cat((p1, p2, p3, p4), dim=1)

# %% student="bo-batch" exercise="Inception" mistake="joined along the batch" lost="branches, equal, edges, one" words="concatenates along torch's default axis" follows="GoogLeNet: thin, sizes, without heads, full width"
@answer
class Inception(nn.Module):
    def __init__(self, channels, ones, reduce3, threes, reduce5, fives, pooled):
        super().__init__()
        self.branches = nn.ModuleList([
            conv_norm_relu(channels, ones, 1),
            nn.Sequential(conv_norm_relu(channels, reduce3, 1), conv_norm_relu(reduce3, threes, 3, padding=1)),
            nn.Sequential(conv_norm_relu(channels, reduce5, 1), conv_norm_relu(reduce5, fives, 5, padding=2)),
            nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_norm_relu(channels, pooled, 1)),
        ])

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches])

# %% student="tove-torchvision" exercise="Inception" mistake="3 x 3 in the 5 x 5 branch" lost="branches, equal, edges, one" words="has a 3 x 3 in the third branch, as torchvision" follows="GoogLeNet: thin, sizes, without heads, full width"
@answer
class Inception(nn.Module):
    def __init__(self, channels, ones, reduce3, threes, reduce5, fives, pooled):
        super().__init__()
        self.branch1 = conv_norm_relu(channels, ones, 1)
        self.branch2 = nn.Sequential(
            conv_norm_relu(channels, reduce3, 1), conv_norm_relu(reduce3, threes, 3, padding=1))
        self.branch3 = nn.Sequential(
            conv_norm_relu(channels, reduce5, 1), conv_norm_relu(reduce5, fives, 3, padding=1))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_norm_relu(channels, pooled, 1))

    def forward(self, x):
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)

# %% student="kai-kept" exercise="AuxiliaryHead" mistake="0.7 kept" lost="square, sizes, as published" words="takes dropout's number for the share that is kept" follows="GoogLeNet: thin, sizes, full width"
@answer
class AuxiliaryHead(nn.Module):
    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        self.conv = conv_norm_relu(channels, reduced, 1)
        self.fc1 = nn.Linear(16 * reduced, hidden)
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(x, (4, 4))
        x = self.conv(x).flatten(1)
        x = F.dropout(self.fc1(x).relu(), p=1 - 0.7, training=self.training)
        return self.fc2(x)

# %% student="sofie-softmax" exercise="AuxiliaryHead" mistake="softmax at the end" lost="square, sizes, as published" words="returns probabilities" follows="GoogLeNet: thin, sizes, full width"
@answer
class AuxiliaryHead(nn.Module):
    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            conv_norm_relu(channels, reduced, 1),
            nn.Flatten(),
            nn.Linear(reduced * 16, hidden),
            nn.ReLU(),
            nn.Dropout(0.7),
            nn.Linear(hidden, classes),
            nn.Softmax(dim=1),
        )

    def forward(self, x):
        return self.layers(x)

# %% student="pina-paper" exercise="AuxiliaryHead" mistake="pooled as published" lost="square, sizes, as published" words="pools as the paper does, which needs maps of 14 x 14" follows="GoogLeNet: thin, sizes, full width"
@answer
class AuxiliaryHead(nn.Module):
    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        self.pool = nn.AvgPool2d(kernel_size=5, stride=3)
        self.conv = conv_norm_relu(channels, reduced, 1)
        self.fc1 = nn.Linear(reduced * 4 * 4, hidden)
        self.fc2 = nn.Linear(hidden, classes)
        self.drop = nn.Dropout(0.7)

    def forward(self, x):
        x = torch.flatten(self.conv(self.pool(x)), start_dim=1)
        return self.fc2(self.drop(F.relu(self.fc1(x))))

# %% student="alma-always" exercise="AuxiliaryHead" mistake="dropout in evaluation too" lost="square, sizes, as published" words="uses F.dropout, which drops unless it is told not to"
@answer
class AuxiliaryHead(nn.Module):
    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        self.conv = conv_norm_relu(channels, reduced, 1)
        self.hidden = nn.Linear(reduced * 4 * 4, hidden)
        self.out = nn.Linear(hidden, classes)

    def forward(self, x):
        x = self.conv(F.adaptive_avg_pool2d(x, 4)).flatten(1)
        x = F.dropout(F.relu(self.hidden(x)), 0.7)
        return self.out(x)

# %% student="dario-default" exercise="AuxiliaryHead" lost="square, sizes" words="has 128 filters and 1024 units whatever is asked" follows="GoogLeNet: thin, sizes"
@answer
class AuxiliaryHead(nn.Module):
    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.conv = conv_norm_relu(channels, 128, 1)
        self.fc1 = nn.Linear(128 * 16, 1024)
        self.drop = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, classes)

    def forward(self, x):
        x = self.conv(self.pool(x))
        x = torch.relu(self.fc1(x.view(x.size(0), -1)))
        return self.fc2(self.drop(x))

# %% student="eva-eval" exercise="GoogLeNet" mistake="heads in evaluation" lost="thin, sizes, full width" words="returns the heads in evaluation as well"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        s = lambda n: n * width // 64
        self.aux = aux
        self.stem = nn.Sequential(
            conv_norm_relu(3, s(64), 7, 2, 3), nn.MaxPool2d(3, 2, 1), conv_norm_relu(s(64), s(64), 1),
            conv_norm_relu(s(64), s(192), 3, 1, 1), nn.MaxPool2d(3, 2, 1))
        c, stages = s(192), []
        self.modules_ = nn.ModuleList()
        for name, f in MODULES.items():
            self.modules_.append(Inception(c, *[s(n) for n in f]))
            c = s(f[0]) + s(f[2]) + s(f[4]) + s(f[5])
        if aux:
            self.aux1 = AuxiliaryHead(s(512), classes, s(128), s(1024))
            self.aux2 = AuxiliaryHead(s(528), classes, s(128), s(1024))
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.4)
        self.fc = nn.Linear(s(1024), classes)

    def forward(self, x):
        m = self.modules_
        x = self.pool(m[1](m[0](self.stem(x))))
        a = m[2](x)
        b = m[5](m[4](m[3](a)))
        x = self.pool(m[6](b))
        x = self.gap(m[8](m[7](x))).flatten(1)
        y = self.fc(self.drop(x))
        if self.aux:
            return y, self.aux1(a), self.aux2(b)
        return y

# %% student="lars-late" exercise="GoogLeNet" mistake="heads one module late" lost="thin, sizes, full width" words="reads the heads after 4b and 4e"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        w = width
        self.conv1 = conv_norm_relu(3, w, 7, stride=2, padding=3)
        self.conv2 = conv_norm_relu(w, w, 1)
        self.conv3 = conv_norm_relu(w, 3 * w, 3, padding=1)
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        blocks, channels, self.heads = [], 3 * w, nn.ModuleList()
        for i, filters in enumerate(MODULES.values()):
            a, b, c, d, e, f = [n * w // 64 for n in filters]
            blocks.append(Inception(channels, a, b, c, d, e, f))
            channels = a + c + e + f
            if aux and i in (3, 6):
                self.heads.append(AuxiliaryHead(channels, classes, 128 * w // 64, 1024 * w // 64))
        self.blocks = nn.ModuleList(blocks)
        self.fc = nn.Linear(channels, classes)
        self.dropout = nn.Dropout(p=0.4)

    def forward(self, x):
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv3(self.conv2(x)))
        halfway = []
        for i, block in enumerate(self.blocks):
            if i == 2 or i == 7:
                x = self.pool(x)
            x = block(x)
            if i in (3, 6):
                halfway.append(x)
        y = self.fc(self.dropout(torch.mean(x, dim=(2, 3))))
        if self.training and len(self.heads):
            return (y,) + tuple(head(h) for head, h in zip(self.heads, halfway))
        return y

# %% student="fiona-full" exercise="GoogLeNet" mistake="heads at full width" lost="thin, sizes" words="scales the modules but not the heads"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        self.features1 = nn.Sequential(
            conv_norm_relu(3, width, 7, stride=2, padding=3),
            nn.MaxPool2d(3, stride=2, padding=1),
            conv_norm_relu(width, width, 1),
            conv_norm_relu(width, 3 * width, 3, padding=1),
            nn.MaxPool2d(3, stride=2, padding=1),
            self.module("3a", 192, width), self.module("3b", 256, width),
            nn.MaxPool2d(3, stride=2, padding=1),
            self.module("4a", 480, width),
        )
        self.features2 = nn.Sequential(
            self.module("4b", 512, width), self.module("4c", 512, width), self.module("4d", 512, width))
        self.features3 = nn.Sequential(
            self.module("4e", 528, width),
            nn.MaxPool2d(3, stride=2, padding=1),
            self.module("5a", 832, width), self.module("5b", 832, width))
        self.aux1 = AuxiliaryHead(512 * width // 64, classes) if aux else None
        self.aux2 = AuxiliaryHead(528 * width // 64, classes) if aux else None
        self.fc = nn.Linear(1024 * width // 64, classes)

    def module(self, name, channels, width):
        return Inception(channels * width // 64, *[f * width // 64 for f in MODULES[name]])

    def forward(self, x):
        first = self.features1(x)
        second = self.features2(first)
        x = self.features3(second).mean(dim=[2, 3])
        x = self.fc(F.dropout(x, 0.4, self.training))
        if self.training and self.aux1 is not None:
            return x, self.aux1(first), self.aux2(second)
        return x

# %% student="tilda-tuple" exercise="GoogLeNet" mistake="a tuple without heads" lost="without heads" words="returns a tuple in training, with and without heads"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stem = nn.ModuleList([
            conv_norm_relu(3, width, 7, 2, 3), conv_norm_relu(width, width, 1),
            conv_norm_relu(width, 3 * width, 3, 1, 1)])
        self.inceptions, self.aux, channels = nn.ModuleDict(), nn.ModuleDict(), 3 * width
        for key, numbers in MODULES.items():
            numbers = [number * width // 64 for number in numbers]
            self.inceptions[key] = Inception(channels, *numbers)
            channels = sum(numbers[i] for i in (0, 2, 4, 5))
            if aux and key in {"4a", "4d"}:
                self.aux[key] = AuxiliaryHead(channels, classes, 2 * width, 16 * width)
        self.end = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.Linear(channels, classes))

    def forward(self, x):
        x = self.stem[1](self.pool(self.stem[0](x)))
        x = self.pool(self.stem[2](x))
        scores = []
        for key, inception in self.inceptions.items():
            if key in {"4a", "5a"}:
                x = self.pool(x)
            x = inception(x)
            if key in self.aux:
                scores.append(self.aux[key](x))
        return (self.end(x), *scores) if self.training else self.end(x)

# %% student="dagny-default" exercise="GoogLeNet" mistake="dropout of 0.5" lost="thin, sizes, without heads, full width" words="drops half of the means, before flattening"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.first = conv_norm_relu(3, width, 7, 2, 3)
        self.second = conv_norm_relu(width, width, 1)
        self.third = conv_norm_relu(width, 3 * width, 3, 1, 1)
        self.inceptions, self.aux, channels = nn.ModuleDict(), nn.ModuleDict(), 3 * width
        for key, numbers in MODULES.items():
            numbers = [number * width // 64 for number in numbers]
            self.inceptions[key] = Inception(channels, *numbers)
            channels = sum(numbers[i] for i in (0, 2, 4, 5))
            if aux and key in {"4a", "4d"}:
                self.aux[key] = AuxiliaryHead(channels, classes, 2 * width, 16 * width)
        self.end = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Dropout(), nn.Flatten(), nn.Linear(channels, classes))

    def forward(self, x):
        x = self.pool(self.first(x))
        x = self.pool(self.third(self.second(x)))
        scores = []
        for key, inception in self.inceptions.items():
            if key in {"4a", "5a"}:
                x = self.pool(x)
            x = inception(x)
            if self.training and key in self.aux:
                scores.append(self.aux[key](x))
        return (self.end(x), *scores) if scores else self.end(x)

# %% student="uri-unrolled" exercise="GoogLeNet" lost="thin, sizes, without heads, full width" words="unrolls the last maps of 7 x 7, so only images of 224 x 224 fit"
@answer
class GoogLeNet(nn.Module):
    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()
        def n(filters):
            return filters * width // 64
        def block(name, channels):
            return Inception(n(channels), *map(n, MODULES[name]))
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv1 = conv_norm_relu(3, n(64), 7, stride=2, padding=3)
        self.conv2 = conv_norm_relu(n(64), n(64), 1)
        self.conv3 = conv_norm_relu(n(64), n(192), 3, padding=1)
        self.i3 = nn.Sequential(block("3a", 192), block("3b", 256))
        self.i4a = block("4a", 480)
        self.i4d = nn.Sequential(block("4b", 512), block("4c", 512), block("4d", 512))
        self.i4e = block("4e", 528)
        self.i5 = nn.Sequential(block("5a", 832), block("5b", 832))
        self.aux = aux
        if aux:
            self.aux1 = AuxiliaryHead(n(512), classes, n(128), n(1024))
            self.aux2 = AuxiliaryHead(n(528), classes, n(128), n(1024))
        self.end = nn.Sequential(nn.Flatten(), nn.Dropout(0.4), nn.Linear(n(1024) * 7 * 7, classes))

    def forward(self, x):
        x = self.pool(self.conv3(self.conv2(self.pool(self.conv1(x)))))
        a = self.i4a(self.pool(self.i3(x)))
        d = self.i4d(a)
        y = self.end(self.i5(self.pool(self.i4e(d))))
        return (y, self.aux1(a), self.aux2(d)) if self.training and self.aux else y
