"""min_pool2d_forward."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, Random, clue, normal
from autograder.exercises.common.cases import PADDINGS, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import pad, tensor
from autograder.exercises.common.sizes import Padding, Size, pair
from autograder.exercises.pooling.operations import avg_pool, max_pool, pool_case, pools, rounded_up, step
from autograder.exercises.pooling.slips import padding_slips, window_slips
from autograder.exercises.rows import plain_case, public, rows, secret, varied


def min_pool(
    x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0, value: float = np.inf
) -> np.ndarray:
    """Take the smallest value of each window, by torch's views of all windows; `value` surrounds x."""
    (kh, kw), (sh, sw) = pair(kernel), step(kernel, stride)
    windows = tensor(pad(x, padding, value)).unfold(2, kh, sh).unfold(3, kw, sw)  # (N, C, OH, OW, KH, KW)
    return windows.amin((4, 5)).numpy().astype(x.dtype)


def odd_size(rng: np.random.Generator) -> dict[str, Random]:
    """Leave the height and the width open: odd, from 5 to 11."""
    height, width = (int(half) * 2 + 1 for half in rng.integers(2, 6, size=2))
    return {"x": normal(2, 2, height, width)}


PLAIN, THINGS = pools("x")

min_pool2d_forward = Exercise(
    name="min_pool2d_forward",
    returns=("y",),
    reference=min_pool,
    points={"basic": 1, "stride": 1, "padding": 1},
    cases=[
        *rows(
            pool_case,
            "basic",
            public("kernel 2 on 4x6 images", x=(2, 3, 4, 6), kernel=2),
            secret("kernel 3 on 6x9 images", x=(3, 2, 6, 9), kernel=3),
            public("kernel (3, 2) on 7x5 images: a row and a column left over", x=(2, 2, 7, 5), kernel=(3, 2)),
            secret("kernel (2, 3) on 5x8 images", x=(2, 3, 5, 8), kernel=(2, 3)),
            public("float32, kernel 2", x=normal(2, 2, 5, 4, dtype="float32"), kernel=2),
            secret("float32, kernel 3", x=normal(1, 2, 7, 6, dtype="float32"), kernel=3),
            public("one image, one channel, kernel 2 on 5x7", x=(1, 1, 5, 7), kernel=2),
        ),
        *rows(plain_case, "basic", secret("kernel 2 on an odd size", free=odd_size, kernel=2)),
        *rows(
            pool_case,
            "stride",
            public("overlapping windows: kernel 3, stride 2 on 7x9", x=(2, 2, 7, 9), kernel=3, stride=2),
            secret("overlapping windows: kernel 3, stride 2 on 9x6", x=(2, 3, 9, 6), kernel=3, stride=2),
            public("stride (1, 3), kernel (2, 3) on 4x8", x=(1, 2, 4, 8), kernel=(2, 3), stride=(1, 3)),
            secret("stride (2, 1), kernel (3, 2) on 8x5", x=(1, 3, 8, 5), kernel=(3, 2), stride=(2, 1)),
            "padding",
            public(
                "positive values only, padding 1, kernel 2", x=scaled(1.0, 2, 1, 4, 6, offset=9.0), kernel=2, padding=1
            ),
            secret("values near ten, padding 1, kernel 3", x=scaled(1.0, 1, 2, 6, 4, offset=10.0), kernel=3, padding=1),
            public("padding (0, 1), kernel 2 on 4x3", x=(1, 2, 4, 3), kernel=2, padding=(0, 1)),
            secret("padding (1, 0), kernel 2 on 3x6", x=(1, 3, 3, 6), kernel=2, padding=(1, 0)),
            public("padding ((1, 0), (0, 2)), kernel 3 on 5x4", x=(2, 2, 5, 4), kernel=3, padding=((1, 0), (0, 2))),
            secret("padding ((0, 2), (1, 0)), kernel 3 on 4x5", x=(2, 2, 4, 5), kernel=3, padding=((0, 2), (1, 0))),
        ),
    ],
    mistakes=[
        *window_slips(min_pool),
        *padding_slips(min_pool),
        *mistakes(
            """
            sizes rounded up: Your output has windows that hang over the edge: round the number of steps down.
            padded with zeros: You surrounded x with zeros, and a zero wins where all else is positive: pad with np.inf.
            padded with minus infinity: You surrounded x with minus infinity, which is smaller than every pixel: pad with
                np.inf.
            largest value: You took the largest value of each window: take the smallest.
            result not negated: You negated x and took its largest values: negate the result too.
            x not negated: You negated the largest value of each window: negate x before you pool.
            smallest absolute value: You compared sizes without the sign: -5 is smaller than 1.
            channels together: You took the smallest over the channels too: every channel is pooled by itself.
            average: You averaged each window: take its smallest value.
            """,
            {
                "sizes rounded up": lambda x, kernel, **how: rounded_up(
                    x, lambda window: window.min(axis=(2, 3)), kernel, value=np.inf, **how
                ),
                "padded with zeros": lambda x, **how: min_pool(x, value=0.0, **how),
                "padded with minus infinity": lambda x, **how: min_pool(x, value=-np.inf, **how),
                "largest value": max_pool,
                "result not negated": lambda x, **how: max_pool(-x, **how),
                "x not negated": lambda x, **how: -max_pool(x, **how),
                "smallest absolute value": lambda x, **how: min_pool(np.abs(x), **how),
                "channels together": lambda x, **how: min_pool(x, **how).min(axis=1, keepdims=True),
                "average": avg_pool,
            },
        ),
    ],
    varied=varied(pool_case, public("plain: kernel 2 on a 4x4 image", **PLAIN), {**THINGS, **PADDINGS}),
    clues=(
        clue(
            "Where does the smallest value of a window stand among the values of -x?",
            "largest value",
            "smallest absolute value",
            "channels together",
            "average",
            arguments=("channels",),
        ),
        clue(
            "max_pool2d_forward, once its own check passes, does the rest of the work: windows, strides and padding. By "
            "hand, surround x with np.inf.",
            "stride one",
            "stride ignored",
            "kernel swapped",
            "stride swapped",
            "stride in the size only",
            "last row and column missing",
            "first image for all",
            "sizes rounded up",
            "padding ignored",
            "padding after only",
            "padding before only",
            "padding axes swapped",
            "padding sides swapped",
            "padded with zeros",
            "padded with minus infinity",
            arguments=(
                "stride",
                "stride as (h, w)",
                "kernel that is not square",
                "image that is not square",
                "odd size",
                "batch",
                "padding",
                "padding as (h, w)",
                "one-sided padding",
            ),
        ),
        clue(
            "Negate twice: max_pool2d_forward(-x, kernel, stride, padding) holds the smallest values with the wrong sign.",
            "largest value",
            "result not negated",
            "x not negated",
            "smallest absolute value",
            "average",
            "stride ignored",
            "padding ignored",
            arguments=("stride", "padding"),
        ),
    ),
)
