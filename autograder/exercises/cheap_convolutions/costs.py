"""separable_cost_ratio, bottleneck_parameters and macs: what a layer costs, in parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Mistake, Random
from autograder.exercises.common.sizes import Padding, Size, pair, sides
from autograder.exercises.common.slips import swapped, without
from autograder.exercises.convolution.sizes import count_positions
from autograder.exercises.rows import group, public, secret


def one_of(*values: Any) -> Random:
    """One of these values, chosen by the secret."""
    return Random(lambda rng: values[int(rng.integers(len(values)))])


def multiple(first: int, step: int) -> Random:
    """A number that the secret chooses, first + n * step."""
    return Random(lambda rng: first + step * int(rng.integers(12)))


def image(channels: int, height: int, width: int, step: int = 1) -> Random:
    """The shape of an image, whose size the secret chooses; what a stride of `step` leaves over stays the same."""

    def draw(rng: np.random.Generator) -> tuple[int, int, int]:
        more = rng.permutation(6)[:2]  # two different numbers, so that no square comes up
        return channels, height + step * int(more[0]), width + step * int(more[1])

    return Random(draw)


def count_macs(
    in_shape: tuple[int, int, int], filters: int, kernel: Size, stride: Size = 1, padding: Padding = 0, groups: int = 1
) -> int:
    """Go through the filters and the positions, and count the weights of each window."""
    channels, height, width = in_shape
    weights = np.zeros((filters, channels // groups, *pair(kernel)))
    axes = zip((height, width), pair(kernel), pair(stride), sides(padding), strict=True)
    rows, columns = (count_positions(*axis) for axis in axes)
    return sum(weights[f].size for f in range(filters) for _ in range(rows * columns))


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
    cases=[
        *group(
            "square",
            public("the lecture's example: 256 filters, kernel 3", filters=256, kernel=3),
            secret("kernel 3", filters=multiple(20, 7), kernel=3),
            public("64 filters, kernel 5", filters=64, kernel=5),
            secret("kernel 7", filters=multiple(30, 11), kernel=7),
            public("kernel 1: it costs more than an ordinary layer", filters=16, kernel=1),
            secret("kernel 2", filters=multiple(9, 5), kernel=2),
            public("one filter, kernel 3: it costs more, too", filters=1, kernel=3),
            secret("kernel 1", filters=multiple(24, 9), kernel=1),
        ),
        *group(
            "sides",
            public("32 filters, kernel (3, 5)", filters=32, kernel=(3, 5)),
            secret("kernel (5, 3)", filters=multiple(18, 6), kernel=(5, 3)),
            public("10 filters, kernel (7, 1)", filters=10, kernel=(7, 1)),
            secret("kernel (1, 9)", filters=multiple(40, 8), kernel=(1, 9)),
        ),
    ],
    mistakes=[
        Mistake(
            "inverted",
            "You returned how many times cheaper it is: the ratio is its cost over that of the ordinary layer.",
            ratio_with(lambda f, kh, kw: 1 / (1 / f + 1 / (kh * kw))),
        ),
        Mistake(
            "kernel not squared",
            "You divided by one side of the kernel: a filter has kh * kw taps in every channel.",
            ratio_with(lambda f, kh, kw: 1 / f + 1 / kh),
        ),
        Mistake(
            "height squared",
            "You squared the kernel's height: its taps are height times width.",
            ratio_with(lambda f, kh, kw: 1 / f + 1 / kh**2),
        ),
        Mistake(
            "sides added",
            "You added the kernel's sides: its taps are height times width.",
            ratio_with(lambda f, kh, kw: 1 / f + 1 / (kh + kw)),
        ),
        Mistake(
            "product of the two",
            "You multiplied 1/filters by 1/taps: the two layers' costs add up.",
            ratio_with(lambda f, kh, kw: 1 / (f * kh * kw)),
        ),
        Mistake(
            "depthwise step only",
            "You counted the depthwise layer only: the 1x1 layer after it costs 1/(kh * kw).",
            ratio_with(lambda f, kh, kw: 1 / f),
        ),
        Mistake(
            "1x1 step only",
            "You counted the 1x1 layer only: the depthwise layer before it costs 1/filters.",
            ratio_with(lambda f, kh, kw: 1 / (kh * kw)),
        ),
        Mistake(
            "saving",
            "You returned the share that is saved: the ratio is the share that is left.",
            ratio_with(lambda f, kh, kw: 1 - (1 / f + 1 / (kh * kw))),
        ),
    ],
    clues=(
        "Count the multiply-adds for one output position: the ordinary layer, F filters of C * kh * kw; the "
        "depthwise layer, C filters of kh * kw; the 1x1 layer, F filters of C.",
        "`(C * kh * kw + F * C) / (F * C * kh * kw)`: divide both terms of the numerator, and C drops out.",
    ),
)


def build_bottleneck(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    """Make the arrays of the three layers and add their sizes up."""
    shapes = [(reduced, channels, 1, 1), (reduced, reduced, *pair(kernel)), (channels, reduced, 1, 1)]
    arrays = [np.zeros(shape) for shape in shapes]
    if bias:
        arrays += [np.zeros(shape[0]) for shape in shapes]
    return sum(array.size for array in arrays)


def counted(
    weights: Callable[[int, int, int, int], Any] = lambda c, r, kh, kw: 2 * c * r + kh * kw * r * r,
    biases: Callable[[int, int], int] = lambda c, r: 2 * r + c,
) -> Callable[..., Any]:
    """Return a wrong bottleneck_parameters: weights(channels, reduced, kh, kw) and biases(channels, reduced)."""

    def wrong(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> Any:
        return weights(channels, reduced, *pair(kernel)) + (biases(channels, reduced) if bias else 0)

    return wrong


def always_biased(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    return build_bottleneck(channels, reduced, kernel, True)


def doubled(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    return build_bottleneck(channels, reduced, kernel) * (2 if bias else 1)


def three_alike(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    return build_bottleneck(channels, reduced, kernel) + (3 if bias else 0)


bottleneck_parameters = Exercise(
    name="bottleneck_parameters",
    returns=("count",),
    reference=build_bottleneck,
    points={"basic": 2, "kernel": 1, "bias": 1},
    cases=[
        *group(
            "basic",
            public("the lecture's example: 256 channels, reduced to 64", channels=256, reduced=64),
            secret("reduced to 8", channels=multiple(33, 5), reduced=8),
            public("12 channels, reduced to 5", channels=12, reduced=5),
            secret("reduced to 24", channels=multiple(101, 7), reduced=24),
        ),
        *group(
            "kernel",
            public("48 channels, reduced to 16, kernel 5", channels=48, reduced=16, kernel=5),
            secret("reduced to 12, kernel 5", channels=multiple(50, 3), reduced=12, kernel=5),
            public("20 channels, reduced to 6, kernel 1", channels=20, reduced=6, kernel=1),
            secret("reduced to 10, kernel 1", channels=multiple(45, 4), reduced=10, kernel=1),
            public("18 channels, reduced to 7, kernel (1, 5)", channels=18, reduced=7, kernel=(1, 5)),
            secret("reduced to 9, kernel (7, 2)", channels=multiple(31, 3), reduced=9, kernel=(7, 2)),
        ),
        *group(
            "bias",
            public("256 channels, reduced to 64, with biases", channels=256, reduced=64, bias=True),
            secret("reduced to 11, with biases", channels=multiple(60, 7), reduced=11, bias=True),
            public("9 channels, reduced to 4, kernel 2, with biases", channels=9, reduced=4, kernel=2, bias=True),
            secret("reduced to 6, kernel 4, with biases", channels=multiple(27, 5), reduced=6, kernel=4, bias=True),
        ),
    ],
    mistakes=[
        Mistake(
            "last 1x1 forgotten",
            "The last layer is missing: a 1x1 layer leads back from `reduced` to `channels`.",
            counted(lambda c, r, kh, kw: c * r + kh * kw * r * r, lambda c, r: 2 * r),
        ),
        Mistake(
            "1x1 layers forgotten",
            "You counted the middle layer only: the two 1x1 layers have channels * reduced weights each.",
            counted(lambda c, r, kh, kw: kh * kw * r * r, lambda c, r: r),
        ),
        Mistake(
            "middle at full width",
            "You counted the middle layer at full width: it reads `reduced` channels and writes `reduced`.",
            counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * c * c),
        ),
        Mistake(
            "middle from reduced to full",
            "Your middle layer writes `channels`: it stays at `reduced`, and the last 1x1 layer widens again.",
            counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * r * c),
        ),
        Mistake(
            "kernel not squared",
            "You multiplied by one side of the kernel: a kernel has height times width taps.",
            counted(lambda c, r, kh, kw: 2 * c * r + kh * r * r),
        ),
        Mistake(
            "height squared",
            "You squared the kernel's height: its taps are height times width.",
            counted(lambda c, r, kh, kw: 2 * c * r + kh * kh * r * r),
        ),
        Mistake(
            "middle depthwise",
            "You gave the middle layer one channel for each filter: each of its `reduced` filters reads all "
            "`reduced` channels.",
            counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * r),
        ),
        Mistake(
            "bias ignored",
            "You left the biases out: with bias=True every layer has one for each of its filters.",
            counted(biases=lambda c, r: 0),
        ),
        Mistake(
            "bias always counted",
            "You counted biases without being asked to: add them only where bias is True.",
            always_biased,
        ),
        Mistake(
            "bias for every weight",
            "You counted one bias for each weight: a layer has one for each of its filters.",
            doubled,
        ),
        Mistake(
            "one bias for each layer",
            "You counted one bias for each layer: a layer has one for each of its filters.",
            three_alike,
        ),
    ],
    clues=(
        "Write the shape (F, C, KH, KW) of each of the three layers down, and multiply.",
        "`(reduced, channels, 1, 1)`, `(reduced, reduced, kh, kw)`, `(channels, reduced, 1, 1)`; with bias, each adds "
        "its number of filters.",
    ),
)


def positions(in_shape: tuple[int, int, int], kernel: Size, stride: Size = 1, padding: Padding = 0) -> int:
    return count_macs((1, *in_shape[1:]), 1, kernel, stride, padding) // (pair(kernel)[0] * pair(kernel)[1])


def rounded_up(in_shape: tuple[int, int, int], kernel: Size, stride: Size = 1, padding: Padding = 0) -> int:
    axes = zip(in_shape[1:], pair(kernel), pair(stride), sides(padding), strict=True)
    rows, columns = (-(-(n + sum(p) - k) // s) + 1 for n, k, s, p in axes)
    return rows * columns


def macs_with(change: Callable[..., Any]) -> Callable[..., Any]:
    """Return a wrong macs: change(right answer, in_shape, filters, kernel, **how)."""

    def wrong(in_shape: tuple[int, int, int], filters: int, kernel: Size, **how: Any) -> Any:
        return change(count_macs(in_shape, filters, kernel, **how), in_shape, filters, kernel, **how)

    return wrong


def padded_once(in_shape: tuple[int, int, int], filters: int, kernel: Size, padding: Padding = 0, **how: Any) -> int:
    def once(side: Size) -> tuple[int, int]:
        return side if isinstance(side, tuple) else (0, side)

    height, width = padding if isinstance(padding, tuple) else (padding, padding)
    return count_macs(in_shape, filters, kernel, padding=(once(height), once(width)), **how)


def taps_of(kernel: Size) -> int:
    return pair(kernel)[0] * pair(kernel)[1]


macs = Exercise(
    name="macs",
    returns=("count",),
    reference=count_macs,
    points={"basic": 2, "stride": 1, "padding": 1, "groups": 2, "together": 1},
    cases=[
        *group(
            "basic",
            public("3 channels, 6 filters, kernel 5 on 32x32", in_shape=(3, 32, 32), filters=6, kernel=5),
            secret("4 channels, 5 filters, kernel 3", in_shape=image(4, 15, 22), filters=5, kernel=3),
            public("8 channels, 4 filters, kernel (2, 3) on 7x10", in_shape=(8, 7, 10), filters=4, kernel=(2, 3)),
            secret("6 channels, 3 filters, kernel (4, 2)", in_shape=image(6, 9, 17), filters=3, kernel=(4, 2)),
            public("256 channels, 64 filters, kernel 1 on 14x9", in_shape=(256, 14, 9), filters=64, kernel=1),
            secret("20 channels, 12 filters, kernel 1", in_shape=image(20, 10, 18), filters=12, kernel=1),
        ),
        *group(
            "stride",
            public("stride 2, kernel 3 on 11x8", in_shape=(2, 11, 8), filters=5, kernel=3, stride=2),
            secret("stride 3, kernel 4", in_shape=image(3, 12, 29, 3), filters=4, kernel=4, stride=3),
            public(
                "stride (1, 3), kernel (3, 2) on 6x12", in_shape=(4, 6, 12), filters=3, kernel=(3, 2), stride=(1, 3)
            ),
            secret(
                "stride (2, 1), kernel (3, 5)", in_shape=image(2, 10, 23, 2), filters=7, kernel=(3, 5), stride=(2, 1)
            ),
        ),
        *group(
            "padding",
            public("padding 1, kernel 3 on 9x5", in_shape=(3, 9, 5), filters=7, kernel=3, padding=1),
            secret("padding 2, kernel 5", in_shape=image(2, 8, 16), filters=3, kernel=5, padding=2),
            public("padding (2, 0), kernel 5 on 6x8", in_shape=(2, 6, 8), filters=4, kernel=5, padding=(2, 0)),
            secret("padding (0, 1), kernel 3", in_shape=image(5, 9, 17), filters=4, kernel=3, padding=(0, 1)),
            public(
                "padding ((0, 1), (2, 1)), kernel 4 on 7x6",
                in_shape=(3, 7, 6),
                filters=2,
                kernel=4,
                padding=((0, 1), (2, 1)),
            ),
            secret(
                "padding ((2, 1), (0, 3)), kernel 2",
                in_shape=image(4, 7, 15),
                filters=3,
                kernel=2,
                padding=((2, 1), (0, 3)),
            ),
        ),
        *group(
            "groups",
            public("2 groups, 8 channels, 6 filters", in_shape=(8, 5, 7), filters=6, kernel=3, groups=2),
            secret("4 groups, 12 channels, 8 filters", in_shape=image(12, 6, 13), filters=8, kernel=2, groups=4),
            public("depthwise, 16 channels", in_shape=(16, 9, 6), filters=16, kernel=3, groups=16),
            secret("depthwise, 10 channels, 20 filters", in_shape=image(10, 8, 15), filters=20, kernel=3, groups=10),
        ),
        *group(
            "together",
            public(
                "AlexNet's second layer: two GPUs, that is, 2 groups",
                in_shape=(96, 27, 27),
                filters=256,
                kernel=5,
                padding=2,
                groups=2,
            ),
            secret(
                "stride 2, padding 1, 2 groups",
                in_shape=image(8, 13, 26, 2),
                filters=6,
                kernel=3,
                stride=2,
                padding=1,
                groups=2,
            ),
            public(
                "stride (2, 1), padding ((1, 0), (2, 1)), 3 groups",
                in_shape=(6, 10, 7),
                filters=9,
                kernel=(3, 4),
                stride=(2, 1),
                padding=((1, 0), (2, 1)),
                groups=3,
            ),
            secret(
                "stride (1, 2), padding ((0, 2), (1, 0)), 4 groups",
                in_shape=image(8, 8, 21, 2),
                filters=12,
                kernel=(2, 5),
                stride=(1, 2),
                padding=((0, 2), (1, 0)),
                groups=4,
            ),
        ),
    ],
    mistakes=[
        Mistake(
            "stride ignored",
            "You counted a window at every position: with a stride there are fewer, so count the outputs.",
            lambda in_shape, filters, kernel, **how: count_macs(in_shape, filters, kernel, **without(how, "stride")),
        ),
        Mistake(
            "stride swapped",
            "You moved down by the stride's width and across by its height: (h, w) is height first.",
            lambda in_shape, filters, kernel, **how: count_macs(in_shape, filters, kernel, **swapped(how, "stride")),
        ),
        Mistake(
            "size rounded up",
            "You rounded the output size up, which counts a window that hangs over the edge: round down.",
            macs_with(
                lambda right, in_shape, filters, kernel, groups=1, **how: (
                    rounded_up(in_shape, kernel, **how) * filters * (in_shape[0] // groups) * taps_of(kernel)
                )
            ),
        ),
        Mistake(
            "input size",
            "You multiplied by the size of the input: a window is computed for every position of the output.",
            lambda in_shape, filters, kernel, groups=1, **how: (
                filters * (in_shape[0] // groups) * taps_of(kernel) * in_shape[1] * in_shape[2]
            ),
        ),
        Mistake(
            "parameters",
            "You counted the parameters: each weight is used once for every output position, so multiply by "
            "their number.",
            lambda in_shape, filters, kernel, groups=1, **how: filters * (in_shape[0] // groups) * taps_of(kernel),
        ),
        Mistake(
            "padding ignored",
            "You left the padding out of the output size: the windows slide over the padded image.",
            lambda in_shape, filters, kernel, **how: count_macs(in_shape, filters, kernel, **without(how, "padding")),
        ),
        Mistake(
            "padding once",
            "You added the padding once, but an int or (h, w) is the padding of each side: add it twice.",
            padded_once,
        ),
        Mistake(
            "padding axes swapped",
            "You padded the rows by the columns' numbers: height comes first, then width.",
            lambda in_shape, filters, kernel, **how: count_macs(in_shape, filters, kernel, **swapped(how, "padding")),
        ),
        Mistake(
            "groups ignored",
            "You gave every filter all the channels: with groups it reads C / groups of them.",
            lambda in_shape, filters, kernel, **how: count_macs(in_shape, filters, kernel, **without(how, "groups")),
        ),
        Mistake(
            "one group only",
            "You counted one group only: together the groups have all F filters.",
            macs_with(lambda right, *_, groups=1, **how: right // groups),
        ),
        Mistake(
            "bias added",
            "You counted the biases: they are additions without a multiplication, leave them out.",
            macs_with(
                lambda right, in_shape, filters, kernel, groups=1, **how: (
                    right + filters * positions(in_shape, kernel, **how)
                )
            ),
        ),
        Mistake(
            "multiplications and additions",
            "You counted every multiplication and every addition: a multiply-add is both together, one.",
            macs_with(lambda right, *_, **how: 2 * right),
        ),
        Mistake(
            "one input channel",
            "You counted one channel for each filter: a filter reads C / groups of them.",
            macs_with(lambda right, in_shape, *_, groups=1, **how: right // (in_shape[0] // groups)),
        ),
        Mistake(
            "height squared",
            "You squared the kernel's height: its taps are height times width.",
            macs_with(lambda right, in_shape, filters, kernel, **how: right // pair(kernel)[1] * pair(kernel)[0]),
        ),
        Mistake(
            "float returned",
            "You divided with /, which gives a float: a number of operations is an int, so divide with //.",
            macs_with(lambda right, *_, **how: float(right)),
        ),
    ],
    clues=(
        "A layer computes F * OH * OW values. How many multiply-adds does each of them take?",
        "Each takes one for every tap and channel that its filter reads: `C // groups * kh * kw`. "
        "`out_shape` gives OH and OW.",
        "`filters * oh * ow * (channels // groups) * kh * kw`.",
    ),
)
