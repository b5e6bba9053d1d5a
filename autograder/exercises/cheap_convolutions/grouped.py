"""grouped_conv2d_forward: layers side by side, each on its own run of channels."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.common.cases import layer_case, layers
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d
from autograder.exercises.common.sizes import DilatedSteps, Padding, Size
from autograder.exercises.common.slips import LAYER, without
from autograder.exercises.convolution.layer import as_one_product, blocks, by_group, dealt
from autograder.exercises.rows import public, rows, secret, varied


def grouped(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int, stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Convolve in groups, by torch."""
    return conv2d(x, w, b, stride, padding, 1, groups)


def in_parts(x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int, **how: Unpack[DilatedSteps]) -> list[np.ndarray]:
    """Return the output of each group."""
    runs = zip(blocks(x.shape[1], groups), blocks(len(w), groups), strict=True)
    return [conv2d(x[:, read], w[write], b[write], **how) for read, write in runs]


def first_filters(x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int, **how: Unpack[DilatedSteps]) -> np.ndarray:
    filters = slice(0, len(w) // groups)
    parts = [conv2d(x[:, read], w[filters], b[filters], **how) for read in blocks(x.shape[1], groups)]
    return np.concatenate(parts, axis=1)


def first_bias(x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int, **how: Unpack[DilatedSteps]) -> np.ndarray:
    return conv2d(x, w, np.tile(b[: len(b) // groups], groups), groups=groups, **how)


HANDED_ON = ("stride ignored", "padding ignored")  # here conv2d_forward has to be given them

PLAIN, THINGS = layers(channels=4, filters=4)

grouped_conv2d_forward = Exercise(
    name="grouped_conv2d_forward",
    returns=("y",),
    reference=grouped,
    points={"one group": 1, "groups": 3, "depthwise": 1, "stride": 1, "padding": 1, "together": 1},
    cases=rows(
        layer_case,
        "one group",
        public("one group: a 3x2 kernel on 5x4 images", (2, 3, 5, 4), (4, 3, 3, 2), groups=1),
        secret("one group: a 2x3 kernel on 4x6 images", (3, 2, 4, 6), (3, 2, 2, 3), groups=1),
        "groups",
        public("2 groups of 3 channels, 4 filters", (2, 6, 5, 4), (4, 3, 3, 3), groups=2),
        secret("2 groups of 2 channels, 6 filters", (3, 4, 4, 6), (6, 2, 2, 3), groups=2),
        public("3 groups of 2 channels, 6 filters", (1, 6, 4, 5), (6, 2, 2, 3), groups=3),
        secret("3 groups of 3 channels, 6 filters", (2, 9, 3, 4), (6, 3, 3, 2), groups=3),
        public("4 groups of 2 channels, 12 filters, 1x1", (2, 8, 3, 2), (12, 2, 1, 1), groups=4),
        secret("2 groups of 4 channels, 8 filters, 1x1", (2, 8, 2, 3), (8, 4, 1, 1), groups=2),
        public("float32, 2 groups of 2 channels", (2, 4, 4, 4), (6, 2, 2, 2), "float32", groups=2),
        secret("float32, 4 groups of 2 channels", (1, 8, 4, 3), (8, 2, 3, 2), "float32", groups=4),
        "depthwise",
        public("as many groups as channels", (2, 3, 4, 5), (3, 1, 3, 2), groups=3),
        secret("as many groups as channels, four", (2, 4, 4, 4), (4, 1, 2, 3), groups=4),
        public("as many groups as channels, two filters each", (1, 4, 5, 3), (8, 1, 2, 2), groups=4),
        secret("as many groups as channels, three filters each", (3, 2, 4, 4), (6, 1, 3, 2), groups=2),
        "stride",
        public("stride 2 on a 6x7 image, 2 groups", (2, 4, 6, 7), (4, 2, 3, 3), groups=2, stride=2),
        secret("stride 3 on an 8x9 image, 3 groups", (2, 6, 8, 9), (6, 2, 2, 4), groups=3, stride=3),
        public("stride (3, 2) on a 9x8 image, 2 groups", (1, 4, 9, 8), (6, 2, 3, 2), groups=2, stride=(3, 2)),
        secret("stride (1, 2) on a 4x9 image, 2 groups", (3, 4, 4, 9), (4, 2, 3, 3), groups=2, stride=(1, 2)),
        "padding",
        public("padding 1 on a 5x4 image, 3 groups", (2, 6, 5, 4), (3, 2, 3, 3), groups=3, padding=1),
        secret("padding 2 on a 4x2 image, 2 groups", (2, 4, 4, 2), (6, 2, 4, 3), groups=2, padding=2),
        public("padding (0, 2) on a 4x3 image, 2 groups", (1, 4, 4, 3), (4, 2, 3, 3), groups=2, padding=(0, 2)),
        secret("padding (1, 0) on a 3x6 image, 3 groups", (1, 6, 3, 6), (6, 2, 3, 2), groups=3, padding=(1, 0)),
        public(
            "padding ((2, 1), (0, 1)) on a 3x4 image, 2 groups",
            (2, 4, 3, 4),
            (4, 2, 2, 2),
            groups=2,
            padding=((2, 1), (0, 1)),
        ),
        secret(
            "padding ((0, 2), (3, 1)) on a 4x4 image, 2 groups",
            (2, 4, 4, 4),
            (2, 2, 3, 3),
            groups=2,
            padding=((0, 2), (3, 1)),
        ),
        "together",
        public(
            "stride (2, 1), padding ((1, 0), (2, 1)), 2 groups",
            (2, 4, 7, 6),
            (6, 2, 3, 3),
            groups=2,
            stride=(2, 1),
            padding=((1, 0), (2, 1)),
        ),
        secret(
            "stride (1, 2), padding ((0, 2), (1, 0)), 3 groups",
            (2, 6, 6, 7),
            (6, 2, 2, 3),
            groups=3,
            stride=(1, 2),
            padding=((0, 2), (1, 0)),
        ),
    ),
    mistakes=[
        *(slip for slip in LAYER if slip.name not in HANDED_ON),
        *mistakes(
            """
            stride ignored: Your windows lie one pixel apart: hand `stride` on to conv2d_forward.
            padding ignored: You left out the padding: hand `padding` on to conv2d_forward.
            stride and padding ignored: You left out stride and padding: hand both on to conv2d_forward.
            groups ignored: You multiplied every filter with all the channels: a filter has C / groups channels and
                meets those of its own group only.
            first channels for every group: All your filters read the first group's channels: group g reads the g-th run
                of C / groups channels.
            first filters for every group: Every group used the filters of the first one: group g has the g-th run of F
                / groups filters.
            first biases for every group: Every group used the biases of the first one: cut b into runs as you cut w.
            channels dealt out in turn: You dealt the channels out to the groups in turn: a group is a run of
                neighbouring channels.
            filters dealt out in turn: You dealt the filters out to the groups in turn: the first F / groups filters
                belong to the first group.
            groups added up: You added the groups' outputs up: they stand side by side, so join them along the channels.
            groups joined along the batch: You joined the groups' outputs along the first axis, the batch: join them
                along the channels, axis 1.
            """,
            {
                "stride ignored": lambda x, w, b, groups, **how: grouped(x, w, b, groups, **without(how, "stride")),
                "padding ignored": lambda x, w, b, groups, **how: grouped(x, w, b, groups, **without(how, "padding")),
                "stride and padding ignored": lambda x, w, b, groups, **how: grouped(x, w, b, groups),
                "groups ignored": as_one_product,
                "first channels for every group": lambda x, w, b, groups, **how: conv2d(
                    x[:, : w.shape[1]], w, b, **how
                ),
                "first filters for every group": first_filters,
                "first biases for every group": first_bias,
                "channels dealt out in turn": lambda x, w, b, groups, **how: by_group(
                    x, w, b, dealt(x.shape[1], groups), blocks(len(w), groups), **how
                ),
                "filters dealt out in turn": lambda x, w, b, groups, **how: by_group(
                    x, w, b, blocks(x.shape[1], groups), dealt(len(w), groups), **how
                ),
                "groups added up": lambda x, w, b, groups, **how: np.sum(in_parts(x, w, b, groups, **how), axis=0),
                "groups joined along the batch": lambda x, w, b, groups, **how: np.concatenate(
                    in_parts(x, w, b, groups, **how), axis=0
                ),
            },
        ),
    ],
    varied=varied(
        layer_case,
        public(
            "plain: one group, a 2x2 kernel on a 4x4 image, 4 channels, 4 filters, no bias",
            **PLAIN,
            groups=1,
            bias=False,
        ),
        {**THINGS, "groups": {"w": (4, 2, 2, 2), "groups": 2}, "bias": {"bias": True}},
    ),
    clues=(
        clue(
            "Group g is an ordinary layer of its own. Which channels does it read, and which filters and biases are "
            "its own?",
            "groups ignored",
            "first channels for every group",
            "first filters for every group",
            "first biases for every group",
            arguments=("groups",),
        ),
        clue(
            "It reads `x[:, g * C // groups : (g + 1) * C // groups]` and owns the filters from `g * F // groups` up to "
            "`(g + 1) * F // groups`, in w and in b.",
            "groups ignored",
            "first channels for every group",
            "first filters for every group",
            "first biases for every group",
            "channels dealt out in turn",
            "filters dealt out in turn",
            arguments=("groups",),
        ),
        clue(
            "Call `layers.conv2d_forward` on these parts, collect the outputs in a list, and join them with "
            "`np.concatenate(parts, axis=1)`.",
            "groups added up",
            "groups joined along the batch",
            arguments=("groups",),
        ),
    ),
)
