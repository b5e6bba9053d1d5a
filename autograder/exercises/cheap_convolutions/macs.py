"""macs: the multiply-adds of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.cases import WINDOWS
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Padding, Size, Steps, pair, sides
from autograder.exercises.common.slips import swapped, without
from autograder.exercises.convolution.sizes import count_positions
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def image(channels: int, height: int, width: int, step: int = 1) -> Random:
    """Return the shape of an image, whose size the secret chooses; what a stride of `step` leaves over stays the same."""

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


def positions(in_shape: tuple[int, int, int], kernel: Size, stride: Size = 1, padding: Padding = 0) -> int:
    return count_macs((1, *in_shape[1:]), 1, kernel, stride, padding) // (pair(kernel)[0] * pair(kernel)[1])


def rounded_up(in_shape: tuple[int, int, int], kernel: Size, stride: Size = 1, padding: Padding = 0) -> int:
    axes = zip(in_shape[1:], pair(kernel), pair(stride), sides(padding), strict=True)
    rows, columns = (-(-(n + sum(p) - k) // s) + 1 for n, k, s, p in axes)
    return rows * columns


def macs_with(change: Callable[..., Value]) -> Callable[..., Value]:
    """Return a wrong macs: change(right answer, in_shape, filters, kernel, **how)."""

    def wrong(in_shape: tuple[int, int, int], filters: int, kernel: Size, **how: Unpack[Steps]) -> Value:
        return change(count_macs(in_shape, filters, kernel, **how), in_shape, filters, kernel, **how)

    return wrong


def padded_once(
    in_shape: tuple[int, int, int], filters: int, kernel: Size, stride: Size = 1, padding: Padding = 0, groups: int = 1
) -> int:
    def once(side: Size) -> tuple[int, int]:
        return side if isinstance(side, tuple) else (0, side)

    height, width = padding if isinstance(padding, tuple) else (padding, padding)
    return count_macs(in_shape, filters, kernel, stride, (once(height), once(width)), groups)


def taps_of(kernel: Size) -> int:
    return pair(kernel)[0] * pair(kernel)[1]


macs = Exercise(
    name="macs",
    returns=("count",),
    reference=count_macs,
    points={"basic": 2, "stride": 1, "padding": 1, "groups": 2, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("3 channels, 6 filters, kernel 5 on 32x32", in_shape=(3, 32, 32), filters=6, kernel=5),
        secret("4 channels, 5 filters, kernel 3", in_shape=image(4, 15, 22), filters=5, kernel=3),
        public("8 channels, 4 filters, kernel (2, 3) on 7x10", in_shape=(8, 7, 10), filters=4, kernel=(2, 3)),
        secret("6 channels, 3 filters, kernel (4, 2)", in_shape=image(6, 9, 17), filters=3, kernel=(4, 2)),
        public("256 channels, 64 filters, kernel 1 on 14x9", in_shape=(256, 14, 9), filters=64, kernel=1),
        secret("20 channels, 12 filters, kernel 1", in_shape=image(20, 10, 18), filters=12, kernel=1),
        "stride",
        public("stride 2, kernel 3 on 11x8", in_shape=(2, 11, 8), filters=5, kernel=3, stride=2),
        secret("stride 3, kernel 4", in_shape=image(3, 12, 29, 3), filters=4, kernel=4, stride=3),
        public("stride (1, 3), kernel (3, 2) on 6x12", in_shape=(4, 6, 12), filters=3, kernel=(3, 2), stride=(1, 3)),
        secret("stride (2, 1), kernel (3, 5)", in_shape=image(2, 10, 23, 2), filters=7, kernel=(3, 5), stride=(2, 1)),
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
        "groups",
        public("2 groups, 8 channels, 6 filters", in_shape=(8, 5, 7), filters=6, kernel=3, groups=2),
        secret("4 groups, 12 channels, 8 filters", in_shape=image(12, 6, 13), filters=8, kernel=2, groups=4),
        public("depthwise, 16 channels", in_shape=(16, 9, 6), filters=16, kernel=3, groups=16),
        secret("depthwise, 10 channels, 20 filters", in_shape=image(10, 8, 15), filters=20, kernel=3, groups=10),
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
    mistakes=mistakes(
        """
        stride ignored: You counted a window at every position: with a stride there are fewer, so count the outputs.
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        size rounded up: You rounded the output size up, which counts a window that hangs over the edge: round down.
        input size: You multiplied by the size of the input: a window is computed for every position of the output.
        parameters: You counted the parameters: each weight is used once for every output position, so multiply by their
            number.
        padding ignored: You left the padding out of the output size: the windows slide over the padded image.
        padding once: You added the padding once, but an int or (h, w) is the padding of each side: add it twice.
        padding axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
        groups ignored: You gave every filter all the channels: with groups it reads C / groups of them.
        one group only: You counted one group only: together the groups have all F filters.
        bias added: You counted the biases: they are additions without a multiplication, leave them out.
        multiplications and additions: You counted every multiplication and every addition: a multiply-add is both
            together, one.
        one input channel: You counted one channel for each filter: a filter reads C / groups of them.
        height squared: You squared the kernel's height: its taps are height times width.
        float returned: You divided with /, which gives a float: a number of operations is an int, so divide with //.
        """,
        {
            "stride ignored": lambda in_shape, filters, kernel, **how: count_macs(
                in_shape, filters, kernel, **without(how, "stride")
            ),
            "stride swapped": lambda in_shape, filters, kernel, **how: count_macs(
                in_shape, filters, kernel, **swapped(how, "stride")
            ),
            "size rounded up": macs_with(
                lambda right, in_shape, filters, kernel, groups=1, **how: (
                    rounded_up(in_shape, kernel, **how) * filters * (in_shape[0] // groups) * taps_of(kernel)
                )
            ),
            "input size": lambda in_shape, filters, kernel, groups=1, **how: (
                filters * (in_shape[0] // groups) * taps_of(kernel) * in_shape[1] * in_shape[2]
            ),
            "parameters": lambda in_shape, filters, kernel, groups=1, **how: (
                filters * (in_shape[0] // groups) * taps_of(kernel)
            ),
            "padding ignored": lambda in_shape, filters, kernel, **how: count_macs(
                in_shape, filters, kernel, **without(how, "padding")
            ),
            "padding once": padded_once,
            "padding axes swapped": lambda in_shape, filters, kernel, **how: count_macs(
                in_shape, filters, kernel, **swapped(how, "padding")
            ),
            "groups ignored": lambda in_shape, filters, kernel, **how: count_macs(
                in_shape, filters, kernel, **without(how, "groups")
            ),
            "one group only": macs_with(lambda right, *_, groups=1, **how: right // groups),
            "bias added": macs_with(
                lambda right, in_shape, filters, kernel, groups=1, **how: (
                    right + filters * positions(in_shape, kernel, **how)
                )
            ),
            "multiplications and additions": macs_with(lambda right, *_, **how: 2 * right),
            "one input channel": macs_with(
                lambda right, in_shape, *_, groups=1, **how: right // (in_shape[0] // groups)
            ),
            "height squared": macs_with(
                lambda right, in_shape, filters, kernel, **how: right // pair(kernel)[1] * pair(kernel)[0]
            ),
            "float returned": macs_with(lambda right, *_, **how: float(right)),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 2 channels, 2 filters, kernel 2 on 4x4", in_shape=(2, 4, 4), filters=2, kernel=2),
        {
            **WINDOWS,
            "groups": {"groups": 2},
            "channels": {"in_shape": (4, 4, 4)},
            "filters": {"filters": 4},
            "image that is not square": {"in_shape": (2, 4, 6)},
            "kernel that is not square": {"kernel": (2, 1)},
        },
    ),
    clues=(
        clue(
            "A layer computes F * OH * OW values. How many multiply-adds does each of them take?",
            "input size",
            "parameters",
            arguments=("image that is not square",),
        ),
        clue(
            "Each takes one for every tap and channel that its filter reads: `C // groups * kh * kw`. "
            "`out_shape` gives OH and OW.",
            "stride ignored",
            "stride swapped",
            "size rounded up",
            "input size",
            "padding ignored",
            "padding once",
            "padding axes swapped",
            "groups ignored",
            "one group only",
            "multiplications and additions",
            "one input channel",
            "height squared",
            "float returned",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "padding",
                "padding as (h, w)",
                "one-sided padding",
                "groups",
                "kernel that is not square",
            ),
        ),
        clue(
            "`filters * oh * ow * (channels // groups) * kh * kw`.",
            "input size",
            "parameters",
            "groups ignored",
            "one group only",
            "bias added",
            "multiplications and additions",
            "one input channel",
            "height squared",
            "float returned",
            arguments=("groups", "channels", "filters", "image that is not square", "kernel that is not square"),
        ),
    ),
)
