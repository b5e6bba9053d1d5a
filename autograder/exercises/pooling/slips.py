"""The Mistakes that the poolings share: each a small change of what the reference is given or gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Mistake
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Size, turned
from autograder.exercises.common.slips import after_only, before_only, sides_swapped, swapped, without
from cnnlab.checking.wire import Value

Pool = Callable[..., np.ndarray]

STRIDE_ONE = ("stride one", "Your windows lie one pixel apart where `stride` is not given: its default is the kernel.")
STRIDE_IGNORED = (
    "stride ignored",
    "You moved the windows by the kernel's size always: where `stride` is given, move them by it.",
)
KERNEL_SWAPPED = ("kernel swapped", "You read kernel as (w, h): height comes first.")
STRIDE_SWAPPED = (
    "stride swapped",
    "You moved down by the stride's width and across by its height: (h, w) is height first.",
)


def with_default(how: dict[str, Value], default: Value) -> dict[str, Value]:
    """Return the arguments with another default of the stride."""
    return {**how, "stride": default if how.get("stride") is None else how["stride"]}


def stride_turned(how: dict[str, Value]) -> dict[str, Value]:
    """Return the arguments with a stride that is given as (h, w) read as (w, h)."""
    return how if how.get("stride") is None else {**how, "stride": turned(how["stride"])}


def window_slips(pool: Pool) -> list[Mistake]:
    """Return the Mistakes of windows and strides in a forward."""

    def crowded(x: np.ndarray, kernel: Size, stride: Size | None = None, **how: Size) -> np.ndarray:
        height, width = pool(x, kernel=kernel, stride=stride, **how).shape[2:]
        return pool(x, kernel=kernel, stride=1, **how)[:, :, :height, :width]

    def swapped_kernel(x: np.ndarray, kernel: Size, stride: Size | None = None, **how: Size) -> np.ndarray:
        return pool(x, kernel=turned(kernel), stride=stride, **how)

    return [
        Mistake(*STRIDE_ONE, lambda x, **how: pool(x, **with_default(how, 1))),
        Mistake(*STRIDE_IGNORED, lambda x, **how: pool(x, **without(how, "stride"))),
        Mistake(*KERNEL_SWAPPED, swapped_kernel),
        Mistake(*STRIDE_SWAPPED, lambda x, **how: pool(x, **stride_turned(how))),
        *mistakes(
            """
            stride in the size only: Your output has the right size, but the windows start one pixel apart: output (i,
                j) reads from row i * stride and column j * stride on.
            last row and column missing: Your output lacks its last row and column: the number of positions is the
                number of steps plus 1.
            first image for all: Every image of the batch got the output of the first one: compute each from its own
                x[n].
            """,
            {
                "stride in the size only": crowded,
                "last row and column missing": lambda x, **how: pool(x, **how)[:, :, :-1, :-1],
                "first image for all": lambda x, **how: np.repeat(pool(x[:1], **how), len(x), axis=0),
            },
        ),
    ]


def padding_slips(pool: Pool) -> list[Mistake]:
    """Return the Mistakes of the padding in a forward."""
    return mistakes(
        """
        padding ignored: You left out the padding: surround x first.
        padding after only: You padded below and to the right only: an int or (h, w) is the padding of both sides.
        padding before only: You padded above and to the left only: an int or (h, w) is the padding of both sides.
        padding axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
        padding sides swapped: You swapped the sides of the padding: the pairs are (top, bottom) and (left, right).
        """,
        {
            "padding ignored": lambda x, **how: pool(x, **without(how, "padding")),
            "padding after only": lambda x, **how: pool(x, **after_only(how)),
            "padding before only": lambda x, **how: pool(x, **before_only(how)),
            "padding axes swapped": lambda x, **how: pool(x, **swapped(how, "padding")),
            "padding sides swapped": lambda x, **how: pool(x, **sides_swapped(how)),
        },
    )


def backward_slips(backward: Pool) -> list[Mistake]:
    """Return the Mistakes of windows and strides in a backward that is written in loops over dout."""

    def swapped_kernel(dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, **how: Size) -> Value:
        return backward(dout, x, kernel=turned(kernel), stride=stride, **how)

    return [
        Mistake(*STRIDE_ONE, lambda dout, x, **how: backward(dout, x, **with_default(how, 1))),
        Mistake(*STRIDE_IGNORED, lambda dout, x, **how: backward(dout, x, **without(how, "stride"))),
        Mistake(*KERNEL_SWAPPED, swapped_kernel),
        Mistake(*STRIDE_SWAPPED, lambda dout, x, **how: backward(dout, x, **stride_turned(how))),
        Mistake(
            "upstream gradient ignored",
            "You passed on ones: multiply by the gradient that comes in, dout.",
            lambda dout, x, **how: backward(np.ones_like(dout), x, **how),
        ),
    ]
