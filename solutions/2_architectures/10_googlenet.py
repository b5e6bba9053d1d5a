# %% [markdown]
# # GoogLeNet
#
# {badge}
#
# {cover}
#
# The winner of ImageNet 2014 was deeper than VGG and made fewer errors (6.7 % against 7.3 % among the first five
# guesses), with a twentieth of its parameters. You will build the module that it is made of, count what makes it cheap,
# put the 22 layers together, and train a small network of the same kind, which then shows where it sees what.
#
# About 80 minutes, {points} points.

# %% cover="An Inception module: 192 maps go through 1 x 1, 3 x 3, 5 x 5 and pooling side by side, and make 256 maps."
from cnnlab import plot

plot.show_blocks(
    {
        "an Inception module": [
            "192 feature maps",
            (
                ["1 x 1, to 64"],
                ["1 x 1, to 96", "3 x 3, to 128"],
                ["1 x 1, to 16", "5 x 5, to 32"],
                ["3 x 3 max pooling", "1 x 1, to 32"],
            ),
            "256 feature maps, side by side",
        ]
    },
    marks=["1 x 1, to 96", "1 x 1, to 16", "1 x 1, to 32"],
)

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import answer, check, data, plot, written

# %% [markdown]
# ## Which kernel size?
#
# A face may fill the image or a corner of it. Small kernels suit small things, large kernels large ones, and a layer
# has to choose. The **Inception module**, a small network inside the network, does not: several kernel sizes and a
# pooling look at the same maps side by side. All keep height and width, so their outputs can be put together as the
# channels of one stack of maps, and the next layer chooses. Below, on the left.

# %% show="Draw the module's branches side by side, without and with reductions"
plot.show_blocks(
    {
        "side by side": [(["1 x 1"], ["3 x 3"], ["5 x 5"], ["3 x 3 max pooling"]), "concatenate"],
        "with reductions": [
            (
                ["1 x 1, ones"],
                ["1 x 1, reduce3", "3 x 3, threes"],
                ["1 x 1, reduce5", "5 x 5, fives"],
                ["3 x 3 max pooling", "1 x 1, pooled"],
            ),
            "concatenate",
        ],
    },
    marks=["1 x 1, reduce3", "1 x 1, reduce5", "1 x 1, pooled"],
)

# %% [markdown]
# ## Too dear as it stands
#
# A $K \times K$ convolution from $C$ to $F$ channels costs $CFK^2$ multiply-adds at each of $HW$ places, and a 5 x 5 on
# many channels costs a lot. Worse, pooling has no filters: it passes on all $C$ channels that it gets, the other
# branches add theirs, and from module to module the stack of maps grows.
#
# A 1 x 1 convolution sets the number of channels at will and leaves height and width alone (lesson 05). So put one
# *before* each large kernel, and one after the pooling: the tinted boxes on the right. Six numbers of filters, named in
# the boxes, describe a module, which returns ones + threes + fives + pooled channels. Without reductions it
# returns ones + threes + fives + $C$.
#
# GoogLeNet has nine modules. The digit says how often height and width have been halved by then:


# %%
MODULES = {  # ones, reduce3, threes, reduce5, fives, pooled
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}

# %% [markdown]
# ### Exercise: what a module costs ({points:inception_macs} points, 12 minutes)
#
# Add up the convolutions of each picture: six on the right, three on the left. Biases, ReLU and pooling count for
# nothing.


# %% exercise="inception_macs"
@answer
def inception_macs(in_shape, ones, reduce3, threes, reduce5, fives, pooled, reduction=True):
    """Count the channels that an Inception module returns, and its multiply-adds for one image.

    in_shape: (C, H, W); the six numbers: filters of its convolutions, as in the picture; reduction: with the three 1 x 1
    that are tinted there, or without. Returns filters, macs, ints: filters is ones + threes + fives + pooled, without
    reductions ones + threes + fives + C; macs the sum of channels * filters * kernel * kernel * H * W over the
    convolutions. Without reductions reduce3, reduce5 and pooled are not used.
    Source: Szegedy et al., Going deeper with convolutions, 2014, arXiv 1409.4842, section 4.
    """
    # BEGIN SOLUTION
    c, height, width = in_shape
    convolutions = [(c, ones, 1)]  # (channels, filters, kernel)
    if reduction:
        convolutions += [
            (c, reduce3, 1),
            (reduce3, threes, 3),
            (c, reduce5, 1),
            (reduce5, fives, 5),
            (c, pooled, 1),
        ]
        filters = ones + threes + fives + pooled
    else:
        convolutions += [(c, threes, 3), (c, fives, 5)]
        filters = ones + threes + fives + c
    return filters, sum(i * o * k * k for i, o, k in convolutions) * height * width
    # END SOLUTION


# %% check="inception_macs"
check(inception_macs)

# %% [markdown]
# All nine, one after the other, on the sizes that an image of 224 x 224 makes of them:

# %% show="Print channels and multiply-adds of all nine modules, with and without reductions"
if written(inception_macs):
    rows, sums = [], {}
    for reduction in (True, False):
        channels, sums[reduction] = 192, 0
        for name, filters in MODULES.items():
            size = {"3": 28, "4": 14, "5": 7}[name[0]]
            channels, macs = inception_macs((channels, size, size), *filters, reduction=reduction)
            sums[reduction] += macs
            rows.append((name, channels, macs))
    count = len(MODULES)
    print("        with reductions          without")
    print("module  channels  million MACs   channels  million MACs")
    for (name, with_c, with_m), (_, c, m) in zip(rows[:count], rows[count:]):
        print(f"{name:6} {with_c:9} {with_m / 1e6:13.0f} {c:10} {m / 1e6:13.0f}")
    print(
        f"all {sums[True] / 1e6:26.0f} {sums[False] / 1e6:24.0f}, {sums[False] / sums[True]:.1f} times as many"
    )

# %% [markdown]
# ## The module
#
# Every convolution of GoogLeNet is followed by a ReLU, the reductions too: a reduction is a layer of its own, with a
# bend of its own. Batch normalisation came the next year, from the same group; the paper's convolutions have biases in
# its place. We take batch norm, as nearly all that followed did: deep networks train far more easily with it. It subtracts
# each channel's mean, so a bias before it would do nothing and is left out.


# %%
def conv_norm_relu(channels, filters, kernel, stride=1, padding=0):
    """A convolution without bias, batch norm and ReLU: (N, channels, H, W) -> (N, filters, OH, OW)."""
    convolution = nn.Conv2d(channels, filters, kernel, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters), nn.ReLU())


# %% [markdown]
# ### Exercise: Inception ({points:Inception} points, 15 minutes)
#
# Here and below you write the rest of a class: what `__init__` makes, and the method `forward(self, x)`. Mind the
# padding: all branches must keep height and width, the pooling too, and torch's pooling steps by its kernel unless told
# otherwise. `torch.cat` joins a list of tensors along the axis `dim`. Some libraries, torchvision among them, have a 3 x 3
# in the third branch; ours is the paper's 5 x 5.
#
# Name the layers inside as you like: the checks fill them by the shapes of their weights. So each convolution of a
# docstring is one `nn.Conv2d`: three 1 x 1 in one would compute the same, with other shapes.


# %% exercise="Inception"
@answer
class Inception(nn.Module):
    """Look at the same maps in four ways, and put the results side by side as channels.

    All arguments are ints. (N, channels, H, W) -> (N, ones + threes + fives + pooled, H, W), in this order:
    1 x 1 with `ones` filters; 1 x 1 with `reduce3`, then 3 x 3 with `threes`; 1 x 1 with `reduce5`, then 5 x 5 with
    `fives`; 3 x 3 max pooling of stride 1, then 1 x 1 with `pooled`. Each convolution is a conv_norm_relu.
    Source: Szegedy et al., Going deeper with convolutions, 2014, arXiv 1409.4842, figure 2b.
    """

    def __init__(self, channels, ones, reduce3, threes, reduce5, fives, pooled):
        super().__init__()
        # BEGIN SOLUTION
        self.one = conv_norm_relu(channels, ones, 1)
        self.three = nn.Sequential(
            conv_norm_relu(channels, reduce3, 1), conv_norm_relu(reduce3, threes, 3, padding=1)
        )
        self.five = nn.Sequential(
            conv_norm_relu(channels, reduce5, 1), conv_norm_relu(reduce5, fives, 5, padding=2)
        )
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_norm_relu(channels, pooled, 1))

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], dim=1)
        # END SOLUTION


# %% check="Inception"
check(Inception)

# %% [markdown]
# The paper's table gives 159K parameters and 128M operations for module 3a. (Its K is 1024, and it counts neither biases
# nor norms.)

# %% show="Print the weights and multiply-adds of your module 3a"
if written(inception_macs, Inception):
    module = Inception(192, *MODULES["3a"])
    weights = sum(p.numel() for p in module.parameters() if p.ndim == 4)
    norms = sum(p.numel() for p in module.parameters() if p.ndim == 1)
    macs = inception_macs((192, 28, 28), *MODULES["3a"])[1]
    print(f"3a: {weights:,} weights = {weights / 1024:.1f}K, and {norms} in batch norms")
    print(f"    used at 28 x 28 places: {weights * 28 * 28:,} multiply-adds; your count says {macs:,}")

# %% [markdown]
# ## A head without hidden layers
#
# AlexNet and VGG unroll their last maps into a long vector for two hidden linear layers, which hold most of all their
# parameters. GoogLeNet takes the **mean of each map** instead, called global average pooling (Lin, Chen and Yan, *Network
# in network*, 2013, arXiv 1312.4400), and ends in a single linear layer. You may read that it has "no fully connected
# layers": it has no *hidden* ones; the one from 1024 means to 1000 scores remains.
#
# The mean has no parameters, and does not care how large the maps are, so the network takes images of any size. In the
# paper it was also 0.6 percentage points more accurate, though dropout, here of 40 %, was still needed.

# %% show="Print the parameters of four heads"
heads = {
    "AlexNet: 256 x 6 x 6, 4096, 4096, 1000": [256 * 6 * 6, 4096, 4096, 1000],
    "VGG16: 512 x 7 x 7, 4096, 4096, 1000": [512 * 7 * 7, 4096, 4096, 1000],
    "GoogLeNet's maps unrolled: 1024 x 7 x 7, 1000": [1024 * 7 * 7, 1000],
    "GoogLeNet: 1024 means, 1000": [1024, 1000],
}
for name, sizes in heads.items():
    count = sum(inputs * outputs + outputs for inputs, outputs in zip(sizes, sizes[1:]))
    print(f"{name:46} {count:12,} parameters")

# %% [markdown]
# ## Auxiliary heads
#
# In 2014, without batch norm, it was a worry whether a gradient finds its way back through 22 layers. So two more
# classifiers look at maps from halfway, and their losses, times 0.3, are added to the loss. They bring gradients to the
# early layers by a short way, and ask of the maps halfway that they tell classes apart. After training they are thrown
# away: in evaluation nothing of them is left.
#
# | layer | output |
# |---|---|
# | average pooling to 4 x 4 | channels x 4 x 4 |
# | 1 x 1 convolution, norm, ReLU | reduced x 4 x 4 |
# | unrolled; linear, ReLU | hidden |
# | dropout that drops 70 % | hidden |
# | linear | classes |
#
# The paper pools with kernel 5 and stride 3, which makes 4 x 4 of 14 x 14. `nn.AdaptiveAvgPool2d(4)` makes 4 x 4 of any
# size.
#
# ### Exercise: an auxiliary head ({points:AuxiliaryHead} points, 8 minutes)


# %% exercise="AuxiliaryHead"
@answer
class AuxiliaryHead(nn.Module):
    """Classify maps from halfway through the network.

    channels, classes, reduced, hidden: int. (N, channels, H, W) -> scores (N, classes), no softmax: adaptive average
    pooling to 4 x 4, 1 x 1 conv_norm_relu with `reduced` filters, unrolled, linear to `hidden`, ReLU, nn.Dropout(0.7),
    which drops 70 %, linear.
    Source: Szegedy et al., 2014, arXiv 1409.4842, section 5.
    """

    def __init__(self, channels, classes, reduced=128, hidden=1024):
        super().__init__()
        # BEGIN SOLUTION
        self.pool = nn.AdaptiveAvgPool2d(4)
        self.reduce = conv_norm_relu(channels, reduced, 1)
        self.hidden = nn.Linear(reduced * 4 * 4, hidden)
        self.dropout = nn.Dropout(0.7)
        self.scores = nn.Linear(hidden, classes)

    def forward(self, x):
        x = self.reduce(self.pool(x))  # (N, reduced, 4, 4)
        x = F.relu(self.hidden(torch.flatten(x, 1)))  # (N, hidden)
        return self.scores(self.dropout(x))
        # END SOLUTION


# %% check="AuxiliaryHead"
check(AuxiliaryHead)

# %% [markdown]
# ## The whole network
#
# | layer | output for 3 x 224 x 224 |
# |---|---|
# | convolution 7 x 7, stride 2, padding 3 | 64 x 112 x 112 |
# | max pooling 3 x 3, stride 2, padding 1 | 64 x 56 x 56 |
# | convolution 1 x 1 | 64 x 56 x 56 |
# | convolution 3 x 3, padding 1 | 192 x 56 x 56 |
# | max pooling, as above | 192 x 28 x 28 |
# | modules 3a, 3b | 256, then 480 x 28 x 28 |
# | max pooling | 480 x 14 x 14 |
# | modules 4a, 4b, 4c, 4d, 4e | 512, 512, 512, 528, then 832 x 14 x 14 |
# | max pooling | 832 x 7 x 7 |
# | modules 5a, 5b | 832, then 1024 x 7 x 7 |
# | mean of each map, dropout that drops 40 % | 1024 |
# | linear | classes |
#
# Each convolution is a `conv_norm_relu`. One auxiliary head reads what comes out of 4a, the other what comes out of 4d.
# Counting what has weights along the longest way, the stem has 3 layers, each module 2, and the end 1: 22. The paper also
# normalises responses as AlexNet did, which batch norm makes superfluous.
#
# A thinner network is quicker to test. With `width`, 64 by default, every number of filters $n$ above, in `MODULES` and
# of the heads (128 and 1024) becomes `n * width // 64`; the 3 colours and the classes stay.
#
# ### Exercise: GoogLeNet ({points:GoogLeNet} points, 25 minutes)
#
# `nn.ModuleDict` and `nn.ModuleList` hold modules as a dict and a list do, and torch finds their parameters. In a plain
# dict or list it does not: such layers stay behind when the others become float64 for the check, and it ends in a
# RuntimeError about types. A module knows in `self.training` in which mode it is.


# %% exercise="GoogLeNet"
@answer
class GoogLeNet(nn.Module):
    """Nine Inception modules behind a stem of three convolutions.

    classes, width: int; aux: bool, with the two auxiliary heads. (N, 3, H, W) -> scores (N, classes). With heads, in
    training: (scores, aux1, aux2), each (N, classes), aux1 from the output of 4a, aux2 from that of 4d. In evaluation
    always the scores alone. The means of the last maps go through nn.Dropout(0.4), which drops 40 %, then the linear
    layer; no softmax. Every number of filters, and of units in the heads, is n * width // 64.
    Source: Szegedy et al., Going deeper with convolutions, 2014, arXiv 1409.4842, table 1; with batch norm.
    """

    def __init__(self, classes=1000, aux=True, width=64):
        super().__init__()

        # BEGIN SOLUTION
        def thin(filters):
            return filters * width // 64

        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.conv1 = conv_norm_relu(3, thin(64), 7, stride=2, padding=3)
        self.conv2 = conv_norm_relu(thin(64), thin(64), 1)
        self.conv3 = conv_norm_relu(thin(64), thin(192), 3, padding=1)
        self.blocks, self.heads = nn.ModuleDict(), nn.ModuleDict()
        channels = thin(192)
        for name, filters in MODULES.items():
            ones, reduce3, threes, reduce5, fives, pooled = map(thin, filters)
            self.blocks[name] = Inception(channels, ones, reduce3, threes, reduce5, fives, pooled)
            channels = ones + threes + fives + pooled
            if aux and name in ("4a", "4d"):
                self.heads[name] = AuxiliaryHead(channels, classes, thin(128), thin(1024))
        self.dropout = nn.Dropout(0.4)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv3(self.conv2(x)))
        sides = []
        for name, block in self.blocks.items():
            x = block(self.pool(x) if name in ("4a", "5a") else x)
            if self.training and name in self.heads:
                sides.append(self.heads[name](x))
        scores = self.linear(self.dropout(x.mean((2, 3))))
        return (scores, *sides) if sides else scores
        # END SOLUTION


# %% check="GoogLeNet"
check(GoogLeNet)

# %% [markdown]
# Where do its parameters, its memory and its work go? Each module is a row, in the order of use. On torch's
# device `meta` a network has shapes and no numbers, so it costs nothing to look at.


# %% show="Draw your GoogLeNet, and print and draw what each module costs"
def by_module(network, shape):
    """Return the rows of models.costs, in order of use, with each Inception module as a single one."""
    inside = [name for name, module in network.named_modules() if isinstance(module, Inception)]
    labels, names, rows = iter(MODULES), {}, []  # names: a module's path -> its label
    for row in models.costs(network, shape):
        own = next((name for name in inside if row["name"].startswith(f"{name}.")), None)
        if own and own not in names:
            names[own] = next(labels)
        own = names.get(own)
        if own and rows and rows[-1]["name"] == own:
            for what in ("parameters", "activations", "macs"):
                rows[-1][what] += row[what]
        elif own:
            ones, _, threes, _, fives, pooled = MODULES[own]
            shape = (ones + threes + fives + pooled, *row["shape"][1:])
            rows.append({**row, "name": own, "kind": "Inception", "shape": shape})
        elif row["kind"] not in ("BatchNorm2d", "ReLU", "Dropout"):
            rows.append(row)
    return rows


if written(Inception, AuxiliaryHead, GoogLeNet):
    from cnnlab import models

    with torch.device("meta"):
        rows = by_module(GoogLeNet(), (3, 224, 224))
    plot.show_table(rows)
    plot.show_costs(rows, title="GoogLeNet")
    drawn = [{**row, "kind": "Conv2d"} if row["kind"] == "Inception" else row for row in rows]
    plot.show_network(drawn, title="GoogLeNet: 3a to 5b are modules", image=(3, 224, 224))


# %% [markdown]
# Beside other networks, at 224 x 224, and in parameters beside torchvision's GoogLeNet, whose third branch is 3 x 3:


# %% show="Compare your GoogLeNet with other networks and with torchvision's"
def total(network, what):
    """Add up a column of the network's costs, in evaluation."""
    return sum(row[what] for row in models.costs(network, (3, 224, 224)))


if written(Inception, AuxiliaryHead, GoogLeNet):
    with torch.device("meta"):
        mine, bare = GoogLeNet(), GoogLeNet(aux=False)
        others = {name: models.get(name, classes=1000, image=224) for name in ("alexnet", "vgg16")}
        theirs = models.get("googlenet", classes=1000, image=224)
    for name, network in {**others, "yours, without heads": bare}.items():
        parameters, macs = total(network, "parameters") / 1e6, total(network, "macs") / 1e9
        print(f"{name:21} {parameters:6.1f} million parameters {macs:6.2f} billion multiply-adds")
    print()
    for name, network in {"yours": mine, "torchvision's": theirs}.items():
        print(f"{name:14} {sum(p.numel() for p in network.parameters()):,} parameters with heads")

    wider = sum((25 - 9) * filters[3] * filters[4] for filters in MODULES.values())
    print(f"a 5 x 5 has 25 - 9 more places than a 3 x 3: {wider:,} more weights")

# %% [markdown]
# ## What the heads do to the gradient
#
# A thin network, untrained, on a few drawn shapes: how long is the gradient that each of the three losses sends into the
# weights of each module? First without batch norm, as in 2014, and with the weights that torch starts with; then from
# He's start (lesson 07), and with batch norm.


# %% show="Draw the gradients that three losses send into the modules, and print those into 3a"
def gradient_lengths(norm, he):
    """Return loss -> the length of its gradient in each module, nan where none arrives."""
    torch.manual_seed(0)
    network = GoogLeNet(classes=5, width=16).train()
    for module in list(network.modules()):
        if isinstance(module, nn.Conv2d) and he:
            nn.init.kaiming_normal_(module.weight)
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d) and not norm:
                setattr(module, name, nn.Identity())
    images, labels = data.shape_images(24, seed=1, size=64)
    modules = []  # in order of use
    for module in network.modules():
        if isinstance(module, Inception):
            module.register_forward_hook(lambda module, *_: modules.append(module))
    outputs = network(torch.tensor(images / 255 - 0.5, dtype=torch.float32))
    lengths = {}
    for name, scores, share in zip(
        ("scores", "0.3 x head on 4a", "0.3 x head on 4d"), outputs, (1, 0.3, 0.3)
    ):
        network.zero_grad()
        (share * F.cross_entropy(scores, torch.tensor(labels))).backward(retain_graph=True)
        found = [[p.grad.ravel() for p in m.parameters() if p.grad is not None] for m in modules]
        lengths[name] = [torch.cat(some).norm().item() if some else np.nan for some in found]
    return lengths


if written(Inception, AuxiliaryHead, GoogLeNet):
    settings = {
        "no norm, torch's start": (False, False),
        "no norm, He's start": (False, True),
        "norm": (True, False),
    }
    lengths = {name: gradient_lengths(*setting) for name, setting in settings.items()}
    order = "module: 1 and 2 are 3a and 3b, 3 to 7 are 4a to 4e, 8 and 9 are 5a and 5b"
    axes = {"xlabel": order, "ylabel": "length of the gradient", "logarithmic": "y"}
    plot.show_lines(range(1, 10), lengths["no norm, torch's start"], title="no norm, torch's start", **axes)
    for name, lines in lengths.items():
        print(f"{name:23} into 3a:", ", ".join(f"{line[0]:.1e} ({loss})" for loss, line in lines.items()))

# %% [markdown]
# From the end hardly anything arrives, and the head on 4a sends far more into the modules before it: that is what it was
# for. A better start or batch norm open the long way as well. When the authors looked again (2015, arXiv 1512.00567),
# heads made no difference early in training and helped a little near its end: they regularise.
#
# ## Train a small one
#
# GoogLeNet would shrink 32 x 32 pixels to one. Ours has a gentle stem, four modules, one head, and ends in maps of
# 8 x 8. The *small* budget trains it on 1,500 drawn shapes, for a CPU; the *full* one, for a GPU, on CIFAR-10 and twice
# as wide. A GPU or the environment variable `CNNLAB_BUDGET` decides. `fit` counts the losses of heads 0.3 each.


# %% show="Define a small GoogLeNet"
class SmallGoogLeNet(nn.Module):
    """Four Inception modules and one head: (N, 3, H, W) -> scores (N, classes), in training (scores, aux)."""

    def __init__(self, classes, w=1):
        super().__init__()
        self.stem = nn.Sequential(
            conv_norm_relu(3, 16 * w, 3, padding=1),
            nn.MaxPool2d(3, stride=2, padding=1),
            conv_norm_relu(16 * w, 32 * w, 3, padding=1),
        )
        self.early = nn.Sequential(
            Inception(32 * w, 16 * w, 16 * w, 24 * w, 4 * w, 8 * w, 8 * w),
            Inception(56 * w, 16 * w, 24 * w, 32 * w, 8 * w, 16 * w, 16 * w),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.head = AuxiliaryHead(80 * w, classes, 16 * w, 64 * w)
        self.late = nn.Sequential(
            Inception(80 * w, 32 * w, 32 * w, 48 * w, 8 * w, 16 * w, 16 * w),
            Inception(112 * w, 32 * w, 32 * w, 64 * w, 8 * w, 16 * w, 16 * w),
        )
        self.dropout = nn.Dropout(0.4)
        self.linear = nn.Linear(128 * w, classes)

    def forward(self, x):
        halfway = self.early(self.stem(x))
        scores = self.linear(self.dropout(self.late(halfway).mean((2, 3))))
        return (scores, self.head(halfway)) if self.training else scores


# %% show="Train the small GoogLeNet, and draw its accuracy"
if written(Inception, AuxiliaryHead):
    from cnnlab.train import DeviceData, Recipe, fit, recipes

    small = recipes.choose_budget() == "small"
    source = recipes.DATASETS["shapes" if small else "cifar10"]
    train, test = source.train(1500 if small else 50_000), source.test()
    recipe = Recipe(epochs=6, batch=50, lr=0.05, average=0.95, shift=2, flip="random")
    if not small:
        print("The scenes further down need a network trained on shapes: CNNLAB_BUDGET=small makes one.")
        recipe = Recipe(epochs=30, batch=512, lr=0.2, average=0.99, shift=4, flip="alternating")
    torch.manual_seed(0)
    network = SmallGoogLeNet(source.classes, w=1 if small else 2)
    print(f"{sum(p.numel() for p in network.parameters()):,} parameters, {len(train[0]):,} images")
    history = fit(network, train, test, recipe)
    print(f"{sum(history.seconds):.0f} s, {history.test_accuracy[-1]:.1%} of the test images right")
    accuracies = {"training": history.train_accuracy, "test": history.test_accuracy}
    plot.show_lines(range(1, history.epochs + 1), accuracies, xlabel="epoch", ylabel="accuracy")

# %% [markdown]
# ## What the mean gives for free
#
# A score is a weighted sum of the means of the last maps $x_c$. A mean is a sum as well, and sums can change places: first
# add up the maps with the class's weights, which gives one map for the class, then take its mean.
#
# $$s_m = b_m + \sum_c W_{mc} \underbrace{\frac{1}{HW} \sum_{i,j} x_{c,i,j}}_{\text{mean}}
# = b_m + \frac{1}{HW} \sum_{i,j} \underbrace{\sum_c W_{mc}\, x_{c,i,j}}_{\text{map of class } m}$$
#
# This **class activation map** says where the evidence for a class lies (Zhou and others, 2015, arXiv 1512.04150). The
# network was trained on single shapes of 32 x 32, and was never told where they are. Here it looks at scenes of 64 x 64
# with several; red speaks for the class, blue against it, and boxes show where shapes of it really are.

# %% show="Draw the class activation maps of three scenes"
if written(Inception, AuxiliaryHead) and small:
    scenes = [scene for scene in data.shapes(40, seed=6) if len(set(scene.labels)) == 3][:3]
    x = np.stack([scene.image for scene in scenes])  # (3, 3, 64, 64)
    like = DeviceData(*train)  # whose mean and spread the network knows
    x = DeviceData(x, np.zeros(len(x), int), like=like).range(0, len(x))
    network = network.cpu().eval()
    with torch.no_grad():
        maps = network.late(network.early(network.stem(x)))  # (3, 128, 16, 16)
        of_class = torch.einsum("mc,nchw->nmhw", network.linear.weight, maps)  # (3, 5, 16, 16)
        gap = (of_class.mean((2, 3)) + network.linear.bias - network(x)).abs().max()
    print(f"means of the maps, plus biases, differ from the scores by at most {gap:.0e}")
    pictures, titles, boxes = [], [], []
    for scene, their_maps in zip(scenes, of_class.numpy()):
        pictures.append(scene.image.transpose(1, 2, 0) / 255)
        titles.append("scene")
        boxes.append([])
        for label, (x0, y0, x1, y1) in zip(scene.labels, scene.boxes):
            pictures.append(their_maps[label].repeat(4, axis=0).repeat(4, axis=1))  # 16 x 16 to 64 x 64
            titles.append(data.SHAPE_NAMES[label])
            boxes.append([(y0, x0, y1 - y0, x1 - x0)])
    plot.show_images(pictures, titles, signed=[title != "scene" for title in titles], boxes=boxes, size=1.9)

# %% [markdown]
# ## Question: what does a reduction cost? ({points:why_reduce} points, 6 minutes)
#
# In module 3a the 5 x 5 convolution reads 16 channels in place of 192. Say with two numbers what this saves, and with
# two reasons why the module does not lose as much as it seems.

# %% [markdown] question="why_reduce" points=2
# ### BEGIN SOLUTION
# On 192 channels the 5 x 5 branch needs 192 x 32 x 25 = 153,600 weights, each used at 28 x 28 places: 120 million
# multiply-adds. With the reduction it needs 192 x 16 + 16 x 32 x 25 = 15,872 weights and 12 million multiply-adds,
# about a tenth.
#
# It does pass on less: 16 numbers at each place in place of 192. But (1) these 16 are *learned* mixtures of the 192, so
# training keeps what this branch can use, and neighbouring channels of a trained network say much the same; (2) the
# other branches read the same 192 channels, with reductions of their own or none, so what this branch drops is not lost
# to the module. Besides, each reduction ends in a ReLU, so the branch is one layer deeper and can form functions that a
# single 5 x 5 cannot; and the saved work is spent on more layers and more filters elsewhere.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The paper: Szegedy and others, [*Going deeper with convolutions*](https://arxiv.org/abs/1409.4842), 2014. The mean of
# each map: Lin, Chen and Yan, [*Network in network*](https://arxiv.org/abs/1312.4400), 2013. The heads, looked at again:
# Szegedy and others, [*Rethinking the Inception architecture for computer vision*](https://arxiv.org/abs/1512.00567),
# 2015. Class activation maps: Zhou and others, [*Learning deep features for discriminative
# localization*](https://arxiv.org/abs/1512.04150), 2015.

# %% [markdown] part="next"
# ## Where this goes
#
# The mean in place of hidden layers and the 1 x 1 that narrows stayed in nearly all networks since; the heads went.
# GoogLeNet needed them because depth was still hard to train. Lesson 11 measures why, and shows what solved it.
# Next: {next}.
