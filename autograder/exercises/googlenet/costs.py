"""inception_macs: what the module costs, with and without its 1 x 1 reductions."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue
from autograder.exercises.common.drawn import whole
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.wire import Value

Shape = tuple[int, int, int]
FILTERS = ("ones", "reduce3", "threes", "reduce5", "fives", "pooled")


def count(
    in_shape: Shape,
    ones: int,
    reduce3: int,
    threes: int,
    reduce5: int,
    fives: int,
    pooled: int,
    reduction: bool = True,
    slip: str = "",
) -> tuple[int, int]:
    """List the module's convolutions and add up what they cost."""
    channels, height, width = in_shape
    reduction = reduction or slip == "reduction not looked at"
    read3, read5 = (reduce3, reduce5) if reduction else (channels, channels)
    if slip == "large kernels on all channels":
        read3 = read5 = channels
    convolutions = [("one", channels, ones, 1), ("three", read3, threes, 3), ("five", read5, fives, 5)]
    if reduction:
        convolutions += [("reduce", channels, reduce3, 1), ("reduce", channels, reduce5, 1)]
    if reduction or slip == "a 1 x 1 after the pooling, without reductions":
        convolutions.append(("pool", channels, pooled, 1))
    free = {"reductions for nothing": "reduce", "pooling branch for nothing": "pool"}.get(slip)
    macs = 0
    for name, inputs, filters, kernel in convolutions:
        if slip == "5 x 5 counted as 3 x 3":
            kernel = min(kernel, 3)
        weights = inputs * filters * kernel * (1 if slip == "kernel not squared" else kernel)
        macs += 0 if name == free else weights
    macs *= 1 if slip == "places left out" else height * width
    macs *= 2 if slip == "additions counted as well" else 1
    always = {"a 1 x 1 after the pooling, without reductions", "pooled filters, without reductions"}
    out = ones + threes + fives + (pooled if reduction or slip in always else channels)
    if reduction and slip == "reductions in the output":
        out += reduce3 + reduce5
    return out, macs


def image(channels: tuple[int, int], side: tuple[int, int]) -> Random:
    """Channels, and a height and a width that differ, drawn from these ranges."""

    def draw(rng: np.random.Generator) -> Shape:
        height = int(rng.integers(side[0], side[1]))
        return int(rng.integers(channels[0], channels[1] + 1)), height, height + int(rng.integers(1, 9))

    return Random(draw)


def case(key: str, group: str, in_shape: Shape | Random, *filters: int | Random, **more: Value) -> Case:
    return Case(key, group=group, in_shape=in_shape, **dict(zip(FILTERS, filters, strict=True)), **more)


DRAWN = (whole(3, 40), whole(41, 60), whole(61, 90), whole(2, 9), whole(10, 30), whole(31, 39))

inception_macs = Exercise(
    name="inception_macs",
    returns=("filters", "macs"),
    reference=count,
    points={"with reductions": 4, "without reductions": 4},
    cases=rows(
        case,
        "with reductions",
        public("module 3a", (192, 28, 28), 64, 96, 128, 16, 32, 32),
        secret("any module", image((50, 200), (5, 20)), *DRAWN),
        public("5 channels, 3 x 7", (5, 3, 7), 2, 3, 4, 6, 7, 8, reduction=True),
        secret("few channels", image((2, 9), (3, 9)), *DRAWN, reduction=True),
        "without reductions",
        public("3a, without", (192, 28, 28), 64, 96, 128, 16, 32, 32, reduction=False),
        secret("any module, without", image((50, 200), (5, 20)), *DRAWN, reduction=False),
        public("5 channels, 3 x 7, without", (5, 3, 7), 2, 3, 4, 6, 7, 8, reduction=False),
        secret("few channels, without", image((2, 9), (3, 9)), *DRAWN, reduction=False),
    ),
    varied=varied(
        case,
        public("plain: one channel, 4 x 4, one filter everywhere", (1, 4, 4), 1, 1, 1, 1, 1, 1),
        {
            "reduction": {"reduction": False},
            "channels": public("", (3, 4, 4), 1, 1, 1, 1, 1, 1),
            "image that is not square": public("", (1, 4, 6), 1, 1, 1, 1, 1, 1),
            "ones": public("", (1, 4, 4), 2, 1, 1, 1, 1, 1),
            "reduce3": public("", (1, 4, 4), 1, 2, 1, 1, 1, 1),
            "threes": public("", (1, 4, 4), 1, 1, 2, 1, 1, 1),
            "reduce5": public("", (1, 4, 4), 1, 1, 1, 2, 1, 1),
            "fives": public("", (1, 4, 4), 1, 1, 1, 1, 2, 1),
            "pooled": public("", (1, 4, 4), 1, 1, 1, 1, 1, 2),
        },
    ),
    clues=[
        clue(
            "List the module's convolutions as (channels, filters, kernel): six with reductions, three without. Each "
            "costs channels * filters * kernel * kernel at every one of the H * W places.",
            *("places left out", "kernel not squared", "5 x 5 counted as 3 x 3", "reductions for nothing"),
            "pooling branch for nothing",
            arguments=("channels", "image that is not square"),
        ),
        clue(
            "With reductions: (C, ones, 1), (C, reduce3, 1), (reduce3, threes, 3), (C, reduce5, 1), (reduce5, fives, 5), "
            "(C, pooled, 1). Without: (C, ones, 1), (C, threes, 3), (C, fives, 5), and the pooled maps stay C.",
            *("5 x 5 counted as 3 x 3", "reductions for nothing", "pooling branch for nothing"),
            *("large kernels on all channels", "a 1 x 1 after the pooling, without reductions"),
            *("pooled filters, without reductions", "reduction not looked at"),
            arguments=("reduction", "channels", *FILTERS),
        ),
    ],
    mistakes=mistakes(
        """
        places left out: You counted weights: each of them is used once at every one of the H x W places.
        kernel not squared: You counted a kernel as one row: it has kernel * kernel places.
        5 x 5 counted as 3 x 3: Your third branch costs as much as a 3 x 3: its kernel has 25 places.
        reductions for nothing: You left out what the 1 x 1 reductions themselves cost.
        pooling branch for nothing: With reductions the pooling branch has a 1 x 1 with `pooled` filters, which costs
            too.
        large kernels on all channels: You count the reductions, but your 3 x 3 and 5 x 5 still read all C channels:
            they read reduce3 and reduce5.
        a 1 x 1 after the pooling, without reductions: Without reductions nothing follows the pooling: it costs no
            multiply-adds and gives all C maps.
        pooled filters, without reductions: Without reductions the pooling branch has no filters of its own: it gives
            all C maps that it gets.
        reductions in the output: You added the reductions' filters to the output: only what ends a branch is joined.
        reduction not looked at: Your answer is the same with and without reductions: look at the argument reduction.
        additions counted as well: You counted multiplications and additions: a multiply-add is one.
        """,
        count,
    ),
)
