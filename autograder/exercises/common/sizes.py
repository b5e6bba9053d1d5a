"""Sizes as the lessons write them: one number or (h, w), and a padding in any of its three forms."""

from __future__ import annotations

from typing import TypedDict

import numpy as np

Size = int | tuple[int, int]
Sides = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
Padding = Size | Sides


class Steps(TypedDict, total=False):
    """The arguments of a layer that moves a window, as far as a call gives them."""

    stride: Size
    padding: Padding


class DilatedSteps(Steps, total=False):
    """The same of a layer whose window may have gaps."""

    dilation: Size


class Settings(DilatedSteps, total=False):
    """The same of a convolution in groups."""

    groups: int


def pair(value: Size) -> tuple[int, int]:
    """Return an int or (h, w) as (h, w)."""
    return (value[0], value[1]) if isinstance(value, tuple) else (value, value)


def turned(value: Size) -> tuple[int, int]:
    """Return an int or (h, w) as (w, h), the misreading of a student who exchanges rows and columns."""
    height, width = pair(value)
    return width, height


def sides(padding: Padding) -> Sides:
    """Return a padding in any of its three forms as ((top, bottom), (left, right))."""
    height, width = padding if isinstance(padding, tuple) else (padding, padding)
    return pair(height), pair(width)


def must_fit(x: np.ndarray, kernel: Size, padding: Padding, dilation: Size) -> None:
    """Raise the ValueError that the lesson asks for where the dilated kernel is larger than the padded image."""
    for size, k, side, d in zip(x.shape[2:], pair(kernel), sides(padding), pair(dilation), strict=True):
        if d * (k - 1) + 1 > size + sum(side):
            raise ValueError(f"a kernel of {k} with dilation {d} does not fit into {size} with padding {side}")
