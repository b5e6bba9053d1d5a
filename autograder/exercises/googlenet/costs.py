"""inception_macs: what the module costs, with and without its 1 x 1 reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.exercise import Case, Exercise, Mistake, Random
from autograder.exercises.rows import group, public, secret

Shape = tuple[int, int, int]
Convolution = tuple[str, int, int, int]  # its name, channels, filters, kernel
FILTERS = ("ones", "reduce3", "threes", "reduce5", "fives", "pooled")


def convolutions(in_shape: Shape, filters: tuple[int, ...], reduction: bool) -> list[Convolution]:
    """List the module's convolutions."""
    channels, (ones, reduce3, threes, reduce5, fives, pooled) = in_shape[0], filters
    if not reduction:
        return [("one", channels, ones, 1), ("three", channels, threes, 3), ("five", channels, fives, 5)]
    return [
        ("one", channels, ones, 1),
        ("reduce", channels, reduce3, 1),
        ("three", reduce3, threes, 3),
        ("reduce", channels, reduce5, 1),
        ("five", reduce5, fives, 5),
        ("pool", channels, pooled, 1),
    ]


def counted(
    cost: Callable[[Convolution], int] = lambda c: c[1] * c[2] * c[3] ** 2,
    *,
    listed: Callable[..., list[Convolution]] = convolutions,
    places: bool = True,
    out: Callable[[tuple[int, ...], int, bool], int] | None = None,
) -> Callable[..., Any]:
    """Return inception_macs with another cost of a convolution, list of convolutions or number of filters."""

    def inception_macs(
        in_shape: Shape,
        ones: int,
        reduce3: int,
        threes: int,
        reduce5: int,
        fives: int,
        pooled: int,
        reduction: bool = True,
    ) -> tuple[int, int]:
        filters = (ones, reduce3, threes, reduce5, fives, pooled)
        area = in_shape[1] * in_shape[2] if places else 1
        macs = sum(cost(convolution) for convolution in listed(in_shape, filters, reduction)) * area
        return (out or given)(filters, in_shape[0], reduction), macs

    return inception_macs


def given(filters: tuple[int, ...], channels: int, reduction: bool) -> int:
    """Count the filters of the module's output."""
    ones, _, threes, _, fives, pooled = filters
    return ones + threes + fives + (pooled if reduction else channels)


def plain(convolution: Convolution) -> int:
    return convolution[1] * convolution[2] * convolution[3] ** 2


def without(name: str) -> Callable[[Convolution], int]:
    return lambda convolution: 0 if convolution[0] == name else plain(convolution)


def unreduced(in_shape: Shape, filters: tuple[int, ...], reduction: bool) -> list[Convolution]:
    """The reductions are there, but the large kernels read all channels."""
    channels = in_shape[0]
    found = convolutions(in_shape, filters, reduction)
    return [(n, channels if n in ("three", "five") else c, f, k) for n, c, f, k in found]


def with_projection(in_shape: Shape, filters: tuple[int, ...], reduction: bool) -> list[Convolution]:
    found = convolutions(in_shape, filters, reduction)
    return found if reduction else [*found, ("pool", in_shape[0], filters[-1], 1)]


def always_reduced(in_shape: Shape, filters: tuple[int, ...], reduction: bool) -> list[Convolution]:
    return convolutions(in_shape, filters, True)


def between(low: int, high: int) -> Random:
    return Random(lambda rng: int(rng.integers(low, high + 1)))


def image(channels: tuple[int, int], side: tuple[int, int]) -> Random:
    """Channels, and a height and a width that differ, drawn from these ranges."""

    def draw(rng: Any) -> Shape:
        height = int(rng.integers(side[0], side[1]))
        return int(rng.integers(channels[0], channels[1] + 1)), height, height + int(rng.integers(1, 9))

    return Random(draw)


def case(key: str, group: str, in_shape: Shape | Random, *filters: int | Random, **more: Any) -> Case:
    return Case(key, group=group, in_shape=in_shape, **dict(zip(FILTERS, filters, strict=True)), **more)


_drawn = (between(3, 40), between(41, 60), between(61, 90), between(2, 9), between(10, 30), between(31, 39))

inception_macs = Exercise(
    name="inception_macs",
    returns=("filters", "macs"),
    reference=counted(),
    points={"with reductions": 4, "without reductions": 4},
    cases=[
        *group(
            "with reductions",
            public("module 3a", (192, 28, 28), 64, 96, 128, 16, 32, 32),
            secret("any module", image((50, 200), (5, 20)), *_drawn),
            public("5 channels, 3 x 7", (5, 3, 7), 2, 3, 4, 6, 7, 8, reduction=True),
            secret("few channels", image((2, 9), (3, 9)), *_drawn, reduction=True),
            make=case,
        ),
        *group(
            "without reductions",
            public("3a, without", (192, 28, 28), 64, 96, 128, 16, 32, 32, reduction=False),
            secret("any module, without", image((50, 200), (5, 20)), *_drawn, reduction=False),
            public("5 channels, 3 x 7, without", (5, 3, 7), 2, 3, 4, 6, 7, 8, reduction=False),
            secret("few channels, without", image((2, 9), (3, 9)), *_drawn, reduction=False),
            make=case,
        ),
    ],
    clues=[
        "List the module's convolutions as (channels, filters, kernel): six with reductions, three without. Each costs "
        "channels * filters * kernel * kernel at every one of the H * W places.",
        "With reductions: (C, ones, 1), (C, reduce3, 1), (reduce3, threes, 3), (C, reduce5, 1), (reduce5, fives, 5), "
        "(C, pooled, 1). Without: (C, ones, 1), (C, threes, 3), (C, fives, 5), and the pooled maps stay C.",
    ],
    mistakes=[
        Mistake(
            "places left out",
            "You counted weights: each of them is used once at every one of the H x W places.",
            counted(places=False),
        ),
        Mistake(
            "kernel not squared",
            "You counted a kernel as one row: it has kernel * kernel places.",
            counted(lambda c: c[1] * c[2] * c[3]),
        ),
        Mistake(
            "5 x 5 counted as 3 x 3",
            "Your third branch costs as much as a 3 x 3: its kernel has 25 places.",
            counted(lambda c: c[1] * c[2] * min(c[3], 3) ** 2),
        ),
        Mistake(
            "reductions for nothing",
            "You left out what the 1 x 1 reductions themselves cost.",
            counted(without("reduce")),
        ),
        Mistake(
            "pooling branch for nothing",
            "With reductions the pooling branch has a 1 x 1 with `pooled` filters, which costs too.",
            counted(without("pool")),
        ),
        Mistake(
            "large kernels on all channels",
            "You count the reductions, but your 3 x 3 and 5 x 5 still read all C channels: they read reduce3 and reduce5.",
            counted(listed=unreduced),
        ),
        Mistake(
            "a 1 x 1 after the pooling, without reductions",
            "Without reductions nothing follows the pooling: it costs no multiply-adds and gives all C maps.",
            counted(listed=with_projection, out=lambda filters, channels, reduction: given(filters, channels, True)),
        ),
        Mistake(
            "pooled filters, without reductions",
            "Without reductions the pooling branch has no filters of its own: it gives all C maps that it gets.",
            counted(out=lambda filters, channels, reduction: given(filters, channels, True)),
        ),
        Mistake(
            "reductions in the output",
            "You added the reductions' filters to the output: only what ends a branch is joined.",
            counted(
                out=lambda filters, channels, reduction: (
                    given(filters, channels, reduction) + (filters[1] + filters[3] if reduction else 0)
                )
            ),
        ),
        Mistake(
            "reduction not looked at",
            "Your answer is the same with and without reductions: look at the argument reduction.",
            counted(listed=always_reduced, out=lambda filters, channels, reduction: given(filters, channels, True)),
        ),
        Mistake(
            "additions counted as well",
            "You counted multiplications and additions: a multiply-add is one.",
            counted(lambda c: 2 * plain(c)),
        ),
    ],
)
