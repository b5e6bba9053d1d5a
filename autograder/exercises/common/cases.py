"""Inputs and Cases that several lessons draw."""

from __future__ import annotations

from autograder.exercise import Case, Random, normal
from cnnlab.checking.wire import Value


def scaled(factor: float, *shape: int, offset: float = 0.0) -> Random:
    """Return an input of normal values times `factor`, plus `offset`."""
    return Random(lambda rng: factor * rng.standard_normal(shape) + offset)


def layer_case(
    key: str, group: str, x: tuple[int, ...], w: tuple[int, ...], dtype: str = "float64", **how: Value
) -> Case:
    """Return a Case of a convolution: normal values of the shapes x and w, and a bias that is not zero."""
    arrays = {"x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype), "b": normal(w[0], dtype=dtype)}
    return Case(key, group=group, **arrays, **how)
