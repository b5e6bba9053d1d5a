"""lp_pool2d: the averaged l_p norm of each window."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, clue, integers, normal
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.sizes import Size, pair
from autograder.exercises.pooling.operations import avg_pool, max_pool, pools
from autograder.exercises.pooling.slips import window_slips
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def lp_pool(x: np.ndarray, p: float, kernel: Size, stride: Size | None = None) -> np.ndarray:
    """Return (mean of |x|^p)^(1/p) over each window, the largest |x| for p = infinity, by torch's poolings."""
    if np.isinf(p):
        return max_pool(np.abs(x), kernel, stride)
    powers = avg_pool(np.abs(x.astype(np.float64)) ** p, kernel, stride)
    return (powers ** (1 / p)).astype(x.dtype)


def changed(wrong: Wrong) -> Wrong:
    """Return `wrong(x, p, kernel, stride)`, with the right answer where p is infinity."""

    def function(x: np.ndarray, p: float, kernel: Size, stride: Size | None = None) -> np.ndarray:
        return lp_pool(x, p, kernel, stride) if np.isinf(p) else wrong(x, p, kernel, stride)

    return function


def as_torch(x: np.ndarray, p: float, kernel: Size, stride: Size) -> np.ndarray:
    sums = avg_pool(x**p, kernel, stride) * np.prod(pair(kernel))
    return sums ** (1 / p)  # NaN where the sum is negative, as in torch


def lp_case(key: str, group: str, shape: tuple[int, ...], p: float, dtype: str = "float64", **how: Value) -> Case:
    return Case(key, group=group, x=normal(*shape, dtype=dtype), p=p, **how)


PLAIN, THINGS = pools("shape")

lp_pool2d = Exercise(
    name="lp_pool2d",
    returns=("y",),
    reference=lp_pool,
    points={"two": 1, "other": 2, "infinity": 1, "stride": 1},
    cases=[
        *rows(
            plain_case,
            "two",
            public("one window 3, -4, 0, 0", x=np.array([[[[3.0, -4.0], [0.0, 0.0]]]]), p=2, kernel=2),
        ),
        *rows(
            lp_case,
            "two",
            secret("p = 2, kernel 2 on 6x5 images", (2, 2, 6, 5), 2, kernel=2),
            public("p = 2, kernel (2, 3) on 4x7 images", (2, 2, 4, 7), 2, kernel=(2, 3)),
            secret("p = 2, kernel (3, 2) on 6x5 images", (1, 3, 6, 5), 2, kernel=(3, 2)),
            "other",
            public("p = 1, kernel 2 on 5x4 images", (2, 3, 5, 4), 1, kernel=2),
            secret("p = 1, kernel 3 on 6x7 images", (2, 2, 6, 7), 1, kernel=3),
            public("p = 3, kernel 2 on 4x6 images", (2, 2, 4, 6), 3, kernel=2),
            secret("p = 5, kernel 2 on 6x4 images", (2, 2, 6, 4), 5, kernel=2),
            public("p = 1.5, float32, kernel 3", (1, 2, 3, 6), 1.5, dtype="float32", kernel=3),
            secret("p = 2.5, float32, kernel 2", (1, 2, 4, 6), 2.5, dtype="float32", kernel=2),
            public("p = 8, kernel (3, 2), one channel", (1, 1, 6, 5), 8, kernel=(3, 2)),
        ),
        *rows(
            plain_case,
            "other",
            secret("p = 3, whole numbers, kernel (2, 4)", x=integers(2, 1, 4, 8, low=-3, high=4), p=3, kernel=(2, 4)),
        ),
        *rows(
            lp_case,
            "infinity",
            public("p = infinity, kernel 2 on 4x5 images", (2, 2, 4, 5), np.inf, kernel=2),
            secret("p = infinity, kernel (3, 2) on 6x4 images", (2, 2, 6, 4), np.inf, kernel=(3, 2)),
            "stride",
            public("p = 2, kernel 3, stride 2 on 7x5", (2, 1, 7, 5), 2, kernel=3, stride=2),
            secret("p = 2, kernel 3, stride 2 on 5x9", (2, 2, 5, 9), 2, kernel=3, stride=2),
            public("p = 3, kernel 2, stride (1, 3) on 3x8", (1, 2, 3, 8), 3, kernel=2, stride=(1, 3)),
            secret("p = 3, kernel 2, stride (3, 1) on 8x4", (1, 2, 8, 4), 3, kernel=2, stride=(3, 1)),
        ),
    ],
    mistakes=[
        *window_slips(lp_pool),
        *mistakes(
            """
            sum: You added the powers up: average them, so that the size of the window does not matter.
            as torch does: That is torch's lp_pool2d, which adds up x^p: here it is the average of |x|^p.
            no absolute value: You took powers of negative values: take the absolute value of x first.
            no root: The root is missing: raise the average to the power 1 / p.
            always p = 2: You squared and took the square root whatever p is: use p.
            infinity as a power: The formula gives 1 for p = infinity, since nearly everything to the power 1 / infinity
                = 0 is 1: treat it as its own case, the largest |x|.
            infinity with the sign: For p = infinity you took the largest x: it is the largest |x|.
            """,
            {
                "sum": changed(
                    lambda x, p, kernel, stride: lp_pool(x, p, kernel, stride) * np.prod(pair(kernel)) ** (1 / p)
                ),
                "as torch does": changed(as_torch),
                "no absolute value": changed(lambda x, p, kernel, stride: avg_pool(x**p, kernel, stride) ** (1 / p)),
                "no root": changed(lambda x, p, kernel, stride: lp_pool(x, p, kernel, stride) ** p),
                "always p = 2": changed(lambda x, p, kernel, stride: lp_pool(x, 2, kernel, stride)),
                "infinity as a power": lambda x, p, kernel, stride=None: (
                    avg_pool(np.abs(x) ** p, kernel, stride) ** (1 / p)
                ),
                "infinity with the sign": lambda x, p, kernel, stride=None: (
                    max_pool(x, kernel, stride) if np.isinf(p) else lp_pool(x, p, kernel, stride)
                ),
            },
        ),
    ],
    varied=varied(
        lp_case,
        public("plain: p = 2, kernel 2 on a 4x4 image", **PLAIN, p=2),
        {**THINGS, "p": {"p": 3}, "p = infinity": {"p": np.inf}},
    ),
    clues=(
        clue(
            "Two poolings that you have already written do most of the work, once their own checks pass: one for a "
            "finite p, one for infinity.",
            "infinity as a power",
            "stride one",
            "stride ignored",
            "kernel swapped",
            "stride swapped",
            "stride in the size only",
            "last row and column missing",
            "first image for all",
            arguments=("p = infinity", "odd size", "batch", "stride", "stride as (h, w)", "kernel that is not square"),
        ),
        clue(
            "For a finite p average np.abs(x) ** p over each window, then take the p-th root.",
            "sum",
            "as torch does",
            "no absolute value",
            "no root",
            "always p = 2",
            arguments=("p",),
        ),
        clue(
            "avg_pool2d_forward(np.abs(x) ** p, kernel, stride) ** (1 / p); and where np.isinf(p), "
            "max_pool2d_forward(np.abs(x), kernel, stride).",
            "sum",
            "as torch does",
            "no absolute value",
            "no root",
            "always p = 2",
            "infinity as a power",
            "infinity with the sign",
            "stride one",
            "stride ignored",
            "kernel swapped",
            "stride swapped",
            arguments=("p", "p = infinity", "stride", "stride as (h, w)", "kernel that is not square"),
        ),
    ),
)
