"""batchnorm2d_forward and batchnorm2d_backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Case, Exercise, Mistake, Random, normal
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.operations import gradients, tensor
from autograder.exercises.rows import group, public, secret
from cnnlab.torch_settings import one_thread

Arrays = tuple[np.ndarray, ...]
ALL = (0, 2, 3)  # the axes of the images, the rows and the columns


def standardise(torch: Any, x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)


def normalise(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Arrays:
    """torch's batch_norm with the batch's mean and biased variance of each channel."""
    with one_thread() as torch:
        y = standardise(torch, tensor(x), tensor(gamma), tensor(beta), eps).numpy()
        var, mean = (a.numpy() for a in torch.var_mean(tensor(x), dim=ALL, correction=0))
    return y.astype(x.dtype), mean.astype(x.dtype), var.astype(x.dtype)


def pull(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Arrays:
    """The gradients, by torch's autograd."""
    return gradients(lambda torch, x, gamma, beta: standardise(torch, x, gamma, beta, eps), dout, x, gamma, beta)


def spelt(
    axes: tuple[int, ...] = ALL,
    ddof: int = 0,
    scale: Callable[..., Any] = lambda var, eps: np.sqrt(var + eps),
    tells: Callable[..., Any] = lambda mean, var, eps: (mean.ravel(), var.ravel()),
    spread: Callable[..., Any] = lambda x, axes, ddof: x.var(axis=axes, ddof=ddof, keepdims=True),
) -> Callable[..., Any]:
    """Return a forward by the formula, with some of its parts exchanged."""

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Any:
        mean = x.mean(axis=axes, keepdims=True)
        var = spread(x, axes, ddof)
        y = gamma[:, None, None] * (x - mean) / scale(var, eps) + beta[:, None, None]
        return (y.astype(x.dtype), *tells(mean, var, eps))

    return forward


def terms(
    change: Callable[..., Any], std: Callable[..., Any] = lambda var, eps: np.sqrt(var + eps)
) -> Callable[..., Any]:
    """Return a backward whose dx is `change(g, h, std, mean)`; h: x normalised, g: gamma*dout, mean: over a channel."""

    def backward(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Any:
        def mean(a: np.ndarray) -> np.ndarray:
            return a.mean(axis=ALL, keepdims=True)

        root = std(x.var(axis=ALL, keepdims=True), eps)
        h = (x - mean(x)) / root
        dx = change(dout * gamma[:, None, None], h, root, mean)
        return dx.astype(x.dtype), (dout * h).sum(axis=ALL), dout.sum(axis=ALL)

    return backward


def changed(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward whose gradients are `change(dx, dgamma, dbeta, dout, x)`."""

    def wrong(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Any:
        return change(*pull(dout, x, gamma, beta, eps), dout, x)

    return wrong


def ahead(key: str, group: str, *shape: int, x: Any = None, dtype: str = "float64", **how: Any) -> Case:
    """A Case of the forward: images of this shape; x: what draws them."""
    values = scaled(2.0, *shape, offset=0.7) if x is None else x
    if dtype != "float64":
        values = normal(*shape, dtype=dtype)
    channels = {name: normal(shape[1], dtype=dtype) for name in ("gamma", "beta")}
    # An eps that is left out or misplaced costs the points of its own group only.
    tolerance = None if group == "eps" else 1e-4
    return Case(key, group=group, tolerance=tolerance, x=values, **channels, **how)


def back(key: str, group: str, *shape: int, dtype: str = "float64", **how: Any) -> Case:
    """A Case of the backward, with a random upstream gradient."""
    case = ahead(key, group, *shape, dtype=dtype)
    dout = normal(*shape, dtype=dtype)
    return Case(key, group=group, tolerance=case.tolerance, dout=dout, **case.inputs, **how)


def unequal(*shape: int) -> Random:
    """Images whose channels have very different means and spreads."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        spread, offset = 10.0 ** rng.uniform(0, 3, (2, shape[1], 1, 1))
        return spread * rng.standard_normal(shape) + offset

    return Random(draw)


def with_constant_channel(*shape: int) -> Random:
    """Images whose first channel has one value everywhere."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        x = rng.standard_normal(shape)
        x[:, 0] = rng.integers(1, 9)
        return x

    return Random(draw)


batchnorm2d_forward = Exercise(
    name="batchnorm2d_forward",
    returns=("y", "mean", "var"),
    reference=normalise,
    points={"basic": 3, "eps": 1, "offset": 1},
    cases=[
        *group(
            "basic",
            public("4 images of 3 channels", 4, 3, 5, 6),
            secret("3 images of 5 channels", 3, 5, 4, 5),
            public("one image of 2 channels", 1, 2, 4, 3),
            secret("one image of 4 channels", 1, 4, 5, 2),
            public("one channel", 3, 1, 4, 4),
            secret("one channel, two images", 2, 1, 3, 6),
            public("as many images as channels", 3, 3, 3, 3),
            secret("4 images of 4 channels", 4, 4, 2, 3),
            public("float32", 2, 3, 4, 5, dtype="float32"),
            secret("float32, 3 images", 3, 2, 5, 3, dtype="float32"),
            public("channels of very different size", 3, 4, 5, 4, x=unequal(3, 4, 5, 4)),
            secret("channels of different size", 2, 3, 6, 5, x=unequal(2, 3, 6, 5)),
            make=ahead,
        ),
        *group(
            "eps",
            public("eps 0.5", 3, 2, 4, 3, eps=0.5),
            secret("eps 2", 2, 3, 3, 4, eps=2.0),
            public("a channel of one value everywhere", 2, 2, 3, 3, x=with_constant_channel(2, 2, 3, 3), eps=0.01),
            secret("one channel constant", 3, 3, 2, 4, x=with_constant_channel(3, 3, 2, 4), eps=0.05),
            make=ahead,
        ),
        *group(
            "offset",
            public("values near ten million", 2, 2, 4, 4, x=scaled(1.0, 2, 2, 4, 4, offset=1e7)),
            secret("values near minus twenty million", 3, 2, 3, 5, x=scaled(1.0, 3, 2, 3, 5, offset=-2e7)),
            make=ahead,
        ),
    ],
    mistakes=[
        Mistake(
            "unbiased variance",
            "You divided by one less than the number of values: the variance is the mean square, np.var as it is.",
            spelt(ddof=1),
        ),
        Mistake(
            "eps outside the root",
            "You added eps to the standard deviation: it belongs to the variance, under the root.",
            spelt(scale=lambda var, eps: np.sqrt(var) + eps),
        ),
        Mistake(
            "eps left out",
            "You left eps out: without it a channel of one value everywhere divides by zero.",
            spelt(scale=lambda var, eps: np.sqrt(var)),
        ),
        Mistake(
            "variance in place of its root",
            "You divided by the variance: divide by its root, which has the unit of x.",
            spelt(scale=lambda var, eps: var + eps),
        ),
        Mistake(
            "each image by itself",
            "You normalised every image by itself: the mean runs over the images as well, axes (0, 2, 3).",
            lambda x, gamma, beta, eps=1e-5: (
                spelt((2, 3))(x, gamma, beta, eps)[0],
                *normalise(x, gamma, beta, eps)[1:],
            ),
        ),
        Mistake(
            "each pixel by itself",
            "You took statistics for each pixel: a channel has one mean, over images, rows and columns.",
            lambda x, gamma, beta, eps=1e-5: (spelt((0,))(x, gamma, beta, eps)[0], *normalise(x, gamma, beta, eps)[1:]),
        ),
        Mistake(
            "all channels together",
            "You took one mean and variance for all channels: each channel has its own, so leave axis 1 out.",
            lambda x, gamma, beta, eps=1e-5: (
                spelt((0, 1, 2, 3))(x, gamma, beta, eps)[0],
                np.full(x.shape[1], x.mean()),
                np.full(x.shape[1], x.var()),
            ),
        ),
        Mistake(
            "gamma and beta exchanged",
            "You scaled by beta and added gamma: y = gamma * (x normalised) + beta.",
            lambda x, gamma, beta, eps=1e-5: normalise(x, beta, gamma, eps),
        ),
        Mistake(
            "gamma and beta forgotten",
            "Your y is the normalised x: multiply each channel by its gamma and add its beta.",
            lambda x, gamma, beta, eps=1e-5: normalise(x, 0 * gamma + 1, 0 * beta, eps),
        ),
        Mistake(
            "standard deviation returned",
            "You returned the standard deviation in place of the variance.",
            spelt(tells=lambda mean, var, eps: (mean.ravel(), np.sqrt(var).ravel())),
        ),
        Mistake(
            "eps in the variance returned",
            "You returned the variance with eps added: eps is only for the division.",
            spelt(tells=lambda mean, var, eps: (mean.ravel(), (var + eps).ravel())),
        ),
        Mistake(
            "axes kept",
            "Your mean and var are (1, C, 1, 1): return them as (C,).",
            spelt(tells=lambda mean, var, eps: (mean, var)),
        ),
        Mistake(
            "mean square less squared mean",
            "You took the variance as the mean of x * x less the squared mean, which loses its digits where the mean "
            "is large: average (x - mean)**2, as np.var does.",
            spelt(
                spread=lambda x, axes, ddof: np.maximum(
                    (x * x).mean(axis=axes, keepdims=True) - x.mean(axis=axes, keepdims=True) ** 2, 0
                )
            ),
        ),
    ],
    clues=(
        "One mean and one variance for each channel: x.mean(axis=(0, 2, 3)) and x.var(axis=(0, 2, 3)), both (C,).",
        "To meet (N, C, H, W) a (C,) needs two axes more: mean[:, None, None].",
        "y = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None], then times gamma, plus beta; return y, "
        "mean, var",
    ),
)

batchnorm2d_backward = Exercise(
    name="batchnorm2d_backward",
    returns=("dx", "dgamma", "dbeta"),
    reference=pull,
    points={"basic": 5, "eps": 1},
    cases=[
        *group(
            "basic",
            public("4 images of 3 channels", 4, 3, 5, 6),
            secret("3 images of 5 channels", 3, 5, 4, 5),
            public("one image of 2 channels", 1, 2, 4, 3),
            secret("one image of 4 channels", 1, 4, 5, 2),
            public("one channel", 3, 1, 4, 4),
            secret("one channel, two images", 2, 1, 3, 6),
            public("few values: 2 images of 2x1", 2, 3, 2, 1),
            secret("few values: 3 images of 1x2", 3, 2, 1, 2),
            public("float32", 2, 3, 4, 5, dtype="float32"),
            secret("float32, 3 images", 3, 2, 5, 3, dtype="float32"),
            make=back,
        ),
        *group(
            "eps",
            public("eps 0.5", 3, 2, 4, 3, eps=0.5),
            secret("eps 2", 2, 3, 3, 4, eps=2.0),
            public("eps 3 on one image", 1, 3, 3, 3, eps=3.0),
            secret("eps 0.7 on one image", 1, 2, 4, 4, eps=0.7),
            make=back,
        ),
    ],
    mistakes=[
        Mistake(
            "mean and variance held fixed",
            "Your dx has its first term only, as if mean and variance did not depend on x: subtract what flows "
            "through both.",
            terms(lambda g, h, std, mean: g / std),
        ),
        Mistake(
            "term of the mean missing",
            "You left out what flows through the mean: subtract the mean of gamma * dout over the channel.",
            terms(lambda g, h, std, mean: (g - h * mean(g * h)) / std),
        ),
        Mistake(
            "term of the variance missing",
            "You left out what flows through the variance: subtract x_hat times the mean of gamma * dout * x_hat.",
            terms(lambda g, h, std, mean: (g - mean(g)) / std),
        ),
        Mistake(
            "sums in place of means",
            "You took the sums over the channel: mean and variance are divided by the number of values, so both "
            "terms are means.",
            terms(
                lambda g, h, std, mean: (
                    (g - (g + 0 * h).sum(ALL, keepdims=True) - h * (g * h).sum(ALL, keepdims=True)) / std
                )
            ),
        ),
        Mistake(
            "sum of the last term",
            "You took the sum of g * x_hat over the channel: the formula's bar is a mean, there as well.",
            terms(lambda g, h, std, mean: (g - mean(g) - h * (g * h).sum(ALL, keepdims=True)) / std),
        ),
        Mistake(
            "not divided by the spread",
            "You did not divide dx by the standard deviation: all three terms carry 1 / sqrt(var + eps).",
            terms(lambda g, h, std, mean: g - mean(g) - h * mean(g * h)),
        ),
        Mistake(
            "gamma missing in dx",
            "Your dx lacks gamma: the gradient that reaches x_hat is gamma * dout.",
            lambda dout, x, gamma, beta, eps=1e-5: (
                pull(dout, x, 0 * gamma + 1, beta, eps)[0],
                *pull(dout, x, gamma, beta, eps)[1:],
            ),
        ),
        Mistake(
            "dgamma with x",
            "You multiplied dout by x for dgamma: gamma multiplies the normalised x, x_hat.",
            changed(lambda dx, dgamma, dbeta, dout, x: (dx, (dout * x).sum(axis=ALL), dbeta)),
        ),
        Mistake(
            "means for gamma and beta",
            "You averaged dgamma and dbeta: gamma and beta of a channel are used at all its values, so sum.",
            changed(lambda dx, dgamma, dbeta, dout, x: (dx, dgamma / x[:, 0].size, dbeta / x[:, 0].size)),
        ),
        Mistake(
            "dbeta before dgamma",
            "You returned dbeta before dgamma: the gradients come in the order of the arguments.",
            changed(lambda dx, dgamma, dbeta, dout, x: (dx, dbeta, dgamma)),
        ),
        Mistake(
            "eps left out",
            "You left eps out of the standard deviation: take the very one that the forward divides by.",
            terms(lambda g, h, std, mean: (g - mean(g) - h * mean(g * h)) / std, lambda var, eps: np.sqrt(var)),
        ),
        Mistake(
            "eps forgotten in the call",
            "Your gradient is that for eps 1e-5, whatever eps is asked: use the argument.",
            lambda dout, x, gamma, beta, eps=1e-5: pull(dout, x, gamma, beta),
        ),
    ],
    clues=(
        "Compute mean, std = sqrt(var + eps) and x_hat = (x - mean) / std again; dbeta is the sum of dout and dgamma "
        "that of dout * x_hat, over the axes (0, 2, 3).",
        "With g = dout * gamma, each of the three terms has one line in the text: g, less the mean of g, less x_hat "
        "times the mean of g * x_hat.",
        "dx = (g - g.mean(axes, keepdims=True) - x_hat * (g * x_hat).mean(axes, keepdims=True)) / std with "
        "axes = (0, 2, 3)",
    ),
)
