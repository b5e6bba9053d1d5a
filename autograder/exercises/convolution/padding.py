"""pad2d: a border around every image."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import scaled
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.operations import pad
from autograder.exercises.common.sizes import Padding, sides
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def with_sides(change: Wrong) -> Wrong:
    """Return a wrong pad2d: change(padding) gives the ((top, bottom), (left, right)) that it pads by."""
    return lambda x, padding, value=0.0: pad(x, change(padding), value)


def read_as_before_and_after(padding: Padding) -> Value:
    if isinstance(padding, tuple) and isinstance(padding[0], int):
        return padding, padding
    return padding


def halved(padding: Padding) -> Value:
    return tuple((a // 2, a - a // 2) if a == b else (a, b) for a, b in sides(padding))


pad2d = Exercise(
    name="pad2d",
    returns=("padded",),
    reference=pad,
    clues=(
        clue(
            "Only the last two axes grow; batch and channels keep their length.",
            "every axis padded",
            arguments=("batch", "channels"),
        ),
        clue(
            "`sides(padding)` gives ((top, bottom), (left, right)), and `np.pad` takes one such pair for each axis.",
            "axes swapped",
            "after side only",
            "before side only",
            "sides swapped",
            "first of each pair twice",
            "pair read as before and after",
            "total padding",
            arguments=("padding as (h, w)", "one-sided padding"),
        ),
        clue(
            "The pairs are `((0, 0), (0, 0), *sides(padding))`, and `constant_values` is what it pads with.",
            "every axis padded",
            "value ignored",
            "edge repeated",
            "value added everywhere",
            arguments=("value",),
        ),
    ),
    points={"basic": 2, "axes": 1, "sides": 2, "value": 1},
    cases=rows(
        plain_case,
        "basic",
        public("padding 1 around 3x4 images", x=normal(2, 3, 3, 4), padding=1),
        secret("padding 2 around 5x3 images", x=normal(3, 2, 5, 3), padding=2),
        public("padding 2 around one 2x3 image of one channel", x=normal(1, 1, 2, 3), padding=2),
        secret("padding 1 around one 4x1 image of one channel", x=normal(1, 1, 4, 1), padding=1),
        public("padding 0", x=normal(2, 2, 3, 2), padding=0),
        secret("padding 0 around 2x6 images", x=normal(2, 3, 2, 6), padding=0),
        public("padding 3 in float32", x=normal(1, 2, 4, 3, dtype="float32"), padding=3),
        secret("padding 4 in float32", x=normal(2, 1, 3, 2, dtype="float32"), padding=4),
        secret("padding 3 around values near ten million", x=scaled(1e3, 1, 2, 3, 5, offset=1e7), padding=3),
        "axes",
        public("padding (2, 1)", x=normal(2, 2, 3, 4), padding=(2, 1)),
        secret("padding (1, 3)", x=normal(2, 2, 5, 3), padding=(1, 3)),
        public("padding (0, 3): no rows added", x=normal(1, 3, 2, 4), padding=(0, 3)),
        secret("padding (2, 0): no columns added", x=normal(1, 4, 3, 4), padding=(2, 0)),
        "sides",
        public("padding ((1, 2), (0, 3))", x=normal(2, 2, 3, 3), padding=((1, 2), (0, 3))),
        secret("padding ((3, 1), (2, 0))", x=normal(2, 3, 4, 2), padding=((3, 1), (2, 0))),
        public("padding ((0, 1), (0, 1)): below and to the right only", x=normal(1, 2, 4, 5), padding=((0, 1), (0, 1))),
        secret("padding ((0, 0), (1, 0)): on the left only", x=normal(1, 3, 3, 4), padding=((0, 0), (1, 0))),
        "value",
        public("padding 1 with the value 1.5", x=normal(2, 1, 2, 5), padding=1, value=1.5),
        secret("padding 2 with the value -0.25", x=normal(2, 2, 4, 1), padding=2, value=-0.25),
        public(
            "padding 1 with minus infinity, as max pooling needs it", x=normal(1, 2, 3, 5), padding=1, value=-np.inf
        ),
        secret("padding 2 with minus infinity", x=normal(1, 1, 5, 4), padding=2, value=-np.inf),
    ),
    mistakes=mistakes(
        """
        axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
        after side only: You padded below and to the right only: an int or (h, w) is the padding of both sides.
        before side only: You padded above and to the left only: an int or (h, w) is the padding of both sides.
        sides swapped: You swapped the sides of each axis: the pairs are (top, bottom) and (left, right).
        first of each pair twice: You padded both sides by the first number of each pair: (top, bottom) may differ, and
            so may (left, right).
        pair read as before and after: You read (h, w) as before and after: h goes above and below, w to the left and to
            the right.
        total padding: You split the padding between the two sides: each side gets all of it.
        every axis padded: You padded the batch and the channels too: only the last two axes are the image, so give
            np.pad a (0, 0) for each of the first two.
        value ignored: You padded with zeros: fill the border with `value`.
        edge repeated: You repeated the edge pixels: fill the border with `value`.
        value added everywhere: You added `value` to the image too: start from an array full of `value` and copy the
            image into it.
        """,
        {
            "axes swapped": with_sides(lambda padding: sides(padding)[::-1]),
            "after side only": with_sides(lambda padding: tuple((0, after) for _, after in sides(padding))),
            "before side only": with_sides(lambda padding: tuple((before, 0) for before, _ in sides(padding))),
            "sides swapped": with_sides(lambda padding: tuple((after, before) for before, after in sides(padding))),
            "first of each pair twice": with_sides(
                lambda padding: tuple((before, before) for before, _ in sides(padding))
            ),
            "pair read as before and after": with_sides(read_as_before_and_after),
            "total padding": with_sides(halved),
            "every axis padded": lambda x, padding, value=0.0: np.pad(x, padding, constant_values=value),
            "value ignored": lambda x, padding, value=0.0: pad(x, padding),
            "edge repeated": lambda x, padding, value=0.0: np.pad(x, ((0, 0), (0, 0), *sides(padding)), mode="edge"),
            "value added everywhere": lambda x, padding, value=0.0: pad(x, padding) + value,
        },
    ),
    varied=varied(
        plain_case,
        public("plain: padding 1 around a 4x4 image", x=normal(1, 1, 4, 4), padding=1),
        {
            "padding as (h, w)": {"padding": (1, 2)},
            "one-sided padding": {"padding": ((1, 0), (0, 0))},
            "value": {"value": 1.5},
            "batch": {"x": normal(2, 1, 4, 4)},
            "channels": {"x": normal(1, 3, 4, 4)},
            "image that is not square": {"x": normal(1, 1, 4, 6)},
            "float32": {"x": normal(1, 1, 4, 4, dtype="float32")},
        },
    ),
)
