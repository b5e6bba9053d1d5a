"""avg_pool2d_forward and avg_pool2d_backward."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import PADDINGS, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import pad
from autograder.exercises.common.sizes import Padding, Size, pair
from autograder.exercises.common.slips import without
from autograder.exercises.pooling.maximum import BACKWARD, BACKWARD_THINGS, FORWARD, FORWARD_THINGS, first
from autograder.exercises.pooling.operations import (
    avg_pool,
    avg_pool_gradient,
    back_case,
    max_pool,
    overwritten_by_position,
    pool_case,
    rounded_up,
    routed,
)
from autograder.exercises.pooling.slips import backward_slips, padding_slips, window_slips
from autograder.exercises.rows import public, rows, secret, varied


def real_share(x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> np.ndarray:
    """Return the share of each window that is image and not padding."""
    return avg_pool(np.ones_like(x), kernel, stride, padding)


def whole(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    return np.ones(window.shape)


def evenly(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    return np.full(window.shape, 1 / (kernel[0] * kernel[1]))


def by_height(window: np.ndarray, kernel: tuple[int, int]) -> np.ndarray:
    return np.full(window.shape, 1 / kernel[0])


backward = routed(evenly, 0.0)

avg_pool2d_forward = Exercise(
    name="avg_pool2d_forward",
    returns=("y",),
    reference=avg_pool,
    points={"basic": 2, "stride": 1, "padding": 2, "together": 1},
    cases=rows(
        pool_case,
        "basic",
        public("kernel 2 on 6x4 images", x=(2, 3, 6, 4), kernel=2),
        secret("kernel 2 on 8x6 images", x=(3, 2, 8, 6), kernel=2),
        public("kernel (2, 3) on 5x7 images: a row and a column left over", x=(2, 2, 5, 7), kernel=(2, 3)),
        secret("kernel (3, 2) on 8x5 images", x=(2, 3, 8, 5), kernel=(3, 2)),
        public("one image, one channel, kernel 3 on 8x5", x=(1, 1, 8, 5), kernel=3),
        secret("one image, one channel, kernel 4 on 6x9", x=(1, 1, 6, 9), kernel=4),
        public("a kernel as large as the 4x3 image", x=(2, 2, 4, 3), kernel=(4, 3)),
        secret("a kernel as large as the 3x5 image", x=(2, 3, 3, 5), kernel=(3, 5)),
        secret("values near ten thousand", x=scaled(10.0, 2, 2, 5, 4, offset=1e4), kernel=2),
        public("float32, kernel 2", x=normal(2, 2, 4, 5, dtype="float32"), kernel=2),
        secret("float32, kernel 3", x=normal(1, 2, 6, 7, dtype="float32"), kernel=3),
        "stride",
        public("overlapping windows: kernel 3, stride 2 on 9x7", x=(2, 2, 9, 7), kernel=3, stride=2),
        secret("overlapping windows: kernel 3, stride 2 on 6x9", x=(2, 3, 6, 9), kernel=3, stride=2),
        public("stride (3, 1), kernel (3, 2) on 8x4", x=(1, 2, 8, 4), kernel=(3, 2), stride=(3, 1)),
        secret("stride (1, 4), kernel (2, 3) on 5x11", x=(1, 3, 5, 11), kernel=(2, 3), stride=(1, 4)),
        "padding",
        public("padding 1, kernel 3 on 6x5", x=(2, 2, 6, 5), kernel=3, padding=1),
        secret("padding 1, kernel 2 on 5x6", x=(2, 3, 5, 6), kernel=2, padding=1),
        public("padding (1, 0), kernel 2 on 3x4", x=(1, 2, 3, 4), kernel=2, padding=(1, 0)),
        secret("padding (0, 1), kernel 2 on 6x3", x=(1, 3, 6, 3), kernel=2, padding=(0, 1)),
        public("padding ((0, 1), (2, 0)), kernel 3 on 4x5", x=(2, 2, 4, 5), kernel=3, padding=((0, 1), (2, 0))),
        secret("padding ((2, 0), (0, 1)), kernel 3 on 5x4", x=(2, 2, 5, 4), kernel=3, padding=((2, 0), (0, 1))),
        "together",
        public(
            "kernel (3, 2), stride (2, 1), padding ((1, 0), (1, 2)) on 6x5",
            x=(2, 2, 6, 5),
            kernel=(3, 2),
            stride=(2, 1),
            padding=((1, 0), (1, 2)),
        ),
        secret(
            "kernel (2, 3), stride (1, 2), padding ((0, 1), (1, 2)) on 5x6",
            x=(2, 2, 5, 6),
            kernel=(2, 3),
            stride=(1, 2),
            padding=((0, 1), (1, 2)),
        ),
    ),
    mistakes=[
        *window_slips(avg_pool),
        *padding_slips(avg_pool),
        *mistakes(
            """
            sizes rounded up: Your output has windows that hang over the edge: round the number of steps down.
            channels together: You averaged over the channels too: every channel is pooled by itself.
            sum: You added the window up: divide by the number of its values, KH * KW.
            divided by the height: You divided by the kernel's height alone: a window has KH * KW values.
            padding not counted: At the border you divided by the number of real pixels: here the padding's zeros count,
                so divide by KH * KW everywhere.
            padded with minus infinity: You surrounded x with minus infinity, as max pooling does: an average takes
                zeros.
            largest value: You took the largest value of each window: take the average.
            """,
            {
                "sizes rounded up": lambda x, kernel, **how: rounded_up(
                    x, lambda window: window.mean(axis=(2, 3)), kernel, **how
                ),
                "channels together": lambda x, **how: avg_pool(x, **how).mean(axis=1, keepdims=True),
                "sum": lambda x, kernel, **how: avg_pool(x, kernel, **how) * np.prod(pair(kernel)),
                "divided by the height": lambda x, kernel, **how: avg_pool(x, kernel, **how) * pair(kernel)[1],
                "padding not counted": lambda x, **how: avg_pool(x, **how) / real_share(x, **how),
                "padded with minus infinity": lambda x, padding=0, **how: avg_pool(pad(x, padding, -np.inf), **how),
                "largest value": max_pool,
            },
        ),
    ],
    varied=varied(pool_case, public("plain: kernel 2 on a 4x4 image", **FORWARD), {**FORWARD_THINGS, **PADDINGS}),
    clues=(
        clue(
            "Compare with max_pool2d_forward: what surrounds x, and what is done with the window's values, are all that "
            "changes.",
            "padded with minus infinity",
            "largest value",
            arguments=("padding", "padding as (h, w)", "one-sided padding"),
        ),
        clue(
            "Add up padded[index] over all positions, and divide once at the end.",
            "channels together",
            "largest value",
            arguments=("channels",),
        ),
        clue(
            "The list of positions has KH * KW entries, so you divide by its length.",
            "sum",
            "divided by the height",
            "padding not counted",
            arguments=("padding", "kernel that is not square"),
        ),
    ),
)


avg_pool2d_backward = Exercise(
    name="avg_pool2d_backward",
    returns=("dx",),
    reference=avg_pool_gradient,
    points={"basic": 2, "overlap": 2, "padding": 2, "together": 1},
    cases=rows(
        back_case,
        "basic",
        public("kernel 2 on 6x4 images", (2, 3, 6, 4), 2),
        secret("kernel 2 on 4x8 images", (3, 2, 4, 8), 2),
        public("kernel (2, 3) on 5x7 images: a row and a column left over", (2, 2, 5, 7), (2, 3)),
        secret("kernel (3, 2) on 7x5 images", (2, 3, 7, 5), (3, 2)),
        public("one image, one channel, kernel 3 on 7x3", (1, 1, 7, 3), 3),
        secret("one image, one channel, kernel 4 on 9x4", (1, 1, 9, 4), 4),
        public("gaps: kernel (2, 1), stride 3 on 8x6", (2, 1, 8, 6), (2, 1), stride=3),
        secret("gaps: kernel (1, 2), stride (2, 3) on 5x9", (2, 2, 5, 9), (1, 2), stride=(2, 3)),
        public("stride (2, 3), kernel (1, 2) on 5x8", (1, 2, 5, 8), (1, 2), stride=(2, 3)),
        public("float32, kernel 2", (1, 2, 5, 4), 2, dtype="float32"),
        secret("float32, kernel 3", (1, 3, 7, 6), 3, dtype="float32"),
        "overlap",
        public("overlapping windows: kernel 3, stride 2 on 5x7", (2, 2, 5, 7), 3, stride=2),
        secret("overlapping windows: kernel 3, stride 2 on 9x5", (2, 2, 9, 5), 3, stride=2),
        public("overlapping windows: kernel (3, 2), stride 1 on 6x4", (1, 2, 6, 4), (3, 2), stride=1),
        secret("overlapping windows: kernel (2, 3), stride (1, 2) on 4x7", (1, 2, 4, 7), (2, 3), stride=(1, 2)),
        "padding",
        public("padding 1, kernel 3 on 6x5", (2, 2, 6, 5), 3, padding=1),
        secret("padding 1, kernel 2 on 6x5", (2, 2, 6, 5), 2, padding=1),
        public("padding (1, 0), kernel 2 on 4x4", (2, 1, 4, 4), 2, padding=(1, 0)),
        secret("padding (0, 2), kernel 3 on 6x5", (1, 2, 6, 5), 3, padding=(0, 2)),
        secret("padding ((2, 0), (0, 1)), kernel 3 on 5x4", (2, 1, 5, 4), 3, padding=((2, 0), (0, 1))),
        "together",
        public(
            "kernel (2, 3), stride (2, 1), padding ((0, 1), (2, 1)) on 5x4",
            (2, 2, 5, 4),
            (2, 3),
            stride=(2, 1),
            padding=((0, 1), (2, 1)),
        ),
        secret(
            "kernel (3, 2), stride (1, 2), padding ((1, 2), (1, 0)) on 4x5",
            (2, 2, 4, 5),
            (3, 2),
            stride=(1, 2),
            padding=((1, 2), (1, 0)),
        ),
    ),
    mistakes=[
        *mistakes(
            """
            not divided: Every pixel got the whole gradient: each has the factor 1 / (KH * KW) in the average.
            divided by the height: You divided by the kernel's height alone: a window has KH * KW values.
            overwritten: Each window wipes out what its neighbours wrote into the pixels they share: add with +=.
            overwritten by position: Each position in the window wipes out what earlier ones wrote into the pixels they
                share: add with +=.
            largest takes all: You gave the gradient to the largest pixel, as max pooling does: all pixels of a window
                share it evenly.
            padding not counted: At the border you divided by the number of real pixels: the forward divides by KH * KW
                everywhere.
            padding ignored: You left out the padding: the windows lie in the padded image, as in the forward.
            padding kept: Your gradient is as large as the padded image: cut it back to the shape of x.
            times the value: You multiplied by the pixel's value: an average is linear, so the values of x do not
                matter.
            """,
            {
                "not divided": routed(whole, 0.0),
                "divided by the height": routed(by_height, 0.0),
                "overwritten": routed(evenly, 0.0, adds="none"),
                "overwritten by position": overwritten_by_position(evenly, 0.0),
                "largest takes all": routed(first, -np.inf),
                "padding not counted": lambda dout, x, **how: backward(dout / real_share(x, **how), x, **how),
                "padding ignored": lambda dout, x, **how: backward(dout, x, **without(how, "padding")),
                "padding kept": routed(evenly, 0.0, crops=False),
                "times the value": lambda dout, x, **how: x * backward(dout, x, **how),
            },
        ),
        *backward_slips(backward),
    ],
    varied=varied(back_case, public("plain: kernel 2 on a 4x4 image", **BACKWARD), {**BACKWARD_THINGS, **PADDINGS}),
    clues=(
        clue(
            "Every pixel of a window enters the average with the same factor, and the gradient goes back by that factor.",
            "not divided",
            "largest takes all",
            "padding not counted",
            "times the value",
        ),
        clue(
            "Start with zeros as large as the padded image and add to the same slices that the forward reads.",
            "overwritten",
            "overwritten by position",
            "padding ignored",
            "stride one",
            "stride ignored",
            "kernel swapped",
            "stride swapped",
            arguments=("stride", "stride as (h, w)", "padding", "kernel that is not square"),
        ),
        clue(
            "for index in places: dpadded[index] += dout / len(places), with places = positions(...); then cut off the "
            "padding.",
            "not divided",
            "divided by the height",
            "overwritten",
            "overwritten by position",
            "largest takes all",
            "padding not counted",
            "padding kept",
            "times the value",
            "upstream gradient ignored",
            arguments=(
                "stride",
                "stride as (h, w)",
                "padding",
                "padding as (h, w)",
                "one-sided padding",
                "kernel that is not square",
            ),
        ),
    ),
)
