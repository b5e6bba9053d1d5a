"""batchnorm2d_backward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import gradients
from autograder.exercises.lenet.norm import ALL, Arrays, ahead, standardise, unscaled
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value


def pull(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Arrays:
    """Return the gradients, by torch's autograd."""
    return gradients(lambda torch, x, gamma, beta: standardise(torch, x, gamma, beta, eps), dout, x, gamma, beta)


def terms(
    change: Callable[..., Value], std: Callable[..., Value] = lambda var, eps: np.sqrt(var + eps)
) -> Callable[..., Value]:
    """Return a backward whose dx is `change(g, h, std, mean)`; h: x normalised, g: gamma*dout, mean: over a channel."""

    def backward(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Value:
        def mean(a: np.ndarray) -> np.ndarray:
            return a.mean(axis=ALL, keepdims=True)

        root = std(x.var(axis=ALL, keepdims=True), eps)
        h = (x - mean(x)) / root
        dx = change(dout * gamma[:, None, None], h, root, mean)
        return dx.astype(x.dtype), (dout * h).sum(axis=ALL), dout.sum(axis=ALL)

    return backward


def changed(change: Callable[..., Value]) -> Callable[..., Value]:
    """Return a backward whose gradients are `change(dx, dgamma, dbeta, dout, x)`."""

    def wrong(dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5) -> Value:
        return change(*pull(dout, x, gamma, beta, eps), dout, x)

    return wrong


def back(key: str, group: str, *shape: int, dtype: str = "float64", **how: Value) -> Case:
    """Return a Case of the backward, with a random upstream gradient."""
    case = ahead(key, group, *shape, dtype=dtype)
    dout = normal(*shape, dtype=dtype)
    return Case(key, group=group, tolerance=case.tolerance, **{"dout": dout, **case.inputs, **how})


batchnorm2d_backward = Exercise(
    name="batchnorm2d_backward",
    returns=("dx", "dgamma", "dbeta"),
    reference=pull,
    points={"basic": 5, "eps": 1},
    cases=rows(
        back,
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
        "eps",
        public("eps 0.5", 3, 2, 4, 3, eps=0.5),
        secret("eps 2", 2, 3, 3, 4, eps=2.0),
        public("eps 3 on one image", 1, 3, 3, 3, eps=3.0),
        secret("eps 0.7 on one image", 1, 2, 4, 4, eps=0.7),
    ),
    mistakes=mistakes(
        """
        mean and variance held fixed: Your dx has its first term only, as if mean and variance did not depend on x:
            subtract what flows through both.
        term of the mean missing: You left out what flows through the mean: subtract the mean of gamma * dout over the
            channel.
        term of the variance missing: You left out what flows through the variance: subtract x_hat times the mean of
            gamma * dout * x_hat.
        sums in place of means: You took the sums over the channel: mean and variance are divided by the number of
            values, so both terms are means.
        sum of the last term: You took the sum of g * x_hat over the channel: the formula's bar is a mean, there as
            well.
        not divided by the spread: You did not divide dx by the standard deviation: all three terms carry 1 / sqrt(var +
            eps).
        gamma missing in dx: Your dx lacks gamma: the gradient that reaches x_hat is gamma * dout.
        dgamma with x: You multiplied dout by x for dgamma: gamma multiplies the normalised x, x_hat.
        means for gamma and beta: You averaged dgamma and dbeta: gamma and beta of a channel are used at all its values,
            so sum.
        dbeta before dgamma: You returned dbeta before dgamma: the gradients come in the order of the arguments.
        eps left out: You left eps out of the standard deviation: take the very one that the forward divides by.
        eps forgotten in the call: Your gradient is that for eps 1e-5, whatever eps is asked: use the argument.
        """,
        {
            "mean and variance held fixed": terms(lambda g, h, std, mean: g / std),
            "term of the mean missing": terms(lambda g, h, std, mean: (g - h * mean(g * h)) / std),
            "term of the variance missing": terms(lambda g, h, std, mean: (g - mean(g)) / std),
            "sums in place of means": terms(
                lambda g, h, std, mean: (
                    (g - (g + 0 * h).sum(ALL, keepdims=True) - h * (g * h).sum(ALL, keepdims=True)) / std
                )
            ),
            "sum of the last term": terms(
                lambda g, h, std, mean: (g - mean(g) - h * (g * h).sum(ALL, keepdims=True)) / std
            ),
            "not divided by the spread": terms(lambda g, h, std, mean: g - mean(g) - h * mean(g * h)),
            "gamma missing in dx": lambda dout, x, gamma, beta, eps=1e-5: (
                pull(dout, x, 0 * gamma + 1, beta, eps)[0],
                *pull(dout, x, gamma, beta, eps)[1:],
            ),
            "dgamma with x": changed(lambda dx, dgamma, dbeta, dout, x: (dx, (dout * x).sum(axis=ALL), dbeta)),
            "means for gamma and beta": changed(
                lambda dx, dgamma, dbeta, dout, x: (dx, dgamma / x[:, 0].size, dbeta / x[:, 0].size)
            ),
            "dbeta before dgamma": changed(lambda dx, dgamma, dbeta, dout, x: (dx, dbeta, dgamma)),
            "eps left out": terms(
                lambda g, h, std, mean: (g - mean(g) - h * mean(g * h)) / std, lambda var, eps: np.sqrt(var)
            ),
            "eps forgotten in the call": lambda dout, x, gamma, beta, eps=1e-5: pull(dout, x, gamma, beta),
        },
    ),
    varied=varied(
        back,
        public("plain: one image of 2 channels, 4x4, gamma 1, beta 0", 1, 2, 4, 4, **unscaled(2)),
        {
            "gamma": {"gamma": normal(2)},
            "beta": {"beta": normal(2)},
            "eps": {"eps": 0.5},
            "batch": public("", 3, 2, 4, 4, **unscaled(2)),
            "channels": public("", 1, 3, 4, 4, **unscaled(3)),
            "image that is not square": public("", 1, 2, 4, 6, **unscaled(2)),
            "float32": {"dtype": "float32", **unscaled(2, "float32")},
        },
    ),
    clues=(
        clue(
            "Compute mean, std = sqrt(var + eps) and x_hat = (x - mean) / std again; dbeta is the sum of dout and dgamma "
            "that of dout * x_hat, over the axes (0, 2, 3).",
            *("dgamma with x", "means for gamma and beta", "eps left out", "eps forgotten in the call"),
            arguments=("eps", "batch", "channels"),
        ),
        clue(
            "With g = dout * gamma, each of the three terms has one line in the text: g, less the mean of g, less x_hat "
            "times the mean of g * x_hat.",
            *("mean and variance held fixed", "term of the mean missing", "term of the variance missing"),
            *("sums in place of means", "sum of the last term", "gamma missing in dx"),
            arguments=("gamma",),
        ),
        clue(
            "dx = (g - g.mean(axes, keepdims=True) - x_hat * (g * x_hat).mean(axes, keepdims=True)) / std with "
            "axes = (0, 2, 3)",
            *("mean and variance held fixed", "term of the mean missing", "term of the variance missing"),
            *("sums in place of means", "sum of the last term", "not divided by the spread"),
            arguments=("batch", "channels"),
        ),
    ),
)
