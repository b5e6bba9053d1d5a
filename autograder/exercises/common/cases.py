"""Inputs and Cases that several lessons draw."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Random, normal
from cnnlab.checking.wire import Value


def scaled(factor: float, *shape: int, offset: float = 0.0) -> Random:
    """Return an input of normal values times `factor`, plus `offset`."""
    return Random(lambda rng: factor * rng.standard_normal(shape) + offset)


def biases(count: int, dtype: str, given: bool) -> Random | np.ndarray:
    """Return normal values for the biases of a Case, zeros where none are given."""
    return normal(count, dtype=dtype) if given else np.zeros(count, dtype)


def layer_case(
    key: str,
    group: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    dtype: str = "float64",
    bias: bool = True,
    **how: Value,
) -> Case:
    """Return a Case of a convolution: normal values of the shapes x and w, and a bias, which may be zero."""
    arrays = {"x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype)}
    return Case(key, group=group, **arrays, b=biases(w[0], dtype, bias), **how)


Things = dict[str, dict[str, Value]]  # what a varied Case differs in -> its own inputs

# What the varied Cases of windows differ in, each from windows with stride 1 and no padding on 4x4 images.
PADDINGS: Things = {
    "padding": {"padding": 1},
    "padding as (h, w)": {"padding": (1, 0)},
    "one-sided padding": {"padding": ((1, 0), (0, 0))},
}
WINDOWS: Things = {
    "stride": {"stride": 2},
    "stride as (h, w)": {"stride": (2, 1)},
    "stride that leaves pixels over": {"stride": 3},
    **PADDINGS,
}
DILATIONS: Things = {"dilation": {"dilation": 2}, "dilation as (h, w)": {"dilation": (2, 1)}}


def layers(channels: int = 1, filters: int = 1) -> tuple[dict[str, Value], Things]:
    """Return the inputs of a plain layer, a 2x2 kernel on a 4x4 image, and of layers that differ in one thing each."""
    plain = {"x": (1, channels, 4, 4), "w": (filters, channels, 2, 2)}
    return plain, {
        **WINDOWS,
        "batch": {"x": (2, channels, 4, 4)},
        "channels": {"x": (1, channels + 2, 4, 4), "w": (filters, channels + 2, 2, 2)},
        "filters": {"w": (filters + 2, channels, 2, 2)},
        "image that is not square": {"x": (1, channels, 4, 6)},
        "kernel that is not square": {"w": (filters, channels, 2, 1)},
        "float32": {"dtype": "float32"},
    }
