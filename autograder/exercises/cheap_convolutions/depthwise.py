"""depthwise_conv2d_forward, and what it shares with depthwise_conv2d_backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import numpy as np

from autograder.exercise import Case, Exercise, Mistake, clue, normal
from autograder.exercises.common.cases import WINDOWS, Things, biases, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d
from autograder.exercises.common.sizes import Padding, Settings, Size, pair, sides
from autograder.exercises.common.slips import LAYER
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value

Arrays = tuple[np.ndarray, ...]


def as_groups(w: np.ndarray) -> np.ndarray:
    """Return the filters (C, M, KH, KW) as those of a convolution in C groups."""
    return w.reshape(-1, 1, *w.shape[2:])


def depthwise(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0) -> np.ndarray:
    """Convolve every channel by itself, by torch."""
    return conv2d(x, as_groups(w), b, stride, padding, groups=len(w))


def out_shape(x: tuple[int, ...], w: tuple[int, ...], stride: Size, padding: Padding) -> tuple[int, ...]:
    """Return the shape of the output, by its formula."""
    lengths = [n + sum(side) for n, side in zip(x[2:], sides(padding), strict=True)]
    steps = zip(lengths, w[2:], pair(stride), strict=True)
    return (x[0], w[0] * w[1], *((n - k) // s + 1 for n, k, s in steps))


def forward_case(
    key: str,
    group: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    dtype: str = "float64",
    bias: bool = True,
    **how: Value,
) -> Case:
    """Return a Case of normal values from the shapes of x and w."""
    arrays = {"x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype)}
    return Case(key, group=group, **arrays, b=biases(w[0] * w[1], dtype, bias), **how)


def on_channels(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Return a wrong convolution as a wrong depthwise convolution."""
    return lambda x, w, b, **how: function(x, as_groups(w), b, groups=len(w), **how)


def filters_outside(y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Move output c*M + m to m*C + c."""
    n, _, height, width = y.shape
    return y.reshape(n, *w.shape[:2], height, width).transpose(0, 2, 1, 3, 4).reshape(y.shape)


def added_up(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Convolve as an ordinary layer with M filters of C channels does."""
    return conv2d(x, w.transpose(1, 0, 2, 3), b[: w.shape[1]], **how)


def wrapped(x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0) -> np.ndarray:
    return depthwise(np.pad(x, ((0, 0), (0, 0), *sides(padding)), mode="wrap"), w, b, stride)


SLIPS = [
    Mistake(slip.name, slip.hint, on_channels(slip.function))
    for slip in LAYER
    if slip.name != "kernel transposed"  # its hint names the shape of an ordinary layer's filters
]


PLAIN: dict[str, Value] = {"x": (1, 2, 4, 4), "w": (2, 1, 2, 2)}
THINGS: Things = {
    **WINDOWS,
    "batch": {"x": (2, 2, 4, 4)},
    "channels": {"x": (1, 3, 4, 4), "w": (3, 1, 2, 2)},
    "filters of a channel": {"w": (2, 3, 2, 2)},
    "image that is not square": {"x": (1, 2, 4, 6)},
    "kernel that is not square": {"w": (2, 1, 2, 1)},
    "float32": {"dtype": "float32"},
}

depthwise_conv2d_forward = Exercise(
    name="depthwise_conv2d_forward",
    returns=("y",),
    reference=depthwise,
    points={"basic": 3, "multiplier": 2, "stride": 1, "padding": 2, "together": 1},
    cases=[
        *rows(
            forward_case,
            "basic",
            public("3 channels, a 3x3 kernel on 6x5 images", (2, 3, 6, 5), (3, 1, 3, 3)),
            secret("4 channels, a 3x2 kernel on 5x6 images", (3, 4, 5, 6), (4, 1, 3, 2)),
            public("2 channels, a 2x4 kernel on one 4x6 image", (1, 2, 4, 6), (2, 1, 2, 4)),
            secret("3 channels, a 2x3 kernel on one 4x4 image", (1, 3, 4, 4), (3, 1, 2, 3)),
            public("one channel, a 3x2 kernel", (2, 1, 5, 4), (1, 1, 3, 2)),
            secret("one channel, a 1x4 kernel", (3, 1, 3, 6), (1, 1, 1, 4)),
            public("a 1x1 kernel: every channel scaled", (2, 4, 3, 2), (4, 1, 1, 1)),
            secret("a 1x1 kernel over 5 channels", (2, 5, 2, 3), (5, 1, 1, 1)),
            public("a kernel as large as the 3x4 image", (2, 3, 3, 4), (3, 1, 3, 4)),
            secret("a kernel as large as the 5x2 image", (2, 2, 5, 2), (2, 1, 5, 2)),
            public("float32", (2, 3, 4, 5), (3, 1, 3, 2), "float32"),
            secret("float32 on one 6x4 image", (1, 4, 6, 4), (4, 1, 3, 3), "float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public("values in the millions", x=scaled(1e6, 2, 2, 4, 5), w=normal(2, 1, 2, 2), b=normal(2)),
            secret(
                "values near ten thousand", x=scaled(10.0, 2, 3, 3, 5, offset=1e4), w=normal(3, 1, 2, 2), b=normal(3)
            ),
        ),
        *rows(
            forward_case,
            "multiplier",
            public("3 channels with 2 filters each", (2, 3, 5, 4), (3, 2, 3, 2)),
            secret("2 channels with 2 filters each", (3, 2, 4, 6), (2, 2, 3, 3)),
            public("2 channels with 3 filters each", (1, 2, 4, 5), (2, 3, 2, 3)),
            secret("4 channels with 3 filters each", (2, 4, 4, 3), (4, 3, 2, 2)),
            "stride",
            public("stride 2 on a 6x7 image", (2, 3, 6, 7), (3, 1, 3, 3), stride=2),
            secret("stride 3 on an 8x9 image", (2, 2, 8, 9), (2, 1, 2, 4), stride=3),
            public("stride (3, 2) on a 9x8 image", (1, 2, 9, 8), (2, 1, 3, 2), stride=(3, 2)),
            secret("stride (1, 2) on a 4x9 image", (3, 3, 4, 9), (3, 1, 3, 3), stride=(1, 2)),
            "padding",
            public("padding 1 on a 5x4 image", (2, 3, 5, 4), (3, 1, 3, 3), padding=1),
            secret("padding 2 on a 4x3 image", (2, 2, 4, 3), (2, 1, 4, 3), padding=2),
            public("padding (0, 2) on a 4x3 image", (1, 2, 4, 3), (2, 1, 3, 3), padding=(0, 2)),
            secret("padding (1, 0) on a 3x6 image", (1, 3, 3, 6), (3, 1, 3, 2), padding=(1, 0)),
            public("padding ((2, 1), (0, 1)) on a 3x4 image", (2, 2, 3, 4), (2, 1, 2, 2), padding=((2, 1), (0, 1))),
            secret("padding ((0, 2), (3, 1)) on a 4x4 image", (2, 3, 4, 4), (3, 1, 3, 3), padding=((0, 2), (3, 1))),
            "together",
            public(
                "2 filters each, stride (2, 1), padding ((1, 0), (2, 1))",
                (2, 3, 7, 6),
                (3, 2, 3, 3),
                stride=(2, 1),
                padding=((1, 0), (2, 1)),
            ),
            secret(
                "3 filters each, stride (1, 2), padding ((0, 2), (1, 0))",
                (2, 2, 6, 7),
                (2, 3, 2, 3),
                stride=(1, 2),
                padding=((0, 2), (1, 0)),
            ),
        ),
    ],
    mistakes=[
        *SLIPS,
        *mistakes(
            """
            kernel transposed: You exchanged the kernel's rows and columns: w has the shape (C, M, KH, KW), height
                first.
            filters outside channels: You stored the outputs at m*C + c: the M outputs of a channel are neighbours, so
                channel c's filter m goes to c*M + m.
            filters outside channels but for the bias: You stored the outputs at m*C + c: the M outputs of a channel are
                neighbours, so channel c's filter m goes to c*M + m, and there b fits as it is.
            bias outside channels: You read the bias at m*C + c: b goes with the outputs, so channel c's filter m has
                b[c*M + m].
            one bias for each channel: You added b[c] to all M outputs of channel c: output c*M + m has a bias of its
                own, b[c*M + m].
            channels added up: You added the channels up, as an ordinary layer does: a depthwise layer keeps them apart,
                C*M outputs in all.
            first channel for all: All your filters read the first channel: the filters w[c] read channel c.
            first filter only: You used the first filter of each channel only: all M give an output of their own.
            first filter for all: All M outputs of a channel came from its first filter: output c*M + m uses w[c, m].
            wrapped edges: Your windows go on at the opposite edge of the image: what lies outside is zero.
            last tap only: Each tap of the kernel overwrites the one before: add them up with +=.
            """,
            {
                "kernel transposed": lambda x, w, b, **how: depthwise(x, w.transpose(0, 1, 3, 2), b, **how),
                "filters outside channels": lambda x, w, b, **how: filters_outside(depthwise(x, w, b, **how), w),
                "filters outside channels but for the bias": lambda x, w, b, **how: (
                    filters_outside(depthwise(x, w, 0 * b, **how), w) + b[:, None, None]
                ),
                "bias outside channels": lambda x, w, b, **how: depthwise(
                    x, w, b.reshape(w.shape[1], -1).T.ravel(), **how
                ),
                "one bias for each channel": lambda x, w, b, **how: depthwise(
                    x, w, np.repeat(b[: len(w)], w.shape[1]), **how
                ),
                "channels added up": added_up,
                "first channel for all": lambda x, w, b, **how: depthwise(
                    np.repeat(x[:, :1], x.shape[1], axis=1), w, b, **how
                ),
                "first filter only": lambda x, w, b, **how: depthwise(x, w[:, :1], b[:: w.shape[1]], **how),
                "first filter for all": lambda x, w, b, **how: depthwise(
                    x, np.repeat(w[:, :1], w.shape[1], axis=1), b, **how
                ),
                "wrapped edges": wrapped,
                "last tap only": lambda x, w, b, **how: depthwise(
                    x, w * (np.arange(w[0, 0].size) == w[0, 0].size - 1).reshape(w.shape[2:]), b, **how
                ),
            },
        ),
    ],
    varied=varied(
        forward_case,
        public("plain: 2 channels, a 2x2 kernel on a 4x4 image, no bias", **PLAIN, bias=False),
        {**THINGS, "bias": {"bias": True}},
    ),
    clues=(
        clue(
            "Pad with `np.pad(x, ((0, 0), (0, 0), *sides(padding)))`. Take one output channel c*M + m at a time, and loop "
            "over the taps u, v, not over the windows. For all positions at once, tap (u, v) reads one slice of the padded "
            "channel c; which one?",
            "padding ignored",
            "padding after only",
            "padding before only",
            "padding axes swapped",
            "padding sides swapped",
            "channels added up",
            "first channel for all",
            arguments=("padding", "padding as (h, w)", "one-sided padding", "channels"),
        ),
        clue(
            "`padded[:, c, u : u + sh * oh : sh, v : v + sw * ow : sw]` has one value for each position, and "
            "`w[c, m, u, v]` is one number. With shifts it is the run `flat[s : s + length]` with `s = u * wide + v`, "
            "where `wide` is the width of the padded image.",
            "flipped",
            "kernel transposed",
            "stride ignored",
            "stride swapped",
            "stride in the size only",
            "first channel for all",
            "first filter for all",
            "wrapped edges",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "filters of a channel",
                "kernel that is not square",
            ),
        ),
        clue(
            "Start `y[:, c * M + m]` at `b[c * M + m]` and for each tap add `slice * w[c, m, u, v]`. With shifts, add the "
            "runs into `total.reshape(-1)[:length]`, and at the end take `total[:, : sh * oh : sh, : sw * ow : sw]`.",
            "bias forgotten",
            "filters outside channels",
            "filters outside channels but for the bias",
            "bias outside channels",
            "one bias for each channel",
            "last tap only",
            arguments=("bias", "filters of a channel"),
        ),
    ),
)
