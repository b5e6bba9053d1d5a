# %% [markdown]
# # VGG: only 3 x 3
#
# {badge}
#
# {cover}
#
# AlexNet had eight layers and kernels of three sizes. Two years later VGG had sixteen or nineteen, kernels of one
# size, and half the mistakes. You will count why small kernels pay, what each layer costs, and where a famous
# total is wrong; then build the whole family from lists, and train one.
#
# About 85 minutes, {points} points.

# %% cover="VGG16 as a row of blocks: five stages of 3 x 3 convolutions, a pooling after each, then three dense layers."
import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.set(xlim=(-8, 217), ylim=(-52, 42), aspect="equal")
axes.axis("off")
blue, green, orange = "#3b6ea8", "#2f9e63", "#d55e00"
left = 0
for convolutions, filters, side in [(2, 64, 224), (2, 128, 112), (3, 256, 56), (3, 512, 28), (3, 512, 14)]:
    high, wide = 64 * (side / 224) ** 0.5, 3 + filters / 64  # the maps' side and channels, not to scale
    begin = left
    for colour in [blue] * convolutions + [green]:
        tall = high if colour == blue else high * 0.5**0.5  # a pooling halves the side
        axes.add_patch(plt.Rectangle((left, -tall / 2), wide, tall, facecolor=colour))
        left += wide + 1
    middle = (begin + left) / 2
    unit = " filters" if filters == 64 else ""
    axes.text(middle, high / 2 + 3, f"{filters}{unit}", ha="center", fontsize=12)
    axes.text(middle, -high / 2 - 3, f"{side} x {side}", ha="center", va="top", fontsize=12)
    left += 6
for number, units in enumerate([4096, 4096, 1000]):
    axes.add_patch(plt.Rectangle((left + 8 * number, -units / 160), 6, units / 80, facecolor=orange))
for x, colour, words in [
    (28, blue, "3 x 3 convolution"),
    (106, green, "2 x 2 pooling"),
    (172, orange, "dense"),
]:
    axes.add_patch(plt.Rectangle((x, -49), 6, 6, facecolor=colour))
    axes.text(x + 9, -46, words, va="center", fontsize=13)

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

from cnnlab import answer, check, plot, written

# %% [markdown]
# ## One rule
#
# In the ImageNet challenge five guesses are allowed. In 2013 the best entry, by the maker of ZFNet, a retuned
# AlexNet, missed 11.7 %. In 2014 VGG missed 7.3 % with nothing but **3 x 3 convolutions, stride 1, padding 1**,
# which keep the map's size, and **2 x 2 max pooling, stride 2**, which halves it.

# %% show="Draw AlexNet and VGG16 with the sizes of their kernels"
from cnnlab import models


def with_kernels(network, rows):
    """Keep the rows of convolutions, poolings and dense layers, and name them by their kernels."""
    named = []
    for row in rows:
        kernel = getattr(network.get_submodule(row["name"]), "kernel_size", None)
        size = kernel if isinstance(kernel, int) else kernel[0] if kernel else 0
        word = {"Conv2d": f"conv {size} x {size}", "MaxPool2d": f"pool {size} x {size}", "Linear": "dense"}
        if row["kind"] in word:
            named.append({**row, "name": word[row["kind"]]})
    return named


for title, name, side in [("AlexNet, 2012", "alexnet_2012", 227), ("VGG16, 2014", "vgg16", 224)]:
    with torch.device("meta"):  # shapes without numbers: costs no memory
        network = models.get(name, classes=1000, image=side)
    rows = with_kernels(network, models.costs(network, (3, side, side)))
    plot.show_network(rows, title=title, image=(3, side, side))

# %% [markdown]
# ## Small kernels in a row
#
# From lesson 06: each layer at stride 1 adds $k-1$ pixels to the receptive field, so $d$ layers of $k \times k$
# see
#
# $$1 + d\,(k-1)$$
#
# pixels along an axis, three of 3 x 3 as much as one of 7 x 7. With $C$ channels in and out, no biases, and
# padding that keeps the maps $H \times W$, they have $d\,k^2C^2$ weights, each used at $HW$ places: 27 against
# 49, times $C^2$. And there are three ReLUs in place of one. The price: each layer makes a map of $C H W$ values,
# its **activations**, and the backward pass needs them all.
#
# ### Exercise: the cost of a stack ({points:stack_parameters} points, 7 minutes)


# %% exercise="stack_parameters"
@answer
def stack_parameters(kernel, depth, channels, image):
    """Count what a stack of equal convolutions sees and costs, at stride 1, without biases, size kept.

    kernel: int, odd; depth: int, how many layers; channels: int, in and out of each; image: (height, width)
    of all maps. Returns four ints: field, the receptive field along one axis; weights, of all layers; macs, the
    multiply-adds of one image: each weight once at every place; activations, the values that the layers make.
    Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition,
    arXiv 1409.1556, section 2.3.
    """
    # BEGIN SOLUTION
    height, width = image
    field = 1 + depth * (kernel - 1)
    weights = depth * channels * channels * kernel * kernel
    macs = weights * height * width
    activations = depth * channels * height * width
    return field, weights, macs, activations
    # END SOLUTION


# %% check="stack_parameters"
check(stack_parameters)

# %% [markdown]
# The small stack against the large kernel of the same field, with 64 channels on maps of 56 x 56; shares are of
# the large kernel's. A longer stack saves more weights and keeps more in memory.

# %% show="Compare stacks of 3 x 3 with one large kernel of the same field"
if written(stack_parameters):
    print("field  one kernel  3 x 3 layers   weights: one     stack  share    activations: share")
    for depth in (1, 2, 3, 5):
        field, weights, _, activations = stack_parameters(3, depth, 64, (56, 56))
        _, weights_one, _, activations_one = stack_parameters(field, 1, 64, (56, 56))
        print(
            f"{field:5} {f'{field} x {field}':>11} {depth:13} {weights_one:14,} {weights:9,}"
            f" {weights / weights_one:6.0%} {activations / activations_one:21.0%}"
        )

# %% [markdown]
# Smaller still, $n \times 1$ and then $1 \times n$ have $2n$ weights in place of $n^2$, but in one channel make
# only kernels whose rows are alike up to a factor (lesson 06). VGG stays with 3 x 3, the smallest kernel that
# knows left from right, up from down, and the middle.
#
# ## A network as a list
#
# Such a network is a list: the filters of each convolution, and `"M"` for a max pooling. The paper's have five
# **stages**, each with a pooling at its end; the first has 64 filters, each next one twice as many, up to 512:
#
# | depth | convolutions in the stages |
# |---|---|
# | 11 | 1, 1, 2, 2, 2 |
# | 13 | 2, 2, 2, 2, 2 |
# | 16 | 2, 2, 3, 3, 3 |
# | 19 | 2, 2, 4, 4, 4 |
#
# The depth counts layers with weights: convolutions and three dense layers. In general the first stage has
# `width` filters and none more than `8 * width`.
#
# ### Exercise: write the list ({points:vgg_config} points, 6 minutes)


# %% exercise="vgg_config"
@answer
def vgg_config(convolutions, width=64):
    """List the layers of a VGG network up to its last pooling.

    convolutions: list of int, how many each stage has; width: int, filters in the first stage. Returns config,
    a list with an int, the filters, for each convolution and "M" for the pooling that ends each stage, the last one
    too. Each stage has twice the filters of the one before it, but at most 8 * width.
    Source: Simonyan and Zisserman, arXiv 1409.1556, table 1.
    """
    # BEGIN SOLUTION
    config, filters = [], width
    for count in convolutions:
        config += [filters] * count + ["M"]
        filters = min(2 * filters, 8 * width)
    return config
    # END SOLUTION


# %% check="vgg_config"
check(vgg_config)

# %% show="Print the lists of VGG11, 13, 16 and 19"
if written(vgg_config):
    for convolutions in [(1, 1, 2, 2, 2), (2, 2, 2, 2, 2), (2, 2, 3, 3, 3), (2, 2, 4, 4, 4)]:
        config = vgg_config(convolutions)
        depth = sum(entry != "M" for entry in config) + 3
        print(f"VGG{depth}: {' '.join(map(str, config))}")

# %% [markdown]
# ## The table
#
# What does each layer cost?
#
# - **activations**: the values that it returns for one image, the product of its shape;
# - **parameters**: a convolution of $F$ filters on $C$ channels has $9CF$ weights; a dense layer of $M$ units
#   that reads $D$ numbers has $DM$; each filter or unit may have a bias;
# - **macs**: multiply-adds for one image. A convolution uses each weight at every place of the map that it makes,
#   a dense layer once. Adding a bias and pooling multiply nothing: count 0.
#
# After the list come two hidden dense layers and one for the classes; the first reads *all* $C H W$ numbers of
# the last map. The first rows of VGG16 (`conv2_1` is the first convolution of stage 2):
#
# | name | shape | activations | parameters | macs |
# |---|---|---|---|---|
# | input | (3, 224, 224) | 150,528 | 0 | 0 |
# | conv1_1 | (64, 224, 224) | 3,211,264 | 1,792 | 86,704,128 |
#
# $1{,}792 = 9 \cdot 3 \cdot 64 + 64$ and $86{,}704{,}128 = 9 \cdot 3 \cdot 64 \cdot 224 \cdot 224$. `pair` makes
# (height, width) of an image that is one number; a pooling halves each side and drops what is left over (`//`).
# Convolutions after the last `"M"` are a stage of their own.


# %%
def pair(value):
    """Turn one number into two equal ones, and leave a pair as it is."""
    return (value, value) if isinstance(value, (int, np.integer)) else tuple(value)


# %% [markdown]
# ### Exercise: the table ({points:vgg16_table} points, 18 minutes)
#
# Go through the list and remember the shape that the last layer left.


# %% exercise="vgg16_table"
@answer
def vgg16_table(config, image=224, classes=1000, bias=True, hidden=4096):
    """Work out what each layer of a VGG network costs for one image of three channels.

    config: list of int (filters of a 3 x 3 convolution, padding 1) and "M" (2 x 2 max pooling, stride 2);
    image: int or (height, width); classes, hidden: int, units of the last and of the two hidden dense layers; bias:
    bool, whether filters and units have one. Returns rows, a list of dicts with the keys name, shape, activations,
    parameters, macs, in this order of layers: "input", then "conv1_1", "conv1_2", ..., "pool1", "conv2_1", ...,
    then "dense1", "dense2", "dense3". shape is a tuple, (C, H, W) or for a dense layer (units,); the others
    are ints.
    """
    # BEGIN SOLUTION
    rows = []

    def add(name, shape, weights=0, places=1):
        """Append a row; a layer with weights has a bias for each of its shape[0] filters or units."""
        biases = shape[0] if weights and bias else 0
        activations = int(np.prod(shape))
        rows.append(
            dict(
                name=name,
                shape=shape,
                activations=activations,
                parameters=weights + biases,
                macs=weights * places,
            )
        )

    channels, (height, width) = 3, pair(image)
    add("input", (channels, height, width))
    stage, number = 1, 1
    for entry in config:
        if entry == "M":
            height, width = height // 2, width // 2
            add(f"pool{stage}", (channels, height, width))
            stage, number = stage + 1, 1
        else:
            add(f"conv{stage}_{number}", (entry, height, width), 9 * channels * entry, height * width)
            channels, number = entry, number + 1
    reads = channels * height * width
    for number, units in enumerate([hidden, hidden, classes], start=1):
        add(f"dense{number}", (units,), reads * units)
        reads = units
    return rows
    # END SOLUTION


# %% check="vgg16_table"
check(vgg16_table)

# %% show="Print your table of VGG16"
if written(vgg_config, vgg16_table):
    table = vgg16_table(vgg_config((2, 2, 3, 3, 3)))
    plot.show_table(table)

# %% [markdown]
# Where does it all go? Each panel has its own answer. A pooling counts with the layer before it.

# %% show="Draw where VGG16's parameters, activations and multiply-adds go"
if written(vgg_config, vgg16_table):
    kinds = {"in": "image", "co": "Conv2d", "po": "MaxPool2d", "de": "Linear"}
    plot.show_costs([{**row, "kind": kinds[row["name"][:2]]} for row in table], title="VGG16")

# %% [markdown]
# Most **memory** goes to the first stages, whose maps are largest. The **multiply-adds** are spread over the
# convolutions: where a pooling leaves a quarter of the places, twice the channels in and out make four times the
# weights. (The last stage does not double and costs less.) Most **parameters** are in the dense layers, in the
# first more than in all others together.
#
# ## A total that does not add up
#
# In many lectures this table ends with *TOTAL memory: 24M \* 4 bytes ~= 96MB / image (only forward! ~\*2 for
# bwd)*, *TOTAL params: 138M*. Its rows are right, without biases. Add them up.

# %% show="Print the sums of your table beside the slide's"
if written(vgg_config, vgg16_table):
    config = vgg_config((2, 2, 3, 3, 3))
    plain, biased = vgg16_table(config, bias=False), vgg16_table(config)
    values = sum(row["activations"] for row in plain)
    rectified = sum(row["activations"] for row in plain if row["name"][:4] in ("conv", "dens")) - 1000
    weights, parameters = (sum(row["parameters"] for row in rows) for rows in (plain, biased))
    dense = sum(row["parameters"] for row in plain if row["name"].startswith("dense"))
    macs = sum(row["macs"] for row in plain)
    print(f"values of one image     {values:12,}   the slide: 24M")
    print(
        f"  at 4 bytes each       {4 * values:12,}   = {4 * values / 1e6:.1f} MB = {4 * values / 2**20:.1f} MiB"
    )
    print(f"  with a copy by ReLU   {values + rectified:12,}   no 24M either")
    print(f"parameters, no biases   {weights:12,}   the slide: 138M")
    print(f"parameters, with biases {parameters:12,}")
    print(f"  in dense layers       {dense / weights:12.1%}")
    print(f"multiply-adds           {macs / 1e9:10.2f} G")

# %% [markdown]
# The slide's total is half as large again as its own rows. (A MB is a million bytes, a MiB $2^{20}$.) For a
# second opinion, `models.costs` watches one image pass through the course's VGG16.

# %% show="Print the totals that models.costs counts"
from cnnlab import models

with torch.device("meta"):
    network = models.get("vgg16", classes=1000, image=224)
counted = [
    row for row in models.costs(network, (3, 224, 224)) if row["kind"] in ("Conv2d", "MaxPool2d", "Linear")
]
for name in ("activations", "parameters", "macs"):
    total = sum(row[name] for row in counted) + (3 * 224 * 224 if name == "activations" else 0)
    print(f"{name:12} {total:15,}")

# %% [markdown]
# ## What training keeps
#
# And "times two"? Count what must be in memory at once, with $B$ images, $A_i$ values in row $i$ of your table,
# its input row too, and $P$ parameters in all.
#
# **Predicting**, a layer reads one map and makes the next; then the first may go. The worst is the largest *pair*
# of neighbours, $A^* = \max_i\,(A_i + A_{i+1})$:
#
# $$P + B A^*$$
#
# **Training**, all maps stay for the backward pass, but of their gradients only those of two neighbours are there
# at a time, again $A^*$. And each parameter has two companions, its gradient and its momentum (lesson 07):
#
# $$3P + B\,\Big(\sum_i A_i + A^*\Big)$$
#
# Times the bytes of a value: 4 as a rule, 2 in half precision. A ReLU may write over the map that it reads and
# counts nothing.
#
# ### Exercise: bytes ({points:memory_bytes} points, 9 minutes)


# %% exercise="memory_bytes"
@answer
def memory_bytes(rows, batch, value_bytes=4):
    """Count the bytes that a network takes when it predicts and when it is trained with momentum.

    rows: list of dicts as vgg16_table returns them, two or more, of which activations and parameters count; batch:
    int, images at once; value_bytes: int, bytes of one value. Returns two ints: predicting, value_bytes * (P + batch *
    pair), and training, value_bytes * (3*P + batch * (all activations + pair)), where P is the sum of the parameters
    and pair the largest sum of the activations of two rows that follow each other.
    """
    # BEGIN SOLUTION
    parameters = sum(row["parameters"] for row in rows)
    maps = [row["activations"] for row in rows]
    largest = max(one + following for one, following in zip(maps, maps[1:]))
    predicting = value_bytes * (parameters + batch * largest)
    training = value_bytes * (3 * parameters + batch * (sum(maps) + largest))
    return predicting, training
    # END SOLUTION


# %% check="memory_bytes"
check(memory_bytes)

# %% [markdown]
# One image needs mostly weights, a batch mostly maps. How many images fit into a card at once?

# %% show="Print the memory of four batches, and how many images a card trains at a time"
if written(vgg_config, vgg16_table, memory_bytes):
    table = vgg16_table(vgg_config((2, 2, 3, 3, 3)))
    print("VGG16        predicting     training")
    for batch in (1, 16, 64, 256):
        predicting, training = memory_bytes(table, batch)
        print(f"batch {batch:3} {predicting / 2**30:10.2f} GiB {training / 2**30:8.2f} GiB")
    for card in (3, 8, 24, 80):
        fixed = memory_bytes(table, 0)[1]
        each = memory_bytes(table, 1)[1] - fixed
        print(f"a card of {card:2} GiB trains {(card * 2**30 - fixed) // each:4} images at a time")

# %% [markdown]
# These are limits from above: fast convolutions take room of their own.
#
# ## Build it
#
# For each number of the list an `nn.Conv2d` of 3 x 3 with padding 1, and an `nn.ReLU`; with `batch_norm`, an
# `nn.BatchNorm2d` between the two. (Batch norm is younger than VGG; the convolutions keep their biases beside
# it.) For each `"M"` an `nn.MaxPool2d` of 2 x 2. Then `nn.Flatten` and two hidden `nn.Linear`, each with a ReLU
# and then an `nn.Dropout` of one half, and one `nn.Linear` for the scores, with nothing after it.
#
# The first dense layer must know how many numbers it reads: follow the map's shape as in the table.
# `nn.Sequential(*layers)` makes a network of a list.
#
# ### Exercise: a network from its list ({points:make_vgg} points, 20 minutes)


# %% exercise="make_vgg"
@answer
def make_vgg(config, classes=1000, batch_norm=False, image=224, hidden=4096, channels=3):
    """Build a VGG network: (N, channels, H, W) -> scores (N, classes).

    config: list of int (filters of a 3 x 3 convolution with padding 1 and bias, then batch norm if batch_norm, then ReLU)
    and "M" (2 x 2 max pooling, stride 2); image: int or (height, width) of the images, not always a multiple
    of what the poolings divide by; hidden: int, units of each of two hidden dense layers, each followed by ReLU
    and dropout with 0.5. Returns a torch.nn.Module.
    Source: Simonyan and Zisserman, arXiv 1409.1556, section 2; batch norm: Ioffe and Szegedy, arXiv 1502.03167.
    """
    # BEGIN SOLUTION
    layers = []
    height, width = pair(image)
    for entry in config:
        if entry == "M":
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        else:
            layers.append(nn.Conv2d(channels, entry, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(entry))
            layers.append(nn.ReLU())
            channels = entry
    layers += [nn.Flatten(), nn.Linear(channels * height * width, hidden), nn.ReLU(), nn.Dropout(0.5)]
    layers += [nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(0.5), nn.Linear(hidden, classes)]
    return nn.Sequential(*layers)
    # END SOLUTION


# %% check="make_vgg"
check(make_vgg)

# %% [markdown]
# ### Exercise: the family ({points:vgg} points, 5 minutes)
#
# From your two functions and the paper's table. The check builds them without numbers, which costs nothing.


# %% exercise="vgg"
@answer
def vgg(depth, classes=1000, batch_norm=False, image=224, hidden=4096):
    """Build VGG11, 13, 16 or 19: (N, 3, H, W) -> scores (N, classes).

    depth: int, 11, 13, 16 or 19; the others are handed on to make_vgg. The first stage has 64 filters.
    Returns a torch.nn.Module. Source: Simonyan and Zisserman, arXiv 1409.1556, table 1, columns A, B, D and E.
    Raises ValueError for any other depth.
    """
    # BEGIN SOLUTION
    stages = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
    if depth not in stages:
        raise ValueError(f"there is no VGG{depth}: take one of {', '.join(map(str, stages))}")
    return make_vgg(vgg_config(stages[depth]), classes, batch_norm, image, hidden)
    # END SOLUTION


# %% check="vgg"
check(vgg)

# %% [markdown]
# Your family, counted: parameters by PyTorch, the rest by your table. Depth hardly adds parameters, since most
# are in the dense layers; it costs time.

# %% show="Print the parameters, activations and multiply-adds of your family"
if written(vgg_config, vgg16_table, make_vgg, vgg):
    print("         parameters  with batch norm   activations   multiply-adds")
    for depth, convolutions in [
        (11, (1, 1, 2, 2, 2)),
        (13, (2, 2, 2, 2, 2)),
        (16, (2, 2, 3, 3, 3)),
        (19, (2, 2, 4, 4, 4)),
    ]:
        with torch.device("meta"):
            both = [vgg(depth), vgg(depth, batch_norm=True)]
        plain, normed = (sum(p.numel() for p in network.parameters()) for network in both)
        rows = vgg16_table(vgg_config(convolutions))
        values, macs = (sum(row[name] for row in rows) for name in ("activations", "macs"))
        print(f"VGG{depth} {plain:14,} {normed:16,} {values:13,} {macs / 1e9:13.2f} G")

# %% [markdown]
# ## Does it keep what you counted?
#
# If asked, PyTorch tells what it keeps for the backward pass of one image:

# %% show="Measure what PyTorch keeps for the backward pass"
if written(vgg_config, vgg16_table, make_vgg, vgg):
    kept = {}

    def note(tensor):
        """Remember each piece of memory once, however many layers keep it."""
        kept[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.device("meta"):
        network = vgg(16)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            scores = network(torch.empty(1, 3, 224, 224))
    for parameter in network.parameters():
        kept.pop(parameter.untyped_storage()._cdata, None)
    values = [tensor for tensor in kept.values() if tensor.dtype == torch.float32]
    others = [tensor for tensor in kept.values() if tensor.dtype != torch.float32]
    counted = sum(row["activations"] for row in vgg16_table(vgg_config((2, 2, 3, 3, 3))))
    print(f"your table                {4 * counted / 1e6:6.1f} MB")
    print(f"maps kept by PyTorch      {sum(t.numel() * t.element_size() for t in values) / 1e6:6.1f} MB")
    print(f"places of maxima, dropout {sum(t.numel() * t.element_size() for t in others) / 1e6:6.1f} MB")

# %% [markdown]
# Of a convolution and its ReLU one map is kept, since ReLU's backward needs only its output: the table is right
# to count one for both. Poolings remember where their maxima were.

# %% [markdown]
# ## Deeper is harder to start
#
# At first the authors could not train the deep ones from scratch and put the layers of a trained VGG11 into them.
# What goes wrong? Send different images through a thin VGG16 and ask after each layer how far apart they still
# are: the standard deviation over the batch, averaged over the values. With PyTorch's own first weights it fades.
# **He's weights** (lesson 07) keep it, and so does **batch norm**.


# %% show="Draw how far apart different images stay, with three kinds of first weights"
def thin_vgg(convolutions, start):
    """Build a VGG of a quarter of the width for five classes of 32 x 32 images.

    start: "as drawn" by PyTorch, "He" for He's weights, or "batch norm".
    """
    torch.manual_seed(0)
    network = make_vgg(vgg_config(convolutions, width=16), 5, start == "batch norm", image=32, hidden=128)
    for layer in network:
        if start == "He" and isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return network


if written(vgg_config, make_vgg):
    from cnnlab import data

    images = torch.from_numpy(data.shape_images(32, seed=1)[0]).float()
    images = (images - images.mean()) / images.std()
    apart = {}
    for start in ("as drawn", "He", "batch norm"):
        network, x, apart[start] = thin_vgg((2, 2, 3, 3, 3), start), images, []
        with torch.no_grad():
            for layer in network:
                x = x if isinstance(layer, nn.Dropout) else layer(x)
                if isinstance(layer, nn.ReLU):
                    apart[start].append(float(x.std(dim=0).mean()))
    plot.show_lines(
        range(1, 16),
        apart,
        xlabel="layer of a thin VGG16, after its ReLU",
        ylabel="deviation over 32 images",
        logarithmic="y",
        title="How far apart are different images?",
    )

# %% [markdown]
# Where all images look alike, the loss cannot tell them apart either. Train the three on 1,200 generated shapes.
# With five classes, guessing gives a loss of $\ln 5 \approx 1.61$; see who leaves it first. He's weights are
# right at the start only, batch norm puts things right at every step.

# %% show="Train a thin VGG16 from three kinds of first weights, and draw the losses"
if written(vgg_config, make_vgg):
    from cnnlab import data
    from cnnlab.train import Recipe, fit

    train, test = data.shape_images(1200, seed=1), data.shape_images(300, seed=2)
    recipe = Recipe(epochs=6, batch=32, lr=0.02, shift=2, flip="random")
    losses = {}
    for start in ("as drawn", "He", "batch norm"):
        history = fit(thin_vgg((2, 2, 3, 3, 3), start), train, test, recipe, show=False)
        losses[start] = history.train_loss
        seconds, accuracy = sum(history.seconds), history.test_accuracy[-1]
        print(f"{start:10} {accuracy:5.0%} of new images right after {seconds:.0f} s")
    plot.show_lines(
        range(1, recipe.epochs + 1),
        losses,
        xlabel="epoch",
        ylabel="training loss",
        title="A thin VGG16: who starts to learn?",
    )

# %% [markdown]
# ## Train VGG16
#
# Full width, with batch norm, on images of 32 x 32: the last map is 1 x 1, and one dense layer is enough. The
# recipe has two sizes: **small**, for a CPU, is a few epochs of generated shapes, a minute or so; **full** is
# CIFAR-10's 50,000 photographs, chosen by a GPU or the environment variable `CNNLAB_BUDGET=full`.

# %% show="Train VGG16 with batch norm, and draw its accuracy"
from cnnlab.train import recipes

setting = recipes.get("vgg16_bn")
network, history = setting.run()
print(f"{setting.budget}: {history.images:,} images of {setting.dataset}, {history.epochs} epochs", end=", ")
print(f"{sum(history.seconds):.0f} s on {history.device}")
print(f"{sum(p.numel() for p in network.parameters()):,} parameters", end=", ")
print(f"{history.test_accuracy[-1]:.1%} of new images right")
plot.show_lines(
    range(1, history.epochs + 1),
    {"training images": history.train_accuracy, "new images": history.test_accuracy},
    xlabel="epoch",
    ylabel="share that is right",
    title="VGG16 with batch norm",
)

# %% [markdown]
# Without the two hidden dense layers most of VGG16's parameters are gone, and nothing is missed here.
#
# ## Question: which part would you change? ({points:which_part_to_change} points, 6 minutes)
#
# VGG16 on ImageNet is too large in three ways: to send over a phone line, to train on a small card, to answer in
# time. For each, name the layers to blame, with a number from your table, and one change that would help.

# %% [markdown] question="which_part_to_change" points=2
# ### BEGIN SOLUTION
# *To send*: what is sent are parameters, and 89 % of them are in the dense layers, three quarters of all in the
# first (25,088 x 4,096). Average the last map over its 7 x 7 places and connect that to the classes directly: 512,000
# weights in place of 124 million. (GoogLeNet and ResNet do this.) Fewer hidden units help as well.
#
# *To train on a small card*: with a batch of any size the maps of the first stages take the most: the two maps of stage
# 1 have 6.4 of the 15.2 million values. Halve the image early, with a stride of 2 in the first layer, or use smaller
# images; a smaller batch or half precision helps without a change of the network.
#
# *To answer in time*: of 15.47 G multiply-adds 99 % are in the convolutions, spread over all stages; no layer has more
# than 12 %, so no single one is to blame. Halve all widths (a quarter of the work), halve the image early (also a
# quarter), take VGG11, or replace the convolutions by cheaper ones: bottlenecks with 1 x 1, or depthwise separable ones.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The paper: Simonyan and Zisserman, [*Very deep convolutional networks for large-scale image
# recognition*](https://arxiv.org/abs/1409.1556), 2014. Batch norm: Ioffe and Szegedy, [*Batch
# normalization*](https://arxiv.org/abs/1502.03167), 2015.

# %% [markdown] part="next"
# ## Where this goes
#
# VGG won by being plain, and style transfer (lesson 15) still looks at it. Lesson 10 has the other answer of
# 2014: GoogLeNet, deeper, with a tenth of AlexNet's parameters. And why stop at 19? Lesson 11 measures it.
# Next: {next}.
