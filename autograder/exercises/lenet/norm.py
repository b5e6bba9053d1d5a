"""batchnorm2d_forward, and what it shares with batchnorm2d_backward."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue, normal
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

if TYPE_CHECKING:
    from torch import Tensor


Arrays = tuple[np.ndarray, ...]


ALL = (0, 2, 3)  # the axes of the images, the rows and the columns


def standardise(torch: ModuleType, x: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
    return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)


def normalise(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Arrays:
    """Normalise by torch's batch_norm, with the batch's mean and biased variance of each channel."""
    with one_thread() as torch:
        y = standardise(torch, tensor(x), tensor(gamma), tensor(beta), eps).numpy()
        var, mean = (a.numpy() for a in torch.var_mean(tensor(x), dim=ALL, correction=0))
    return y.astype(x.dtype), mean.astype(x.dtype), var.astype(x.dtype)


def spelt(
    axes: tuple[int, ...] = ALL,
    ddof: int = 0,
    scale: Callable[..., Value] = lambda var, eps: np.sqrt(var + eps),
    tells: Callable[..., Value] = lambda mean, var, eps: (mean.ravel(), var.ravel()),
    spread: Callable[..., Value] = lambda x, axes, ddof: x.var(axis=axes, ddof=ddof, keepdims=True),
) -> Callable[..., Value]:
    """Return a forward by the formula, with some of its parts exchanged."""

    def forward(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Value:
        mean = x.mean(axis=axes, keepdims=True)
        var = spread(x, axes, ddof)
        y = gamma[:, None, None] * (x - mean) / scale(var, eps) + beta[:, None, None]
        return (y.astype(x.dtype), *tells(mean, var, eps))

    return forward


def ahead(key: str, group: str, *shape: int, x: Value = None, dtype: str = "float64", **how: Value) -> Case:
    """Return a Case of the forward.

    Args:
        key, group: of the Case.
        shape: of the images.
        x: what draws them, by default normal values.
        dtype: of all arrays.
        how: the other arguments, and a gamma or beta that is not drawn.
    """
    values = scaled(2.0, *shape, offset=0.7) if x is None else x
    if dtype != "float64":
        values = normal(*shape, dtype=dtype)
    channels = {name: normal(shape[1], dtype=dtype) for name in ("gamma", "beta")}
    # An eps that is left out or misplaced costs the points of its own group only.
    tolerance = None if group == "eps" else 1e-4
    return Case(key, group=group, tolerance=tolerance, **{"x": values, **channels, **how})


def unscaled(channels: int, dtype: str = "float64") -> dict[str, Value]:
    """Return the gamma and beta that change nothing."""
    return {"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)}


def unequal(*shape: int) -> Random:
    """Draw images whose channels have very different means and spreads."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        spread, offset = 10.0 ** rng.uniform(0, 3, (2, shape[1], 1, 1))
        return spread * rng.standard_normal(shape) + offset

    return Random(draw)


def with_constant_channel(*shape: int) -> Random:
    """Draw images whose first channel has one value everywhere."""

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
    cases=rows(
        ahead,
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
        "eps",
        public("eps 0.5", 3, 2, 4, 3, eps=0.5),
        secret("eps 2", 2, 3, 3, 4, eps=2.0),
        public("a channel of one value everywhere", 2, 2, 3, 3, x=with_constant_channel(2, 2, 3, 3), eps=0.01),
        secret("one channel constant", 3, 3, 2, 4, x=with_constant_channel(3, 3, 2, 4), eps=0.05),
        "offset",
        public("values near ten million", 2, 2, 4, 4, x=scaled(1.0, 2, 2, 4, 4, offset=1e7)),
        secret("values near minus twenty million", 3, 2, 3, 5, x=scaled(1.0, 3, 2, 3, 5, offset=-2e7)),
    ),
    mistakes=mistakes(
        """
        unbiased variance: You divided by one less than the number of values: the variance is the mean square, np.var as
            it is.
        eps outside the root: You added eps to the standard deviation: it belongs to the variance, under the root.
        eps left out: You left eps out: without it a channel of one value everywhere divides by zero.
        variance in place of its root: You divided by the variance: divide by its root, which has the unit of x.
        each image by itself: You normalised every image by itself: the mean runs over the images as well, axes (0, 2,
            3).
        each pixel by itself: You took statistics for each pixel: a channel has one mean, over images, rows and columns.
        all channels together: You took one mean and variance for all channels: each channel has its own, so leave axis
            1 out.
        gamma and beta exchanged: You scaled by beta and added gamma: y = gamma * (x normalised) + beta.
        gamma and beta forgotten: Your y is the normalised x: multiply each channel by its gamma and add its beta.
        standard deviation returned: You returned the standard deviation in place of the variance.
        eps in the variance returned: You returned the variance with eps added: eps is only for the division.
        axes kept: Your mean and var are (1, C, 1, 1): return them as (C,).
        mean square less squared mean: You took the variance as the mean of x * x less the squared mean, which loses its
            digits where the mean is large: average (x - mean)**2, as np.var does.
        """,
        {
            "unbiased variance": spelt(ddof=1),
            "eps outside the root": spelt(scale=lambda var, eps: np.sqrt(var) + eps),
            "eps left out": spelt(scale=lambda var, eps: np.sqrt(var)),
            "variance in place of its root": spelt(scale=lambda var, eps: var + eps),
            "each image by itself": lambda x, gamma, beta, eps=1e-5: (
                spelt((2, 3))(x, gamma, beta, eps)[0],
                *normalise(x, gamma, beta, eps)[1:],
            ),
            "each pixel by itself": lambda x, gamma, beta, eps=1e-5: (
                spelt((0,))(x, gamma, beta, eps)[0],
                *normalise(x, gamma, beta, eps)[1:],
            ),
            "all channels together": lambda x, gamma, beta, eps=1e-5: (
                spelt((0, 1, 2, 3))(x, gamma, beta, eps)[0],
                np.full(x.shape[1], x.mean()),
                np.full(x.shape[1], x.var()),
            ),
            "gamma and beta exchanged": lambda x, gamma, beta, eps=1e-5: normalise(x, beta, gamma, eps),
            "gamma and beta forgotten": lambda x, gamma, beta, eps=1e-5: normalise(x, 0 * gamma + 1, 0 * beta, eps),
            "standard deviation returned": spelt(tells=lambda mean, var, eps: (mean.ravel(), np.sqrt(var).ravel())),
            "eps in the variance returned": spelt(tells=lambda mean, var, eps: (mean.ravel(), (var + eps).ravel())),
            "axes kept": spelt(tells=lambda mean, var, eps: (mean, var)),
            "mean square less squared mean": spelt(
                spread=lambda x, axes, ddof: np.maximum(
                    (x * x).mean(axis=axes, keepdims=True) - x.mean(axis=axes, keepdims=True) ** 2, 0
                )
            ),
        },
    ),
    varied=varied(
        ahead,
        public("plain: one image of 2 channels, 4x4, gamma 1, beta 0", 1, 2, 4, 4, **unscaled(2)),
        {
            "gamma": {"gamma": normal(2)},
            "beta": {"beta": normal(2)},
            "eps": {"eps": 0.5},
            "batch": public("", 3, 2, 4, 4, **unscaled(2)),
            "channels": public("", 1, 3, 4, 4, **unscaled(3)),
            "image that is not square": public("", 1, 2, 4, 6, **unscaled(2)),
            "values near ten million": {"x": scaled(2.0, 1, 2, 4, 4, offset=1e7)},
            "float32": {"dtype": "float32", **unscaled(2, "float32")},
        },
    ),
    clues=(
        clue(
            "One mean and one variance for each channel: x.mean(axis=(0, 2, 3)) and x.var(axis=(0, 2, 3)), both (C,).",
            *("unbiased variance", "each image by itself", "each pixel by itself", "all channels together"),
            *("standard deviation returned", "axes kept", "mean square less squared mean"),
            arguments=("batch", "channels", "values near ten million"),
        ),
        clue(
            "To meet (N, C, H, W) a (C,) needs two axes more: mean[:, None, None].",
            arguments=("gamma", "beta", "channels", "image that is not square"),
        ),
        clue(
            "y = (x - mean[:, None, None]) / np.sqrt(var + eps)[:, None, None], then times gamma, plus beta; return y, "
            "mean, var",
            *("eps outside the root", "eps left out", "variance in place of its root", "gamma and beta exchanged"),
            *("gamma and beta forgotten", "standard deviation returned", "eps in the variance returned"),
            arguments=("gamma", "beta", "eps"),
        ),
    ),
)
