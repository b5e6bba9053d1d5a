"""max_pool2d_forward and max_pool2d_backward."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Exercise, clue, integers, normal
from autograder.exercises.common.cases import PADDINGS, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Padding, Size
from autograder.exercises.common.slips import without
from autograder.exercises.pooling.operations import (
    Share,
    avg_pool,
    back_case,
    max_pool,
    max_pool_gradient,
    overwritten_by_position,
    pad,
    pool_case,
    pools,
    rounded_up,
    routed,
)
from autograder.exercises.pooling.slips import backward_slips, padding_slips, window_slips
from autograder.exercises.rows import public, rows, secret, varied


def over_zeros(x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> np.ndarray:
    return max_pool(pad(x, padding), kernel, stride)


def largest(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    """Mark where a window has its largest value, ties included: 1.0 and 0.0."""
    return (window == window.max(axis=(2, 3), keepdims=True)).astype(np.float64)


def picked(pick: Callable[[np.ndarray], np.ndarray]) -> Share:
    """Share out to one pixel of a window: `pick` finds it in (N, C, KH*KW)."""

    def share(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
        flat = window.reshape(*window.shape[:2], -1)
        one = np.arange(flat.shape[2]) == pick(flat)[..., None]
        return one.reshape(window.shape).astype(np.float64)

    return share


def first_by_columns(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    return first(window.swapaxes(2, 3), (kernel[1], kernel[0])).swapaxes(2, 3)


def split(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    tied = largest(window, kernel)
    return tied / tied.sum(axis=(2, 3), keepdims=True)


first = picked(lambda flat: flat.argmax(axis=2))
last = picked(lambda flat: flat.shape[2] - 1 - flat[..., ::-1].argmax(axis=2))
backward = routed(first, -np.inf)

FORWARD, FORWARD_THINGS = pools("x")
BACKWARD, BACKWARD_THINGS = pools("shape")

# In each window the first of the largest values by rows, the first by columns and the last differ, or some of them.
TIES = np.array([[[[0, 1, 1, 1], [1, 0, 0, 1], [0, 1, 1, 1], [1, 1, 1, 0]]]], np.float64)

max_pool2d_forward = Exercise(
    name="max_pool2d_forward",
    returns=("y",),
    reference=max_pool,
    points={"basic": 3, "stride": 2, "padding": 2, "together": 1},
    cases=rows(
        pool_case,
        "basic",
        public("kernel 2 on 4x6 images", x=(2, 3, 4, 6), kernel=2),
        secret("kernel 2 on 6x8 images", x=(3, 2, 6, 8), kernel=2),
        public("kernel (3, 2) on 7x5 images: a row and a column left over", x=(2, 2, 7, 5), kernel=(3, 2)),
        secret("kernel (2, 3) on 5x8 images", x=(2, 3, 5, 8), kernel=(2, 3)),
        public("one image, one channel, kernel 3 on 5x8", x=(1, 1, 5, 8), kernel=3),
        secret("one image, one channel, kernel 4 on 9x6", x=(1, 1, 9, 6), kernel=4),
        public("a kernel as large as the 3x4 image", x=(2, 2, 3, 4), kernel=(3, 4)),
        secret("a kernel as large as the 4x3 image", x=(2, 3, 4, 3), kernel=(4, 3)),
        public("negative values only", x=scaled(1.0, 1, 2, 4, 4, offset=-9.0), kernel=2),
        secret("values near minus a thousand", x=scaled(1.0, 2, 2, 4, 5, offset=-1e3), kernel=2),
        public("float32, kernel 2", x=normal(2, 2, 5, 4, dtype="float32"), kernel=2),
        secret("float32, kernel 3", x=normal(1, 2, 7, 6, dtype="float32"), kernel=3),
        "stride",
        public("overlapping windows: kernel 3, stride 2 on 7x9", x=(2, 2, 7, 9), kernel=3, stride=2),
        secret("overlapping windows: kernel 3, stride 2 on 9x6", x=(2, 3, 9, 6), kernel=3, stride=2),
        public("stride (1, 3), kernel (2, 3) on 4x8", x=(1, 2, 4, 8), kernel=(2, 3), stride=(1, 3)),
        secret("stride (2, 1), kernel (3, 2) on 8x5", x=(1, 3, 8, 5), kernel=(3, 2), stride=(2, 1)),
        public("gaps: kernel 2, stride 3 on 7x8", x=(2, 1, 7, 8), kernel=2, stride=3),
        secret("gaps: kernel (1, 2), stride (3, 4) on 8x10", x=(2, 2, 8, 10), kernel=(1, 2), stride=(3, 4)),
        "padding",
        public("padding 1, kernel 3 on 5x6", x=(2, 2, 5, 6), kernel=3, padding=1),
        secret("padding 1, kernel 2 on 6x5", x=(2, 3, 6, 5), kernel=2, padding=1),
        public(
            "negative values only, padding 1, kernel 2", x=scaled(1.0, 2, 1, 4, 6, offset=-9.0), kernel=2, padding=1
        ),
        secret(
            "values near minus ten, padding 1, kernel 3", x=scaled(1.0, 1, 2, 6, 4, offset=-10.0), kernel=3, padding=1
        ),
        public("padding (0, 1), kernel 2 on 4x3", x=(1, 2, 4, 3), kernel=2, padding=(0, 1)),
        secret("padding (1, 0), kernel 2 on 3x6", x=(1, 3, 3, 6), kernel=2, padding=(1, 0)),
        public("padding ((1, 0), (0, 2)), kernel 3 on 5x4", x=(2, 2, 5, 4), kernel=3, padding=((1, 0), (0, 2))),
        secret("padding ((0, 2), (1, 0)), kernel 3 on 4x5", x=(2, 2, 4, 5), kernel=3, padding=((0, 2), (1, 0))),
        "together",
        public(
            "kernel (2, 3), stride (1, 2), padding ((0, 1), (2, 1)) on 5x6",
            x=(2, 2, 5, 6),
            kernel=(2, 3),
            stride=(1, 2),
            padding=((0, 1), (2, 1)),
        ),
        secret(
            "kernel (3, 2), stride (2, 1), padding ((2, 0), (0, 1)) on 6x5",
            x=(2, 2, 6, 5),
            kernel=(3, 2),
            stride=(2, 1),
            padding=((2, 0), (0, 1)),
        ),
    ),
    mistakes=[
        *window_slips(max_pool),
        *padding_slips(max_pool),
        *mistakes(
            """
            sizes rounded up: Your output has windows that hang over the edge: round the number of steps down.
            padded with zeros: You surrounded x with zeros, and a zero wins where all else is negative: pad with
                -np.inf.
            channels together: You took the largest over the channels too: every channel is pooled by itself.
            smallest value: You took the smallest value of each window: take the largest.
            largest absolute value: You compared sizes without the sign: -5 is smaller than 1.
            average: You averaged each window: take its largest value.
            """,
            {
                "sizes rounded up": lambda x, kernel, **how: rounded_up(
                    x, lambda window: window.max(axis=(2, 3)), kernel, value=-np.inf, **how
                ),
                "padded with zeros": over_zeros,
                "channels together": lambda x, **how: max_pool(x, **how).max(axis=1, keepdims=True),
                "smallest value": lambda x, **how: -max_pool(-x, **how),
                "largest absolute value": lambda x, **how: max_pool(np.abs(x), **how),
                "average": avg_pool,
            },
        ),
    ],
    varied=varied(pool_case, public("plain: kernel 2 on a 4x4 image", **FORWARD), {**FORWARD_THINGS, **PADDINGS}),
    clues=(
        clue(
            "Surround x with minus infinity first, then think of the first pixel of every window at once, then of the "
            "second of every window, and so on.",
            "padding ignored",
            "padded with zeros",
            arguments=("padding",),
        ),
        clue(
            "positions(padded.shape, kernel, stride) lists one index for each place in the window; padded[index] is "
            "(N, C, OH, OW) for each. What is left is the largest over the list.",
            "stride one",
            "stride ignored",
            "kernel swapped",
            "stride swapped",
            "stride in the size only",
            "last row and column missing",
            "sizes rounded up",
            "channels together",
            "smallest value",
            "average",
            arguments=(
                "stride",
                "stride as (h, w)",
                "kernel that is not square",
                "image that is not square",
                "odd size",
                "channels",
            ),
        ),
        clue(
            "Start with out = padded[first].copy(), then for each other index: np.maximum(out, padded[index], out=out).",
            "channels together",
            "smallest value",
            "largest absolute value",
            "average",
            arguments=("channels",),
        ),
    ),
)


max_pool2d_backward = Exercise(
    name="max_pool2d_backward",
    returns=("dx",),
    reference=max_pool_gradient,
    points={"basic": 3, "ties": 3, "overlap": 2, "padding": 2, "together": 1},
    cases=rows(
        back_case,
        "basic",
        public("kernel 2 on 4x6 images", (2, 3, 4, 6), 2),
        secret("kernel 2 on 6x4 images", (3, 2, 6, 4), 2),
        public("kernel (3, 2) on 7x5 images: a row and a column left over", (2, 2, 7, 5), (3, 2)),
        secret("kernel (2, 3) on 5x7 images", (2, 3, 5, 7), (2, 3)),
        public("one image, one channel, kernel 3 on 3x7", (1, 1, 3, 7), 3),
        secret("one image, one channel, kernel 4 on 4x9", (1, 1, 4, 9), 4),
        public("gaps: kernel 2, stride 3 on 6x8", (2, 1, 6, 8), 2, stride=3),
        public("stride (3, 2), kernel (2, 1) on 8x5", (1, 2, 8, 5), (2, 1), stride=(3, 2)),
        secret("gaps: kernel (2, 1), stride (3, 2) on 9x5", (2, 2, 9, 5), (2, 1), stride=(3, 2)),
        public("float32, kernel 2", (1, 2, 4, 5), 2, dtype="float32"),
        secret("float32, kernel 3", (1, 3, 6, 7), 3, dtype="float32"),
        "ties",
        public("all pixels equal, kernel 2", (1, 1, 4, 4), 2, x=np.ones((1, 1, 4, 4))),
        secret("all pixels zero, kernel 3", (1, 2, 6, 6), 3, x=np.zeros((1, 2, 6, 6))),
        public("zeros and ones, kernel 3 on 6x6", (2, 2, 6, 6), 3, x=integers(2, 2, 6, 6, low=0, high=2)),
        secret("zeros and ones, kernel (2, 3) on 6x6", (2, 1, 6, 6), (2, 3), x=integers(2, 1, 6, 6, low=0, high=2)),
        secret("three values, kernel 2 on 4x8", (2, 2, 4, 8), 2, x=integers(2, 2, 4, 8, low=-1, high=2)),
        "overlap",
        public("overlapping windows: kernel 3, stride 2 on 8x5", (2, 2, 8, 5), 3, stride=2),
        secret("overlapping windows: kernel 3, stride 2 on 6x9", (2, 2, 6, 9), 3, stride=2),
        public("overlapping windows: kernel (2, 3), stride 1 on 4x6", (1, 2, 4, 6), (2, 3), stride=1),
        secret("overlapping windows: kernel (3, 2), stride (2, 1) on 7x4", (1, 2, 7, 4), (3, 2), stride=(2, 1)),
        "padding",
        public("padding 1, kernel 3 on 5x6", (2, 2, 5, 6), 3, padding=1),
        secret("padding 1, kernel 2 on 5x6", (2, 2, 5, 6), 2, padding=1),
        public(
            "negative values only, padding (0, 1), kernel 2",
            (2, 1, 4, 4),
            2,
            x=scaled(1.0, 2, 1, 4, 4, offset=-9.0),
            padding=(0, 1),
        ),
        secret(
            "values near minus ten, padding (1, 0), kernel 3",
            (1, 2, 5, 6),
            3,
            x=scaled(1.0, 1, 2, 5, 6, offset=-10.0),
            padding=(1, 0),
        ),
        secret("padding ((0, 2), (1, 0)), kernel 3 on 4x5", (2, 1, 4, 5), 3, padding=((0, 2), (1, 0))),
        "together",
        public(
            "ties, kernel (3, 2), stride (1, 2), padding ((2, 1), (0, 1)) on 4x5",
            (2, 2, 4, 5),
            (3, 2),
            x=integers(2, 2, 4, 5, low=-2, high=1),
            stride=(1, 2),
            padding=((2, 1), (0, 1)),
        ),
        secret(
            "ties, kernel (2, 3), stride (2, 1), padding ((1, 0), (1, 2)) on 5x4",
            (2, 2, 5, 4),
            (2, 3),
            x=integers(2, 2, 5, 4, low=-2, high=1),
            stride=(2, 1),
            padding=((1, 0), (1, 2)),
        ),
    ),
    mistakes=[
        *mistakes(
            """
            last at a tie: At a tie you gave the gradient to the last of the largest values: the first, in row order,
                takes it.
            first by columns: At a tie you took the first by columns: go along the rows, so the top row wins before the
                left column.
            every tied value: At a tie every largest value got the whole gradient, which hands out more than came in:
                only the first takes it.
            split at a tie: At a tie you split the gradient evenly: that is a fair choice, but this course's, and
                torch's, is that the first takes it all.
            overwritten: A pixel that is the largest of several windows keeps only the last one's gradient: add with +=.
            window overwritten: Each window wipes out what its neighbours wrote into the pixels they share: add with +=.
            overwritten by position: Each position in the window wipes out what earlier ones wrote into the pixels they
                share: add with +=.
            whole window: You gave the gradient to every pixel of the window: only the largest one decided the output.
            averaged: You spread the gradient evenly over the window, as average pooling does: the largest pixel takes
                all.
            times the value: You multiplied by the pixel's value: a maximum passes its input on unchanged, so the factor
                is 1.
            padded with zeros: You surrounded x with zeros, and a zero takes the gradient where all else is negative:
                pad with -np.inf.
            padding ignored: You left out the padding: find the largest values in the padded x, as the forward does.
            padding kept: Your gradient is as large as the padded image: cut it back to the shape of x.
            """,
            {
                "last at a tie": routed(last, -np.inf),
                "first by columns": routed(first_by_columns, -np.inf),
                "every tied value": routed(largest, -np.inf),
                "split at a tie": routed(split, -np.inf),
                "overwritten": routed(first, -np.inf, adds="taken"),
                "window overwritten": routed(first, -np.inf, adds="none"),
                "overwritten by position": overwritten_by_position(first, -np.inf),
                "whole window": routed(lambda window, kernel: np.ones(window.shape), -np.inf),
                "averaged": routed(lambda window, kernel: np.full(window.shape, 1 / (kernel[0] * kernel[1])), -np.inf),
                "times the value": lambda dout, x, **how: x * backward(dout, x, **how),
                "padded with zeros": routed(first, 0.0),
                "padding ignored": lambda dout, x, **how: backward(dout, x, **without(how, "padding")),
                "padding kept": routed(first, -np.inf, crops=False),
            },
        ),
        *backward_slips(backward),
    ],
    varied=varied(
        back_case,
        public("plain: kernel 2 on a 4x4 image", **BACKWARD),
        {**BACKWARD_THINGS, **PADDINGS, "ties": {"x": TIES}},
    ),
    clues=(
        clue(
            "If you call max_pool2d_forward, its own check comes first. Start with zeros as large as the padded image. Each "
            "position in the window adds what it is due, and the padding is cut off at the end.",
            "overwritten",
            "window overwritten",
            "overwritten by position",
            "padding ignored",
            "padding kept",
            arguments=("padding", "padding as (h, w)", "one-sided padding"),
        ),
        clue(
            "padded[index] == y, with y from your forward, marks where this position holds the largest value. Remember in "
            "an array `free` which windows have given nothing yet, and look there only.",
            "last at a tie",
            "every tied value",
            "split at a tie",
            "whole window",
            "averaged",
            arguments=("ties",),
        ),
        clue(
            "for index in positions(...): here = (padded[index] == y) & free; dpadded[index] += dout * here; "
            "free = free & ~here",
            "last at a tie",
            "first by columns",
            "every tied value",
            "split at a tie",
            "overwritten",
            "window overwritten",
            "overwritten by position",
            "whole window",
            "averaged",
            "times the value",
            "upstream gradient ignored",
            arguments=("stride", "stride as (h, w)", "ties"),
        ),
    ),
)
