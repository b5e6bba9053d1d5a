"""conv2d_naive: the layer's convolution, one output value at a time."""

from __future__ import annotations

import numpy as np

from autograder.exercise import Case, Exercise, Mistake, normal
from autograder.exercises.convolution.operations import conv2d, layer_case, scaled
from autograder.exercises.convolution.slips import LAYER

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

conv2d_naive = Exercise(
    name="conv2d_naive",
    returns=("y",),
    reference=conv2d,
    clues=(
        "Four loops: image, filter, output row, output column. Find the output's size first, with conv_output_size.",
        "Output (i, j) looks at the rows from `i * sh` to `i * sh + kh` of the padded image, all channels at once.",
        "Each value is `np.sum(window * w[f]) + b[f]`, with a window of shape (C, KH, KW).",
    ),
    points={"basic": 4, "stride": 2, "padding": 3, "together": 1},
    public=[
        layer_case("a 3x3 kernel on 5x6 images", "basic", x=(2, 3, 5, 6), w=(4, 3, 3, 3)),
        layer_case(
            "one image, one channel, one filter: a 2x3 kernel on 4x5", "basic", x=(1, 1, 4, 5), w=(1, 1, 2, 3)
        ),
        layer_case("a 1x1 kernel over 3 channels", "basic", x=(2, 3, 3, 4), w=(2, 3, 1, 1)),
        layer_case("a kernel as large as the 4x3 image", "basic", x=(2, 2, 4, 3), w=(3, 2, 4, 3)),
        layer_case("float32", "basic", x=(1, 2, 5, 4), w=(3, 2, 3, 2), dtype="float32"),
        Case(
            "values in the millions",
            group="basic",
            x=scaled(1e6, 1, 2, 4, 4),
            w=normal(2, 2, 2, 2),
            b=normal(2),
        ),
        layer_case("stride 2 on a 7x6 image", "stride", x=(2, 3, 7, 6), w=(4, 3, 3, 2), stride=2),
        layer_case("stride (2, 1) on a 6x5 image", "stride", x=(1, 2, 6, 5), w=(3, 2, 2, 2), stride=(2, 1)),
        layer_case(
            "stride 3, larger than the 2x2 kernel", "stride", x=(2, 1, 6, 8), w=(2, 1, 2, 2), stride=3
        ),
        layer_case("padding 1 on a 4x5 image", "padding", x=(2, 2, 4, 5), w=(3, 2, 3, 3), padding=1),
        layer_case(
            "padding (2, 0) on a 3x4 image", "padding", x=(1, 3, 3, 4), w=(2, 3, 3, 3), padding=(2, 0)
        ),
        layer_case(
            "padding ((0, 1), (2, 0)) on a 4x4 image",
            "padding",
            x=(2, 1, 4, 4),
            w=(2, 1, 2, 3),
            padding=((0, 1), (2, 0)),
        ),
        Case(
            "the lecture's example: two 3x3 filters over 3 channels, padding 1, stride 2",
            group="together",
            x=DEMO_X,
            w=DEMO_W,
            b=DEMO_B,
            stride=2,
            padding=1,
        ),
        layer_case(
            "stride (1, 2) with padding ((1, 0), (0, 2))",
            "together",
            x=(2, 2, 4, 6),
            w=(3, 2, 3, 3),
            stride=(1, 2),
            padding=((1, 0), (0, 2)),
        ),
    ],
    secret=[
        layer_case("a 3x2 kernel on 6x4 images", "basic", x=(3, 2, 6, 4), w=(2, 2, 3, 2)),
        layer_case("a 2x2 kernel on 5x5 images", "basic", x=(2, 4, 5, 5), w=(3, 4, 2, 2)),
        layer_case(
            "one image, one channel, one filter: a 3x1 kernel on 5x3", "basic", x=(1, 1, 5, 3), w=(1, 1, 3, 1)
        ),
        layer_case("a 1x1 kernel over 4 channels", "basic", x=(2, 4, 2, 3), w=(3, 4, 1, 1)),
        layer_case("a kernel as large as the 3x5 image", "basic", x=(2, 3, 3, 5), w=(2, 3, 3, 5)),
        layer_case("float32 on a 4x6 image", "basic", x=(2, 1, 4, 6), w=(2, 1, 2, 3), dtype="float32"),
        Case(
            "values near ten thousand",
            group="basic",
            x=scaled(10.0, 1, 3, 4, 3, offset=1e4),
            w=normal(2, 3, 2, 2),
            b=normal(2),
        ),
        layer_case("stride 2 on an 8x5 image", "stride", x=(2, 2, 8, 5), w=(3, 2, 3, 3), stride=2),
        layer_case("stride (1, 3) on a 5x8 image", "stride", x=(1, 3, 5, 8), w=(2, 3, 2, 3), stride=(1, 3)),
        layer_case(
            "stride (3, 2) with gaps between the windows",
            "stride",
            x=(3, 1, 8, 7),
            w=(2, 1, 2, 1),
            stride=(3, 2),
        ),
        layer_case("padding 2 on a 3x5 image", "padding", x=(2, 2, 3, 5), w=(2, 2, 3, 4), padding=2),
        layer_case(
            "padding (0, 1) on a 5x3 image", "padding", x=(1, 2, 5, 3), w=(3, 2, 2, 3), padding=(0, 1)
        ),
        layer_case(
            "padding ((2, 0), (1, 3)) on a 3x4 image",
            "padding",
            x=(2, 2, 3, 4),
            w=(2, 2, 3, 3),
            padding=((2, 0), (1, 3)),
        ),
        layer_case(
            "stride 2 with padding 1 on a 6x4 image",
            "together",
            x=(2, 3, 6, 4),
            w=(3, 3, 3, 3),
            stride=2,
            padding=1,
        ),
        layer_case(
            "stride (2, 1) with padding ((0, 2), (1, 0))",
            "together",
            x=(1, 2, 5, 5),
            w=(2, 2, 3, 2),
            stride=(2, 1),
            padding=((0, 2), (1, 0)),
        ),
    ],
    mistakes=[
        *LAYER,
        Mistake(
            "bias once per channel",
            "You added the bias in the loop over the channels, so it counts once for each of them: add it "
            "once.",
            lambda x, w, b, **how: conv2d(x, w, w.shape[1] * b, **how),
        ),
        Mistake(
            "first channel only",
            "You used the first channel only: every output value sums over all the channels.",
            lambda x, w, b, **how: conv2d(x[:, :1], w[:, :1], b, **how),
        ),
        Mistake(
            "last channel only",
            "Each channel overwrites the one before: add the channels up with +=.",
            lambda x, w, b, **how: conv2d(x[:, -1:], w[:, -1:], b, **how),
        ),
    ],
)
