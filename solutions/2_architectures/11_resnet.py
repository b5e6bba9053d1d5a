# %% [markdown]
# # Residual networks
#
# {badge}
#
# {cover}
#
# Deeper networks should be better, and beyond some depth they were worse. You will measure that, find where it goes
# wrong, and build what ended it: blocks that learn what to *add* to their input. Then you train a network of yours.
#
# About 90 minutes, {points} points.

# %% cover="A plain chain of layers, and a residual one, where shortcuts lead round the layers and are added up."
import matplotlib.pyplot as plt

line = "#59636e"
figure, axes = plt.subplots(figsize=(7, 2.7), layout="constrained")
axes.set(xlim=(0, 70), ylim=(26.5, 1), aspect="equal")
axes.axis("off")


def arrow(*corners):
    """Draw a line through the corners, with an arrow's head at the last."""
    axes.plot(*zip(*corners[:-1], strict=True), color=line, linewidth=1.6)
    style = {"arrowstyle": "-|>", "color": line, "linewidth": 1.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", corners[-1], corners[-2], arrowprops=style)


for top, name, words in [
    (4, "plain", "the layers make something new of their input"),
    (19, "residual", "the layers only add to their input"),
]:
    axes.text(0, top, name, va="center", fontsize=14)
    axes.text(41, top + 5.5, words, ha="center", va="center", fontsize=12, color=line)
    arrow((12, top), (16, top))
    for left in (16, 34, 52):
        axes.add_patch(plt.Rectangle((left, top - 2.5), 9, 5, facecolor="#dbe7f4", edgecolor=line))
        axes.text(left + 4.5, top + 0.1, "layers", ha="center", va="center", fontsize=12)
        if name == "plain":
            arrow((left + 9, top), (left + 18, top))
        else:
            arrow((left - 2.4, top), (left - 2.4, top - 5), (left + 12.6, top - 5), (left + 12.6, top - 1.6))
            arrow((left + 9, top), (left + 11, top))
            arrow((left + 14.2, top), (left + 18, top))
            axes.add_patch(plt.Circle((left + 12.6, top), 1.6, facecolor="#ffd37a", edgecolor=line))
            axes.text(left + 12.6, top + 0.1, "+", ha="center", va="center", fontsize=14)

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
# ## Deeper should be better
#
# A network of 56 layers can do all that one of 20 can: copy the 20, and let the other 36 hand on what they get. So
# its best *training* loss is no higher. Does training find it?
#
# We train both: 3 x 3 convolutions with batch normalisation and ReLU, alike but for the depth. Trainings come in two
# sizes that run the same code: *small*, on drawn shapes, for a CPU, and *full*, on CIFAR-10, for a GPU. Whether there is a
# GPU decides, or the environment variable `CNNLAB_BUDGET`. There are four such trainings in this lesson; each takes about
# a minute in the small size, on two cores that do nothing else.

# %% show="Draw eight shapes, and train a plain network of 20 layers"
from cnnlab.train import recipes

images, labels = data.shape_images(8, seed=1)
names = [data.SHAPE_NAMES[label] for label in labels]
plot.show_images([image.transpose(1, 2, 0) / 255 for image in images], names, columns=8, size=1.2)

histories = {}


def train(name):
    """Train a network of the course by its recipe, say on what, and keep how it went."""
    chosen = recipes.get(name)
    print(
        f"{name}: {chosen.images:,} images of {chosen.dataset}, {chosen.recipe.epochs} epochs, {chosen.budget}"
    )
    _, histories[name] = chosen.run()


train("plain20")

# %% show="Train a plain network of 56 layers"
train("plain56")


# %% show="Draw training loss and test accuracy of both"
def compare(histories):
    """Draw what was measured after each epoch that all trainings have."""
    epochs = range(1, min(history.epochs for history in histories.values()) + 1)
    for measured, title, unit in [
        ("train_loss", "training loss", "cross-entropy"),
        ("test_accuracy", "test accuracy", "share of images right"),
    ]:
        lines = {name: getattr(history, measured)[: len(epochs)] for name, history in histories.items()}
        plot.show_lines(epochs, lines, xlabel="epoch", ylabel=unit, title=title)
    for name, history in histories.items():
        loss, accuracy = history.train_loss[-1], history.test_accuracy[-1]
        print(f"{name:9} training loss {loss:.3f}, {accuracy:.1%} of the test images right")


compare(histories)

# %% [markdown]
# The deeper network is worse on the *training* images as well. So it does not overfit: it fails to learn. This is the
# **degradation** of deep plain networks. (Trained for far longer, in the paper, the 56 layers do learn, and stay behind
# the 20.)
#
# ## Where it goes wrong
#
# The gradient goes back through all layers, and each multiplies it: fifty factors a little above or below 1 make a
# huge or a tiny number. Here is its length for some of the convolutions, from the image (0 %) to the scores (100 %).


# %% show="Draw how long the gradient is in both networks before the first step"
def gradient_norms(network, images, labels, places):
    """Return the length of the loss's gradient for the convolutions at these places, 0 to 100 per cent of the depth."""
    x = torch.from_numpy(images) / 255
    x = (x - x.mean((0, 2, 3), keepdim=True)) / x.std((0, 2, 3), keepdim=True)
    F.cross_entropy(network.train()(x), torch.from_numpy(labels)).backward()
    norms = [m.weight.grad.norm().item() for m in network.modules() if isinstance(m, nn.Conv2d)]
    return [norms[round(place / 100 * (len(norms) - 1))] for place in places]


from cnnlab import models

places = range(0, 101, 10)
batch = data.shape_images(50, seed=1)
norms = {}
for name in ("plain20", "plain56"):
    torch.manual_seed(0)
    norms[name] = gradient_norms(models.get(name, classes=5), *batch, places)
    print(f"{name}: {norms[name][0]:.2g} at the image, {norms[name][-1]:.2g} at the scores")
plot.show_lines(
    places,
    norms,
    xlabel="place in the network, per cent",
    ylabel="length of the gradient",
    title="before the first step",
    logarithmic="y",
)

# %% [markdown]
# It does not vanish, as is often said: batch normalisation keeps the signal alive on its way forward. But on the way
# back its divisions by the spread multiply, and the gradient *grows* from layer to layer (Yang et al., *A mean field
# theory of batch normalization*, arXiv 1902.08129). No step suits the first layers and the last.
#
# ## Learn what to add
#
# Handing on the input is hard for convolutions. So let two of them compute a **residual** $F(x)$, and add the input.
#
# $$y = \text{ReLU}\bigl(F(x) + x\bigr)$$
#
# ```text
# x --+-- conv 3x3 - norm - ReLU - conv 3x3 - norm --(+)-- ReLU -- y
#     |                                               |
#     +------------------ shortcut -------------------+
# ```
#
# A block that has nothing to do learns $F = 0$, which is easy. And where $g$ is the gradient that reaches the sum, $x$
# gets $g + g\,\partial F/\partial x$: a copy of $g$ that nothing multiplies, through as many blocks as there are, but for
# the ReLUs between them.
#
# The ReLU comes *after* the addition. Before it, $F$ could never be negative, and the signal could only grow.
#
# ## When the shapes differ
#
# Some blocks halve height and width, by the stride of their *first* convolution, or change the channels. Then $x$ no
# longer fits. A **projection** makes it fit: a 1 x 1 convolution of the same stride, with batch normalisation and no ReLU.
# Where nothing changes, the shortcut is $x$ itself.
#
# No convolution here has a bias: the batch normalisation behind it would subtract it again.
#
# ### Exercise: the basic block ({points:BasicBlock} points, 15 minutes)
#
# Here and below you write the rest of a class: what `__init__` makes, and the method `forward(self, x)`. Keep the
# shortcut in `self.shortcut`, an `nn.Identity()` where it changes nothing: a later exercise puts another one there.


# %% exercise="BasicBlock"
@answer
class BasicBlock(nn.Module):
    """Add two 3 x 3 convolutions of the input to it.

    channels, filters, stride: int. (N, channels, H, W) -> (N, filters, ceil(H/stride), ceil(W/stride)):
    ReLU(norm2(conv2(ReLU(norm1(conv1(x))))) + shortcut(x)). conv1 has the stride; both have padding 1, no bias.
    The shortcut is a module in self.shortcut, which make_resnet will replace: nn.Identity() where stride is 1 and filters
    == channels, else a 1 x 1 convolution of the stride, without bias, and batch normalisation.
    Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2015, arXiv 1512.03385, section 3.
    """

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        # BEGIN SOLUTION
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != filters:
            projection = nn.Conv2d(channels, filters, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + self.shortcut(x))
        # END SOLUTION


# %% check="BasicBlock"
check(BasicBlock)

# %% [markdown]
# Ten blocks in a row, all their weights zero: what is left of a photograph? And of ten pairs of plain convolutions?

# %% show="Draw what ten blocks and twenty convolutions with zero weights leave of a photograph"
if written(BasicBlock):
    photo = data.photo()[40:200, 30:190]
    x = torch.tensor(photo.transpose(2, 0, 1)[None], dtype=torch.float32)  # (1, 3, 160, 160)
    blocks = nn.Sequential(*[BasicBlock(3, 3) for _ in range(10)])
    convolutions = nn.Sequential(*[nn.Conv2d(3, 3, 3, padding=1) for _ in range(20)])
    for parameter in (*blocks.parameters(), *convolutions.parameters()):
        nn.init.zeros_(parameter)
    with torch.no_grad():
        after = [network(x)[0].permute(1, 2, 0).numpy() for network in (blocks, convolutions)]
    plot.show_images([photo, *after], ["photograph", "ten blocks", "twenty convolutions"])

# %% [markdown]
# ## Shortcuts without parameters
#
# The paper has three kinds of shortcut. **A**: where the shape changes, take every second pixel, and put channels of zeros
# behind those that there are. **B**: project there; your block does that. **C**: project everywhere. B was a little better
# than A, and C hardly better than B, with the most parameters.
#
# For small images the paper takes A, and so do we: then a residual network learns as many numbers as the plain one.
# Below, two channels of 4 x 4 become four of 2 x 2.


# %%
class PaddedShortcut(nn.Module):
    """Take every stride-th pixel and add channels of zeros: (N, channels, H, W) -> (N, filters, ...)."""

    def __init__(self, channels, filters, stride):
        super().__init__()
        self.stride, self.missing = stride, filters - channels

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, 0, self.missing))  # before and after: columns, rows, channels


# %% show="Draw a shortcut without parameters: two channels become four"
x = torch.arange(1, 33).reshape(1, 2, 4, 4)
y = PaddedShortcut(2, 4, stride=2)(x)[0].numpy()
kept = np.arange(16).reshape(4, 4)
kept = (kept % 2 == 0) & (kept // 4 % 2 == 0)
titles = ["x, 0", "x, 1", *(f"y, {channel}" for channel in range(4))]
plot.show_grids([*x[0].numpy(), *y], titles, [kept] * 2 + [None] * 4, columns=6)

# %% [markdown]
# ## A network of 6n + 2 layers
#
# For images of 32 x 32, with $w$ filters in the first stage (16 in the paper):
#
# | part | maps | filters | layers |
# |---|---|---|---|
# | convolution 3 x 3, norm, ReLU | 32 x 32 | $w$ | 1 |
# | stage 1: $n$ blocks | 32 x 32 | $w$ | $2n$ |
# | stage 2: $n$ blocks, the first with stride 2 | 16 x 16 | $2w$ | $2n$ |
# | stage 3: $n$ blocks, the first with stride 2 | 8 x 8 | $4w$ | $2n$ |
# | mean of each map, linear | | | 1 |
#
# ### Exercise: a network of any depth ({points:make_resnet} points, 15 minutes)
#
# Where a block of yours projects, assign a `PaddedShortcut` to its `shortcut`. `nn.AdaptiveAvgPool2d(1)` takes the mean of
# each map, and `nn.Sequential(*modules)` strings a list together. (Blocks that stay in a plain Python list are no part of
# the network: nobody would train them.) Refuse a depth that is not $6n + 2$ by a `ValueError` that says which depths
# there are; `check` does not try that.


# %% exercise="make_resnet"
@answer
def make_resnet(depth, classes=10, width=16):
    """Build the residual network for small images.

    depth: 6n + 2 with n >= 1; classes, width: int. Returns an nn.Module, (N, 3, H, W) -> scores (N, classes): a 3 x 3
    convolution of `width` filters, without bias, batch normalisation, ReLU; three stages of n BasicBlocks with width,
    2*width and 4*width filters, the second and third beginning with stride 2; the mean of each map; a linear layer.
    Where the shape changes, a block's `shortcut` is a PaddedShortcut (option A), which has no parameters.
    Another depth is a ValueError (not checked). Source: He et al., 2015, section 4.2.
    """
    # BEGIN SOLUTION
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"a depth is 6n + 2, as 8, 14, 20 and 56 are, not {depth}")
    modules = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    channels = width
    for stage in range(3):
        filters = width * 2**stage
        for number in range((depth - 2) // 6):
            stride = 2 if stage > 0 and number == 0 else 1
            block = BasicBlock(channels, filters, stride)
            if channels != filters:
                block.shortcut = PaddedShortcut(channels, filters, stride)
            modules.append(block)
            channels = filters
    return nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))
    # END SOLUTION


# %% check="make_resnet"
check(make_resnet)

# %% [markdown]
# The paper counts 0.27, 0.46, 0.66, 0.85 and 1.7 million parameters. Yours, beside the plain network:

# %% show="Print the parameters of your networks and of plain ones"
if written(BasicBlock, make_resnet):
    for depth in (20, 32, 44, 56, 110):
        mine, plain = make_resnet(depth), models.get(f"plain{depth}")
        count, other = (sum(p.numel() for p in network.parameters()) for network in (mine, plain))
        print(f"depth {depth:3}: {count:9,} parameters, plain {other:9,}")

# %% [markdown]
# ## The same experiment, with shortcuts
#
# The images, the recipe and the number of parameters are those of the plain networks.

# %% show="Train a residual network of 20 layers"
train("resnet20")

# %% show="Train a residual network of 56 layers"
train("resnet56")

# %% show="Draw training loss and test accuracy of all four"
compare(histories)

# %% [markdown]
# And the gradient before the first step, of all four:

# %% show="Draw how long the gradient is in all four networks before the first step"
for name in ("resnet20", "resnet56"):
    torch.manual_seed(0)
    norms[name] = gradient_norms(models.get(name, classes=5), *batch, places)
plot.show_lines(
    places,
    norms,
    xlabel="place in the network, per cent",
    ylabel="length of the gradient",
    title="before the first step",
    logarithmic="y",
)
for name, values in norms.items():
    print(f"{name:9} the largest of these is {max(values) / min(values):7,.1f} times the smallest")

# %% [markdown]
# ## The bottleneck
#
# A 3 x 3 convolution from 256 channels to 256 is costly. The **bottleneck** of lesson 05 narrows first: 1 x 1 to 64
# channels, 3 x 3 among those, 1 x 1 back to 256, four times as wide as inside.
#
# ```text
# x --+-- conv 1x1 - norm - ReLU - conv 3x3, stride - norm - ReLU - conv 1x1 - norm --(+)-- ReLU -- y
#     |   reduced                  reduced                          4*reduced          |
#     +----------------------------------- shortcut -----------------------------------+
# ```
#
# The stride is on the 3 x 3, as in torchvision; the paper has it on the first 1 x 1, which then never reads three pixels
# of four. The shortcut is as before. ResNets of 18 and 34 layers are built of basic blocks, those of 50, 101 and 152 of
# bottlenecks.
#
# ### Exercise: the bottleneck ({points:Bottleneck} points, 12 minutes)


# %% exercise="Bottleneck"
@answer
class Bottleneck(nn.Module):
    """Add a 3 x 3 convolution between two of 1 x 1, of which the last widens fourfold, to the input.

    channels, reduced, stride: int. (N, channels, H, W) -> (N, 4*reduced, ceil(H/stride), ceil(W/stride)):
    ReLU(norm3(conv3(ReLU(norm2(conv2(ReLU(norm1(conv1(x)))))))) + shortcut(x)). conv1: 1 x 1 to `reduced` filters; conv2:
    3 x 3, padding 1, with the stride; conv3: 1 x 1 to 4*reduced; no biases. The shortcut is x where stride is 1 and
    channels == 4*reduced, else a 1 x 1 convolution of the stride, without bias, and batch normalisation.
    Source: He et al., 2015, section 4.1; the place of the stride: torchvision.
    """

    def __init__(self, channels, reduced, stride=1):
        super().__init__()
        # BEGIN SOLUTION
        filters = 4 * reduced
        self.conv1 = nn.Conv2d(channels, reduced, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(reduced)
        self.conv2 = nn.Conv2d(reduced, reduced, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(reduced)
        self.conv3 = nn.Conv2d(reduced, filters, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(filters)
        self.shortcut = nn.Identity()
        if stride != 1 or channels != filters:
            projection = nn.Conv2d(channels, filters, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(filters))

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        y = self.norm3(self.conv3(y))
        return F.relu(y + self.shortcut(x))
        # END SOLUTION


# %% check="Bottleneck"
check(Bottleneck)

# %% show="Compare the weights of a bottleneck with those of one 3 x 3"
if written(Bottleneck):
    block = Bottleneck(256, 64)
    convolutions = [m.weight.numel() for m in block.modules() if isinstance(m, nn.Conv2d)]
    wide = nn.Conv2d(256, 256, 3, bias=False).weight.numel()
    print(f"one 3 x 3 from 256 to 256: {wide:,} weights")
    print(f"bottleneck: {' + '.join(f'{n:,}' for n in convolutions)} = {sum(convolutions):,}")
    print(f"{wide / sum(convolutions):.2f} times fewer")

# %% [markdown]
# ## ResNet-18
#
# Images of 224 x 224 are made small first. With $w = 64$:
#
# | part | maps | filters |
# |---|---|---|
# | convolution 7 x 7, stride 2, padding 3, norm, ReLU | 112 x 112 | $w$ |
# | max pooling 3 x 3, stride 2, padding 1 | 56 x 56 | $w$ |
# | stage 1: two basic blocks | 56 x 56 | $w$ |
# | stages 2, 3, 4: two basic blocks each, the first with stride 2 | 28, 14, 7 | $2w, 4w, 8w$ |
# | mean of each map, linear | | |
#
# Shortcuts project where the shape changes: your blocks as they are.
#
# ### Exercise: ResNet-18 ({points:ResNet18} points, 12 minutes)


# %% exercise="ResNet18"
@answer
class ResNet18(nn.Module):
    """The residual network of 18 layers for large images.

    classes, width: int. (N, 3, H, W) -> scores (N, classes): 7 x 7 convolution of `width` filters, stride 2, padding 3, no
    bias; batch normalisation, ReLU; max pooling 3 x 3, stride 2, padding 1; four stages of two BasicBlocks with width,
    2*width, 4*width and 8*width filters, each but the first beginning with stride 2; the mean of each map; a linear layer.
    With 1000 classes and width 64 it learns 11,689,512 numbers. Source: He et al., 2015, table 1.
    """

    def __init__(self, classes=1000, width=64):
        super().__init__()
        # BEGIN SOLUTION
        modules = [nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        modules.append(nn.MaxPool2d(3, stride=2, padding=1))
        channels = width
        for stage in range(4):
            filters = width * 2**stage
            modules.append(BasicBlock(channels, filters, stride=1 if stage == 0 else 2))
            modules.append(BasicBlock(filters, filters))
            channels = filters
        modules += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes)]
        self.layers = nn.Sequential(*modules)

    def forward(self, x):
        return self.layers(x)
        # END SOLUTION


# %% check="ResNet18"
check(ResNet18)

# %% [markdown]
# The whole network, on torch's *meta* device, which computes shapes and no numbers. The table has all layers, norms too;
# a ReLU called as a function is none.

# %% show="Print the table of your ResNet-18"
if written(BasicBlock, ResNet18):
    with torch.device("meta"):
        rows = models.costs(ResNet18(), (3, 224, 224))
    rows = [row for row in rows if row["kind"] != "Identity"]
    plot.show_table(rows)

# %% [markdown]
# The pictures leave out norms and ReLUs, so they count fewer activations than the table. And they know only the order of
# use: a projection seems to follow the two convolutions that it runs beside.

# %% show="Draw your ResNet-18, and where its costs go"
if written(BasicBlock, ResNet18):
    counted = [row for row in rows if row["kind"] in ("Conv2d", "MaxPool2d", "Linear")]
    plot.show_network(counted, title="ResNet-18: convolutions, pooling and linear layer")
    plot.show_costs(counted, title="ResNet-18")

# %% [markdown]
# Its relatives, and VGG16 for comparison:

# %% show="Print the parameters and multiply-adds of its relatives and of VGG16"
blocks = {18: "2 2 2 2", 34: "3 4 6 3", 50: "3 4 6 3", 101: "3 4 23 3", 152: "3 8 36 3"}
print("network     blocks        parameters   multiply-adds")
with torch.device("meta"):
    for name in [*(f"resnet{depth}" for depth in blocks), "vgg16"]:
        spent = models.costs(models.get(name, classes=1000, image=224), (3, 224, 224))
        learned, macs = (sum(row[column] for row in spent) for column in ("parameters", "macs"))
        stages = blocks[int(name[6:])] if name.startswith("resnet") else ""
        print(f"{name:11} {stages:10} {learned:13,} {macs:15,}")

# %% [markdown]
# ## Train your own
#
# Your ResNet-20 shall tell five shapes apart. `fit` trains a torch network in place and leaves it in `eval` mode. It takes
# images as bytes and makes each channel's mean 0 and spread 1 itself:
#
# ```python
# from cnnlab.train import Recipe, fit
#
# fit(network, (images, labels), recipe=Recipe(epochs=3))
# ```
#
# | in the recipe | meaning | default |
# |---|---|---|
# | `epochs`, `batch` | passes over the images; images in a step | 10, 128 |
# | `lr`, `momentum`, `weight_decay` | as in lesson 07; `lr` is the highest | 0.1, 0.9, 0.0005 |
# | `shift` | moves images by up to so many pixels | 0 |
# | `flip` | `"random"` mirrors each image, left to right, with probability 1/2 | `"none"` |
#
# Write the import *inside* the function: grading judges the weights and has no training.
#
# Weights travel as arrays by name. The helper below names layers in the order of their *use*, whatever your attributes are
# called: `conv1` and `norm1` to `conv19` and `norm19`, then the linear layer. A normalisation's four vectors, the running
# mean and variance among them, make one array $(4, C)$.


# %%
def tensors_by_name(network):
    """Return name -> list of tensors of a network, its layers named in the order in which it uses them."""
    used = []
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.Linear)
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    hooks = [layer.register_forward_hook(lambda layer, x, y: used.append(layer)) for layer in layers]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 32, 32, device=next(network.parameters()).device))
    for hook in hooks:
        hook.remove()
    tensors, number = {}, 0
    for layer in used:
        if isinstance(layer, nn.Conv2d):
            number += 1
            tensors[f"conv{number}"] = [layer.weight]
        elif isinstance(layer, nn.BatchNorm2d):
            tensors[f"norm{number}"] = [layer.weight, layer.bias, layer.running_mean, layer.running_var]
        else:
            tensors |= {"linear.weight": [layer.weight], "linear.bias": [layer.bias]}
    return tensors


def arrays_by_name(network):
    """Return a network's weights as arrays by name."""
    arrays = {}
    for name, tensors in tensors_by_name(network).items():
        values = [tensor.detach().cpu().numpy() for tensor in tensors]
        arrays[name] = np.stack(values) if len(values) > 1 else values[0].copy()
    return arrays


def load_arrays(network, arrays):
    """Put arrays that arrays_by_name returned into a network."""
    with torch.no_grad():
        for name, tensors in tensors_by_name(network).items():
            for tensor, values in zip(
                tensors, arrays[name] if len(tensors) > 1 else [arrays[name]], strict=True
            ):
                tensor.copy_(torch.from_numpy(values))


# %% [markdown]
# ### Exercise: train ResNet-20 ({points:trained_resnet} points, 12 minutes)
#
# Make a network with your `make_resnet`, train it, return `arrays_by_name(network)`. The next cell saves that as
# `resnet20.safetensors`, beside this notebook. **Hand that file in as well**: it is judged, not your function, by what it
# says of new images, as they are (96 % must be right) and moved, of other contrast and noisy (90 %).
#
# Begin with 4 epochs and batches of 50; then see what more epochs, a smaller `lr`, `shift` and `flip` do.


# %% exercise="trained_resnet"
@answer
def trained_resnet(images, labels):
    """Train ResNet-20 on drawn shapes.

    images: (N, 3, 32, 32) uint8, as from data.shape_images; labels: (N,), 0 to 4.
    Returns the weights of a make_resnet(20, classes=5), arrays_by_name(network): name -> array, float32.
    """
    # BEGIN SOLUTION
    from cnnlab.train import Recipe, fit

    torch.manual_seed(0)
    network = make_resnet(20, classes=5)
    fit(network, (images, labels), recipe=Recipe(epochs=8, batch=50, lr=0.05, shift=2, flip="random"))
    return arrays_by_name(network)
    # END SOLUTION


# %% show="Train your ResNet-20, and save its weights"
if written(BasicBlock, make_resnet, trained_resnet):
    from time import perf_counter

    from cnnlab.nn import save_weights

    began = perf_counter()
    weights = trained_resnet(*data.shape_images(2000, seed=1))
    path = save_weights("resnet20.safetensors", weights)
    print(
        f"trained in {perf_counter() - began:.0f} seconds; {len(weights)} arrays, {path.stat().st_size:,} bytes"
    )

# %% check="trained_resnet"
check(trained_resnet)

# %% [markdown]
# Of 500 other images, those that your network likes least: it gives the right class the lowest probability.

# %% show="Print the share of other images right, and draw those it likes least"
if written(BasicBlock, make_resnet, trained_resnet):
    from cnnlab.train import DeviceData, predict

    network = make_resnet(20, classes=5)
    load_arrays(network, weights)
    images, labels = data.shape_images(500, seed=2)
    seen = DeviceData(*data.shape_images(2000, seed=1))  # whose mean and spread it knows
    probabilities = predict(network, (images, labels), like=seen).numpy()
    print(f"{np.mean(probabilities.argmax(1) == labels):.1%} are right")
    likes = probabilities[np.arange(500), labels]
    worst = np.argsort(likes)[:6]
    titles = [f"{data.SHAPE_NAMES[labels[i]]}, {likes[i]:.0%}" for i in worst]
    plot.show_images([images[i].transpose(1, 2, 0) / 255 for i in worst], titles, columns=6, size=1.5)

# %% [markdown]
# ## Question: why did it fail? ({points:why_plain_fails} points, 5 minutes)
#
# A friend explains: "The plain network of 56 layers overfits, because it has too many parameters, and its gradients
# vanish. Shortcuts help because they take parameters away." Correct each claim by what you measured, and say what a
# shortcut does for the signal and for the gradient.

# %% [markdown] question="why_plain_fails" points=2
# ### BEGIN SOLUTION
# It does not overfit: its loss is higher on the *training* images too. Overfitting would be a low training loss with a
# bad test accuracy.
#
# Parameters are not the reason: the residual network of 56 layers has exactly as many (its shortcuts have none), and it
# learns.
#
# The gradients do not vanish: with batch normalisation they are, before the first step, the larger the nearer a layer is
# to the image, by orders of magnitude at 56 layers. No learning rate suits all layers.
#
# With a shortcut a block has only to learn what to add, and doing nothing is F = 0; the signal reaches the end
# even through useless blocks. Going back, the derivative of F(x) + x holds the identity, so the gradient arrives
# at early layers about as large as it left the late ones, as the second picture shows.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The paper: He, Zhang, Ren and Sun, [*Deep residual learning for image
# recognition*](https://arxiv.org/abs/1512.03385). Worth reading, by the same authors: [*Identity mappings in deep
# residual networks*](https://arxiv.org/abs/1603.05027), which moves norm and ReLU in front of the convolutions, so that
# nothing stands in the shortcut's way. On gradients that grow: Yang and others, [*A mean field theory of batch
# normalization*](https://arxiv.org/abs/1902.08129).

# %% [markdown] part="next"
# ## Where this goes
#
# The next lesson meets the descendants: wider, grouped, densely connected, thrifty. Next: {next}.
