"""separable_cost_ratio: what a depthwise separable layer costs beside an ordinary one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.cheap_convolutions.macs import count_macs
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Size, pair
from autograder.exercises.rows import plain_case, public, rows, secret, varied


def multiple(first: int, step: int) -> Random:
    """Draw a number that the secret chooses, first + n * step."""
    return Random(lambda rng: first + step * int(rng.integers(12)))


def compare_costs(filters: int, kernel: Size) -> float:
    """Count the multiply-adds of both ways on a few channels and divide."""
    shape = (7, *pair(kernel))  # one position; neither the channels nor the positions matter
    depthwise = count_macs(shape, 7, kernel, groups=7)
    pointwise = count_macs((7, 1, 1), filters, 1)
    return float(Fraction(depthwise + pointwise, count_macs(shape, filters, kernel)))


def ratio_with(change: Callable[[int, int, int], float]) -> Callable[..., float]:
    """Return a wrong ratio: change(filters, kh, kw)."""
    return lambda filters, kernel: change(filters, *pair(kernel))


separable_cost_ratio = Exercise(
    name="separable_cost_ratio",
    returns=("ratio",),
    reference=compare_costs,
    points={"square": 2, "sides": 1},
    cases=rows(
        plain_case,
        "square",
        public("the lecture's example: 256 filters, kernel 3", filters=256, kernel=3),
        secret("kernel 3", filters=multiple(20, 7), kernel=3),
        public("64 filters, kernel 5", filters=64, kernel=5),
        secret("kernel 7", filters=multiple(30, 11), kernel=7),
        public("kernel 1: it costs more than an ordinary layer", filters=16, kernel=1),
        secret("kernel 2", filters=multiple(9, 5), kernel=2),
        public("one filter, kernel 3: it costs more, too", filters=1, kernel=3),
        secret("kernel 1", filters=multiple(24, 9), kernel=1),
        "sides",
        public("32 filters, kernel (3, 5)", filters=32, kernel=(3, 5)),
        secret("kernel (5, 3)", filters=multiple(18, 6), kernel=(5, 3)),
        public("10 filters, kernel (7, 1)", filters=10, kernel=(7, 1)),
        secret("kernel (1, 9)", filters=multiple(40, 8), kernel=(1, 9)),
    ),
    mistakes=mistakes(
        """
        inverted: You returned how many times cheaper it is: the ratio is its cost over that of the ordinary layer.
        kernel not squared: You divided by one side of the kernel: a filter has kh * kw taps in every channel.
        height squared: You squared the kernel's height: its taps are height times width.
        sides added: You added the kernel's sides: its taps are height times width.
        product of the two: You multiplied 1/filters by 1/taps: the two layers' costs add up.
        depthwise step only: You counted the depthwise layer only: the 1x1 layer after it costs 1/(kh * kw).
        1x1 step only: You counted the 1x1 layer only: the depthwise layer before it costs 1/filters.
        saving: You returned the share that is saved: the ratio is the share that is left.
        """,
        {
            "inverted": ratio_with(lambda f, kh, kw: 1 / (1 / f + 1 / (kh * kw))),
            "kernel not squared": ratio_with(lambda f, kh, kw: 1 / f + 1 / kh),
            "height squared": ratio_with(lambda f, kh, kw: 1 / f + 1 / kh**2),
            "sides added": ratio_with(lambda f, kh, kw: 1 / f + 1 / (kh + kw)),
            "product of the two": ratio_with(lambda f, kh, kw: 1 / (f * kh * kw)),
            "depthwise step only": ratio_with(lambda f, kh, kw: 1 / f),
            "1x1 step only": ratio_with(lambda f, kh, kw: 1 / (kh * kw)),
            "saving": ratio_with(lambda f, kh, kw: 1 - (1 / f + 1 / (kh * kw))),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 4 filters, kernel 3", filters=4, kernel=3),
        {"filters": {"filters": 8}, "kernel": {"kernel": 5}, "kernel that is not square": {"kernel": (3, 1)}},
    ),
    clues=(
        clue(
            "Count the multiply-adds for one output position: the ordinary layer, F filters of C * kh * kw; the "
            "depthwise layer, C filters of kh * kw; the 1x1 layer, F filters of C.",
            "kernel not squared",
            "height squared",
            "sides added",
            "product of the two",
            "depthwise step only",
            "1x1 step only",
            arguments=("kernel", "kernel that is not square"),
        ),
        clue(
            "`(C * kh * kw + F * C) / (F * C * kh * kw)`: divide both terms of the numerator, and C drops out.",
            "inverted",
            "kernel not squared",
            "height squared",
            "sides added",
            "product of the two",
            "depthwise step only",
            "1x1 step only",
            "saving",
            arguments=("filters", "kernel", "kernel that is not square"),
        ),
    ),
)
