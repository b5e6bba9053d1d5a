"""The Mistakes that both convolutions share: each changes an argument or the result of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

import numpy as np

from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d
from autograder.exercises.common.sizes import Settings, sides, turned
from cnnlab.checking.wire import Value


def swapped(how: Mapping[str, Value], name: str) -> dict[str, Value]:
    """Return the arguments with (h, w) of `name` read as (w, h)."""
    value = how.get(name, 0 if name == "padding" else 1)
    return {**how, name: sides(value)[::-1] if name == "padding" else turned(value)}


def without(how: Mapping[str, Value], name: str) -> dict[str, Value]:
    """Return the arguments with `name` left out."""
    return {key: value for key, value in how.items() if key != name}


def after_only(how: Mapping[str, Value]) -> dict[str, Value]:
    """Return the arguments with the padding below and to the right only."""
    return {**how, "padding": tuple((0, after) for _, after in sides(how.get("padding", 0)))}


def before_only(how: Mapping[str, Value]) -> dict[str, Value]:
    """Return the arguments with the padding above and to the left only."""
    return {**how, "padding": tuple((before, 0) for before, _ in sides(how.get("padding", 0)))}


def sides_swapped(how: Mapping[str, Value]) -> dict[str, Value]:
    """Return the arguments with top and bottom exchanged, and with left and right exchanged."""
    return {**how, "padding": tuple((after, before) for before, after in sides(how.get("padding", 0)))}


def crowded(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Cross-correlate windows one step apart, though as many as the stride asks for."""
    height, width = conv2d(x, w, b, **how).shape[2:]
    return conv2d(x, w, b, **without(how, "stride"))[:, :, :height, :width]


LAYER = mistakes(
    """
    flipped: Your kernel is flipped: that is convolution as mathematics has it; a layer multiplies each window with w as
        it is.
    kernel transposed: You exchanged the kernel's rows and columns: w has the shape (F, C, KH, KW), height first.
    bias forgotten: The bias is missing: add b[f] to every value of output channel f.
    last row and column missing: Your output lacks its last row and column: the number of positions is the number of
        steps plus 1.
    first image for all: Every image of the batch got the output of the first one: compute each from its own x[n].
    whole numbers: Your output holds whole numbers: make it an array of x's dtype.
    stride ignored: Your windows lie one pixel apart: move them by `stride`.
    stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
    stride in the size only: Your output has the right size, but the windows start one pixel apart: output (i, j) reads
        from row i * stride and column j * stride on.
    padding ignored: You left out the padding: surround x with zeros first.
    padding after only: You padded below and to the right only: an int or (h, w) is the padding of both sides.
    padding before only: You padded above and to the left only: an int or (h, w) is the padding of both sides.
    padding axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
    padding sides swapped: You swapped the sides of the padding: the pairs are (top, bottom) and (left, right).
    """,
    {
        "flipped": lambda x, w, b, **how: conv2d(x, w[:, :, ::-1, ::-1], b, **how),
        "kernel transposed": lambda x, w, b, **how: conv2d(x, w.transpose(0, 1, 3, 2), b, **how),
        "bias forgotten": lambda x, w, b, **how: conv2d(x, w, 0 * b, **how),
        "last row and column missing": lambda x, w, b, **how: conv2d(x, w, b, **how)[:, :, :-1, :-1],
        "first image for all": lambda x, w, b, **how: np.repeat(conv2d(x[:1], w, b, **how), len(x), axis=0),
        "whole numbers": lambda x, w, b, **how: conv2d(x, w, b, **how).astype(np.int64),
        "stride ignored": lambda x, w, b, **how: conv2d(x, w, b, **without(how, "stride")),
        "stride swapped": lambda x, w, b, **how: conv2d(x, w, b, **swapped(how, "stride")),
        "stride in the size only": crowded,
        "padding ignored": lambda x, w, b, **how: conv2d(x, w, b, **without(how, "padding")),
        "padding after only": lambda x, w, b, **how: conv2d(x, w, b, **after_only(how)),
        "padding before only": lambda x, w, b, **how: conv2d(x, w, b, **before_only(how)),
        "padding axes swapped": lambda x, w, b, **how: conv2d(x, w, b, **swapped(how, "padding")),
        "padding sides swapped": lambda x, w, b, **how: conv2d(x, w, b, **sides_swapped(how)),
    },
)
