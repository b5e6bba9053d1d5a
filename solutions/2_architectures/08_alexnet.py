# %% [markdown]
# # AlexNet
#
# {badge}
#
# {cover}
#
# In 2012 one network won the largest competition in recognising images by so much that the whole field took up
# convolutions. You will build it as it was published, find out what its tricks do, and write the tool that says where
# a network's parameters, memory and time go. At the end a small relative of it learns on your machine.
#
# About 90 minutes, {points} points.

# %% cover="AlexNet's layers as bars: dense layers hold nearly all weights, convolutions do nearly all multiply-adds."
import matplotlib.pyplot as plt
import numpy as np

# Of each layer in two groups: channels that a filter reads, filters, kernel, side of its maps.
layers = [(3, 96, 11, 55), (48, 256, 5, 27), (256, 384, 3, 13), (192, 384, 3, 13), (192, 256, 3, 13)]
layers += [(256, 4096, 6, 1), (4096, 4096, 1, 1), (4096, 1000, 1, 1)]
channels, filters, kernel, side = np.array(layers).T
weights = channels * filters * kernel**2
work = weights * side**2
names = [f"conv{number}" for number in range(1, 6)] + [f"dense{number}" for number in range(1, 4)]
colours = ["#3b6ea8"] * 5 + ["#d55e00"] * 3
figure, panels = plt.subplots(1, 2, figsize=(7, 3.1), sharey=True, layout="constrained")
for axes, values, title in zip(panels, [weights, work], ["weights", "multiply-adds"], strict=True):
    bars = axes.barh(names, values, color=colours, height=0.75)
    shares = [f"{share:.0%}" if share > 0.005 else "" for share in values / values.sum()]
    axes.bar_label(bars, shares, padding=4, fontsize=12)
    axes.set_title(f"{values.sum() / 1e6:.0f} million {title}", fontsize=14, loc="left")
    axes.set_xlim(0, 1.2 * values.max())
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0, labelsize=13)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
panels[0].invert_yaxis()

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import math
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from cnnlab import answer, check, data, layers, plot, written

# %% [markdown]
# ## What happened in 2012
#
# ImageNet is some 14 million photographs in more than 20,000 categories; its yearly competition took 1,000 of them. A
# network may name five classes and errs if the right one is not among them: the **top-5 error**. The paper reports
# 15.3 % on the competition's test images, and 26.2 % for the runner-up. You will also meet "18.2 % to 15.4 %": those
# are *validation* images, one network against an average of seven, two of which had seen more images before.
#
# ## LeNet, only larger?
#
# Its layers are those of your LeNet-5. What was new was the size, and what made the size possible:
#
# - 1.2 million labelled images, and more by crops, mirroring and changed colours;
# - graphics cards: two of them, for five to six days;
# - dropout, so that the many weights do not learn the images by heart;
# - ReLU, so that seven hidden layers learn fast. It is older than AlexNet, which made it the standard.
#
# On the way back each layer multiplies the gradient by a derivative: a sigmoid's is at most 1/4, a tanh's falls to 0
# where its sums are large, ReLU's is exactly 1 wherever a unit is active. Here a gradient goes back through 15
# untrained layers.

# %% show="Draw a gradient on its way back through 15 layers, for three functions"
depth, units = 15, 256
curves = {}
for name, bend, gain in [("ReLU", F.relu, 2.0), ("tanh", torch.tanh, 1.0), ("sigmoid", torch.sigmoid, 1.0)]:
    torch.manual_seed(0)
    x, sums = torch.randn(64, units), []
    for _ in range(depth):  # weights of the size that is usual for the function
        sums.append((x @ torch.randn(units, units) * math.sqrt(gain / units)).requires_grad_())
        x = bend(sums[-1])
    gradients = torch.autograd.grad(x, sums, torch.randn(64, units))
    curves[name] = [float(gradient.std()) for gradient in gradients]
plot.show_lines(
    range(1, depth + 1),
    curves,
    xlabel="layer, from the image",
    ylabel="size of the gradient",
    title="A gradient of size 1, sent back from the last layer",
    logarithmic="y",
)

# %% [markdown]
# Sigmoids leave nothing for the first layers. A tanh begins almost as well as ReLU, and falls behind in training: on
# CIFAR-10, the paper says, ReLU came to the same training error about six times as fast.
#
# ## Five convolutions
#
# This is the part with maps. A ReLU follows every convolution; $p$ is the padding of each side.
#
# | layer | filters | window | stride | $p$ | |
# |---|---|---|---|---|---|
# | conv1 | 96 | 11 x 11 | 4 | 0 | then a norm |
# | pool1 | | 3 x 3 | 2 | 0 | |
# | conv2 | 256 | 5 x 5 | 1 | 2 | then a norm |
# | pool2 | | 3 x 3 | 2 | 0 | |
# | conv3 | 384 | 3 x 3 | 1 | 1 | |
# | conv4 | 384 | 3 x 3 | 1 | 1 | |
# | conv5 | 256 | 3 x 3 | 1 | 1 | |
# | pool5 | | 3 x 3 | 2 | 0 | |
#
# Lesson 02's formula gives the side after each of the eight layers, $\lfloor (n + 2p - K)/s \rfloor + 1$. Try it on
# paper first: from 227 pixels a side there come four different numbers.
#
# ### Exercise: from pixels to sides ({points:alexnet_sides} points, 5 minutes)


# %% exercise="alexnet_sides"
@answer
def alexnet_sides(image=227, padding=0):
    """Work out how large AlexNet's maps are.

    image: pixels a side, int; padding: of each side in the first convolution, int; the others are as in the table.
    Returns sides, a list of 8 ints: the side of the maps after conv1, pool1, conv2, pool2, conv3, conv4, conv5, pool5,
    each (n + 2*padding - kernel) // stride + 1 of the side n before it.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012.
    """
    # BEGIN SOLUTION
    windows = [(11, 4, padding), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]
    sides = []
    for kernel, stride, around in windows:
        before = sides[-1] if sides else image
        sides.append((before + 2 * around - kernel) // stride + 1)
    return sides
    # END SOLUTION


# %% check="alexnet_sides"
check(alexnet_sides)

# %% [markdown]
# ## 224 or 227?
#
# The paper says 224 pixels, which at stride 4 does not come out even; its 55 comes out of 227. Later copies keep 224
# and pad by 2. `layers.conv_output_size` is your own function of lesson 02 (or a stand-in, which says so).

# %% show="Print AlexNet's sides for images of 227 and of 224 pixels"
if written(alexnet_sides):
    lines = ["image  padding  (n + 2p - 11)/4 + 1  sides                            lesson 02"]
    for image, padding in [(227, 0), (224, 0), (224, 2)]:
        exact, sides = (image + 2 * padding - 11) / 4 + 1, alexnet_sides(image, padding)
        chain = " ".join(map(str, dict.fromkeys(sides)))  # each number once
        first = layers.conv_output_size(image, 11, 4, padding)
        lines.append(f"{image:5} {padding:8} {exact:20.2f}  {chain:32} {first}")
    print("\n".join(lines))

# %% [markdown]
# ## Pooling that overlaps
#
# LeNet's pooling windows lie side by side. AlexNet's are 3 wide and move by 2, so neighbours share a row. On these
# sizes the maps get no smaller than with 2 x 2, and the paper found that the network overfits a little less.

# %% show="Draw pooling windows that overlap, and some that do not"
signal, cells = np.array([1, 3, 2, 0, 4, 1, 2]), np.arange(7)
plot.show_grids(
    [signal, signal, signal, signal],
    [
        "kernel 3, stride 2: window 0",
        "window 1: one value is shared",
        "kernel 2: window 0",
        "window 1: none is",
    ],
    [np.isin(cells, window) for window in ([0, 1, 2], [2, 3, 4], [0, 1], [2, 3])],
    columns=2,
)

# %% [markdown]
# ## Neighbours that hold each other down
#
# Behind the first two ReLUs AlexNet divides. A channel $i$ looks at the $n$ channels around it, $\lfloor n/2 \rfloor$
# on each side, at *one and the same pixel*; where they are strong, it gets weaker: **local response normalisation**.
#
# $$b_{i} = \frac{a_{i}}{\bigl(k + \alpha \sum_{j} a_{j}^2\bigr)^{\beta}}, \qquad
# \max(0,\, i - \lfloor n/2 \rfloor) \le j \le \min(C - 1,\, i + \lfloor n/2 \rfloor)$$
#
# with $n = 5$, $k = 2$, $\alpha = 10^{-4}$ and $\beta = 0.75$. Tinted below is what goes into the sum.

# %% show="Draw which channels count for channels 0, 4 and 7"
a = np.array([0, 3, 0, 9, 2, 0, 0, 2])
cells = np.arange(8)
plot.show_grids(
    [a, a, a],
    [f"one pixel in 8 channels: those that count for channel {i}" for i in (0, 4, 7)],
    [np.abs(cells - i) <= 2 for i in (0, 4, 7)],
    columns=1,
)

# %% [markdown]
# ### Exercise: local response normalisation ({points:local_response_norm} points, 10 minutes)
#
# `x` is a tensor. `F.pad(x, (left, right, top, bottom, front, back))` counts the axes from the last one, so its third
# pair puts channels of zeros in front and behind.


# %% exercise="local_response_norm"
@answer
def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Divide each value by how strong the channels around it are, at the same pixel.

    x: tensor (N, C, H, W); size: channels in a window, its own in the middle, an odd int; alpha, beta, k: float.
    Returns y, a new tensor (N, C, H, W): y[:, i] = x[:, i] / (k + alpha * total) ** beta, with total
    the sum of x[:, j]**2 over those channels j from i - size//2 to i + size//2 that exist. alpha is not divided by size.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012,
    section 3.3.
    """
    # BEGIN SOLUTION
    channels, half = x.shape[1], size // 2
    squares = F.pad(x**2, (0, 0, 0, 0, half, half))  # channels of zeros at both ends
    total = sum(squares[:, u : u + channels] for u in range(size))
    return x / (k + alpha * total) ** beta
    # END SOLUTION


# %% check="local_response_norm"
check(local_response_norm)

# %% [markdown]
# The picture's two channels with a 2 now differ, for one is next to a 9 (with a large $\alpha$, to make it visible).
# **Mind torch's version**: it multiplies $\alpha$ by the *mean* over the window, so it needs 5 times the paper's.

# %% show="Draw eight channels before and after, and compare yours with torch's"
if written(local_response_norm):
    y = local_response_norm(torch.tensor(a, dtype=torch.float64).reshape(1, 8, 1, 1), alpha=0.05)
    plot.show_grids(
        [a, y.flatten().numpy().round(2)],
        ["before", "after, with alpha 0.05"],
        [np.isin(cells, [4, 7])] * 2,
        columns=1,
        cell=0.5,
    )
    x = 40 * torch.randn(2, 96, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mine = local_response_norm(x)
    for alpha in (1e-4, 5e-4):
        theirs = nn.LocalResponseNorm(5, alpha=alpha, beta=0.75, k=2)(x)
        print(f"torch with alpha {alpha:.0e}: at most {(theirs - mine).abs().max():.1e} from yours")

# %% [markdown]
# The norm did not last: VGG's authors found that it did nothing for them, and batch normalisation took its place.
#
# ## Two cards, two groups
#
# The 3 GB of a card of 2012 were too little, so half of the filters lived on each of two cards. To spare the cable
# between them, conv2, conv4 and conv5 read only the maps of their own card.

# %% show="Draw AlexNet on one card and on two"
card1, card2 = (["conv1, 48", "conv2, 128"] for _ in range(2))
card3, card4 = (["conv3, 192", "conv4, 192", "conv5, 128"] for _ in range(2))
plot.show_blocks(
    {
        "one card": ["conv1, 96", "conv2, 256", "conv3, 384", "conv4, 384", "conv5, 256", "dense"],
        "two cards": [(card1, card2), "all 256 maps", (card3, card4), "all 256 maps", "dense"],
    },
    marks=["all 256 maps"],
)

# %% [markdown]
# On one card of today that is `groups=2` (lesson 05): each filter sees half the channels and has half the weights.

# %% show="Print the weights of three layers, whole and in 2 groups"
print("        whole    in 2 groups")
for name, channels, filters, kernel in [
    ("conv2", 96, 256, 5),
    ("conv4", 384, 384, 3),
    ("conv5", 384, 256, 3),
]:
    counts = [nn.Conv2d(channels, filters, kernel, groups=groups).weight.numel() for groups in (1, 2)]
    print(f"{name} {counts[0]:9,} {counts[1]:12,}")

# %% [markdown]
# ### Exercise: the features ({points:alexnet_features} points, 12 minutes)
#
# Put the table's layers into `nn.Sequential`, in the paper's order: convolution, ReLU, norm, pooling. (Many copies
# pool before the norm.) Take `nn.LocalResponseNorm` with the right $\alpha$. If you like, name the layers:
# `nn.Sequential(OrderedDict(conv1=nn.Conv2d(...), ...))`.
#
# `width` stands for the 96; 256 is `8 * width // 3` and 384 is `4 * width`. Small ones are checked in a blink.


# %% exercise="alexnet_features"
@answer
def alexnet_features(groups=1, width=96):
    """Build AlexNet's convolutional part, up to the last pooling.

    groups: into how many the second, fourth and fifth convolution are cut, by the groups of nn.Conv2d, int; width:
    filters of the first, a multiple of 3 * groups; the others have 8*width//3, 4*width, 4*width and 8*width//3. All
    have biases.
    Returns a torch.nn.Module: images (N, 3, H, W) -> maps (N, 8*width//3, OH, OW), with sides as in alexnet_sides.
    In order: conv1, ReLU, norm, pool1, conv2, ReLU, norm, pool2, conv3, ReLU, conv4, ReLU, conv5, ReLU, pool5; kernels,
    strides and padding as in the table above; the norm as in local_response_norm with its defaults.
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012,
    section 3.
    """
    # BEGIN SOLUTION
    two, three = 8 * width // 3, 4 * width  # 256 and 384 at the full width

    def norm():
        return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)  # torch divides alpha by the 5

    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, width, 11, stride=4),
            relu1=nn.ReLU(),
            norm1=norm(),
            pool1=nn.MaxPool2d(3, stride=2),
            conv2=nn.Conv2d(width, two, 5, padding=2, groups=groups),
            relu2=nn.ReLU(),
            norm2=norm(),
            pool2=nn.MaxPool2d(3, stride=2),
            conv3=nn.Conv2d(two, three, 3, padding=1),  # here the halves meet
            relu3=nn.ReLU(),
            conv4=nn.Conv2d(three, three, 3, padding=1, groups=groups),
            relu4=nn.ReLU(),
            conv5=nn.Conv2d(three, two, 3, padding=1, groups=groups),
            relu5=nn.ReLU(),
            pool5=nn.MaxPool2d(3, stride=2),
        )
    )
    # END SOLUTION


# %% check="alexnet_features"
check(alexnet_features)

# %% [markdown]
# ## The dense part, and dropout
#
# The last maps, $256 \cdot 6 \cdot 6$ values, go through two hidden layers of 4,096 to 1,000 scores. These matrices
# could learn every image by heart. So in training a coin decides for each *hidden value*, after its ReLU, whether it
# is set to 0; those that stay are doubled (the paper halves all of them at test time instead). In eval mode nothing
# is dropped: `nn.Dropout` knows the mode from `train()` and `eval()`. torchvision's AlexNet drops the *inputs* of
# these two layers, which is another network.
#
# ### Exercise: AlexNet ({points:AlexNet} points, 12 minutes)
#
# You write the class from the marked place in `__init__` to the end, `forward` included. How many values does the
# first dense layer take? Your `alexnet_sides` knows, also for images that are not 227 wide.


# %% exercise="AlexNet"
@answer
class AlexNet(nn.Module):
    """Classify images with five convolutions and three dense layers.

    classes: int; groups, width: as in alexnet_features; hidden: values of each hidden dense layer, int; image: pixels a
    side of the images it is made for, int. Images (N, 3, image, image) -> scores (N, classes), without a softmax.
    The features, flattened in the order of torch.flatten(x, 1); a dense layer to `hidden` values, ReLU, dropout at rate
    0.5; another one, ReLU, dropout at rate 0.5; a dense layer to the scores. All have biases. The dropout is torch's,
    nn.Dropout (or F.dropout with the mode).
    Source: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012,
    sections 3.5 and 4.2.
    """

    def __init__(self, classes=1000, groups=1, width=96, hidden=4096, image=227):
        super().__init__()
        # BEGIN SOLUTION
        self.features = alexnet_features(groups, width)
        side = alexnet_sides(image)[-1]
        self.dense = nn.Sequential(
            OrderedDict(
                fc6=nn.Linear(8 * width // 3 * side * side, hidden),
                relu6=nn.ReLU(),
                drop6=nn.Dropout(0.5),
                fc7=nn.Linear(hidden, hidden),
                relu7=nn.ReLU(),
                drop7=nn.Dropout(0.5),
                fc8=nn.Linear(hidden, classes),
            )
        )

    def forward(self, x):
        x = self.features(x)  # (N, 256, 6, 6) at full size
        return self.dense(torch.flatten(x, 1))
        # END SOLUTION


# %% check="AlexNet"
check(AlexNet)

# %% [markdown]
# The paper speaks of 60 million parameters. On the device "meta" tensors have a shape but no numbers, so they are
# counted in no time. And two passes over one image: they differ in one mode only.

# %% show="Print AlexNet's parameters, and the scores of two passes in each mode"
if written(alexnet_sides, alexnet_features, AlexNet):
    for groups in (1, 2):
        with torch.device("meta"):
            network = AlexNet(groups=groups)
        print(f"groups {groups}: {sum(p.numel() for p in network.parameters()):,} parameters")

    torch.manual_seed(0)
    small = AlexNet(classes=3, width=6, hidden=32, image=67)
    x = torch.randn(1, 3, 67, 67)
    for mode in ("train", "eval"):
        getattr(small, mode)()
        passes = [" ".join(f"{score:6.3f}" for score in small(x)[0].tolist()) for _ in range(2)]
        print(f"{mode:5} scores, twice: {passes[0]}  |  {passes[1]}")

# %% [markdown]
# ## Listening to a network
#
# Where do the 60 million sit, and what takes the time? Let the network run once, and listen: torch calls a **forward
# hook** whenever a layer has done its work.

# %% show="Print what a hook hears"
layer = nn.Conv2d(3, 4, kernel_size=3)
handle = layer.register_forward_hook(
    lambda module, inputs, output: print(type(module).__name__, "gives", tuple(output.shape))
)
y = layer(torch.zeros(1, 3, 8, 8))
handle.remove()  # or it would speak each time
y = layer(torch.zeros(1, 3, 8, 8))

# %% [markdown]
# ## What to count
#
# - **parameters**: all numbers that a layer learns, biases too.
# - **activations**: the values it returns. Training keeps them for the backward pass.
# - **multiply-adds** (macs): one output of a convolution adds up as many products as its filter has weights,
#   $(C/G) K_H K_W$; one of a dense layer as many as it has inputs. Other layers count as 0, and so do biases: they do a
#   few operations for each activation, not hundreds.
#
# A layer here is a module with no modules inside: `module.children()` is empty. One that is used twice works twice,
# with one set of parameters.
#
# ### Exercise: the table ({points:layer_table} points, 18 minutes)
#
# Put a hook on every layer, send zeros through, take the hooks away. Whoever measures leaves no traces: batch norm
# changes its running averages in train mode, so switch to eval, and put each mode back as it was.
# `model.named_modules()` gives pairs of name and module. Our advice, which `check` does not try: make the zeros on the
# device of the parameters, `next(model.parameters()).device`. The cells below measure networks on "meta".


# %% exercise="layer_table"
@answer
def layer_table(model, input_shape):
    """List what each layer of a network costs for one image.

    model: torch.nn.Module; input_shape: (C, H, W) of an image. Returns rows, a list of dicts, one for each use of a
    layer (a module without children), in order of use, with the keys
    name: in model.named_modules(); kind: its class's name, such as "Conv2d"; shape: of its output without the batch, a
    tuple; parameters: int, 0 where the layer was used before; activations: int, the values it returns;
    macs: int, F*OH*OW * (C/groups)*KH*KW of an nn.Conv2d, inputs * outputs of an nn.Linear, 0 of others.
    Leaves the model as it was: no hooks on it, its training mode and its numbers unchanged.
    """
    # BEGIN SOLUTION
    rows, seen, handles = [], set(), []

    def listen(name, module):
        def hook(module, inputs, output):
            shape = tuple(output.shape[1:])
            weighs = isinstance(module, (nn.Conv2d, nn.Linear))
            products = math.prod(module.weight.shape[1:]) if weighs else 0  # for each output value
            learned = 0 if module in seen else sum(p.numel() for p in module.parameters())
            seen.add(module)
            counts = {
                "parameters": learned,
                "activations": math.prod(shape),
                "macs": products * math.prod(shape),
            }
            rows.append({"name": name, "kind": type(module).__name__, "shape": shape, **counts})

        handles.append(module.register_forward_hook(hook))

    modes = {module: module.training for module in model.modules()}
    for name, module in model.named_modules():
        if not list(module.children()):
            listen(name, module)
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, *input_shape, device=next(model.parameters()).device))
    for handle in handles:
        handle.remove()
    for module, mode in modes.items():
        module.training = mode
    return rows
    # END SOLUTION


# %% check="layer_table"
check(layer_table)

# %% [markdown]
# ## AlexNet, layer by layer
#
# First as it was, in two groups: high blocks have large maps, wide ones have many channels.

# %% show="Draw AlexNet, and print its table"
if written(alexnet_sides, alexnet_features, AlexNet, layer_table):
    with torch.device("meta"):
        rows = layer_table(AlexNet(groups=2), (3, 227, 227))
    plot.show_network(rows, title="AlexNet", image=(3, 227, 227))
    plot.show_table(rows)
    neurons = sum(row["activations"] for row in rows if row["kind"] in ("Conv2d", "Linear"))
    print(f"{neurons:,} units, each with a weighted sum of its own; the paper says 650,000")

# %% [markdown]
# ## Where does it all go?
#
# ReLU, norm and pooling are put to the layer before them. Below the picture: what a training step holds, but for the
# gradients of the activations.

# %% show="Draw where it all goes, and print the memory of a training step"
if written(alexnet_sides, alexnet_features, AlexNet, layer_table):
    plot.show_costs(rows, title="AlexNet in two groups, one image of 227 x 227")

    batch, number = 128, 4  # images a step, bytes of a float32
    values = sum(row["activations"] for row in rows)
    third = [i for i, row in enumerate(rows) if row["kind"] == "Conv2d"][2]  # where the third stage begins
    early = sum(row["activations"] for row in rows[:third]) / values
    learned = sum(row["parameters"] for row in rows)
    print(f"the first two stages hold {early:.0%} of the activations")
    print(f"weights, their gradients and momentum: {3 * learned * number / 2**20:5.0f} MiB, for any batch")
    print(f"activations of a batch of {batch}:         {batch * values * number / 2**20:5.0f} MiB")

# %% [markdown]
# ### Exercise: the convolutions' share ({points:conv_share} points, 5 minutes)
#
# Most memory is in the early convolutions, as you have just seen. Two more claims go with this network: most
# operations are in the convolutions, nearly all parameters in the dense layers.


# %% exercise="conv_share"
@answer
def conv_share(rows):
    """Work out how much of a network is in its convolutions.

    rows: list of dicts as layer_table returns them. Returns of_parameters, of_macs: floats from 0 to 1, the parameters
    in rows with kind "Conv2d" divided by those in all rows, and the macs likewise. 0.0 where all rows together have none.
    """
    # BEGIN SOLUTION
    shares = []
    for column in ("parameters", "macs"):
        total = sum(row[column] for row in rows)
        inside = sum(row[column] for row in rows if row["kind"] == "Conv2d")
        shares.append(inside / total if total else 0.0)
    return shares[0], shares[1]
    # END SOLUTION


# %% check="conv_share"
check(conv_share)

# %% show="Print the convolutions' share of parameters and multiply-adds"
if written(alexnet_sides, alexnet_features, AlexNet, layer_table, conv_share):
    print("groups  parameters  in convolutions  in dense layers  multiply-adds  in convolutions")
    for groups in (1, 2):
        with torch.device("meta"):
            rows = layer_table(AlexNet(groups=groups), (3, 227, 227))
        of_parameters, of_macs = conv_share(rows)
        learned, work = (sum(row[column] for row in rows) for column in ("parameters", "macs"))
        print(f"{groups:6} {learned:11,} {of_parameters:16.1%} {1 - of_parameters:16.1%}", end=" ")
        print(f"{work / 1e9:12.2f} G {of_macs:16.1%}")

# %% [markdown]
# Both follow from sharing: a filter's weight is used at every place of a map, a dense weight once for an image.
#
# ## Train a small relative
#
# The paper's recipe: batches of 128, SGD with momentum 0.9, weight decay $5 \cdot 10^{-4}$, a learning rate of 0.01,
# divided by 10 whenever the validation error stood still.
#
# ImageNet is out of reach here, so the next cell trains **another, smaller network** on images of 32 x 32: five
# convolutions, but all 3 x 3 at stride 1, batch norm in place of the response norm, narrower dense layers. It comes in
# two sizes. **Small**, for a CPU, takes well under a minute: generated images of five coloured shapes. **Full** is
# CIFAR-10, 50,000 photographs of ten classes, for a GPU, or if the environment variable `CNNLAB_BUDGET` is `full`.

# %% show="Train a small AlexNet, and draw its accuracy"
from cnnlab.train import DeviceData, predict, recipes

setting = recipes.get("alexnet")
network, history = setting.run()
print(f"{setting.budget}: {history.images:,} images of {setting.dataset}, {history.epochs} epochs", end=", ")
print(f"{sum(history.seconds):.0f} s on {history.device}")
print(f"{sum(p.numel() for p in network.parameters()):,} parameters", end=", ")
print(f"{history.test_accuracy[-1]:.1%} of {len(setting.data()[1][1]):,} new images right")
plot.show_lines(
    range(1, history.epochs + 1),
    {"training images": history.train_accuracy, "new images": history.test_accuracy},
    xlabel="epoch",
    ylabel="share that is right",
    title="A small AlexNet",
)

# %% [markdown]
# The new images may come out *above* the training images, which are moved and mirrored and judged while the network
# still learns. Next, its top-1, top-2 and top-3 errors; eight new images with its guess; and the eight whose right
# class it found least likely, with that class and its probability.

# %% show="Print its top-1 to top-3 errors, and draw its guesses and its worst images"
(images, labels), (new_images, new_labels) = setting.data()
names = data.SHAPE_NAMES if setting.dataset == "shapes" else data.CIFAR10_NAMES
likely = predict(network, (new_images, new_labels), like=DeviceData(images, labels)).numpy()  # (N, classes)
given = likely[np.arange(len(new_labels)), new_labels]  # to the right class
ahead = np.sum(likely > given[:, None], axis=1)  # how many classes it found likelier than the right one
print(", ".join(f"top-{k} error {np.mean(ahead >= k):.1%}" for k in (1, 2, 3)))
guesses, worst = likely.argmax(axis=1), np.argsort(given)[:8]
for chosen, classes in [(range(8), guesses), (worst, new_labels)]:
    titles = [f"{names[classes[i]]} {likely[i, classes[i]]:.0%}" for i in chosen]
    pictures = [new_images[i].transpose(1, 2, 0) / 255 for i in chosen]
    plot.show_images(pictures, titles, columns=8, size=1.1)

# %% [markdown]
# ## Question: halve what? ({points:halve_what} points, 5 minutes)
#
# You have AlexNet in two groups and may halve one thing: (a) `hidden`, the 4,096 values of both hidden layers, or (b)
# `width`, and with it all filters. Which one makes the file of weights smaller, which one an answer faster, and which
# one leaves room for larger batches in training? Give a reason for each from your table.

# %% [markdown] question="halve_what" points=2
# ### BEGIN SOLUTION
# *The file*: (a). It holds parameters, and 96 % of them are in the dense layers. Half the hidden values halve the
# first and the last dense matrix (37.7 and 4.1 million weights) and quarter the middle one (16.8 million), so about
# 33 million go, more than half of all. (b) only halves the first of the three, some 19 million, because its inputs
# are fewer; the filters themselves are few to begin with, 2.3 million weights.
#
# *An answer*: (b). 92 % of the multiply-adds are in the convolutions. With half the filters, each of which sees half
# the channels, all but the first convolution do a quarter of the work, the first, whose input is the image, half. (a)
# touches only the other 8 %.
#
# *Larger batches*: (b). Activations grow with the batch, weights do not, and nearly all activations are in the maps,
# so half the maps are nearly half the memory. (a) removes some twelve thousand values of 1.9 million.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The paper: Krizhevsky, Sutskever and Hinton, [*ImageNet classification with deep convolutional neural
# networks*](https://doi.org/10.1145/3065386), 2012, printed again in 2017.

# %% [markdown] part="next"
# ## Where this goes
#
# Your `layer_table` works for every network that follows. Lesson 09 asks what happens when all kernels are 3 x 3 and
# the network gets deeper; lesson 10 gets rid of the hidden dense layers, and so of most parameters. Lesson 13 takes
# the training recipe apart. Next: {next}.
