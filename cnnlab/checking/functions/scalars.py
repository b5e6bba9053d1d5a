"""Scalar functions of an array of any shape: an array in, one float out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnlab.checking.wire import Value


def _ramp(x: np.ndarray) -> np.ndarray:
    """Return numbers that differ from entry to entry, so that a value in the wrong place is noticed."""
    return np.cos(1.0 + np.arange(x.size)).reshape(x.shape)


def weighted_sum(x: np.ndarray) -> float:
    """Add up the entries, each with its own weight: the gradient is the weights."""
    return float(np.sum(_ramp(x) * x))


def weighted_squares(x: np.ndarray) -> float:
    """Add up squares, each with its own weight: a central difference is exact, a one-sided one is not."""
    return float(np.sum(_ramp(x) * x * x))


def cubes(x: np.ndarray) -> float:
    """Add up third powers, each with its own weight: a central difference is off by eps squared times the weight."""
    return float(np.sum(_ramp(x) * x**3))


def neighbours(x: np.ndarray) -> float:
    """Add up products of entries that follow each other: each derivative depends on other entries."""
    flat = x.ravel()
    return float(np.sum(flat[:-1] * flat[1:]) + flat[0])


def waves(x: np.ndarray) -> float:
    """Add up sines of entries at different speeds, and the sine of their sum."""
    return float(np.sum(np.sin((1.0 + _ramp(x)) * x)) + np.sin(np.sum(x)))


def log_sum_exp(x: np.ndarray) -> float:
    """Return the logarithm of the sum of the exponentials, as in a softmax."""
    top = np.max(x)
    return float(top + np.log(np.sum(np.exp(x - top))))


def distance(x: np.ndarray) -> float:
    """Return a distance from a fixed point, with 1 added under the root: smooth but nowhere a polynomial."""
    return float(np.sqrt(1.0 + np.sum((x - _ramp(x)) ** 2)))


FUNCTIONS: dict[str, Callable[..., Value]] = {
    f.__name__: f for f in (weighted_sum, weighted_squares, cubes, neighbours, waves, log_sum_exp, distance)
}
