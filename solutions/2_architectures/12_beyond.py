# %% [markdown]
# # Beyond ResNet
#
# {badge}
#
# {cover}
#
# After ResNet nobody asked any more whether deep networks can be trained, but what to build them of. You will
# write six answers, each a block of a few lines, count what each costs, and at the end put all six into the same
# small network, train them, and draw accuracy against parameters and multiply-adds.
#
# About 85 minutes, {points} points.

# %% cover="The blocks of Wide ResNet, ResNeXt, DenseNet, SqueezeNet, SENet and MobileNet as small diagrams."
import matplotlib.pyplot as plt

line = "#59636e"
thin = [("", 1)] * 4  # four boxes side by side, each for some of the maps
# Of each block: its steps from left to right, each a list of boxes (text, height); what joins the shortcut to it.
blocks = {
    "Wide ResNet": ([[("3 x 3", 6)], [("3 x 3", 6)]], "+"),
    "ResNeXt": ([thin, thin, thin], "+"),
    "DenseNet": ([[("few new\nmaps", 4)]], "and"),
    "SqueezeNet": ([[("1 x 1", 2.2)], [("1 x 1", 2.6), ("3 x 3", 2.6)]], ""),
    "SENet": ([[("means", 2.6)], [("0 to 1", 2.6)]], "×"),
    "MobileNet": ([thin, [("1 x 1", 6)]], ""),
}
figure, panels = plt.subplots(2, 3, figsize=(7, 3.6), layout="constrained")
for axes, (name, (steps, joint)) in zip(panels.flat, blocks.items(), strict=True):
    axes.set(xlim=(0, 22), ylim=(-3.6, 5))
    axes.axis("off")
    axes.set_title(name, fontsize=13)
    end = 16 if joint else 20
    wide = (end - 1.6 - 1.4 * len(steps)) / len(steps)
    axes.plot([0, 1.4], [0, 0], color=line, linewidth=1.2)
    ways, left = [(1.4, 0)], 3  # where the lines begin that lead to the next step
    for boxes in [*steps, []]:
        room = sum(height for _, height in boxes) + 0.8 * (len(boxes) - 1)
        top, middles = room / 2, []
        for text, height in boxes:
            corner = (left, top - height)
            axes.add_patch(plt.Rectangle(corner, wide, height, facecolor="#dbe7f4", edgecolor=line))
            middles.append((left, top - height / 2))
            axes.text(left + wide / 2, top - height / 2, text, ha="center", va="center", fontsize=11)
            top -= height + 0.8
        middles = middles or [(end + 2, 0)]
        pairs = (
            zip(ways, middles, strict=True)
            if len(ways) == len(middles)
            else [(a, b) for a in ways for b in middles]
        )
        for start, stop in pairs:
            axes.plot(*zip(start, stop, strict=True), color=line, linewidth=1.2)
        ways, left = [(x + wide, y) for x, y in middles], left + wide + 1.4
    if joint:
        axes.plot([0.7, 0.7, 19, 19], [0, 4.4, 4.4, 0], color=line, linewidth=1.2)
        axes.plot([19, 22], [0, 0], color=line, linewidth=1.2)
        frame = {"boxstyle": "round,pad=0.25", "facecolor": "#ffd37a", "edgecolor": line}
        axes.text(19, 0, joint, ha="center", va="center", fontsize=12, bbox=frame)

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import answer, check, plot, written

# %% [markdown]
# ## Six answers
#
# | network | what if | block |
# |---|---|---|
# | Wide ResNet | layers were wider, not more? | `WideBlock` |
# | ResNeXt | a block had many thin paths? | `ResNeXtBlock` |
# | DenseNet | no map were made twice? | `DenseLayer` |
# | SqueezeNet | weights were what is scarce? | `Fire` |
# | SENet | a network could turn channels up and down? | `SqueezeExcite` |
# | MobileNet | multiply-adds were what is scarce? | `SeparableBlock` |
#
# Each exercise is a class. You are given its docstring and the head of `__init__`; write the rest of it, `forward`
# included. Name the layers inside as you like: the checks fill them by the shapes of their weights, so each
# convolution of a docstring is one `nn.Conv2d`. Those of 3 x 3 have padding 1; *norm* is `nn.BatchNorm2d`.

# %% [markdown]
# ## Wider, not deeper
#
# A Wide ResNet multiplies a ResNet's filters by $k$ and leaves out most of its blocks: few large layers, which a
# GPU likes. The block is the later, **pre-activation** form: norm and ReLU come *before* each convolution, nothing
# after the sum. Where the shape stays, $x$ passes through untouched. Against overfitting there can be dropout
# between the convolutions.

# %% show="Draw a ResNet's block and two of a Wide ResNet"
convolutions = ["norm", "ReLU", "3 x 3", "norm", "ReLU", "dropout", "3 x 3"]
plot.show_blocks(
    {
        "ResNet": [(["3 x 3", "norm", "ReLU", "3 x 3", "norm"], []), "+", "ReLU"],
        "Wide ResNet": [(convolutions, []), "+"],
        "Wide ResNet, the shape changes": [
            *convolutions[:2],
            (["3 x 3, stride", *convolutions[3:]], ["1 x 1, stride"]),
            "+",
        ],
    },
    marks=["dropout", "1 x 1, stride"],
)

# %% [markdown]
# ### Exercise: the wide block ({points:WideBlock} points, 10 minutes)
#
# Look twice at the right-hand picture: the projection reads what comes out of the first norm and ReLU.


# %% exercise="WideBlock"
@answer
class WideBlock(nn.Module):
    """Two 3 x 3 convolutions, each after norm and ReLU, whose result is added to the input.

    channels, filters: maps that come in and go out; stride: of the first convolution; dropout: the probability with
    which each value between the second ReLU and the second convolution is dropped, in training.
    (N, channels, H, W) -> (N, filters, OH, OW). The shortcut is x itself; where stride or number of maps change the
    shape, it is a 1 x 1 convolution with that stride, without norm, of the normed and rectified input. No
    convolution has a bias; no ReLU after the addition.
    Source: Zagoruyko and Komodakis, Wide residual networks, 2016, arXiv 1605.07146, figure 1 (d) and the authors' code;
    pre-activation: He, Zhang, Ren and Sun, Identity mappings in deep residual networks, 2016, arXiv 1603.05027.
    """

    def __init__(self, channels, filters, stride=1, dropout=0.0):
        super().__init__()
        # BEGIN SOLUTION
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.project = None
        if stride != 1 or channels != filters:
            self.project = nn.Conv2d(channels, filters, 1, stride, bias=False)

    def forward(self, x):
        active = F.relu(self.norm1(x))  # (N, channels, H, W)
        y = self.conv1(active)  # (N, filters, OH, OW)
        y = self.conv2(self.dropout(F.relu(self.norm2(y))))
        return y + (x if self.project is None else self.project(active))
        # END SOLUTION


# %% check="WideBlock"
check(WideBlock)

# %% [markdown]
# What width costs, for your block on maps of 32 x 32. `models.costs` gives a row for each layer, as your
# `layer_table` of lesson 08. Activations are here what convolutions and linear layers return, so that a ReLU may be a
# module or a function.


# %% show="Print what width costs"
def summed(rows):
    """Return a network's parameters, activations and multiply-adds from the rows of its layers."""
    working = [row for row in rows if row["macs"]]  # convolutions and linear layers
    return {
        "parameters": sum(row["parameters"] for row in rows),
        "activations": sum(row["activations"] for row in working),
        "macs": sum(row["macs"] for row in rows),
    }


def total(network, shape):
    """Return the same of a network for one image of this shape."""
    from cnnlab import models

    return summed(models.costs(network, shape))


if written(WideBlock):
    rows = []
    for k in (1, 2, 4, 8):
        costs = total(WideBlock(16 * k, 16 * k), (16 * k, 32, 32))
        rows.append({"k": k, "filters": 16 * k, **costs})
    plot.show_table(rows, totals=False)

# %% [markdown]
# Parameters and multiply-adds grow with $k^2$, the activations, whose memory training needs, only with $k$.
#
# ## Many thin paths
#
# GoogLeNet's paths were designed by hand, each another size. ResNeXt takes $G$ paths all alike: each narrows to
# $d$ maps, filters them with 3 x 3, widens again, and all paths are added up.
#
# That is a bottleneck with a **grouped** convolution (lesson 05): $G$ groups of $d$ maps. Why? The first 1 x 1 of
# all paths read the same maps, so they are one with $Gd$ filters; and adding up what the last ones give *is* one
# convolution over all $Gd$ maps.

# %% show="Draw three thin paths and the same with groups, and compare what they compute"
thin = ["1 x 1, d maps", "3 x 3, d maps", "1 x 1, F maps"]
plot.show_blocks(
    {
        "three paths": [(thin, thin, thin), "+"],
        "the same, with groups": ["1 x 1, G d maps", "3 x 3, G groups", "1 x 1, F maps"],
    },
    marks=["3 x 3, d maps", "3 x 3, G groups"],
)
torch.manual_seed(0)
paths, d, filters = 3, 4, 10
narrow = torch.randn(paths * d, 6, 1, 1)
middle = torch.randn(paths * d, d, 3, 3)
widen = torch.randn(filters, paths * d, 1, 1)
x = torch.randn(2, 6, 8, 8)
grouped = F.conv2d(F.conv2d(F.conv2d(x, narrow).relu(), middle, padding=1, groups=paths).relu(), widen)
added = sum(
    F.conv2d(F.conv2d(F.conv2d(x, a).relu(), b, padding=1).relu(), c)
    for a, b, c in zip(narrow.split(d), middle.split(d), widen.split(d, dim=1))
)
print(f"The two differ by {(grouped - added).abs().max() / grouped.abs().max():.0e} of their size.")

# %% [markdown]
# ### Exercise: the ResNeXt block ({points:ResNeXtBlock} points, 10 minutes)
#
# The bottleneck of lesson 11 with another middle. `groups` is $G$, which the paper calls cardinality, and `width`
# is $d$.


# %% exercise="ResNeXtBlock"
@answer
class ResNeXtBlock(nn.Module):
    """A bottleneck whose 3 x 3 convolution works in groups.

    channels, filters: maps that come in and go out; groups: of the 3 x 3 convolution; width: maps of each group, so
    groups * width lie between the 1 x 1 convolutions; stride: of the 3 x 3 convolution.
    (N, channels, H, W) -> (N, filters, OH, OW): 1 x 1, norm, ReLU, 3 x 3, norm, ReLU, 1 x 1, norm; then the shortcut
    is added, and a last ReLU follows. The shortcut is x itself; where stride or number of maps change the shape, it is a
    1 x 1 convolution with that stride, and norm. No convolution has a bias.
    Source: Xie, Girshick, Dollar, Tu and He, Aggregated residual transformations for deep neural networks, 2016, arXiv
    1611.05431, figure 3 (c).
    """

    def __init__(self, channels, filters, groups=32, width=4, stride=1):
        super().__init__()
        # BEGIN SOLUTION
        inner = groups * width
        self.residual = nn.Sequential(
            nn.Conv2d(channels, inner, 1, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, bias=False),
            nn.BatchNorm2d(inner),
            nn.ReLU(),
            nn.Conv2d(inner, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
        )
        self.shortcut = nn.Sequential()  # returns its input
        if stride != 1 or channels != filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, stride, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        return F.relu(self.residual(x) + self.shortcut(x))
        # END SOLUTION


# %% check="ResNeXtBlock"
check(ResNeXtBlock)

# %% [markdown]
# What groups save goes into more maps. For 256 maps in and out, the paper's pairs of $G$ and $d$ cost nearly the
# same, from ResNet-50's bottleneck in the first line to ResNeXt-50's in the last:

# %% show="Print what pairs of groups and width cost"
if written(ResNeXtBlock):
    rows = []
    for groups, width in [(1, 64), (2, 40), (4, 24), (8, 14), (32, 4)]:
        costs = total(ResNeXtBlock(256, 256, groups, width), (256, 56, 56))
        rows.append({"groups": groups, "width": width, "maps inside": groups * width, **costs})
    plot.show_table(rows, totals=False)

# %% [markdown]
# ## Nothing made twice
#
# A residual block adds to what is there. A DenseNet *keeps* everything: each layer reads all maps made so far, makes
# a few new ones, $k$, its **growth**, and puts them behind the others. Since every map stays, $k$ can be small: 12 to
# 48. But the layers read more and more maps, so a 1 x 1 convolution first narrows them to $4k$.

# %% show="Draw a dense layer, and three in a row"
new = ["norm", "ReLU", "1 x 1, 4 k maps", "norm", "ReLU", "3 x 3, k maps"]
plot.show_blocks(
    {
        "dense layer": [([], new), "concatenate"],
        "three in a row": [([], ["k new maps"]), "concatenate"] * 3,
    },
    marks=["concatenate"],
)

# %% [markdown]
# ### Exercise: the dense layer ({points:DenseLayer} points, 8 minutes)
#
# `torch.cat([a, b], dim=...)` puts tensors one behind the other along an axis.


# %% exercise="DenseLayer"
@answer
class DenseLayer(nn.Module):
    """Make new maps of all maps so far, and put them behind these.

    channels: maps that come in; growth: new maps; bottleneck: the 1 x 1 convolution makes bottleneck * growth maps.
    (N, channels, H, W) -> (N, channels + growth, H, W): x, unchanged, then the new maps, made by norm, ReLU, 1 x 1,
    norm, ReLU, 3 x 3. No convolution has a bias.
    Source: Huang, Liu, van der Maaten and Weinberger, Densely connected convolutional networks, 2016, arXiv
    1608.06993, section 3, DenseNet-B.
    """

    def __init__(self, channels, growth, bottleneck=4):
        super().__init__()
        # BEGIN SOLUTION
        inner = bottleneck * growth
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, inner, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, growth, 3, padding=1, bias=False)

    def forward(self, x):
        new = self.conv1(F.relu(self.norm1(x)))  # (N, bottleneck*growth, H, W)
        new = self.conv2(F.relu(self.norm2(new)))  # (N, growth, H, W)
        return torch.cat([x, new], dim=1)  # (N, channels + growth, H, W)
        # END SOLUTION


# %% check="DenseLayer"
check(DenseLayer)

# %% [markdown]
# The last block of DenseNet-121 begins with 512 maps and has 16 of your layers, with growth 32:

# %% show="Print the parameters of DenseNet-121's last block, with and without bottleneck"
if written(DenseLayer):
    rows = []
    for number in range(16):
        maps = 512 + 32 * number
        costs = total(DenseLayer(maps, 32), (maps, 7, 7))
        plain = total(nn.Conv2d(maps, 32, 3, padding=1, bias=False), (maps, 7, 7))
        if number % 5 == 0:
            row = {
                "layer": number + 1,
                "maps in": maps,
                "maps out": maps + 32,
                "parameters": costs["parameters"],
            }
            rows.append({**row, "without bottleneck": plain["parameters"]})
    plot.show_table(rows, totals=False)

# %% [markdown]
# Between blocks a *transition* halves the number of maps with a 1 x 1 convolution (the C of DenseNet-BC), and
# height and width with pooling.
#
# ## When weights are scarce
#
# SqueezeNet set out to reach AlexNet's accuracy with as few weights as possible, so that a network can be sent
# over the air. Its **fire module** squeezes, then expands with two branches, of which one is a 1 x 1 with a ninth of
# the weights. It came without norms, so its convolutions have biases.

# %% show="Draw a fire module"
plot.show_blocks(
    {
        "fire module": [
            "1 x 1, squeeze",
            "ReLU",
            (["1 x 1, expand1", "ReLU"], ["3 x 3, expand3", "ReLU"]),
            "concatenate",
        ]
    },
    marks=["1 x 1, squeeze"],
)

# %% [markdown]
# ### Exercise: the fire module ({points:Fire} points, 7 minutes)


# %% exercise="Fire"
@answer
class Fire(nn.Module):
    """Squeeze to few maps with 1 x 1, then expand with 1 x 1 and 3 x 3 side by side.

    channels: maps that come in; squeeze, expand1, expand3: filters of the three convolutions.
    (N, channels, H, W) -> (N, expand1 + expand3, H, W): the maps of the 1 x 1 first, then those of the 3 x 3, which
    has padding 1. ReLU after each of the three convolutions; they have biases, and there is no norm.
    Source: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, SqueezeNet, 2016, arXiv 1602.07360, section 3.2.
    """

    def __init__(self, channels, squeeze, expand1, expand3):
        super().__init__()
        # BEGIN SOLUTION
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1 = nn.Conv2d(squeeze, expand1, 1)
        self.expand3 = nn.Conv2d(squeeze, expand3, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x))  # (N, squeeze, H, W)
        return torch.cat([F.relu(self.expand1(x)), F.relu(self.expand3(x))], dim=1)
        # END SOLUTION


# %% check="Fire"
check(Fire)

# %% [markdown]
# The whole of SqueezeNet 1.1, on the `meta` device, where networks have shapes and no numbers. (The diagram draws
# the two branches of a fire module one after the other.) Its last convolution has a filter for each of the thousand
# classes, and their means are the scores: no linear layer at all.


# %% show="Draw SqueezeNet 1.1 and what it costs, and compare it with AlexNet"
def whole(name):
    """Return a network for ImageNet, a thousand classes and 224 x 224 pixels, and a row for each of its layers."""
    from cnnlab import models

    with torch.device("meta"):
        network = models.get(name, 1000, 224)
    return network, models.costs(network, (3, 224, 224))


_, rows = whole("squeezenet1_1")
working = [row for row in rows if row["macs"]]
plot.show_network(rows, title="SqueezeNet 1.1", image=(3, 224, 224))
plot.show_table(working)
plot.show_costs(working, title="SqueezeNet 1.1")
alexnet = summed(whole("alexnet")[1])["parameters"]
print(f"AlexNet has {alexnet:,} parameters, {alexnet / summed(rows)['parameters']:.0f} times as many.")

# %% [markdown]
# ## Turning channels up and down
#
# A convolution treats each image alike. **Squeeze-and-excitation** squeezes each map to its mean, and from these $C$
# numbers two small linear layers find a weight between 0 and 1 for each map:
#
# $$z_c = \frac{1}{HW}\sum_{i,j} x_{c,i,j}, \qquad s = \sigma\big(W_2\,\mathrm{ReLU}(W_1 z + b_1) + b_2\big), \qquad
# y_c = s_c\, x_c$$
#
# $W_1$ has $C/r$ rows; $r$ is the reduction. It can stand behind any block; in a residual block, before the
# addition.

# %% show="Draw squeeze and excite, by itself and in a residual block"
plot.show_blocks(
    {
        "squeeze and excite": [
            (["mean of each map", "linear, C / r", "ReLU", "linear, C", "sigmoid"], []),
            "×",
        ],
        "in a residual block": [
            (["3 x 3", "norm", "ReLU", "3 x 3", "norm", "squeeze and excite"], []),
            "+",
            "ReLU",
        ],
    },
    marks=["mean of each map", "squeeze and excite"],
)

# %% [markdown]
# ### Exercise: squeeze and excite ({points:SqueezeExcite} points, 8 minutes)
#
# `w[:, :, None, None]` makes (N, C) into (N, C, 1, 1), which multiplies maps.


# %% exercise="SqueezeExcite"
@answer
class SqueezeExcite(nn.Module):
    """Multiply each map by a weight from 0 to 1, found from the means of all maps of its image.

    channels: maps that come in and go out; reduction: there are channels // reduction hidden numbers, but at least one.
    (N, channels, H, W) -> (N, channels, H, W): the mean of each map, (N, channels); nn.Linear; ReLU; nn.Linear;
    sigmoid; each map times its weight. Both linear layers have biases, which the paper's formula leaves out.
    Source: Hu, Shen, Albanie, Sun and Wu, Squeeze-and-excitation networks, 2017, arXiv 1709.01507, section 3.
    """

    def __init__(self, channels, reduction=16):
        super().__init__()
        # BEGIN SOLUTION
        hidden = max(channels // reduction, 1)
        self.down = nn.Linear(channels, hidden)
        self.up = nn.Linear(hidden, channels)

    def forward(self, x):
        means = x.mean(dim=(2, 3))  # (N, C)
        weights = torch.sigmoid(self.up(F.relu(self.down(means))))  # (N, hidden), then (N, C)
        return x * weights[:, :, None, None]
        # END SOLUTION


# %% check="SqueezeExcite"
check(SqueezeExcite)

# %% [markdown]
# ## When multiply-adds are scarce
#
# MobileNet, for phones, is built of the **separable** convolution of lesson 05: a depthwise 3 x 3 looks at each map by
# itself, a 1 x 1 then mixes maps. With $F$ filters, the two together cost
#
# $$\frac{1}{F} + \frac{1}{3^2}$$
#
# of the multiply-adds of an ordinary 3 x 3. (Some notes call this fraction the improvement; that is its inverse.)

# %% show="Draw an ordinary and a separable convolution"
plot.show_blocks(
    {
        "ordinary": ["3 x 3, F maps", "norm", "ReLU"],
        "separable": ["3 x 3, depthwise", "norm", "ReLU", "1 x 1, F maps", "norm", "ReLU"],
    },
    marks=["3 x 3, depthwise", "1 x 1, F maps"],
)

# %% [markdown]
# ### Exercise: the separable block ({points:SeparableBlock} points, 6 minutes)
#
# Depthwise is grouped to the end: as many groups as there are channels.


# %% exercise="SeparableBlock"
@answer
class SeparableBlock(nn.Module):
    """Filter each map by itself with 3 x 3, then mix all maps with 1 x 1.

    channels, filters: maps that come in and go out; stride: of the 3 x 3 convolution.
    (N, channels, H, W) -> (N, filters, OH, OW): depthwise 3 x 3, norm, ReLU, 1 x 1, norm, ReLU. No convolution has
    a bias, and there is no shortcut.
    Source: Howard and others, MobileNets, 2017, arXiv 1704.04861, figure 3 (version 1; the second has other blocks).
    """

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        # BEGIN SOLUTION
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, filters, 1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
        )

    def forward(self, x):
        return self.layers(x)
        # END SOLUTION


# %% check="SeparableBlock"
check(SeparableBlock)

# %% [markdown]
# Your block against an ordinary 3 x 3, and the whole MobileNet: nearly all of it lies in 1 x 1 convolutions, which
# are matrix products.

# %% show="Compare your block with an ordinary 3 x 3, and draw MobileNet and what it costs"
if written(SeparableBlock):
    for filters in (32, 128, 512):
        shape = (filters, 14, 14)
        yours = total(SeparableBlock(filters, filters), shape)["macs"]
        ordinary = total(nn.Conv2d(filters, filters, 3, padding=1), shape)["macs"]
        print(
            f"{filters:4} filters: {yours / ordinary:.4f} of the multiply-adds; 1/F + 1/9 = {1 / filters + 1 / 9:.4f}"
        )
    network, rows = whole("mobilenet_v1")
    working = [row for row in rows if row["macs"]]
    plot.show_network(rows, title="MobileNet", image=(3, 224, 224))
    plot.show_table(working)
    plot.show_costs(working, title="MobileNet")
    points = [name for name, layer in network.named_modules() if getattr(layer, "kernel_size", 0) == (1, 1)]
    mixing = sum(row["macs"] for row in rows if row["name"] in points)
    print(f"{mixing / summed(rows)['macs']:.1%} of the multiply-adds are in 1 x 1 convolutions.")
    print(f"With its norms, MobileNet has {summed(rows)['parameters']:,} parameters.")

# %% [markdown]
# ## Side by side
#
# The papers' networks for ImageNet, after AlexNet and ResNet-50. The last column says at how many places of an image
# a weight is used, on average: once in AlexNet's linear layers, which hold most of its weights. Squeeze-and-excitation
# works on means, so it adds a tenth to ResNet-50's weights and hardly a multiply-add.

# %% show="Print what eight networks for ImageNet cost"
names = ["alexnet", "resnet50", "wide_resnet50_2", "resnext50_32x4d", "densenet121"]
names += ["squeezenet1_1", "se_resnet50", "mobilenet_v1"]
rows = []
for name in names:
    sums = summed(whole(name)[1])
    rows.append({"network": name, **sums, "uses of a weight": round(sums["macs"] / sums["parameters"])})
plot.show_table(rows, totals=False)

# %% [markdown]
# ## One frame, seven blocks
#
# These networks differ in depth, size and age, so their published accuracies do not say which *block* is good. A
# fairer picture needs one frame: the same stem, head, images and recipe, and three stages that double the maps, with
# pooling between them. Only the inside of the stages changes (*wide* has twice the maps there); a plain residual
# block is there for comparison.


# %%
class Residual(nn.Module):
    """The plain residual block of two 3 x 3 convolutions; `extra`, where there is one, comes before the addition."""

    def __init__(self, channels, filters, extra=None):
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            extra or nn.Identity(),
        )
        self.shortcut = nn.Identity()
        if channels != filters:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, filters, 1, bias=False), nn.BatchNorm2d(filters)
            )

    def forward(self, x):
        return F.relu(self.residual(x) + self.shortcut(x))


# What a stage from c to f maps is made of.
STAGES = {
    "residual": lambda c, f: [Residual(c, f), Residual(f, f)],
    "wide": lambda c, f: [WideBlock(c, f), WideBlock(f, f)],
    "ResNeXt": lambda c, f: [ResNeXtBlock(c, f, f // 8, 8), ResNeXtBlock(f, f, f // 8, 8)],
    "dense": lambda c, f: [DenseLayer(c + i * (f - c) // 4, (f - c) // 4) for i in range(4)],
    "fire": lambda c, f: [Fire(c, f // 4, f // 2, f // 2), Fire(f, f // 4, f // 2, f // 2)],
    "residual + SE": lambda c, f: [Residual(c, f, SqueezeExcite(f, 8)), Residual(f, f, SqueezeExcite(f, 8))],
    "separable": lambda c, f: [SeparableBlock(c, f), SeparableBlock(f, f)],
}


def frame(kind, width=8, classes=5):
    """Build a network whose three stages are of one kind; wide ones have twice the maps."""
    stem = [nn.Conv2d(3, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    wider = 2 if kind == "wide" else 1
    maps = [width, *(wider * width * n for n in (2, 4, 8))]
    stages = [STAGES[kind](c, f) for c, f in zip(maps, maps[1:])]
    body = [*stages[0], nn.MaxPool2d(2), *stages[1], nn.MaxPool2d(2), *stages[2]]
    head = [nn.BatchNorm2d(maps[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    network = nn.Sequential(*stem, *body, *head, nn.Linear(maps[-1], classes))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(
                layer.weight, nonlinearity="relu"
            )  # He's start; fire has no norms to help
    return network


# %% [markdown]
# In the *small* budget, taken on a CPU, they learn from a few hundred of the generated shapes for a few epochs:
# too little for perfection, so that they can differ. The *full* one, taken where there is a GPU, is CIFAR-10 with
# frames four times as wide. Each network is trained three times, from other first weights and orders of the images.
# The one recipe does not suit all alike: *fire*, which has no norms, may learn well in one run and hardly in
# another; then its mean describes neither.

# %% show="Train seven networks in one frame, three times each"
if written(WideBlock, ResNeXtBlock, DenseLayer, Fire, SqueezeExcite, SeparableBlock):
    from tqdm import tqdm

    from cnnlab.train import DeviceData, Recipe, evaluate, fit, recipes

    full = recipes.choose_budget() == "full"
    of = recipes.DATASETS["cifar10" if full else "shapes"]
    train, test = of.train(50_000 if full else 400), of.test()
    recipe = Recipe(epochs=10, batch=256 if full else 25, lr=0.1, shift=2, flip="random", clip=1.0)
    print(f"{recipe.epochs} epochs of {len(train[1]):,} images; {len(test[1]):,} images to test")
    points = {}
    for kind, seed in (
        progress := tqdm([(kind, seed) for kind in STAGES for seed in range(3)], file=sys.stdout)
    ):
        progress.set_description(f"{kind:13}", refresh=False)
        torch.manual_seed(seed)
        network = frame(kind, 32 if full else 8, of.classes)
        if seed == 0:
            points[kind] = {"name": kind, **total(network, (3, 32, 32)), "accuracies": [], "seconds": []}
        history = fit(network, train, recipe=recipe, seed=seed, device="cuda" if full else None, show=False)
        points[kind]["accuracies"].append(evaluate(network, test, like=DeviceData(*train)).accuracy)
        points[kind]["seconds"].append(sum(history.seconds))

# %% [markdown]
# The mean accuracy of three runs. A disc's area shows the multiply-adds, its bar reaches from the worst run to the
# best. Where bars overlap, the picture does not say which block is better.

# %% show="Draw accuracy against parameters and multiply-adds"
if written(WideBlock, ResNeXtBlock, DenseLayer, Fire, SqueezeExcite, SeparableBlock):
    rows = []
    for point in points.values():
        accuracies, seconds = point["accuracies"], point["seconds"]
        row = {name: point[name] for name in ("name", "parameters", "activations", "macs")}
        row["accuracy"] = f"{sum(accuracies) / len(accuracies):.1%}"
        row["from"], row["to"] = f"{min(accuracies):.1%}", f"{max(accuracies):.1%}"
        rows.append({**row, "fastest, s": min(seconds)})  # what else the machine does only adds to it
    plot.show_table(rows, totals=False)
    plot.show_tradeoff(list(points.values()), title=f"one frame, trained on {len(train[1]):,} images")

# %% [markdown]
# Look at the seconds too. A grouped or depthwise convolution does little with each value that it fetches, so time
# does not fall as multiply-adds do; how far it falls on your machine has just been measured.
#
# ## Question: reading the picture ({points:read_the_picture} points, 8 minutes)
#
# Two discs of your picture stand at nearly the same height, or their bars overlap. Someone concludes that the
# upper block is the better one and should be used in a camera. Give two reasons why the picture does not show
# that, and say what you would measure.

# %% [markdown] question="read_the_picture" points=2
# ### BEGIN SOLUTION
# One point for what chance and the set-up do to the accuracies, one for what the picture does not hold; for each,
# what to measure.
#
# - Where bars overlap, other first weights could turn the order round; three runs and some hundred test images leave an
#   uncertainty of a percent or more. I would train with more seeds, test on more images, and compare the difference with
#   its spread. Besides, every block had the same learning rate and few epochs on few small images: that may suit one of them
#   and starve another (a block without norms, say), so I would tune each alike, on the images of the task.
# - The axes show parameters and multiply-adds, and a camera pays in time, energy and memory. Depthwise convolutions have
#   few multiply-adds and are still slow where fetching values is the limit; a dense layer keeps all its maps in memory. I
#   would measure milliseconds for an image and the peak of the memory on the camera itself, at equal accuracy.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The six answers, in the lesson's order: Zagoruyko and Komodakis, [*Wide residual
# networks*](https://arxiv.org/abs/1605.07146); Xie, Girshick, Dollar, Tu and He, [*Aggregated residual transformations
# for deep neural networks*](https://arxiv.org/abs/1611.05431); Huang, Liu, van der Maaten and Weinberger, [*Densely
# connected convolutional networks*](https://arxiv.org/abs/1608.06993); Iandola, Han, Moskewicz, Ashraf, Dally and
# Keutzer, [*SqueezeNet*](https://arxiv.org/abs/1602.07360); Hu, Shen, Albanie, Sun and Wu, [*Squeeze-and-excitation
# networks*](https://arxiv.org/abs/1709.01507); Howard and others, [*MobileNets*](https://arxiv.org/abs/1704.04861).

# %% [markdown] part="next"
# ## Where this goes
#
# What came later recombines what you have written: MobileNetV2 puts the separable convolution into a residual
# bottleneck, EfficientNet adds squeeze-and-excitation, ConvNeXt goes back to large depthwise kernels. How blocks are
# trained is the other half: lesson 13. Next: {next}.
