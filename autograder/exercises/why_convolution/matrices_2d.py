"""toeplitz_matrix_2d."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.cases import WINDOWS
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.sizes import Padding, Sides, Size, Steps, pair, sides
from autograder.exercises.common.slips import after_only, before_only, sides_swapped, swapped, without
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from autograder.exercises.why_convolution.matrices import (
    Shape,
    crowded,
    flat,
    matrix_2d,
    padded,
    responses,
    with_padding_columns,
    wrapped,
)


def cropped(matrix: np.ndarray, shape: Shape, around: Sides) -> np.ndarray:
    """Drop the columns that belong to padding, from (OH, OW, padded height, padded width)."""
    (top, _), (left, _) = around
    return matrix[:, :, top : top + shape[0], left : left + shape[1]]


def painted(
    w: np.ndarray, shape: Shape, place: Callable[..., np.ndarray], stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Lay a wrong matrix: place(w, (i, j), first row and column, OW, padded size) is a padded image, flat."""
    oh, ow = responses(w, shape, stride, padding).shape[:2]
    size = padded(shape, padding)
    (sh, sw), rows = pair(stride), []
    for i, j in np.ndindex(oh, ow):
        rows.append(place(w, (i * sh, j * sw), ow, size))
    return flat(cropped(np.array(rows).reshape(oh, ow, *size), shape, sides(padding)))


def in_one_run(w: np.ndarray, start: tuple[int, int], ow: int, size: Shape) -> np.ndarray:
    """Lay all weights behind each other, without the jump to the next image row."""
    row = np.zeros(size[0] * size[1], w.dtype)
    first = start[0] * size[1] + start[1]
    room = row[first : first + w.size]
    room[:] = w.ravel()[: len(room)]
    return row


def by_output_width(w: np.ndarray, start: tuple[int, int], ow: int, size: Shape) -> np.ndarray:
    """Take the output's width in place of the image's as the length of a row."""
    row = np.zeros(size[0] * size[1], w.dtype)
    for (u, v), weight in np.ndenumerate(w):
        row[(start[0] + u) * ow + start[1] + v] = weight
    return row


def columns_first(w: np.ndarray, shape: Shape, **how: Unpack[Steps]) -> np.ndarray:
    """Read the pixels of the image column by column."""
    matrix = responses(w, shape, **how)
    return flat(matrix.transpose(0, 1, 3, 2)).copy()


def outputs_columns_first(w: np.ndarray, shape: Shape, **how: Unpack[Steps]) -> np.ndarray:
    return flat(responses(w, shape, **how).transpose(1, 0, 2, 3))


toeplitz_matrix_2d = Exercise(
    name="toeplitz_matrix_2d",
    returns=("matrix",),
    reference=matrix_2d,
    points={"basic": 4, "stride": 2, "padding": 2, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("a 2x2 kernel on a 3x4 image", w=normal(2, 2), shape=(3, 4)),
        secret("a 2x2 kernel on a 4x6 image", w=normal(2, 2), shape=(4, 6)),
        public("a 2x3 kernel on a 5x4 image", w=normal(2, 3), shape=(5, 4)),
        secret("a 3x2 kernel on a 5x6 image", w=normal(3, 2), shape=(5, 6)),
        public("a 3x2 kernel on a 4x5 image", w=normal(3, 2), shape=(4, 5)),
        secret("a 2x4 kernel on a 4x7 image", w=normal(2, 4), shape=(4, 7)),
        public("a 1x1 kernel on a 2x3 image", w=normal(1, 1), shape=(2, 3)),
        secret("a 1x1 kernel on a 3x2 image", w=normal(1, 1), shape=(3, 2)),
        public("a kernel as large as the 2x4 image", w=normal(2, 4), shape=(2, 4)),
        secret("a kernel as large as the 3x2 image", w=normal(3, 2), shape=(3, 2)),
        public("float32", w=normal(2, 2, dtype="float32"), shape=(4, 3)),
        secret("float32, a 1x3 kernel", w=normal(1, 3, dtype="float32"), shape=(3, 5)),
        "stride",
        public("stride 2 on a 5x7 image", w=normal(3, 3), shape=(5, 7), stride=2),
        secret("stride 2 on a 6x5 image", w=normal(2, 3), shape=(6, 5), stride=2),
        public("stride (1, 3) on a 4x6 image: one column is left over", w=normal(2, 2), shape=(4, 6), stride=(1, 3)),
        secret("stride (3, 2) on a 7x6 image: one column is left over", w=normal(2, 3), shape=(7, 6), stride=(3, 2)),
        "padding",
        public("padding 1 on a 3x4 image", w=normal(3, 3), shape=(3, 4), padding=1),
        secret("padding 2 on a 4x3 image", w=normal(3, 3), shape=(4, 3), padding=2),
        public("padding (0, 2) on a 4x3 image", w=normal(2, 3), shape=(4, 3), padding=(0, 2)),
        secret("padding (1, 0) on a 3x5 image", w=normal(2, 3), shape=(3, 5), padding=(1, 0)),
        public("padding ((2, 1), (0, 1)) on a 3x4 image", w=normal(2, 2), shape=(3, 4), padding=((2, 1), (0, 1))),
        secret("padding ((0, 2), (1, 3)) on a 4x3 image", w=normal(3, 2), shape=(4, 3), padding=((0, 2), (1, 3))),
        "together",
        public(
            "stride (2, 1), padding ((1, 0), (2, 1)) on a 5x4 image",
            w=normal(3, 2),
            shape=(5, 4),
            stride=(2, 1),
            padding=((1, 0), (2, 1)),
        ),
        secret(
            "stride (1, 2), padding ((0, 1), (2, 0)) on a 4x6 image",
            w=normal(2, 3),
            shape=(4, 6),
            stride=(1, 2),
            padding=((0, 1), (2, 0)),
        ),
    ),
    mistakes=mistakes(
        """
        flipped: Your kernel is flipped: put it on the image as it is, w[0, 0] on the window's first pixel.
        kernel transposed: You exchanged the kernel's rows and columns: w[u, v] meets the pixel u down and v across.
        transposed: Your matrix is transposed: it needs a row for each output and a column for each pixel.
        not reshaped: Your array has the right numbers in four axes: reshape (OH, OW, H, W) to (OH*OW, H*W).
        image transposed: Your columns go through the image column by column: x.ravel() goes row by row.
        outputs transposed: Your rows go through the output column by column: output (i, j) belongs to row i*OW + j.
        kernel in one run: You wrote the whole kernel behind each other: its next row lies in the next row of the image,
            W pixels further on.
        output width as row length: You took OW for the length of an image row: pixel (r, c) of the padded image is
            number r * its width + c.
        last row and column missing: The last row and column of outputs are missing: the number of positions is the
            number of steps plus 1.
        whole numbers: Your matrix holds whole numbers: make it an array of w's dtype.
        stride ignored: Your windows lie one pixel apart: move them by `stride`.
        stride swapped: You moved down by the stride's width and across by its height: (h, w) is height first.
        stride in the size only: You have the right number of rows, but their windows lie one pixel apart: output (i, j)
            reads from row i * stride and column j * stride on.
        padding ignored: You left out the padding: the first window begins above and to the left of the image.
        padding after only: You padded below and to the right only: an int or (h, w) is the padding of both sides.
        padding before only: You padded above and to the left only: an int or (h, w) is the padding of both sides.
        padding axes swapped: You padded the rows by the columns' numbers: height comes first, then width.
        padding sides swapped: You swapped the sides of the padding: the pairs are (top, bottom) and (left, right).
        padding columns kept: You kept columns for the padding: it is always zero, so drop them and keep the H*W of the
            image.
        wrapped around: Weights that fall on the padding came in again at the opposite edge: they meet zeros, so leave
            them out.
        """,
        {
            "flipped": lambda w, **how: matrix_2d(w[::-1, ::-1], **how),
            "kernel transposed": lambda w, **how: matrix_2d(w.T, **how),
            "transposed": lambda **how: matrix_2d(**how).T.copy(),
            "not reshaped": responses,
            "image transposed": columns_first,
            "outputs transposed": outputs_columns_first,
            "kernel in one run": lambda w, shape, **how: painted(w, shape, in_one_run, **how),
            "output width as row length": lambda w, shape, **how: painted(w, shape, by_output_width, **how),
            "last row and column missing": lambda **how: flat(responses(**how)[:-1, :-1]),
            "whole numbers": lambda **how: matrix_2d(**how).astype(np.int64),
            "stride ignored": lambda **how: matrix_2d(**without(how, "stride")),
            "stride swapped": lambda **how: matrix_2d(**swapped(how, "stride")),
            "stride in the size only": crowded,
            "padding ignored": lambda **how: matrix_2d(**without(how, "padding")),
            "padding after only": lambda **how: matrix_2d(**after_only(how)),
            "padding before only": lambda **how: matrix_2d(**before_only(how)),
            "padding axes swapped": lambda **how: matrix_2d(**swapped(how, "padding")),
            "padding sides swapped": lambda **how: matrix_2d(**sides_swapped(how)),
            "padding columns kept": with_padding_columns,
            "wrapped around": wrapped,
        },
    ),
    varied=varied(
        plain_case,
        public("plain: a 2x2 kernel on a 4x4 image", w=normal(2, 2), shape=(4, 4)),
        {
            **WINDOWS,
            "kernel that is not square": {"w": normal(2, 1)},
            "image that is not square": {"shape": (4, 5)},
            "float32": {"w": normal(2, 2, dtype="float32")},
        },
    ),
    clues=(
        clue(
            "Each row of the matrix is an image: the kernel painted at one place on black. Make those images first.",
            "transposed",
            "kernel in one run",
        ),
        clue(
            "Fill zeros of (OH, OW, padded height, padded width): in image (i, j) the kernel begins at row i*sh and "
            "column j*sw. Then cut the padding off and flatten.",
            "not reshaped",
            "outputs transposed",
            "kernel in one run",
            "output width as row length",
            "stride ignored",
            "stride swapped",
            "stride in the size only",
            "padding ignored",
            "padding columns kept",
            "wrapped around",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "padding",
                "padding as (h, w)",
                "one-sided padding",
            ),
        ),
        clue(
            "In the loop over i and j: `matrix[i, j, i*sh : i*sh + kh, j*sw : j*sw + kw] = w`. At the end: "
            "`matrix[:, :, top : top + h, left : left + w]`, reshaped to (OH*OW, H*W); call the width otherwise than w.",
            "flipped",
            "kernel transposed",
            "not reshaped",
            "outputs transposed",
            "kernel in one run",
            "output width as row length",
            "stride ignored",
            "stride swapped",
            "stride in the size only",
            "padding sides swapped",
            "padding columns kept",
            "wrapped around",
            arguments=(
                "stride",
                "stride as (h, w)",
                "stride that leaves pixels over",
                "padding",
                "padding as (h, w)",
                "one-sided padding",
                "kernel that is not square",
                "image that is not square",
            ),
        ),
    ),
)
