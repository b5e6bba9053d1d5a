# %% [markdown]
# # LeNet-5
#
# {badge}
#
# {cover}
#
# Your layers become a network that reads handwriting. Write what is still missing, train LeNet-5, and look at what
# it has learned and where it fails. Dropout and batch normalisation close the lesson.
#
# About 90 minutes, {points} points.

# %% cover="LeNet-5 as blocks: a digit, two convolutions, each with a pooling, dense layers, and a score for each digit."
import matplotlib.pyplot as plt
import numpy as np

from cnnlab import data

digit = data.digits()[0][3]  # (8, 8)
figure, axes = plt.subplots(figsize=(7, 2.9), layout="constrained")
axes.set(xlim=(-1, 201), ylim=(-36, 36), aspect="equal")
axes.axis("off")


def words(middle, high, name, size):
    axes.text(middle, high / 2 + 3, name, ha="center", va="bottom", fontsize=12)
    axes.text(middle, -high / 2 - 3, size, ha="center", va="top", fontsize=12, linespacing=1.1)


axes.imshow(1 - digit, cmap="gray", extent=(0, 32, -16, 16))
words(16, 32, "digit", "1 x\n32 x 32")
left = 38
for name, maps, side, colour in [
    ("conv", 6, 28, "#3b6ea8"),
    ("pool", 6, 14, "#2f9e63"),
    ("conv", 16, 10, "#3b6ea8"),
    ("pool", 16, 5, "#2f9e63"),
]:
    shift = 1.1 if maps == 6 else 0.9  # from one map to the next, so that all are seen
    for number in range(maps):
        corner = (left + shift * number, -side / 2 + shift * (maps / 2 - number))
        axes.add_patch(plt.Rectangle(corner, side, side, facecolor=colour, edgecolor="white", linewidth=0.4))
    wide = side + shift * maps
    words(left + wide / 2, side + shift * maps, name, f"{maps} x\n{side} x {side}")
    left += wide + 5
scores = np.zeros(10)
scores[3] = 1
for count, high in [(120, 44), (84, 31)]:
    axes.add_patch(plt.Rectangle((left + 2, -high / 2), 4, high, facecolor="#d55e00"))
    words(left + 4, high, "dense", f"{count}")
    left += 17
for label, score in enumerate(scores):
    colour = "#ffd37a" if score else "white"
    axes.add_patch(plt.Rectangle((left, 16 - 4 * label), 8, 4, facecolor=colour, edgecolor="#59636e"))
    axes.text(left + 4, 17.8 - 4 * label, f"{label}", ha="center", va="center", fontsize=9)
words(left + 4, 40, "dense", "10")

# %% setup="Install cnnlab (on Colab only)"
import sys

CNNLAB = "git+https://github.com/cnnlab/cnnlab@main"  # stamped by autograder build
if "google.colab" in sys.modules:
    import subprocess

    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"cnnlab @ {CNNLAB}"], check=True)

# %%
import numpy as np

from cnnlab import answer, check, data, layers, nn, plot, written

# %% [markdown]
# ## The plan
#
# LeNet-5 read the amounts on bank cheques: convolution, pooling, convolution, pooling; then the maps are unrolled
# into a vector, and three linear layers make ten scores of it, one for each digit.
#
# `cnnlab.nn` strings functions together to a network: *your* functions, each from the moment its check passes; until
# then a stand-in, which says so.

# %% show="Print LeNet-5's layers, the shapes they return and their parameters"
network = nn.lenet5(np.random.default_rng(0))
x = np.zeros((1, 1, 32, 32), np.float32)
print("layer      output        parameters")
for name, layer in network.named.items():
    x = layer(x)
    shape = " x ".join(map(str, x.shape[1:]))
    print(f"{name:10} {shape:13} {layer.size:9,}" if layer.size else f"{name:10} {shape}")
print(f"together {network.size:25,}")

# %% [markdown]
# The network of 1998 pooled by a learned average, had a tanh for the ReLU, joined the maps of its second convolution
# only in part, and ended in radial basis functions. Ours has what took their place.
#
# ## The linear layer
#
# A batch of $N$ vectors of $D$ values is a matrix $x$, $(N, D)$. Each of $M$ scores is a weighted sum of all
# $D$ values plus a bias:
#
# $$y = xW + b, \qquad W: (D, M), \quad b: (M,)$$
#
# ### Exercise: the linear layer ({points:linear_forward} points, 3 minutes)


# %% exercise="linear_forward"
@answer
def linear_forward(x, W, b):
    """Multiply each vector of a batch by a matrix and add a bias.

    x: (N, D); W: (D, M); b: (M,). Returns y, (N, M) of the dtype of x:
    y[n, m] = b[m] + sum over d of x[n, d] * W[d, m]. The same as torch.nn.functional.linear(x, W.T, b).
    """
    # BEGIN SOLUTION
    return x @ W + b  # (N, D) by (D, M), and b joins every row
    # END SOLUTION


# %% check="linear_forward"
check(linear_forward)

# %% [markdown]
# Backwards, let $g$ be the gradient of the loss with respect to $y$, our `dout`. As in lesson 03, each factor gets
# the other times $g$, summed over all the places where the two meet:
#
# $$\frac{\partial L}{\partial x_{nd}} = \sum_m g_{nm} W_{dm}, \qquad
# \frac{\partial L}{\partial W_{dm}} = \sum_n x_{nd}\, g_{nm}, \qquad
# \frac{\partial L}{\partial b_m} = \sum_n g_{nm}$$
#
# The first two are matrix products; the shapes tell what comes first and what is transposed.
#
# ### Exercise: the linear layer backward ({points:linear_backward} points, 6 minutes)


# %% exercise="linear_backward"
@answer
def linear_backward(dout, x, W, b):
    """Find the gradients of linear_forward.

    dout: (N, M), the gradient of the loss with respect to y; x: (N, D); W: (D, M); b: (M,).
    Returns dx, dW, db, of the shapes and dtypes of x, W and b; dW and db are sums over the batch.
    """
    # BEGIN SOLUTION
    return dout @ W.T, x.T @ dout, dout.sum(axis=0)
    # END SOLUTION


# %% check="linear_backward"
check(linear_backward)

# %% [markdown]
# ## How wrong is it?
#
# The **softmax** makes the scores $s$ probabilities, positive and together 1. The loss is the **cross-entropy**, minus
# the logarithm of what the right class $t$ got: near 0 for a network that is sure and right, large for one that is sure
# and wrong.
#
# $$p_m = \frac{e^{s_m}}{\sum_k e^{s_k}}, \qquad L = -\log p_t = \log \sum_k e^{s_k} - s_t$$
#
# Over a batch we take the mean. Floating point needs care. The exponential of 1,000 overflows: subtract each image's
# largest score first, which changes no probability. And a tiny probability is rounded to 0, whose logarithm is
# infinite: take the loss from the right-hand form, with the shifted scores.

# %% show="Print the softmax of scores that are large or far apart"
rows = [
    ("as usual", [1.0, 3.0, 0.0]),
    ("plus 1,000", [1001.0, 1003.0, 1000.0]),
    ("far apart", [0.0, 1000.0, 5.0]),
]
with np.errstate(all="ignore"):
    for words, scores in rows:
        s = np.array(scores)
        plain, shifted = np.exp(s) / np.exp(s).sum(), np.exp(s - s.max())
        shifted /= shifted.sum()
        print(
            f"{words:11} softmax {plain.round(3)}, shifted {shifted.round(3)}, log of it {np.log(shifted).round(1)}"
        )

# %% [markdown]
# The right-hand form gives the gradient; with $N$ images,
#
# $$\frac{\partial L}{\partial s_{nm}} = \frac{1}{N}\,\bigl(p_{nm} - [m = t_n]\bigr)$$
#
# where $[\cdot]$ is 1 for the right class $t_n$ of image $n$, else 0: what the network says, less what it should say.
#
# ### Exercise: softmax and cross-entropy ({points:softmax_cross_entropy} points, 12 minutes)
#
# `a[np.arange(N), labels]` picks one entry from each row.


# %% exercise="softmax_cross_entropy"
@answer
def softmax_cross_entropy(scores, labels):
    """Measure how wrong a batch of scores is, and how to change them.

    scores: (N, M); labels: (N,) integers in 0..M-1, the right classes.
    Returns loss, a float: the mean over the batch of -log(softmax(scores[n])[labels[n]]); and dscores, (N, M)
    of the dtype of scores: the gradient of that mean with respect to the scores. Both are finite for all finite
    scores, however large or far apart. The same as torch.nn.functional.cross_entropy.
    """
    # BEGIN SOLUTION
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # (N, M)
    rows = np.arange(len(scores))
    dscores = np.exp(log_p)
    dscores[rows, labels] -= 1
    return float(-log_p[rows, labels].mean()), dscores / len(scores)
    # END SOLUTION


# %% check="softmax_cross_entropy"
check(softmax_cross_entropy)

# %% [markdown]
# ## The step
#
# Gradient descent moves each array $p$ a little against its gradient $g$; $\eta$ is the **learning rate**.
# **Momentum** $\mu$ keeps a share of the last velocity $v$: gradients that agree add up, those that point to and fro
# cancel. **Weight decay** $\lambda$ adds the gradient of $\frac{\lambda}{2} p^2$, a pull towards zero.
#
# $$v' = \mu v + g + \lambda p, \qquad p' = p - \eta v'$$
#
# As in torch, $\eta$ stays outside the velocity.
#
# ### Exercise: one step ({points:sgd_momentum_step} points, 5 minutes)


# %% exercise="sgd_momentum_step"
@answer
def sgd_momentum_step(p, g, velocity, lr, momentum, weight_decay):
    """Take one step of gradient descent with momentum and weight decay.

    p: an array that is learned; g: the gradient of the loss with respect to it; velocity: as the last step
    returned it, zeros at first; lr, momentum, weight_decay: float. Returns p, velocity, new arrays of the same
    shape and dtype: velocity' = momentum*velocity + g + weight_decay*p and p' = p - lr*velocity'.
    The same as torch.optim.SGD. Source: Sutskever et al., On the importance of initialization and momentum in
    deep learning, 2013.
    """
    # BEGIN SOLUTION
    velocity = momentum * velocity + g + weight_decay * p
    return p - lr * velocity, velocity
    # END SOLUTION


# %% check="sgd_momentum_step"
check(sgd_momentum_step)

# %% [markdown]
# A valley that is steep across and flat along, $L = \frac12(40a^2 + b^2)$: the flat side takes its time. Momentum
# shortens it; 0.9 overshoots and rolls back, and is ahead in the end. Below, weight decay moves the goal: the loss
# $\frac12 (p-1)^2$ is smallest at $p = 1$, but the steps end nearer to zero.

# %% show="Draw how momentum shortens the way, and print where weight decay ends"
if written(sgd_momentum_step):
    curvature = np.array([40.0, 1.0])
    places = range(0, 101, 4)
    losses = {}
    for momentum in (0.0, 0.5, 0.9):
        p, v = np.array([1.0, 1.0]), np.zeros(2)
        values = []
        for _ in range(101):
            values.append(0.5 * float(curvature @ p**2))
            p, v = sgd_momentum_step(p, curvature * p, v, 0.01, momentum, 0.0)
        losses[f"momentum {momentum}"] = [values[i] for i in places]
    plot.show_lines(places, losses, xlabel="step", ylabel="loss", title="learning rate 0.01", logarithmic="y")
    for decay in (0.0, 0.1, 1.0):
        p, v = np.zeros(1), np.zeros(1)
        for _ in range(200):
            p, v = sgd_momentum_step(p, p - 1, v, 0.1, 0.5, decay)
        print(f"weight decay {decay}: p ends at {p[0]:.2f}")

# %% [markdown]
# ## Where to begin
#
# Not all alike: equal filters get equal gradients and stay equal. Random, then; but how large? An output $z$ sums
# $n$ products of a weight and a value $x$; $n$ is its **fan in**. With independent weights of mean 0, its variance
# is $n \cdot \text{Var}(w) \cdot E[x^2]$. A ReLU sets half of a symmetric $z$ to zero, so the next layer reads
# $E[x^2] = \frac12 \text{Var}(z)$. The variance stays the same when
#
# $$\text{Var}(w) = \frac{2}{n}$$
#
# Filters $(F, C, K_H, K_W)$ read a window of all channels, $n = C K_H K_W$; a matrix $(D, M)$ has $n = D$.
#
# ### Exercise: He initialisation ({points:he_normal} points, 5 minutes)


# %% exercise="he_normal"
@answer
def he_normal(shape, rng):
    """Draw the first weights of a layer that a ReLU follows.

    shape: (F, C, KH, KW) for filters, or (D, M) for a matrix; rng: np.random.Generator, the only source of
    chance. Returns w of this shape, float64, independent normal numbers with mean 0 and standard deviation
    sqrt(2 / fan_in); fan_in is C*KH*KW for filters and D for a matrix.
    Source: He et al., Delving deep into rectifiers, 2015, arXiv 1502.01852.
    """
    # BEGIN SOLUTION
    fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return rng.normal(0, np.sqrt(2 / fan_in), shape)
    # END SOLUTION


# %% check="he_normal"
check(he_normal)

# %% [markdown]
# Twenty linear layers with ReLUs, 200 values each. With weights half as large the signal dies out, twice as large it
# explodes: the factors of twenty layers multiply.

# %% show="Draw the size of a signal through twenty layers, for three sizes of weights"
if written(linear_forward, he_normal):
    depth, width = 20, 200
    signal = np.random.default_rng(0).normal(size=(100, width))
    spreads = {}
    for name, factor in [("twice as large", 2.0), ("He", 1.0), ("half as large", 0.5)]:
        rng, x, values = np.random.default_rng(1), signal, []
        for _ in range(depth):
            z = linear_forward(x, factor * he_normal((width, width), rng), np.zeros(width))
            x = np.maximum(z, 0)
            values.append(float(z.std()))
        spreads[name] = values
    plot.show_lines(
        range(1, depth + 1),
        spreads,
        xlabel="layer",
        ylabel="standard deviation",
        title="sums before the ReLU",
        logarithmic="y",
    )

# %% [markdown]
# ## Digits
#
# Real handwriting. `nn.lenet_images` enlarges the 8 x 8 pixels to 32 x 32, from -1 (paper) to 1 (ink). Some digits are
# **held out** of training: only images that it has never seen tell whether a network has learned or memorised.
#
# The others are few, so `nn.jitter` shifts, turns and zooms each a little, anew at every step: a moved 3 is still a 3.

# %%
digits, labels = data.digits()
digits = nn.lenet_images(digits)  # (1797, 1, 32, 32)
train, held_out = (digits[:1400], labels[:1400]), (digits[1400:], labels[1400:])

# %% show="Draw ten digits, as they are and moved"
jittered = nn.jitter(digits[:10], np.random.default_rng(0))
names = [str(label) for label in labels[:10]]
plot.show_images([*digits[:10, 0], *jittered[:, 0]], names + ["moved"] * 10, columns=10, size=1.1)

# %% [markdown]
# ## Train it
#
# `nn.fit` repeats for every batch of images: forward, loss, backward, step. One pass over all images is an **epoch**.
# The learning rate rises for a fifth of the steps, then falls to zero; a curve shows the loss as it goes.
#
# | argument of `nn.fit` | meaning | default |
# |---|---|---|
# | `network, images, labels` | what to train, on what | |
# | `epochs`, `rng` | passes over the images; the source of chance | |
# | `lr`, `momentum`, `weight_decay` | as in your step; `lr` is the highest | 0.05, 0.9, 0.0005 |
# | `batch` | images in a step | 64 |
# | `augment` | changes each batch first: `augment=nn.jitter` | none |
#
# ### Exercise: train LeNet-5 ({points:trained_lenet} points, 12 minutes)
#
# Make a network with `nn.lenet5(rng)`, train it, return `network.state()`. The next cell saves that as
# `lenet.safetensors`, beside this notebook. **Hand that file in as well**: it is judged, not your function, by what it
# says of held-out digits, as they are (97 % must be right) and moved a little (93 %). Begin with 10 epochs and the
# defaults; then see what more epochs, `nn.jitter`, smaller batches and more weight decay do.


# %% exercise="trained_lenet"
@answer
def trained_lenet(images, labels, rng):
    """Train LeNet-5 on handwritten digits.

    images: (N, 1, 32, 32) as from nn.lenet_images; labels: (N,), 0 to 9; rng: np.random.Generator.
    Returns the weights, network.state(): name -> array, such as "conv1.w" (6, 1, 5, 5).
    """
    # BEGIN SOLUTION
    network = nn.lenet5(rng)
    how = {"epochs": 40, "batch": 32, "lr": 0.03, "weight_decay": 5e-3}
    nn.fit(network, images, labels, rng=rng, augment=nn.jitter, **how)
    return network.state()
    # END SOLUTION


# %% show="Train your LeNet-5, save its weights, and print how many digits it gets right"
if written(trained_lenet):
    from time import perf_counter

    began = perf_counter()
    weights = trained_lenet(*train, np.random.default_rng(0))
    nn.save_weights("lenet.safetensors", weights)
    lenet = nn.lenet5(np.random.default_rng(0))
    lenet.load_state(weights)
    print(f"trained in {perf_counter() - began:.0f} seconds")
    print(f"right: {nn.accuracy(lenet, *train):.1%} of the digits it was trained on, as they are")
    print(f"right: {nn.accuracy(lenet, *held_out):.1%} of the {len(held_out[1])} held-out digits")

# %% check="trained_lenet"
check(trained_lenet)

# %% [markdown]
# ## What it has learned
#
# The six filters of the first layer, and what ReLU and pooling leave of a digit behind each. Which of them answer to
# an edge?

# %% show="Draw the filters of the first layer, and the maps of a digit"
if written(trained_lenet):
    filters = lenet.conv1.parameters["w"][:, 0]
    maps = lenet.pool1(lenet.relu1(lenet.conv1(held_out[0][:1])))[0]
    plot.show_images([*filters], [f"filter {f}" for f in range(6)], signed=True, columns=6, size=1.2)
    plot.show_images(
        [held_out[0][0, 0], *maps], ["digit"] + [f"map {f}" for f in range(6)], columns=7, size=1.2
    )

# %% [markdown]
# ## Where it fails
#
# The **confusion matrix** counts, for each true digit (row), what the network said (column): mistakes lie off its
# diagonal. Below it the held-out digits with the largest loss, the worst first. Would you have read them?

# %% show="Draw the confusion matrix, and the digits with the largest loss"
if written(trained_lenet, softmax_cross_entropy):
    guesses = nn.predict(lenet, held_out[0])
    plot.show_confusion(held_out[1], guesses, title="held-out digits")
    scores = lenet(held_out[0])
    losses = [softmax_cross_entropy(scores[i : i + 1], held_out[1][i : i + 1])[0] for i in range(len(scores))]
    worst = np.argsort(losses)[::-1][:8]
    titles = [f"{held_out[1][i]}, said {guesses[i]}" for i in worst]
    plot.show_images([held_out[0][i, 0] for i in worst], titles, columns=8, size=1.2)

# %% [markdown]
# ## Your layers against torch
#
# The same weights in a LeNet-5 made of torch's layers must give the same loss, and the first filters the same
# gradient, up to rounding. Then `replace_convolutions` puts *your* convolution into torch's network.

# %% show="Compare loss and gradient with torch's, then put your convolution into its network"
try:
    import torch
except ImportError:
    torch = None
    print("torch is not installed here, so there is nothing to compare with.")

if torch and written(trained_lenet):
    from torch import nn as tnn

    from cnnlab.nn.in_torch import replace_convolutions

    twin = tnn.Sequential(
        tnn.Conv2d(1, 6, 5), tnn.ReLU(), tnn.MaxPool2d(2),
        tnn.Conv2d(6, 16, 5), tnn.ReLU(), tnn.MaxPool2d(2),
        tnn.Flatten(), tnn.Linear(400, 120), tnn.ReLU(), tnn.Linear(120, 84), tnn.ReLU(), tnn.Linear(84, 10),
    )  # fmt: skip
    state = {name: torch.tensor(a.T if name.endswith("W") else a) for name, a in weights.items()}
    # Both name their arrays in the layers' order.
    twin.load_state_dict(dict(zip(twin.state_dict(), state.values(), strict=True)))

    x, t = held_out[0][:64], held_out[1][:64]
    loss, dscores = layers.softmax_cross_entropy(lenet(x), t)
    lenet.backward(dscores)
    mine = lenet.conv1.gradients["w"]
    for name in ("torch", "torch with your convolution"):
        twin.zero_grad()
        theirs = tnn.functional.cross_entropy(twin(torch.tensor(x)), torch.tensor(t))
        theirs.backward()
        gap = np.abs(twin[0].weight.grad.numpy() - mine).max() / np.abs(mine).max()
        print(
            f"{name}: loss {theirs.item():.6f}, yours {loss:.6f}; conv1's gradient differs by {gap:.0e} of its size"
        )
        replace_convolutions(twin)

# %% [markdown]
# ## Dropout
#
# So that a network does not lean on a few values, **dropout** sets each to zero with probability $r$, the *rate*, anew
# at every step. The survivors are divided by $1-r$, which keeps the mean; after training dropout is simply left out.
#
# ### Exercise: dropout ({points:dropout_forward} points, 6 minutes)
#
# One number from `rng.random` for each value decides. The mask says which survived.


# %% exercise="dropout_forward"
@answer
def dropout_forward(x, rate, rng):
    """Drop values by chance and scale up the others (inverted dropout).

    x: an array of any shape; rate: the probability to be dropped, 0 <= rate < 1; rng: np.random.Generator, the
    only source of chance. Returns y, of the shape and dtype of x: 0 where a value is dropped, else
    x / (1 - rate); and mask, booleans of the same shape, True where a value is kept. Each value has a draw of its own.
    Source: Srivastava et al., Dropout, Journal of Machine Learning Research 15, 2014.
    """
    # BEGIN SOLUTION
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask
    # END SOLUTION


# %% check="dropout_forward"
check(dropout_forward)

# %% [markdown]
# Dropout on a photograph: averaged over many masks, it is nearly itself again.

# %% show="Draw dropout on a photograph, and its mean over many masks"
if written(dropout_forward):
    grey = data.photo()[40:200, 30:190].mean(axis=2)  # (160, 160)
    rng = np.random.default_rng(0)
    drops = [dropout_forward(grey, 0.5, rng)[0] for _ in range(100)]
    pictures = [grey, drops[0], np.mean(drops[:10], axis=0), np.mean(drops, axis=0)]
    plot.show_images(
        [np.minimum(picture, 1) for picture in pictures],
        ["photograph", "dropout, rate 0.5", "mean of 10", "mean of 100"],
        size=2.2,
    )
    print(f"mean of the photograph {grey.mean():.3f}, after one dropout {drops[0].mean():.3f}")

# %% [markdown]
# ### Exercise: dropout backward ({points:dropout_backward} points, 3 minutes)
#
# With the mask fixed, $y$ is $x$ times a constant, value by value.


# %% exercise="dropout_backward"
@answer
def dropout_backward(dout, mask, rate):
    """Find the gradient of dropout_forward with respect to x.

    dout: the gradient with respect to y; mask: booleans of its shape, as dropout_forward returned them; rate: as there.
    Returns dx, of the shape and dtype of dout.
    """
    # BEGIN SOLUTION
    return dout * mask / (1 - rate)
    # END SOLUTION


# %% check="dropout_backward"
check(dropout_backward)

# %% [markdown]
# ## Batch normalisation
#
# First weights of the right size help until training changes them. **Batch normalisation** moves every channel to mean
# 0 and variance 1 over the batch, at every step. A learned factor $\gamma$ and offset $\beta$ for each channel follow,
# so that it can be otherwise.
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad y = \gamma\, \hat x + \beta$$
#
# $\mu$ and $\sigma^2$ are mean and variance of a channel over all images, rows and columns, $m = NHW$ values; the small
# $\varepsilon$ keeps a channel of equal values from dividing by zero.
#
# ### Exercise: batch normalisation ({points:batchnorm2d_forward} points, 8 minutes)
#
# `mean[:, None, None]`, (C, 1, 1), fits an array (N, C, H, W).


# %% exercise="batchnorm2d_forward"
@answer
def batchnorm2d_forward(x, gamma, beta, eps=1e-5):
    """Normalise each channel over the batch, then scale and shift it.

    x: (N, C, H, W); gamma, beta: (C,); eps: float. Returns y, (N, C, H, W), and mean and var, (C,), of x over the
    axes N, H and W, var divided by N*H*W; y = gamma * (x - mean) / sqrt(var + eps) + beta, channel by channel.
    The same as torch.nn.functional.batch_norm in training.
    Source: Ioffe and Szegedy, Batch normalization, 2015, arXiv 1502.03167.
    """
    # BEGIN SOLUTION
    mean, var = x.mean(axis=(0, 2, 3)), x.var(axis=(0, 2, 3))  # (C,)
    scale = gamma / np.sqrt(var + eps)
    y = (x - mean[:, None, None]) * scale[:, None, None] + beta[:, None, None]
    return y, mean, var
    # END SOLUTION


# %% check="batchnorm2d_forward"
check(batchnorm2d_forward)

# %% [markdown]
# The twenty layers again, with weights half as large; each value counts as a channel of one pixel.

# %% show="Draw the twenty layers again, with batch normalisation"
if written(linear_forward, he_normal, batchnorm2d_forward):
    lines = {"half as large": spreads["half as large"]}
    rng, x, values = np.random.default_rng(1), signal, []
    for _ in range(depth):
        z = linear_forward(x, 0.5 * he_normal((width, width), rng), np.zeros(width))
        z = batchnorm2d_forward(z[:, :, None, None], np.ones(width), np.zeros(width))[0][:, :, 0, 0]
        x = np.maximum(z, 0)
        values.append(float(z.std()))
    lines["with batch normalisation"] = values
    plot.show_lines(
        range(1, depth + 1),
        lines,
        xlabel="layer",
        ylabel="standard deviation",
        title="sums before the ReLU",
        logarithmic="y",
    )

# %% [markdown]
# In use, an answer must not depend on the company that an image comes in. So training keeps **running** averages of
# mean and variance, which after `eval()` take the place of the batch's own.

# %% show="Print running averages, and one pixel among light and bold digits"
if written(batchnorm2d_forward):
    norm = nn.BatchNorm2d(1)
    for i in range(0, 1400, 50):
        norm(digits[i : i + 50])
    mean, var = float(norm.buffers["mean"][0]), float(norm.buffers["var"][0])
    print(
        f"running mean {mean:.3f}, variance {var:.3f}; of all digits {digits.mean():.3f}, {digits.var():.3f}"
    )
    one, light, bold = digits[:1], digits[:20] * 0.5 - 0.5, digits[:20] * 0.5 + 0.5
    for mode in ("train", "eval"):
        getattr(norm, mode)()
        values = [norm(np.concatenate([one, others]))[0, 0, 16, 8] for others in (light, bold)]
        print(f"{mode}: one pixel among light digits {values[0]:6.3f}, among bold ones {values[1]:6.3f}")

# %% [markdown]
# ## Its gradient
#
# A value $x_i$ changes the loss through its own $\hat x_i$, and through $\mu$ and $\sigma^2$, which change *every*
# $\hat x_j$ of the channel. Write $s = \sqrt{\sigma^2 + \varepsilon}$, and $g_j = \gamma\, \partial L / \partial y_j$
# for the gradient that reaches $\hat x_j$.
#
# 1. Itself: $\partial \hat x_i / \partial x_i = 1/s$, which gives $g_i / s$.
# 2. The mean: $\partial \mu / \partial x_i = 1/m$, and $\partial \hat x_j / \partial \mu = -1/s$. Summed over $j$:
#    $-\frac{1}{s} \cdot \frac1m \sum_j g_j$.
# 3. The variance: $\partial \sigma^2 / \partial x_i = \frac2m (x_i - \mu)$, and
#    $\partial \hat x_j / \partial \sigma^2 = -\frac12 (x_j - \mu) / s^3$. With $x - \mu = s \hat x$, summed over $j$:
#    $-\frac1s \cdot \hat x_i \cdot \frac1m \sum_j g_j \hat x_j$.
#
# ($\mu$ moves the variance too, but $\partial \sigma^2 / \partial \mu = -\frac2m \sum_j (x_j - \mu) = 0$.) Together,
# with a bar for the mean over the channel,
#
# $$\frac{\partial L}{\partial x_i} = \frac1s \left( g_i - \overline{g} - \hat x_i\, \overline{g \hat x} \right)$$
#
# The gradients of $\beta$ and $\gamma$ are sums over the channel: of `dout`, and of `dout` times $\hat x$.
#
# ### Exercise: batch normalisation backward ({points:batchnorm2d_backward} points, 14 minutes)


# %% exercise="batchnorm2d_backward"
@answer
def batchnorm2d_backward(dout, x, gamma, beta, eps=1e-5):
    """Find the gradients of batchnorm2d_forward.

    dout: (N, C, H, W), the gradient of the loss with respect to y; x, gamma, beta, eps: as there.
    Returns dx, (N, C, H, W), dgamma and dbeta, (C,): the gradients with respect to x, gamma and beta, with mean
    and variance as functions of x.
    """
    # BEGIN SOLUTION
    axes = (0, 2, 3)
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)  # (1, C, 1, 1)
    spread = np.sqrt(var + eps)
    x_hat = (x - mean) / spread
    g = dout * gamma[:, None, None]
    along = (g * x_hat).mean(axis=axes, keepdims=True)
    dx = (g - g.mean(axis=axes, keepdims=True) - x_hat * along) / spread
    return dx, (dout * x_hat).sum(axis=axes), dout.sum(axis=axes)
    # END SOLUTION


# %% check="batchnorm2d_backward"
check(batchnorm2d_backward)

# %% [markdown]
# ## Clothes
#
# Digits are easy. Fashion-MNIST has 60,000 images for training, 28 x 28 pixels, of ten kinds of clothes. Set
# `FASHION = True` to download it (30 MB, once) and train the same LeNet-5 on it, in the minutes that the cell says.

# %% show="Measure how long Fashion-MNIST would take, and train on it if FASHION is True"
FASHION = False

if written(trained_lenet):
    epochs = 4
    began = perf_counter()
    nn.fit(nn.lenet5(np.random.default_rng(0)), *train, epochs=1, rng=np.random.default_rng(0), show=False)
    minutes = (perf_counter() - began) / len(train[1]) * 60_000 * epochs / 60
    print(f"{epochs} epochs of Fashion-MNIST take about {minutes:.1f} minutes on this machine.")
if FASHION and written(trained_lenet):
    clothes = {}
    for split in ("train", "test"):
        images, classes = data.fashion_mnist(split)
        clothes[split] = (nn.lenet_images(images), classes)
    rng = np.random.default_rng(0)
    fashion = nn.lenet5(rng)
    history = nn.fit(fashion, *clothes["train"], epochs=epochs, rng=rng, test=clothes["test"])
    print(
        f"trained in {history.seconds / 60:.1f} minutes: {history.accuracies[-1]:.1%} of the test images are right"
    )
    guesses = nn.predict(fashion, clothes["test"][0])
    plot.show_confusion(clothes["test"][1], guesses, data.FASHION_NAMES, title="Fashion-MNIST, test images")

# %% [markdown]
# ## Question: a loss that is too high ({points:dropout_losses} points, 5 minutes)
#
# A friend trains with dropout and notes two losses after each epoch: the mean over its steps, and the loss on held-out
# images. The first is *higher*. "That cannot be," she says, "a network knows its training images best." Explain how it
# can be, with two reasons, and say how to compare the two fairly.

# %% [markdown] question="dropout_losses" points=2
# ### BEGIN SOLUTION
# The two losses are not of the same network. In training dropout is at work: a share of the values is missing, so
# each image is judged by a thinned, noisy network. On the held-out images dropout is off and the whole network
# answers, which is right more often.
#
# Also, the training loss is a mean over the epoch, so its first steps were taken with worse weights than those that
# are tested at the end. (Images that are moved in training are another reason: they are harder than those as they
# are.)
#
# To compare fairly, measure both after the epoch, with the same weights, in `eval` mode and on images as they are. The
# training loss then comes out lower, as she expected.
# ### END SOLUTION

# %% [markdown] part="summary"
# ## What you built
#
# {built}

# %% [markdown] part="reading"
# ## Further reading
#
# The paper is still worth reading: LeCun, Bottou, Bengio and Haffner, [*Gradient-based learning applied to document
# recognition*](https://doi.org/10.1109/5.726791), 1998.

# %% [markdown] part="next"
# ## Where this goes
#
# All that a network needs is now in your library. The next assignment builds the networks that made the field, in
# PyTorch and on colour images. Next: {next}.
