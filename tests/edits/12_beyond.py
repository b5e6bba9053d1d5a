# %% [markdown]
# Wrong answers to lesson 12, written by hand as students write them; autograder/sample/edit.py explains the keys.

# %% student="wilma-raw" exercise="WideBlock" mistake="projection of the raw input" lost="projection, dropout" words="projects x itself"
@answer
class WideBlock(nn.Module):
    def __init__(self, channels, filters, stride=1, dropout=0.0):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.bn2 = nn.BatchNorm2d(filters)
        self.c1 = nn.Conv2d(channels, filters, kernel_size=3, stride=stride, padding=1, bias=False)
        self.c2 = nn.Conv2d(filters, filters, kernel_size=3, stride=1, padding=1, bias=False)
        self.drop = nn.Dropout(p=dropout)
        if channels == filters and stride == 1:
            self.skip = nn.Identity()
        else:
            self.skip = nn.Conv2d(channels, filters, kernel_size=1, stride=stride, bias=False)

    def forward(self, x):
        out = self.c1(torch.relu(self.bn1(x)))
        out = self.c2(self.drop(torch.relu(self.bn2(out))))
        return out + self.skip(x)

# %% student="paul-projects" exercise="WideBlock" mistake="projection always" lost="identity, dropout" words="projects in every block"
@answer
class WideBlock(nn.Module):
    def __init__(self, channels, filters, stride=1, dropout=0.0):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(filters)
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.project = nn.Conv2d(channels, filters, 1, stride, bias=False)
        self.p = dropout

    def forward(self, x):
        x = self.norm1(x).relu()
        y = F.dropout(self.norm2(self.conv1(x)).relu(), self.p, self.training)
        return self.conv2(y) + self.project(x)

# %% student="bodo-before" exercise="WideBlock" mistake="activated shortcut" lost="identity, dropout" words="lets a variable be overwritten, so that the shortcut is activated too"
@answer
class WideBlock(nn.Module):
    def __init__(self, channels, filters, stride=1, dropout=0.0):
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, filters, 3, stride, 1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(filters, filters, 3, 1, 1, bias=False),
        )
        self.first = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != filters:
            self.shortcut.append(nn.Conv2d(channels, filters, 1, stride, bias=False))

    def forward(self, x):
        x = F.relu(self.first(x))
        return self.residual(x) + self.shortcut(x)

# %% student="doris-drop" exercise="WideBlock" lost="dropout" words="drops with a probability that is never handed on"
@answer
class WideBlock(nn.Module):
    def __init__(self, channels, filters, stride=1, dropout=0.0):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.drop = nn.Dropout() if dropout else None
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.down = stride != 1 or channels != filters
        if self.down:
            self.proj = nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x):
        a = F.relu(self.norm1(x))
        y = F.relu(self.norm2(self.conv1(a)))
        if self.drop:
            y = self.drop(y)
        y = self.conv2(y)
        return y + self.proj(a) if self.down else y + x

# %% student="gerda-grouped" exercise="ResNeXtBlock" mistake="width of all groups" lost="groups" words="takes width for all groups together"
@answer
class ResNeXtBlock(nn.Module):
    def __init__(self, channels, filters, groups=32, width=4, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, filters, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(filters)
        self.down = None
        if stride != 1 or channels != filters:
            self.down = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride=stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        identity = x if self.down is None else self.down(x)
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        return F.relu(x + identity)

# %% student="ralf-relu" exercise="ResNeXtBlock" mistake="projection without norm" lost="projection, groups" words="forgets the projection's norm"
@answer
class ResNeXtBlock(nn.Module):
    def __init__(self, channels, filters, groups=32, width=4, stride=1):
        super().__init__()
        def conv_norm(c, f, k, s=1, g=1):
            return nn.Sequential(nn.Conv2d(c, f, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(f))

        D = width * groups
        self.a = conv_norm(channels, D, 1)
        self.b = conv_norm(D, D, 3, stride, groups)
        self.c = conv_norm(D, filters, 1)
        same = stride == 1 and channels == filters
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x):
        out = self.c(self.b(self.a(x).relu()).relu())
        out += self.shortcut(x)
        return out.relu()

# %% student="dana-default" exercise="DenseLayer" mistake="wrong axis" lost="new maps, bottleneck" words="leaves out dim, so that torch.cat joins the batch"
@answer
class DenseLayer(nn.Module):
    def __init__(self, channels, growth, bottleneck=4):
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, bottleneck * growth, 1, bias=False),
            nn.BatchNorm2d(bottleneck * growth),
            nn.ReLU(),
            nn.Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x):
        return torch.cat((x, self.layers(x)))

# %% student="nils-new" exercise="DenseLayer" mistake="new maps only" lost="new maps, bottleneck" words="returns only what is new"
@answer
class DenseLayer(nn.Module):
    def __init__(self, channels, growth, bottleneck=4):
        super().__init__()
        k = growth * bottleneck
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(k)
        self.conv1 = nn.Conv2d(channels, k, kernel_size=1, bias=False)
        self.conv2 = nn.Conv2d(k, growth, kernel_size=3, padding="same", bias=False)
        self.relu = nn.ReLU()

    def forward(self, x):
        out = self.conv1(self.relu(self.bn1(x)))
        return self.conv2(self.relu(self.bn2(out)))

# %% student="egon-expand" exercise="Fire" mistake="branches not bent" lost="equal, unequal" words="applies one ReLU to the squeeze only"
@answer
class Fire(nn.Module):
    def __init__(self, channels, squeeze, expand1, expand3):
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(channels, squeeze, kernel_size=1), nn.ReLU())
        self.left = nn.Conv2d(squeeze, expand1, kernel_size=1)
        self.right = nn.Conv2d(squeeze, expand3, kernel_size=3, padding=1)

    def forward(self, x):
        x = self.squeeze(x)
        return torch.cat([self.left(x), self.right(x)], 1)

# %% student="adam-add" exercise="Fire" mistake="added" lost="equal, unequal" words="adds the branches, which works where they are equal"
@answer
class Fire(nn.Module):
    def __init__(self, channels, squeeze, expand1, expand3):
        super().__init__()
        self.s1 = nn.Conv2d(channels, squeeze, 1)
        self.e1 = nn.Conv2d(squeeze, expand1, 1)
        self.e3 = nn.Conv2d(squeeze, expand3, 3, 1, 1)

    def forward(self, x):
        x = F.relu(self.s1(x))
        return F.relu(self.e1(x)) + F.relu(self.e3(x))

# %% student="sigrid-sixteen" exercise="SqueezeExcite" mistake="reduction ignored" lost="reduction" words="writes the paper's reduction into the layers"
@answer
class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        mid = channels // 16 or 1
        self.fc = nn.Sequential(nn.Linear(channels, mid), nn.ReLU(), nn.Linear(mid, channels), nn.Sigmoid())

    def forward(self, x):
        n, c, _, _ = x.size()
        w = F.adaptive_avg_pool2d(x, 1).view(n, c)
        return x * self.fc(w).view(n, c, 1, 1)

# %% student="peter-points" exercise="SqueezeExcite" mistake="1 x 1 convolutions" lost="weights, reduction" words="uses 1 x 1 convolutions in place of the linear layers"
@answer
class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        hidden = max(1, channels // reduction)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv1 = nn.Conv2d(channels, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x):
        s = self.conv2(F.relu(self.conv1(self.pool(x))))
        return x * torch.sigmoid(s)

# %% student="tanja-tanh" exercise="SqueezeExcite" lost="weights, reduction" words="bends the hidden numbers with tanh, which no known mistake explains"
@answer
class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=16):
        super().__init__()
        r = max(channels // reduction, 1)
        self.w1 = nn.Linear(channels, r)
        self.w2 = nn.Linear(r, channels)

    def forward(self, x):
        z = x.mean((-2, -1))
        s = torch.sigmoid(self.w2(torch.tanh(self.w1(z))))
        return torch.einsum("nchw,nc->nchw", x, s)

# %% student="moritz-mix" exercise="SeparableBlock" mistake="depthwise without groups" lost="stride 1, stride" words="forgets groups in the depthwise convolution"
@answer
class SeparableBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.dw = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.pw = nn.Conv2d(channels, filters, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)

    def forward(self, x):
        x = F.relu(self.bn1(self.dw(x)))
        return F.relu(self.bn2(self.pw(x)))

# %% student="dino-direct" exercise="SeparableBlock" mistake="depthwise straight to filters" lost="stride 1, stride" words="makes all filters in the depthwise convolution"
@answer
class SeparableBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.depthwise = nn.Conv2d(channels, filters, 3, stride, 1, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.pointwise = nn.Conv2d(filters, filters, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)

    def forward(self, x):
        x = F.relu(self.norm1(self.depthwise(x)))
        return F.relu(self.norm2(self.pointwise(x)))

# %% student="lena-late" exercise="SeparableBlock" mistake="stride in the 1 x 1" lost="stride" words="strides in the 1 x 1"
@answer
class SeparableBlock(nn.Module):
    def __init__(self, channels, filters, stride=1):
        super().__init__()
        layers = []
        for c, f, k, s, g in [(channels, channels, 3, 1, channels), (channels, filters, 1, stride, 1)]:
            layers += [nn.Conv2d(c, f, k, s, k // 2, groups=g, bias=False), nn.BatchNorm2d(f), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)
