"""conv_transpose2d_forward: the way back of a convolution, used as a layer that enlarges."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Case, Exercise, clue, normal
from autograder.exercises.common.cases import PADDINGS, biases
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.common.sizes import Padding, Settings, Size, Steps, pair, sides
from autograder.exercises.common.slips import sides_swapped, swapped, without
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread


def conv_transpose2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0, output_padding: Size = 0
) -> np.ndarray:
    """Enlarge by torch with no padding, and cut off what each side asks for."""
    extra, steps = pair(output_padding), pair(stride)
    if any(more >= step for more, step in zip(extra, steps, strict=True)):
        raise ValueError(f"output_padding {extra} is not below the stride {steps}")
    (top, bottom), (left, right) = sides(padding)
    with one_thread() as torch:
        y = torch.nn.functional.conv_transpose2d(tensor(x), tensor(w), tensor(b), steps, 0, extra).numpy()
    height, width = y.shape[2:]
    return y[:, :, top : height - bottom, left : width - right].astype(x.dtype)


def padded_instead(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Add a border of nothing but the bias where the padding should cut one off."""
    y = conv_transpose2d(x, w, 0 * b, **without(how, "padding"))
    return np.pad(y, ((0, 0), (0, 0), *sides(how.get("padding", 0)))) + b[:, None, None]


def extra_of_bias(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Enlarge without the output padding, and append rows and columns of bias."""
    down, across = pair(how.get("output_padding", 0))
    y = conv_transpose2d(x, w, 0 * b, **without(how, "output_padding"))
    return np.pad(y, ((0, 0), (0, 0), (0, down), (0, across))) + b[:, None, None]


def extra_before(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Give the upper and left sides what the output padding adds below and on the right."""
    down, across = pair(how.get("output_padding", 0))
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    y = conv_transpose2d(x, w, 0 * b, **without(without(how, "padding"), "output_padding"))
    y = np.pad(y, ((0, 0), (0, 0), (down, 0), (across, 0))) + b[:, None, None]
    height, width = y.shape[2:]
    return y[:, :, top : height - bottom, left : width - right]


def filters_first(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]) -> np.ndarray:
    """Read w as (F, C, KH, KW), which fits by chance where F is C."""
    c, f = w.shape[:2]
    return conv_transpose2d(x, w.reshape(f, c, *w.shape[2:]).swapaxes(0, 1), b, **how)


def ordinary(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Steps]) -> np.ndarray:
    """Slide the filters over the enlarged input as an ordinary layer does, without a flip."""
    return conv_transpose2d(x, w[:, :, ::-1, ::-1], b, **how)


def overwritten(x: np.ndarray, w: np.ndarray, b: np.ndarray, **how: Unpack[Settings]) -> np.ndarray:
    """Let the last input value win where its window overlaps others."""
    y = np.zeros_like(conv_transpose2d(x, w, b, **without(how, "padding")))
    (sh, sw), (kh, kw) = pair(how.get("stride", 1)), w.shape[2:]
    for i, j in np.ndindex(*x.shape[2:]):
        window = np.einsum("nc,cfuv->nfuv", x[:, :, i, j], w)
        y[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw] = window
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    return (y + b[:, None, None])[:, :, top : y.shape[2] - bottom, left : y.shape[3] - right]


def enlarging_case(
    key: str,
    group: str,
    x: tuple[int, ...],
    w: tuple[int, ...],
    dtype: str = "float64",
    bias: bool = True,
    **how: Value,
) -> Case:
    arrays = {"x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype)}
    return Case(key, group=group, **arrays, b=biases(w[1], dtype, bias), **how)


conv_transpose2d_forward = Exercise(
    name="conv_transpose2d_forward",
    returns=("y",),
    reference=conv_transpose2d,
    points={"basic": 3, "stride": 2, "padding": 2, "output_padding": 1, "together": 1},
    cases=[
        *rows(
            plain_case,
            "basic",
            public(
                "one pixel of value 2: twice the kernel",
                x=np.full((1, 1, 1, 1), 2.0),
                w=np.arange(6.0).reshape(1, 1, 2, 3),
                b=np.zeros(1),
            ),
        ),
        *rows(
            enlarging_case,
            "basic",
            public("a 3x2 kernel on 4x3 images", x=(2, 3, 4, 3), w=(3, 2, 3, 2)),
            secret("a 2x4 kernel on 3x5 images", x=(3, 2, 3, 5), w=(2, 3, 2, 4)),
            secret("a 3x3 kernel on one 2x4 image", x=(1, 4, 2, 4), w=(4, 2, 3, 3)),
            public("a 1x1 kernel over 2 channels", x=(2, 2, 3, 4), w=(2, 4, 1, 1)),
            secret("a 1x1 kernel over 3 channels", x=(2, 3, 2, 5), w=(3, 2, 1, 1)),
            public("float32", x=(1, 2, 3, 3), w=(2, 3, 2, 2), dtype="float32"),
            secret("float32, a 1x3 kernel", x=(2, 3, 3, 2), w=(3, 4, 1, 3), dtype="float32"),
            "stride",
            public("stride 2, kernel 2: windows side by side", x=(2, 2, 3, 4), w=(2, 3, 2, 2), stride=2),
            secret("stride 3, kernel 3: windows side by side", x=(2, 2, 2, 4), w=(2, 3, 3, 3), stride=3),
            public("stride (2, 3), kernel (3, 4)", x=(1, 2, 4, 3), w=(2, 2, 3, 4), stride=(2, 3)),
            secret("stride (3, 2), kernel (4, 3)", x=(2, 3, 3, 3), w=(3, 2, 4, 3), stride=(3, 2)),
            public("stride 3, kernel 2: gaps", x=(1, 1, 3, 2), w=(1, 2, 2, 2), stride=3),
            secret("stride (2, 1), kernel (1, 3): gaps", x=(1, 2, 4, 2), w=(2, 1, 1, 3), stride=(2, 1)),
            "padding",
            public("padding 1", x=(2, 2, 4, 5), w=(2, 3, 3, 3), padding=1),
            secret("padding 2", x=(2, 3, 4, 6), w=(3, 2, 4, 4), padding=2),
            public("padding (0, 2)", x=(1, 3, 3, 4), w=(3, 2, 2, 4), padding=(0, 2)),
            secret("padding (1, 0)", x=(1, 2, 5, 3), w=(2, 3, 3, 2), padding=(1, 0)),
            public("padding ((1, 0), (2, 1))", x=(2, 1, 4, 4), w=(1, 2, 3, 3), padding=((1, 0), (2, 1))),
            secret("padding ((0, 2), (1, 0))", x=(2, 2, 5, 4), w=(2, 2, 3, 3), padding=((0, 2), (1, 0))),
            "output_padding",
            public("stride 2, output padding 1", x=(2, 2, 3, 4), w=(2, 3, 3, 3), stride=2, padding=1, output_padding=1),
            secret("stride 3, output padding 2", x=(2, 3, 3, 2), w=(3, 2, 4, 4), stride=3, padding=1, output_padding=2),
            public(
                "stride (3, 2), output padding (2, 0)",
                x=(1, 2, 2, 3),
                w=(2, 2, 2, 3),
                stride=(3, 2),
                output_padding=(2, 0),
            ),
            secret(
                "stride (2, 3), output padding (0, 1)",
                x=(1, 2, 4, 3),
                w=(2, 3, 3, 2),
                stride=(2, 3),
                output_padding=(0, 1),
            ),
            "together",
            public(
                "stride (2, 3), padding ((1, 2), (0, 1)), output padding (1, 2)",
                x=(2, 3, 4, 3),
                w=(3, 2, 4, 3),
                stride=(2, 3),
                padding=((1, 2), (0, 1)),
                output_padding=(1, 2),
            ),
            secret(
                "stride (3, 2), padding ((2, 0), (1, 2)), output padding (2, 1)",
                x=(2, 2, 3, 4),
                w=(2, 3, 3, 4),
                stride=(3, 2),
                padding=((2, 0), (1, 2)),
                output_padding=(2, 1),
            ),
        ),
    ],
    clues=(
        clue(
            "Each input value adds its multiple of a kernel to the output, stride apart. That is what col2im does "
            "with columns; which matrix product makes them from x?",
            "kernel flipped",
            "overwritten",
            "stride ignored",
            arguments=("stride", "stride as (h, w)", "stride that leaves gaps"),
        ),
        clue(
            "OH = (H - 1)*sh - top - bottom + KH + extra rows. The columns are w.reshape(C, F*KH*KW).T @ "
            "x.reshape(N, C, H*W), and the image they make is (N, F, OH, OW). Where col2im cannot reshape them, that "
            "size is wrong.",
            "filters first",
            "padding ignored",
            "padding added",
            "output padding ignored",
            arguments=("padding", "padding as (h, w)", "one-sided padding", "output_padding", "channels", "filters"),
        ),
        clue(
            "return col2im(cols, (N, F, OH, OW), (KH, KW), stride, padding) + b[:, None, None].",
            "bias forgotten",
            "overwritten",
            "stride ignored",
            "padding ignored",
            "padding sides swapped",
            "output padding of bias",
            arguments=("bias", "padding", "padding as (h, w)", "one-sided padding"),
        ),
    ),
    mistakes=mistakes(
        """
        kernel flipped: Your kernel is flipped: one input pixel must leave the kernel in the output as it is.
        filters first: You read w as (F, C, KH, KW): here the channels of x come first, (C, F, KH, KW).
        bias forgotten: The bias is missing: add b[f] to every value of output channel f.
        overwritten: Where windows overlap, the last one overwrote the others: add them up.
        stride ignored: Your windows lie one pixel apart: input (i, j) goes to row i * stride and column j * stride.
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        padding ignored: You left out the padding: cut it off the output's sides.
        padding added: You put the padding around the output: the forward convolution would have added it, so here it is
            cut off.
        padding sides swapped: You cut off the bottom's number of rows at the top, or the right's at the left: the pairs
            are (top, bottom) and (left, right).
        output padding ignored: You left out the output padding: it makes the output that many rows and columns larger.
        output padding of bias: You appended rows that hold only the bias: output padding cuts less off below and on the
            right, and what the windows wrote there stays.
        output padding before: You put the output padding above and on the left: the extra rows and columns come last.
        """,
        {
            "kernel flipped": ordinary,
            "filters first": filters_first,
            "bias forgotten": lambda x, w, b, **how: conv_transpose2d(x, w, 0 * b, **how),
            "overwritten": overwritten,
            "stride ignored": lambda x, w, b, **how: conv_transpose2d(
                x, w, b, **without(without(how, "stride"), "output_padding")
            ),
            "stride swapped": lambda x, w, b, **how: conv_transpose2d(x, w, b, **swapped(how, "stride")),
            "padding ignored": lambda x, w, b, **how: conv_transpose2d(x, w, b, **without(how, "padding")),
            "padding added": padded_instead,
            "padding sides swapped": lambda x, w, b, **how: conv_transpose2d(x, w, b, **sides_swapped(how)),
            "output padding ignored": lambda x, w, b, **how: conv_transpose2d(
                x, w, b, **without(how, "output_padding")
            ),
            "output padding of bias": extra_of_bias,
            "output padding before": extra_before,
        },
    ),
    varied=varied(
        enlarging_case,
        public("plain: a 2x2 kernel on a 3x3 image, no bias", x=(1, 1, 3, 3), w=(1, 1, 2, 2), bias=False),
        {
            "stride": {"stride": 2},
            "stride as (h, w)": {"stride": (2, 1)},
            "stride that leaves gaps": {"stride": 3},
            **PADDINGS,
            # below the stride, so not with stride 1
            "output_padding": public(
                "",
                x=(1, 1, 3, 3),
                w=(1, 1, 2, 2),
                bias=False,
                stride=2,
                output_padding=1,
                words="output_padding, with stride 2",
            ),
            "bias": {"bias": True},
            "batch": {"x": (2, 1, 3, 3)},
            "channels": {"x": (1, 3, 3, 3), "w": (3, 1, 2, 2)},
            "filters": {"w": (1, 3, 2, 2)},
            "image that is not square": {"x": (1, 1, 3, 4)},
            "kernel that is not square": {"w": (1, 1, 2, 1)},
            "float32": {"dtype": "float32"},
        },
    ),
)
