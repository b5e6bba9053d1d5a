"""conv2d_forward: the layer's convolution as a matrix product, with dilation and groups."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import DILATIONS, layer_case, layers, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d, unfold
from autograder.exercises.common.sizes import DilatedSteps, Settings, pair, sides
from autograder.exercises.common.slips import LAYER, swapped, without
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value


def blocks(total: int, groups: int) -> list[slice]:
    """Return what belongs to each group where neighbours are together."""
    return [slice(g * total // groups, (g + 1) * total // groups) for g in range(groups)]


def dealt(total: int, groups: int) -> list[slice]:
    """Return what belongs to each group where all are dealt out in turn like cards."""
    return [slice(g, total, groups) for g in range(groups)]


def by_group(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, reads: list[slice], writes: list[slice], **how: Unpack[Settings]
) -> Value:
    """Let the filters writes[g] read the channels reads[g], group by group."""
    first, *others = [
        (write, conv2d(x[:, read], w[write], b[write], **how)) for read, write in zip(reads, writes, strict=True)
    ]
    y = np.zeros((len(x), len(w), *first[1].shape[2:]), x.dtype)
    for write, part in [first, *others]:
        y[:, write] = part
    return y


def as_one_product(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int = 1, **how: Unpack[DilatedSteps]
) -> np.ndarray:
    """Multiply all filters with all channels, which NumPy refuses where a filter has fewer channels than x."""
    product = w.reshape(len(w), -1) @ unfold(x, w.shape[2:], **how)
    return (product + b[:, None]).reshape(conv2d(x, w, b, **how).shape)


def extent_too_large(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Take dilation * kernel as the dilated kernel's extent, and so find fewer positions."""
    lengths = [n + sum(side) for n, side in zip(x.shape[2:], sides(how.get("padding", 0)), strict=True)]
    reach = [d * k for d, k in zip(pair(how.get("dilation", 1)), w.shape[2:], strict=True)]
    strides = pair(how.get("stride", 1))
    height, width = ((n - r) // s + 1 for n, r, s in zip(lengths, reach, strides, strict=True))
    return conv2d(x, w, b, **how)[:, :, :height, :width]


def mixed_up(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    y = conv2d(x, w, b, **how)
    return y.transpose(1, 0, 2, 3).reshape(y.shape)


PLAIN, THINGS = layers(channels=4, filters=4)

conv2d_forward = Exercise(
    name="conv2d_forward",
    returns=("y",),
    reference=conv2d,
    clues=(
        clue(
            "Without groups it is one product an image: `w.reshape(F, -1) @ im2col(...)`, reshaped to maps, plus the bias.",
            "bias forgotten",
            "batch and filters mixed up",
            "weights and windows in different orders",
            arguments=("batch", "bias"),
        ),
        clue(
            "The rows of im2col begin with the channels, so a group is one run of rows: reshape them to (G, C/G*KH*KW, L).",
            "groups ignored",
            "first group for every filter",
            "channels dealt out in turn",
            arguments=("groups",),
        ),
        clue(
            "`w.reshape(G, F // G, -1) @ cols` multiplies group by group; reshape to (F, OH, OW) and add "
            "`b[:, None, None]`.",
            "bias forgotten",
            "groups ignored",
            "first group for every filter",
            "filters dealt out in turn",
            arguments=("bias", "groups"),
        ),
    ),
    points={"basic": 3, "stride": 2, "padding": 2, "dilation": 2, "groups": 4, "together": 1, "speed": 2},
    way=Way(speed="conv2d_forward"),
    cases=[
        *rows(
            layer_case,
            "basic",
            public("a 3x3 kernel on 6x5 images", x=(2, 3, 6, 5), w=(4, 3, 3, 3)),
            secret("a 2x3 kernel on 5x7 images", x=(3, 2, 5, 7), w=(3, 2, 2, 3)),
            secret("a 3x3 kernel on 4x6 images", x=(2, 4, 4, 6), w=(2, 4, 3, 3)),
            public("one image, one channel, one filter: a 3x2 kernel on 5x4", x=(1, 1, 5, 4), w=(1, 1, 3, 2)),
            secret("one image, one channel, one filter: a 1x4 kernel on 3x6", x=(1, 1, 3, 6), w=(1, 1, 1, 4)),
            public("a 1x1 kernel over 3 channels", x=(2, 3, 4, 3), w=(5, 3, 1, 1)),
            secret("a 1x1 kernel over 5 channels", x=(2, 5, 3, 3), w=(4, 5, 1, 1)),
            public("a kernel as large as the 3x4 image", x=(3, 2, 3, 4), w=(2, 2, 3, 4)),
            secret("a kernel as large as the 5x2 image", x=(2, 3, 5, 2), w=(4, 3, 5, 2)),
            public("float32", x=(2, 2, 4, 5), w=(3, 2, 2, 3), dtype="float32"),
            secret("float32 on one 6x4 image", x=(1, 3, 6, 4), w=(2, 3, 3, 2), dtype="float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public("values in the millions", x=scaled(1e6, 2, 2, 4, 5), w=normal(2, 2, 2, 2), b=normal(2)),
            secret(
                "values near ten thousand", x=scaled(10.0, 2, 3, 3, 5, offset=1e4), w=normal(3, 3, 2, 2), b=normal(3)
            ),
        ),
        *rows(
            layer_case,
            "stride",
            public("stride 2 on a 6x7 image", x=(2, 2, 6, 7), w=(3, 2, 3, 3), stride=2),
            secret("stride 3 on an 8x9 image", x=(2, 3, 8, 9), w=(2, 3, 2, 4), stride=3),
            public("stride (3, 2) on a 9x8 image", x=(1, 2, 9, 8), w=(2, 2, 3, 2), stride=(3, 2)),
            secret("stride (1, 2) on a 4x9 image", x=(3, 1, 4, 9), w=(2, 1, 3, 3), stride=(1, 2)),
            "padding",
            public("padding 1 on a 5x4 image", x=(2, 2, 5, 4), w=(2, 2, 3, 3), padding=1),
            secret("padding 2 on a 4x2 image", x=(2, 3, 4, 2), w=(2, 3, 4, 3), padding=2),
            public("padding (0, 2) on a 4x3 image", x=(1, 3, 4, 3), w=(2, 3, 3, 3), padding=(0, 2)),
            secret("padding (1, 0) on a 3x6 image", x=(1, 2, 3, 6), w=(3, 2, 3, 2), padding=(1, 0)),
            public("padding ((2, 1), (0, 1)) on a 3x4 image", x=(2, 2, 3, 4), w=(3, 2, 2, 2), padding=((2, 1), (0, 1))),
            secret("padding ((0, 2), (3, 1)) on a 4x4 image", x=(2, 2, 4, 4), w=(2, 2, 3, 3), padding=((0, 2), (3, 1))),
            "dilation",
            public("dilation 2 on an 8x7 image", x=(2, 2, 8, 7), w=(3, 2, 3, 3), dilation=2),
            secret("dilation 3 on a 7x9 image", x=(2, 2, 7, 9), w=(2, 2, 2, 2), dilation=3),
            public("dilation (1, 2) on a 5x8 image", x=(1, 2, 5, 8), w=(2, 2, 2, 3), dilation=(1, 2)),
            secret("dilation (2, 1) on an 8x4 image", x=(1, 3, 8, 4), w=(2, 3, 3, 2), dilation=(2, 1)),
            "groups",
            public("2 groups of 2 channels, 4 filters", x=(2, 4, 5, 4), w=(4, 2, 3, 3), groups=2),
            secret("2 groups of 3 channels, 4 filters", x=(2, 6, 4, 5), w=(4, 3, 2, 2), groups=2),
            public("3 groups of 2 channels, 6 filters", x=(1, 6, 4, 4), w=(6, 2, 2, 3), groups=3),
            secret("4 groups of 2 channels, 8 filters", x=(1, 8, 3, 4), w=(8, 2, 3, 2), groups=4),
            public("depthwise: as many groups as channels", x=(2, 3, 5, 5), w=(3, 1, 3, 2), groups=3),
            secret("depthwise over 4 channels: as many groups as channels", x=(2, 4, 4, 4), w=(4, 1, 2, 3), groups=4),
            public("depthwise with two filters a channel", x=(1, 3, 4, 5), w=(6, 1, 3, 3), groups=3),
            secret("depthwise over 2 channels with three filters each", x=(3, 2, 5, 4), w=(6, 1, 3, 2), groups=2),
            "together",
            public(
                "stride (2, 1), padding ((1, 0), (2, 1)), dilation (1, 2), 2 groups",
                x=(2, 4, 7, 6),
                w=(6, 2, 3, 3),
                stride=(2, 1),
                padding=((1, 0), (2, 1)),
                dilation=(1, 2),
                groups=2,
            ),
            secret(
                "stride (1, 2), padding ((0, 2), (1, 0)), dilation (2, 1), 3 groups",
                x=(2, 6, 6, 7),
                w=(6, 2, 2, 3),
                stride=(1, 2),
                padding=((0, 2), (1, 0)),
                dilation=(2, 1),
                groups=3,
            ),
        ),
    ],
    mistakes=[
        *LAYER,
        *mistakes(
            """
            batch and filters mixed up: Your product has the filters before the batch, and reshape does not move axes:
                bring the batch to the front with transpose first.
            weights and windows in different orders: The weights and the windows are in different orders: flatten w as
                C, KH, KW, just like im2col's rows.
            dilation ignored: You left the dilation out: the taps of a window lie `dilation` pixels apart.
            dilation swapped: You spread the taps down by the dilation's width and across by its height: (h, w) is
                height first.
            dilated kernel too large: You took dilation * kernel as the extent, so the last positions are missing: it is
                dilation * (kernel - 1) + 1.
            groups ignored: You multiplied every filter with all the channels: with groups a filter has C / groups
                channels and meets those of its own group only.
            first group for every filter: All your filters read the first group's channels: group g reads the g-th block
                of C / groups channels.
            channels dealt out in turn: You dealt the channels out to the groups in turn: a group is a block of
                neighbouring channels.
            filters dealt out in turn: You dealt the filters out to the groups in turn: the first F / groups filters
                belong to the first group.
            """,
            {
                "batch and filters mixed up": mixed_up,
                "weights and windows in different orders": lambda x, w, b, **how: conv2d(
                    x, w.transpose(0, 2, 3, 1).reshape(w.shape), b, **how
                ),
                "dilation ignored": lambda x, w, b, **how: conv2d(x, w, b, **without(how, "dilation")),
                "dilation swapped": lambda x, w, b, **how: conv2d(x, w, b, **swapped(how, "dilation")),
                "dilated kernel too large": extent_too_large,
                "groups ignored": as_one_product,
                "first group for every filter": lambda x, w, b, groups=1, **how: conv2d(
                    x[:, : w.shape[1]], w, b, **how
                ),
                "channels dealt out in turn": lambda x, w, b, groups=1, **how: by_group(
                    x, w, b, dealt(x.shape[1], groups), blocks(len(w), groups), **how
                ),
                "filters dealt out in turn": lambda x, w, b, groups=1, **how: by_group(
                    x, w, b, blocks(x.shape[1], groups), dealt(len(w), groups), **how
                ),
            },
        ),
    ],
    varied=varied(
        layer_case,
        public("plain: a 2x2 kernel on a 4x4 image, 4 channels, 4 filters, no bias", **PLAIN, bias=False),
        {**THINGS, **DILATIONS, "groups": {"w": (4, 2, 2, 2), "groups": 2}, "bias": {"bias": True}},
    ),
)
