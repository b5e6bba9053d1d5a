"""bottleneck_parameters: the parameters of three layers around a narrow middle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.cheap_convolutions.separable import multiple
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Size, pair
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value


def build_bottleneck(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    """Make the arrays of the three layers and add their sizes up."""
    shapes = [(reduced, channels, 1, 1), (reduced, reduced, *pair(kernel)), (channels, reduced, 1, 1)]
    arrays = [np.zeros(shape) for shape in shapes]
    if bias:
        arrays += [np.zeros(shape[0]) for shape in shapes]
    return sum(array.size for array in arrays)


def counted(
    weights: Callable[[int, int, int, int], Value] = lambda c, r, kh, kw: 2 * c * r + kh * kw * r * r,
    biases: Callable[[int, int], int] = lambda c, r: 2 * r + c,
) -> Callable[..., Value]:
    """Return a wrong bottleneck_parameters: weights(channels, reduced, kh, kw) and biases(channels, reduced)."""

    def wrong(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> Value:
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
    cases=rows(
        plain_case,
        "basic",
        public("the lecture's example: 256 channels, reduced to 64", channels=256, reduced=64),
        secret("reduced to 8", channels=multiple(33, 5), reduced=8),
        public("12 channels, reduced to 5", channels=12, reduced=5),
        secret("reduced to 24", channels=multiple(101, 7), reduced=24),
        "kernel",
        public("48 channels, reduced to 16, kernel 5", channels=48, reduced=16, kernel=5),
        secret("reduced to 12, kernel 5", channels=multiple(50, 3), reduced=12, kernel=5),
        public("20 channels, reduced to 6, kernel 1", channels=20, reduced=6, kernel=1),
        secret("reduced to 10, kernel 1", channels=multiple(45, 4), reduced=10, kernel=1),
        public("18 channels, reduced to 7, kernel (1, 5)", channels=18, reduced=7, kernel=(1, 5)),
        secret("reduced to 9, kernel (7, 2)", channels=multiple(31, 3), reduced=9, kernel=(7, 2)),
        "bias",
        public("256 channels, reduced to 64, with biases", channels=256, reduced=64, bias=True),
        secret("reduced to 11, with biases", channels=multiple(60, 7), reduced=11, bias=True),
        public("9 channels, reduced to 4, kernel 2, with biases", channels=9, reduced=4, kernel=2, bias=True),
        secret("reduced to 6, kernel 4, with biases", channels=multiple(27, 5), reduced=6, kernel=4, bias=True),
    ),
    mistakes=mistakes(
        """
        last 1x1 forgotten: The last layer is missing: a 1x1 layer leads back from `reduced` to `channels`.
        1x1 layers forgotten: You counted the middle layer only: the two 1x1 layers have channels * reduced weights
            each.
        middle at full width: You counted the middle layer at full width: it reads `reduced` channels and writes
            `reduced`.
        middle from reduced to full: Your middle layer writes `channels`: it stays at `reduced`, and the last 1x1 layer
            widens again.
        kernel not squared: You multiplied by one side of the kernel: a kernel has height times width taps.
        height squared: You squared the kernel's height: its taps are height times width.
        middle depthwise: You gave the middle layer one channel for each filter: each of its `reduced` filters reads all
            `reduced` channels.
        bias ignored: You left the biases out: with bias=True every layer has one for each of its filters.
        bias always counted: You counted biases without being asked to: add them only where bias is True.
        bias for every weight: You counted one bias for each weight: a layer has one for each of its filters.
        one bias for each layer: You counted one bias for each layer: a layer has one for each of its filters.
        """,
        {
            "last 1x1 forgotten": counted(lambda c, r, kh, kw: c * r + kh * kw * r * r, lambda c, r: 2 * r),
            "1x1 layers forgotten": counted(lambda c, r, kh, kw: kh * kw * r * r, lambda c, r: r),
            "middle at full width": counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * c * c),
            "middle from reduced to full": counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * r * c),
            "kernel not squared": counted(lambda c, r, kh, kw: 2 * c * r + kh * r * r),
            "height squared": counted(lambda c, r, kh, kw: 2 * c * r + kh * kh * r * r),
            "middle depthwise": counted(lambda c, r, kh, kw: 2 * c * r + kh * kw * r),
            "bias ignored": counted(biases=lambda c, r: 0),
            "bias always counted": always_biased,
            "bias for every weight": doubled,
            "one bias for each layer": three_alike,
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 4 channels, reduced to 2", channels=4, reduced=2),
        {
            "channels": {"channels": 6},
            "reduced": {"reduced": 1},
            "kernel": {"kernel": 5},
            "kernel that is not square": {"kernel": (3, 1)},
            "bias": {"bias": True},
        },
    ),
    clues=(
        clue(
            "Write the shape (F, C, KH, KW) of each of the three layers down, and multiply.",
            "last 1x1 forgotten",
            "1x1 layers forgotten",
            "kernel not squared",
            arguments=("kernel",),
        ),
        clue(
            "`(reduced, channels, 1, 1)`, `(reduced, reduced, kh, kw)`, `(channels, reduced, 1, 1)`; with bias, each adds "
            "its number of filters.",
            "last 1x1 forgotten",
            "1x1 layers forgotten",
            "middle at full width",
            "middle from reduced to full",
            "kernel not squared",
            "height squared",
            "middle depthwise",
            "bias ignored",
            "bias always counted",
            "bias for every weight",
            "one bias for each layer",
            arguments=("channels", "reduced", "kernel", "bias", "kernel that is not square"),
        ),
    ),
)
