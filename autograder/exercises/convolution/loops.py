"""conv2d_naive: the layer's convolution, one output value at a time."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import layer_case, layers, scaled
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d
from autograder.exercises.common.slips import LAYER
from autograder.exercises.rows import plain_case, public, rows, secret, varied

# The lecture's worked example, its third slices repaired; the outputs are those that it prints.
DEMO_X = np.array(
    [
        [
            [[0, 2, 2, 1, 0], [2, 2, 1, 2, 0], [1, 2, 0, 0, 0], [2, 1, 0, 0, 2], [2, 1, 0, 2, 2]],
            [[1, 1, 2, 2, 1], [0, 1, 1, 0, 1], [1, 1, 1, 1, 1], [2, 1, 0, 0, 0], [0, 2, 0, 2, 0]],
            [[1, 2, 0, 0, 2], [0, 0, 2, 1, 0], [2, 1, 1, 2, 2], [0, 0, 0, 1, 0], [0, 0, 1, 0, 2]],
        ]
    ],
    np.float64,
)
DEMO_W = np.array(
    [
        [
            [[1, -1, 0], [0, -1, -1], [1, 0, 1]],
            [[-1, -1, 1], [1, 0, 1], [-1, 1, 1]],
            [[-1, -1, -1], [-1, 1, 1], [-1, 1, -1]],
        ],
        [
            [[-1, 0, 1], [0, -1, 0], [0, 0, 0]],
            [[-1, 0, 1], [-1, -1, -1], [-1, 1, 1]],
            [[1, 0, 0], [0, 0, 0], [1, 0, -1]],
        ],
    ],
    np.float64,
)
DEMO_B = np.array([1.0, 0.0])

PLAIN, THINGS = layers()

conv2d_naive = Exercise(
    name="conv2d_naive",
    returns=("y",),
    reference=conv2d,
    clues=(
        clue(
            "Four loops: image, filter, output row, output column. Find the output's size first, with conv_output_size.",
            "last row and column missing",
            "first image for all",
            arguments=("batch", "filters"),
        ),
        clue(
            "Output (i, j) looks at the rows from `i * sh` to `i * sh + kh` of the padded image, all channels at once.",
            "stride ignored",
            "stride swapped",
            "stride in the size only",
            "padding ignored",
            "first channel only",
            "last channel only",
            arguments=("stride", "stride as (h, w)", "stride that leaves pixels over", "padding", "channels"),
        ),
        clue(
            "Each value is `np.sum(window * w[f]) + b[f]`, with a window of shape (C, KH, KW).",
            "flipped",
            "bias forgotten",
            "bias once per channel",
            "first channel only",
            "last channel only",
            arguments=("bias", "channels", "filters"),
        ),
    ),
    points={"basic": 4, "stride": 2, "padding": 3, "together": 1},
    cases=[
        *rows(
            layer_case,
            "basic",
            public("a 3x3 kernel on 5x6 images", x=(2, 3, 5, 6), w=(4, 3, 3, 3)),
            secret("a 3x2 kernel on 6x4 images", x=(3, 2, 6, 4), w=(2, 2, 3, 2)),
            secret("a 2x2 kernel on 5x5 images", x=(2, 4, 5, 5), w=(3, 4, 2, 2)),
            public("one image, one channel, one filter: a 2x3 kernel on 4x5", x=(1, 1, 4, 5), w=(1, 1, 2, 3)),
            secret("one image, one channel, one filter: a 3x1 kernel on 5x3", x=(1, 1, 5, 3), w=(1, 1, 3, 1)),
            public("a 1x1 kernel over 3 channels", x=(2, 3, 3, 4), w=(2, 3, 1, 1)),
            secret("a 1x1 kernel over 4 channels", x=(2, 4, 2, 3), w=(3, 4, 1, 1)),
            public("a kernel as large as the 4x3 image", x=(2, 2, 4, 3), w=(3, 2, 4, 3)),
            secret("a kernel as large as the 3x5 image", x=(2, 3, 3, 5), w=(2, 3, 3, 5)),
            public("float32", x=(1, 2, 5, 4), w=(3, 2, 3, 2), dtype="float32"),
            secret("float32 on a 4x6 image", x=(2, 1, 4, 6), w=(2, 1, 2, 3), dtype="float32"),
        ),
        *rows(
            plain_case,
            "basic",
            public("values in the millions", x=scaled(1e6, 1, 2, 4, 4), w=normal(2, 2, 2, 2), b=normal(2)),
            secret(
                "values near ten thousand", x=scaled(10.0, 1, 3, 4, 3, offset=1e4), w=normal(2, 3, 2, 2), b=normal(2)
            ),
        ),
        *rows(
            layer_case,
            "stride",
            public("stride 2 on a 7x6 image", x=(2, 3, 7, 6), w=(4, 3, 3, 2), stride=2),
            secret("stride 2 on an 8x5 image", x=(2, 2, 8, 5), w=(3, 2, 3, 3), stride=2),
            public("stride (2, 1) on a 6x5 image", x=(1, 2, 6, 5), w=(3, 2, 2, 2), stride=(2, 1)),
            secret("stride (1, 3) on a 5x8 image", x=(1, 3, 5, 8), w=(2, 3, 2, 3), stride=(1, 3)),
            public("stride 3, larger than the 2x2 kernel", x=(2, 1, 6, 8), w=(2, 1, 2, 2), stride=3),
            secret("stride (3, 2) with gaps between the windows", x=(3, 1, 8, 7), w=(2, 1, 2, 1), stride=(3, 2)),
            "padding",
            public("padding 1 on a 4x5 image", x=(2, 2, 4, 5), w=(3, 2, 3, 3), padding=1),
            secret("padding 2 on a 3x5 image", x=(2, 2, 3, 5), w=(2, 2, 3, 4), padding=2),
            public("padding (2, 0) on a 3x4 image", x=(1, 3, 3, 4), w=(2, 3, 3, 3), padding=(2, 0)),
            secret("padding (0, 1) on a 5x3 image", x=(1, 2, 5, 3), w=(3, 2, 2, 3), padding=(0, 1)),
            public("padding ((0, 1), (2, 0)) on a 4x4 image", x=(2, 1, 4, 4), w=(2, 1, 2, 3), padding=((0, 1), (2, 0))),
            secret("padding ((2, 0), (1, 3)) on a 3x4 image", x=(2, 2, 3, 4), w=(2, 2, 3, 3), padding=((2, 0), (1, 3))),
        ),
        *rows(
            plain_case,
            "together",
            public(
                "the lecture's example: two 3x3 filters over 3 channels, padding 1, stride 2",
                x=DEMO_X,
                w=DEMO_W,
                b=DEMO_B,
                stride=2,
                padding=1,
            ),
        ),
        *rows(
            layer_case,
            "together",
            secret("stride 2 with padding 1 on a 6x4 image", x=(2, 3, 6, 4), w=(3, 3, 3, 3), stride=2, padding=1),
            public(
                "stride (1, 2) with padding ((1, 0), (0, 2))",
                x=(2, 2, 4, 6),
                w=(3, 2, 3, 3),
                stride=(1, 2),
                padding=((1, 0), (0, 2)),
            ),
            secret(
                "stride (2, 1) with padding ((0, 2), (1, 0))",
                x=(1, 2, 5, 5),
                w=(2, 2, 3, 2),
                stride=(2, 1),
                padding=((0, 2), (1, 0)),
            ),
        ),
    ],
    mistakes=[
        *LAYER,
        *mistakes(
            """
            bias once per channel: You added the bias in the loop over the channels, so it counts once for each of them:
                add it once.
            first channel only: You used the first channel only: every output value sums over all the channels.
            last channel only: Each channel overwrites the one before: add the channels up with +=.
            """,
            {
                "bias once per channel": lambda x, w, b, **how: conv2d(x, w, w.shape[1] * b, **how),
                "first channel only": lambda x, w, b, **how: conv2d(x[:, :1], w[:, :1], b, **how),
                "last channel only": lambda x, w, b, **how: conv2d(x[:, -1:], w[:, -1:], b, **how),
            },
        ),
    ],
    varied=varied(
        layer_case,
        public("plain: a 2x2 kernel on a 4x4 image, no bias", **PLAIN, bias=False),
        {**THINGS, "bias": {"bias": True}},
    ),
)
