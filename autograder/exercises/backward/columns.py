"""col2im: the adjoint of im2col, which adds every column back to where its window was."""

from __future__ import annotations

from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.backward.operations import columns_case, positions
from autograder.exercises.common.cases import DILATIONS, WINDOWS
from autograder.exercises.common.mistakes import Wrong, mistakes
from autograder.exercises.common.operations import tensor
from autograder.exercises.common.sizes import DilatedSteps, Padding, Settings, Size, pair, sides
from autograder.exercises.common.slips import sides_swapped, swapped, without
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.torch_settings import one_thread

Shape = tuple[int, ...]


def fold(
    cols: np.ndarray, x_shape: Shape, kernel: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> np.ndarray:
    """Add the columns up, by torch, and cut the padding off."""
    (top, bottom), (left, right) = sides(padding)
    height, width = x_shape[2:]
    size = (height + top + bottom, width + left + right)
    with one_thread() as torch:
        y = torch.nn.functional.fold(tensor(cols), size, pair(kernel), pair(dilation), 0, pair(stride))
    return y.numpy()[:, :, top : top + height, left : left + width].astype(cols.dtype)


def reordered(*axes: int) -> Wrong:
    """Return a wrong col2im that reads the axes N C KH KW OH OW (0 to 5) in another order."""

    def wrong(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[DilatedSteps]) -> np.ndarray:
        shape = (*x_shape[:2], *pair(kernel), *positions(x_shape[2:], kernel, **how))  # type: ignore[arg-type]
        misread = cols.reshape([shape[axis] for axis in axes]).transpose(np.argsort(axes))
        return fold(misread.reshape(cols.shape), x_shape, kernel, **how)

    return wrong


def overwritten(by_window: bool) -> Wrong:
    """Return a wrong col2im that puts each value in its place, where the last one to come stays."""

    def wrong(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[DilatedSteps]) -> np.ndarray:
        n, c, height, width = x_shape
        (top, bottom), (left, right) = sides(how.get("padding", 0))
        (sh, sw), (dh, dw) = pair(how.get("stride", 1)), pair(how.get("dilation", 1))
        (kh, kw), (oh, ow) = pair(kernel), positions((height, width), kernel, **how)
        out = np.zeros((n, c, height + top + bottom, width + left + right), cols.dtype)
        grid = cols.reshape(n, c, kh, kw, oh, ow)
        first, then = ((oh, ow), (kh, kw)) if by_window else ((kh, kw), (oh, ow))
        for one in np.ndindex(first):
            for other in np.ndindex(then):
                (i, j), (u, v) = (one, other) if by_window else (other, one)
                out[:, :, i * sh + u * dh, j * sw + v * dw] = grid[:, :, u, v, i, j]
        return out[:, :, top : top + height, left : left + width]

    return wrong


def averaged(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[DilatedSteps]) -> np.ndarray:
    counts = fold(np.ones_like(cols), x_shape, kernel, **how)
    return fold(cols, x_shape, kernel, **how) / np.maximum(counts, 1)


def padding_kept(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    n, c, height, width = x_shape
    padded = (n, c, height + top + bottom, width + left + right)
    return fold(cols, padded, kernel, **without(how, "padding"))


def cut_from(change: Wrong) -> Wrong:
    """Return a wrong col2im that cuts the padded image at a place that `change(top, bottom)` gives per axis."""

    def wrong(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
        image = padding_kept(cols, x_shape, kernel, **how)
        (top, bottom), (left, right) = sides(how.get("padding", 0))
        rows, columns = change(top, bottom), change(left, right)
        return image[:, :, rows : rows + x_shape[2], columns : columns + x_shape[3]]

    return wrong


def cut_with_minus(cols: np.ndarray, x_shape: Shape, kernel: Size, **how: Unpack[Settings]) -> np.ndarray:
    """Cut with [top:-bottom], which leaves nothing where bottom is 0."""
    (top, bottom), (left, right) = sides(how.get("padding", 0))
    return padding_kept(cols, x_shape, kernel, **how)[:, :, top:-bottom, left:-right]


col2im = Exercise(
    name="col2im",
    returns=("x",),
    reference=fold,
    points={"basic": 3, "stride": 2, "padding": 2, "dilation": 1, "together": 1},
    cases=[
        *rows(
            plain_case,
            "basic",
            public(
                "ones for the 2x2 windows of a 3x4 image: how many windows hold each pixel",
                cols=np.ones((1, 4, 6)),
                x_shape=(1, 1, 3, 4),
                kernel=2,
            ),
        ),
        *rows(
            columns_case,
            "basic",
            secret("kernel 2 over 4 channels of one 3x5 image", (1, 4, 3, 5), 2),
            public("kernel (2, 3) over 3 channels of 4x5 images", (2, 3, 4, 5), (2, 3)),
            secret("kernel (3, 2) over 2 channels of 5x4 images", (3, 2, 5, 4), (3, 2)),
            public("kernel 1 on 3x2 images", (2, 2, 3, 2), 1),
            secret("kernel 1 on 2x4 images", (2, 3, 2, 4), 1),
            public("a kernel as large as the 3x4 image", (2, 2, 3, 4), (3, 4)),
            secret("a kernel as large as the 4x2 image", (3, 2, 4, 2), (4, 2)),
            public("float32, kernel 3", (1, 2, 4, 5), 3, dtype="float32"),
            secret("float32, kernel (1, 3), one channel", (2, 1, 3, 6), (1, 3), dtype="float32"),
            "stride",
            public("stride 2 on a 5x6 image: a last row in no window", (2, 2, 6, 5), 2, stride=2),
            secret("stride 3 on a 7x8 image: pixels in no window", (2, 2, 7, 8), (2, 4), stride=3),
            public("stride (1, 2) on a 4x7 image, overlapping", (1, 2, 4, 7), (2, 3), stride=(1, 2)),
            secret("stride (2, 1) on a 6x4 image, overlapping", (1, 3, 6, 4), (3, 2), stride=(2, 1)),
            "padding",
            public("padding 1 on a 3x4 image", (2, 2, 3, 4), 3, padding=1),
            secret("padding 2 on a 2x3 image", (2, 3, 2, 3), (3, 2), padding=2),
            public("padding (0, 2) on a 4x3 image", (1, 2, 4, 3), 2, padding=(0, 2)),
            secret("padding (1, 0) on a 3x4 image", (1, 2, 3, 4), (2, 3), padding=(1, 0)),
            public("padding ((1, 0), (0, 2)) on a 3x3 image", (2, 1, 3, 3), 2, padding=((1, 0), (0, 2))),
            secret("padding ((0, 2), (1, 0)) on a 4x4 image", (2, 2, 4, 4), 3, padding=((0, 2), (1, 0))),
            "dilation",
            public("dilation 2 on a 6x5 image", (2, 2, 6, 5), 2, dilation=2),
            secret("dilation 3 on a 5x8 image", (2, 1, 5, 8), 2, dilation=3),
            public("dilation (1, 3) on a 4x7 image", (1, 2, 4, 7), (3, 2), dilation=(1, 3)),
            secret("dilation (2, 1) on a 7x4 image", (1, 2, 7, 4), 3, dilation=(2, 1)),
            "together",
            public(
                "stride (2, 1), padding ((1, 2), (0, 1)), dilation (1, 2)",
                (2, 2, 6, 6),
                (2, 3),
                stride=(2, 1),
                padding=((1, 2), (0, 1)),
                dilation=(1, 2),
            ),
            secret(
                "stride (1, 2), padding ((0, 1), (2, 1)), dilation (2, 1)",
                (2, 2, 7, 6),
                (3, 2),
                stride=(1, 2),
                padding=((0, 1), (2, 1)),
                dilation=(2, 1),
            ),
        ),
    ],
    clues=(
        clue(
            "It is im2col with the arrow turned round: the same loop over the kernel's positions, the same slices, "
            "but the slice of the padded image grows by the columns' values.",
            "overwritten",
            "overwritten window by window",
            "averaged",
            "windows flipped",
        ),
        clue(
            "Start with zeros of the padded size, reshape cols to (N, C, KH, KW, OH, OW), and at the end return the "
            "rows top : top + H and the columns left : left + W.",
            "rows read as KH, KW, C",
            "rows read as C, KW, KH",
            "columns read as OW, OH",
            "padding kept",
            "cut at the first corner",
            "padding sides swapped",
            "cut with a minus",
            arguments=(
                "padding",
                "padding as (h, w)",
                "one-sided padding",
                "kernel that is not square",
                "image that is not square",
                "channels",
            ),
        ),
        clue(
            "In the loop: padded[:, :, u*dh : u*dh + sh*oh : sh, v*dw : v*dw + sw*ow : sw] += cols[:, :, u, v].",
            "overwritten",
            "overwritten window by window",
            "averaged",
            "windows flipped",
            "stride swapped",
            "dilation swapped",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "dilation",
                "dilation as (h, w)",
            ),
        ),
    ),
    mistakes=mistakes(
        """
        overwritten: Where windows overlap, the last value to come overwrote the others: add with += instead.
        overwritten window by window: Where windows overlap, the last window overwrote the others: add with += instead.
        averaged: You divided by the number of windows that hold a pixel: gradients add up.
        rows read as KH, KW, C: You read the rows of cols with the channels innermost: their order is C, KH, KW, as in
            im2col.
        rows read as C, KW, KH: You read the rows of cols down the kernel's columns: their order is C, KH, KW, as in
            im2col.
        columns read as OW, OH: You read the columns of cols down the image: their order is OH, OW, as in im2col.
        windows flipped: You put each window back flipped: value (u, v) of a window goes to where im2col took it.
        padding kept: Your image still has its padding: cut it off at the end, for nobody asks for its gradient.
        cut at the first corner: You kept the upper left corner of the padded image: the image begins at row top, column
            left.
        padding sides swapped: You cut off the bottom's number of rows at the top, or the right's at the left: the pairs
            are (top, bottom) and (left, right).
        cut with a minus: You cut with [top:-bottom], which leaves nothing where bottom is 0: cut with [top : top + H].
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        dilation swapped: You spread the taps down by the dilation's width and across by its height: (h, w) is height
            first.
        """,
        {
            "overwritten": overwritten(by_window=False),
            "overwritten window by window": overwritten(by_window=True),
            "averaged": averaged,
            "rows read as KH, KW, C": reordered(0, 2, 3, 1, 4, 5),
            "rows read as C, KW, KH": reordered(0, 1, 3, 2, 4, 5),
            "columns read as OW, OH": reordered(0, 1, 2, 3, 5, 4),
            "windows flipped": lambda cols, x_shape, kernel, **how: fold(
                cols.reshape(*x_shape[:2], *pair(kernel), -1)[:, :, ::-1, ::-1].reshape(cols.shape),
                x_shape,
                kernel,
                **how,
            ),
            "padding kept": padding_kept,
            "cut at the first corner": cut_from(lambda before, after: 0),
            "padding sides swapped": lambda cols, x_shape, kernel, **how: fold(
                cols, x_shape, kernel, **sides_swapped(how)
            ),
            "cut with a minus": cut_with_minus,
            "stride swapped": lambda cols, x_shape, kernel, **how: fold(
                cols, x_shape, kernel, **swapped(how, "stride")
            ),
            "dilation swapped": lambda cols, x_shape, kernel, **how: fold(
                cols, x_shape, kernel, **swapped(how, "dilation")
            ),
        },
    ),
    varied=varied(
        columns_case,
        public("plain: kernel 2 over a 4x4 image", x_shape=(1, 1, 4, 4), kernel=2),
        {
            **WINDOWS,
            **DILATIONS,
            "kernel that is not square": {"kernel": (2, 1)},
            "image that is not square": {"x_shape": (1, 1, 4, 6)},
            "batch": {"x_shape": (2, 1, 4, 4)},
            "channels": {"x_shape": (1, 3, 4, 4)},
            "float32": {"dtype": "float32"},
        },
    ),
)
