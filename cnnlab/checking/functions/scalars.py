"""Scalar functions of an array of any shape: an array in, one float out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def _ramp(x: np.ndarray) -> np.ndarray:
    """Numbers that differ from entry to entry, so that a value in the wrong place is seen."""
    return np.cos(1.0 + np.arange(x.size)).reshape(x.shape)


def weighted_sum(x: np.ndarray) -> float:
    """A different weight for each entry: the gradient is the weights."""
    return float(np.sum(_ramp(x) * x))


def weighted_squares(x: np.ndarray) -> float:
    """Squares, each with its own weight: a central difference is exact, a one-sided one is not."""
    return float(np.sum(_ramp(x) * x * x))


def cubes(x: np.ndarray) -> float:
    """Third powers: a central difference is off by eps squared for each."""
    return float(np.sum(_ramp(x) * x**3))


def neighbours(x: np.ndarray) -> float:
    """Products of entries that follow each other: what one derivative is depends on the other entries."""
    flat = x.ravel()
    return float(np.sum(flat[:-1] * flat[1:]) + flat[0])


def waves(x: np.ndarray) -> float:
    """Sines of entries at different speeds, plus the sine of their sum."""
    return float(np.sum(np.sin((1.0 + _ramp(x)) * x)) + np.sin(np.sum(x)))


def log_sum_exp(x: np.ndarray) -> float:
    """The logarithm of the sum of the exponentials, as in a softmax."""
    top = np.max(x)
    return float(top + np.log(np.sum(np.exp(x - top))))


def distance(x: np.ndarray) -> float:
    """The length of the way from a fixed point: smooth but nowhere a polynomial."""
    return float(np.sqrt(1.0 + np.sum((x - _ramp(x)) ** 2)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    f.__name__: f for f in (weighted_sum, weighted_squares, cubes, neighbours, waves, log_sum_exp, distance)
}
