"""im2col: every window as a column."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import DILATIONS, WINDOWS, scaled
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.operations import conv2d, unfold
from autograder.exercises.common.sizes import DilatedSteps, Settings, Size, pair, turned
from autograder.exercises.common.slips import after_only, before_only, sides_swapped, swapped, without
from autograder.exercises.rows import plain_case, public, rows, secret, varied


def grid(x: np.ndarray, kernel: Size, **how: Unpack[DilatedSteps]) -> np.ndarray:
    """Return the windows with every axis its own: (N, C, KH, KW, OH, OW)."""
    one = np.ones((1, x.shape[1], *pair(kernel)))
    out = conv2d(x.astype(np.float64), one, np.zeros(1), **how).shape[2:]
    return unfold(x, kernel, **how).reshape(*x.shape[:2], *pair(kernel), *out)


def reordered(*axes: int) -> Wrong:
    """Return a wrong im2col that lays the axes N C KH KW OH OW (0 to 5) out in another order."""

    def wrong(x: np.ndarray, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
        windows = grid(x, kernel, **how)
        n, c, kh, kw, oh, ow = windows.shape
        return windows.transpose(axes).reshape(n, c * kh * kw, oh * ow)

    return wrong


def crowded(x: np.ndarray, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
    """Let the number of columns follow the stride, but not the windows."""
    height, width = grid(x, kernel, **how).shape[4:]
    windows = grid(x, kernel, **without(how, "stride"))[..., :height, :width]
    return windows.reshape(len(x), -1, height * width)


def huddled(x: np.ndarray, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
    """Let the number of columns follow the dilation, but not the taps of a window."""
    height, width = grid(x, kernel, **how).shape[4:]
    windows = grid(x, kernel, **without(how, "dilation"))[..., :height, :width]
    return windows.reshape(len(x), -1, height * width)


def side_by_side(x: np.ndarray, kernel: Size, **how: Unpack[DilatedSteps]) -> np.ndarray:
    columns = unfold(x, kernel, **how)
    return columns.transpose(1, 0, 2).reshape(columns.shape[1], -1)


im2col = Exercise(
    name="im2col",
    returns=("cols",),
    reference=unfold,
    clues=(
        clue(
            "Take one weight (u, v) and ask which pixels it meets in all windows: they lie a stride apart.",
            "stride ignored",
            "stride in the size only",
            arguments=("stride", "stride as (h, w)", "stride that leaves pixels over"),
        ),
        clue(
            "They are `padded[:, :, u*dh : u*dh + sh*oh : sh, v*dw : v*dw + sw*ow : sw]`, of shape (N, C, OH, OW).",
            "windows flipped",
            "stride ignored",
            "stride swapped",
            "stride in the size only",
            "padding ignored",
            "dilation ignored",
            "dilation in the size only",
            "dilation swapped",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "padding",
                "dilation",
                "dilation as (h, w)",
            ),
        ),
        clue(
            "Put them into `out[:, :, u, v]` of an array (N, C, KH, KW, OH, OW) and reshape it at the end.",
            "rows ordered KH, KW, C",
            "rows ordered C, KW, KH",
            "columns ordered OW, OH",
            "axes mixed up by reshape",
            "output transposed",
            "images side by side",
            "windows flipped",
            arguments=("batch", "channels", "kernel that is not square", "image that is not square"),
        ),
    ),
    points={"basic": 3, "stride": 2, "padding": 2, "dilation": 1, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("the numbers 0 to 11 as a 3x4 image, kernel 2", x=np.arange(12.0).reshape(1, 1, 3, 4), kernel=2),
        secret("kernel 2 over 4 channels of one 3x5 image", x=normal(1, 4, 3, 5), kernel=2),
        public("kernel (2, 3) over 3 channels of 4x5 images", x=normal(2, 3, 4, 5), kernel=(2, 3)),
        secret("kernel (3, 2) over 2 channels of 5x4 images", x=normal(3, 2, 5, 4), kernel=(3, 2)),
        public("kernel 1 on 3x2 images", x=normal(2, 2, 3, 2), kernel=1),
        secret("kernel 1 on 2x4 images", x=normal(2, 3, 2, 4), kernel=1),
        public("a kernel as large as the 3x4 image", x=normal(2, 2, 3, 4), kernel=(3, 4)),
        secret("a kernel as large as the 4x2 image", x=normal(3, 2, 4, 2), kernel=(4, 2)),
        public("float32, kernel 3", x=normal(1, 2, 4, 5, dtype="float32"), kernel=3),
        secret("float32, kernel (1, 3), one channel", x=normal(2, 1, 3, 6, dtype="float32"), kernel=(1, 3)),
        secret("values in the millions", x=scaled(1e6, 1, 2, 4, 4), kernel=3),
        "stride",
        public("stride 2 on a 5x6 image", x=normal(2, 2, 5, 6), kernel=2, stride=2),
        secret("stride 3 on a 7x8 image", x=normal(2, 2, 7, 8), kernel=(2, 4), stride=3),
        public("stride (1, 2) on a 4x7 image", x=normal(1, 2, 4, 7), kernel=(2, 3), stride=(1, 2)),
        secret("stride (3, 1) on a 6x4 image", x=normal(1, 3, 6, 4), kernel=(3, 2), stride=(3, 1)),
        "padding",
        public("padding 1 on a 3x4 image", x=normal(2, 2, 3, 4), kernel=3, padding=1),
        secret("padding 2 on a 2x3 image", x=normal(2, 3, 2, 3), kernel=(3, 2), padding=2),
        public("padding (0, 2) on a 4x3 image", x=normal(1, 2, 4, 3), kernel=2, padding=(0, 2)),
        secret("padding (1, 0) on a 3x4 image", x=normal(1, 2, 3, 4), kernel=(2, 3), padding=(1, 0)),
        public("padding ((1, 0), (0, 2)) on a 3x3 image", x=normal(2, 1, 3, 3), kernel=2, padding=((1, 0), (0, 2))),
        secret("padding ((0, 2), (1, 0)) on a 4x4 image", x=normal(2, 2, 4, 4), kernel=3, padding=((0, 2), (1, 0))),
        "dilation",
        public("dilation 2 on a 6x5 image", x=normal(2, 2, 6, 5), kernel=2, dilation=2),
        secret("dilation 3 on a 5x8 image", x=normal(2, 1, 5, 8), kernel=2, dilation=3),
        public("dilation (1, 3) on a 4x7 image", x=normal(1, 2, 4, 7), kernel=(3, 2), dilation=(1, 3)),
        secret("dilation (2, 1) on a 7x4 image", x=normal(1, 2, 7, 4), kernel=3, dilation=(2, 1)),
        "together",
        public(
            "stride (2, 1), padding ((1, 2), (0, 1)), dilation (1, 2)",
            x=normal(2, 2, 6, 6),
            kernel=(2, 3),
            stride=(2, 1),
            padding=((1, 2), (0, 1)),
            dilation=(1, 2),
        ),
        secret(
            "stride (1, 2), padding ((0, 1), (2, 1)), dilation (2, 1)",
            x=normal(2, 2, 7, 6),
            kernel=(3, 2),
            stride=(1, 2),
            padding=((0, 1), (2, 1)),
            dilation=(2, 1),
        ),
    ),
    mistakes=mistakes(
        """
        rows ordered KH, KW, C: Your rows have the channels innermost: order them C, KH, KW, so that w.reshape(F, -1)
            fits.
        rows ordered C, KW, KH: Within a channel your rows run down the kernel's columns: run along its rows, KH outside
            KW.
        columns ordered OW, OH: Your columns run down the image: run along its rows, OH outside OW.
        axes mixed up by reshape: You reshaped the windows while their positions still came before the channels: reshape
            keeps the order in memory, so transpose to (N, C, KH, KW, OH, OW) first.
        output transposed: Your windows are rows: make each of them a column, (N, C*KH*KW, OH*OW).
        images side by side: You put the windows of all images into one matrix: keep the batch as the first axis.
        windows flipped: Your windows are flipped: a layer cross-correlates, so keep the pixels in their order.
        kernel swapped: You read kernel as (w, h): height comes first.
        stride ignored: Your windows lie one pixel apart: move them by `stride`.
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        stride in the size only: You have the right number of columns, but the windows start one pixel apart: window (i,
            j) starts at row i * stride and column j * stride.
        padding ignored: You left out the padding: surround x with zeros first.
        padding after only: You padded below and to the right only: an int or (h, w) is the padding of both sides.
        padding before only: You padded above and to the left only: an int or (h, w) is the padding of both sides.
        padding axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
        padding sides swapped: You swapped the sides of the padding: the pairs are (top, bottom) and (left, right).
        dilation ignored: You left the dilation out: the taps of a window lie `dilation` pixels apart.
        dilation in the size only: You have the right number of columns, but the taps of a window lie side by side: tap
            (u, v) is u * dilation rows and v * dilation columns from the first.
        dilation swapped: You spread the taps down by the dilation's width and across by its height: (h, w) is height
            first.
        """,
        {
            "rows ordered KH, KW, C": reordered(0, 2, 3, 1, 4, 5),
            "rows ordered C, KW, KH": reordered(0, 1, 3, 2, 4, 5),
            "columns ordered OW, OH": reordered(0, 1, 2, 3, 5, 4),
            "axes mixed up by reshape": reordered(0, 4, 5, 1, 2, 3),
            "output transposed": lambda x, kernel, **how: unfold(x, kernel, **how).transpose(0, 2, 1),
            "images side by side": side_by_side,
            "windows flipped": lambda x, kernel, **how: grid(x, kernel, **how)[:, :, ::-1, ::-1].reshape(
                unfold(x, kernel, **how).shape
            ),
            "kernel swapped": lambda x, kernel, **how: unfold(x, turned(kernel), **how),
            "stride ignored": lambda x, kernel, **how: unfold(x, kernel, **without(how, "stride")),
            "stride swapped": lambda x, kernel, **how: unfold(x, kernel, **swapped(how, "stride")),
            "stride in the size only": crowded,
            "padding ignored": lambda x, kernel, **how: unfold(x, kernel, **without(how, "padding")),
            "padding after only": lambda x, kernel, **how: unfold(x, kernel, **after_only(how)),
            "padding before only": lambda x, kernel, **how: unfold(x, kernel, **before_only(how)),
            "padding axes swapped": lambda x, kernel, **how: unfold(x, kernel, **swapped(how, "padding")),
            "padding sides swapped": lambda x, kernel, **how: unfold(x, kernel, **sides_swapped(how)),
            "dilation ignored": lambda x, kernel, **how: unfold(x, kernel, **without(how, "dilation")),
            "dilation in the size only": huddled,
            "dilation swapped": lambda x, kernel, **how: unfold(x, kernel, **swapped(how, "dilation")),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: kernel 2 on a 4x4 image", x=normal(1, 1, 4, 4), kernel=2),
        {
            **WINDOWS,
            **DILATIONS,
            "kernel that is not square": {"kernel": (2, 1)},
            "image that is not square": {"x": normal(1, 1, 4, 6)},
            "batch": {"x": normal(2, 1, 4, 4)},
            "channels": {"x": normal(1, 3, 4, 4)},
            "float32": {"x": normal(1, 1, 4, 4, dtype="float32")},
        },
    ),
)
