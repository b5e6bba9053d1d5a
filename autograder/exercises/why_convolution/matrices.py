"""toeplitz_matrix, and what it shares with toeplitz_matrix_2d."""

from __future__ import annotations

from collections.abc import Callable
from typing import Unpack

import numpy as np

from autograder.exercise import Exercise, clue, normal
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.operations import conv2d
from autograder.exercises.common.sizes import Padding, Size, Steps, pair, sides, turned
from autograder.exercises.common.slips import without
from autograder.exercises.rows import plain_case, public, rows, secret, varied

Shape = tuple[int, int]


def responses(w: np.ndarray, shape: Shape, stride: Size = 1, padding: Padding = 0) -> np.ndarray:
    """Show torch each image that has a single 1 and write down what comes out: (OH, OW, H, W)."""
    units = np.eye(shape[0] * shape[1], dtype=w.dtype).reshape(-1, 1, *shape)
    maps = conv2d(units, w[None, None], np.zeros(1), stride, padding)[:, 0]  # (H*W, OH, OW)
    return maps.transpose(1, 2, 0).reshape(*maps.shape[1:], *shape)


def flat(matrix: np.ndarray) -> np.ndarray:
    """Turn (OH, OW, H, W) into (OH*OW, H*W)."""
    oh, ow, height, width = matrix.shape
    return matrix.reshape(oh * ow, height * width)


def matrix_2d(w: np.ndarray, shape: Shape, **how: Unpack[Steps]) -> np.ndarray:
    return flat(responses(w, shape, **how))


def matrix_1d(w: np.ndarray, n: int, stride: int = 1, padding: Size = 0) -> np.ndarray:
    return matrix_2d(w[None], (1, n), stride=(1, stride), padding=((0, 0), pair(padding)))


def padded(shape: Shape, padding: Padding) -> Shape:
    """Return the image's size with its padding."""
    (top, bottom), (left, right) = sides(padding)
    return top + shape[0] + bottom, left + shape[1] + right


def wrapped(w: np.ndarray, shape: Shape, stride: Size = 1, padding: Padding = 0) -> np.ndarray:
    """Let what hangs over the image's edge come in again at the opposite one."""
    oh, ow = responses(w, shape, stride, padding).shape[:2]
    (sh, sw), ((top, _), (left, _)) = pair(stride), sides(padding)
    matrix = np.zeros((oh, ow, *shape), w.dtype)
    for i, j in np.ndindex(oh, ow):
        for (u, v), weight in np.ndenumerate(w):
            matrix[i, j, (i * sh + u - top) % shape[0], (j * sw + v - left) % shape[1]] += weight
    return flat(matrix)


def crowded(w: np.ndarray, shape: Shape, **how: Unpack[Steps]) -> np.ndarray:
    """Give as many rows as the stride asks for, but from windows one step apart."""
    oh, ow = responses(w, shape, **how).shape[:2]
    return flat(responses(w, shape, **without(how, "stride"))[:oh, :ow])


def with_padding_columns(w: np.ndarray, shape: Shape, stride: Size = 1, padding: Padding = 0) -> np.ndarray:
    return matrix_2d(w, padded(shape, padding), stride=stride)


def cut_from_the_end(w: np.ndarray, n: int, stride: int = 1, padding: Size = 0) -> np.ndarray:
    """Return the columns before:-after of the padded signal's matrix."""
    before, after = pair(padding)
    return matrix_1d(w, before + n + after, stride)[:, before:-after]


def hanging_over(w: np.ndarray, n: int, stride: int = 1, padding: Size = 0) -> np.ndarray:
    """Give a row to every start of a window, also to those that hang over the end."""
    before, after = pair(padding)
    room = before + n + after
    matrix = np.zeros((-(-room // stride), room), w.dtype)
    for i, row in enumerate(matrix):
        start = i * stride
        row[start : start + len(w)] = w[: room - start]
    return matrix[:, before : before + n]


def as_row(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Return the 1-D form of a wrong toeplitz_matrix_2d: a signal is an image of one row."""

    def wrong(w: np.ndarray, n: int, stride: int = 1, padding: Size = 0) -> np.ndarray:
        return function(w[None], (1, n), stride=(1, stride), padding=((0, 0), pair(padding)))

    return wrong


toeplitz_matrix = Exercise(
    name="toeplitz_matrix",
    returns=("matrix",),
    reference=matrix_1d,
    points={"basic": 3, "stride": 2, "padding": 2, "together": 1},
    cases=rows(
        plain_case,
        "basic",
        public("3 weights on 7 values", w=normal(3), n=7),
        secret("3 weights on 8 values", w=normal(3), n=8),
        public("2 weights on 5 values", w=normal(2), n=5),
        secret("4 weights on 9 values", w=normal(4), n=9),
        public("one weight on 4 values", w=normal(1), n=4),
        secret("one weight on 6 values", w=normal(1), n=6),
        public("5 weights on 5 values: one row", w=normal(5), n=5),
        secret("4 weights on 4 values: one row", w=normal(4), n=4),
        public("float32", w=normal(4, dtype="float32"), n=6),
        secret("float32, 2 weights", w=normal(2, dtype="float32"), n=7),
        "stride",
        public("3 weights, stride 2 on 9 values", w=normal(3), n=9, stride=2),
        secret("2 weights, stride 2 on 9 values: one is left over", w=normal(2), n=9, stride=2),
        public("2 weights, stride 3 on 10 values: two are left over", w=normal(2), n=10, stride=3),
        secret("3 weights, stride 4 on 13 values: two are left over", w=normal(3), n=13, stride=4),
        "padding",
        public("3 weights, padding 1 on 5 values", w=normal(3), n=5, padding=1),
        secret("5 weights, padding 2 on 7 values", w=normal(5), n=7, padding=2),
        public("4 weights, padding 2 on 6 values", w=normal(4), n=6, padding=2),
        secret("2 weights, padding 1 on 5 values", w=normal(2), n=5, padding=1),
        public("3 weights, padding (2, 0) on 6 values", w=normal(3), n=6, padding=(2, 0)),
        secret("3 weights, padding (0, 2) on 5 values", w=normal(3), n=5, padding=(0, 2)),
        public("4 weights, padding (1, 2) on 4 values", w=normal(4), n=4, padding=(1, 2)),
        secret("5 weights, padding (3, 1) on 6 values", w=normal(5), n=6, padding=(3, 1)),
        "together",
        public("3 weights, stride 2, padding (1, 2) on 7 values", w=normal(3), n=7, stride=2, padding=(1, 2)),
        secret("4 weights, stride 3, padding (2, 1) on 9 values", w=normal(4), n=9, stride=3, padding=(2, 1)),
        public("6 weights, longer than the signal of 4, stride 2, padding 3", w=normal(6), n=4, stride=2, padding=3),
        secret("5 weights, longer than the signal of 3, stride 2, padding 2", w=normal(5), n=3, stride=2, padding=2),
    ),
    mistakes=mistakes(
        """
        flipped: Your weights run backwards: w[0] belongs to the first value of the window.
        transposed: Your matrix is transposed: it needs a row for each output and a column for each input.
        last row missing: Your matrix lacks its last row: the number of outputs is the number of steps plus 1.
        windows over the end: Your last windows hang over the end of the padded signal: stop where the whole kernel no
            longer fits.
        whole numbers: Your matrix holds whole numbers: make it an array of w's dtype.
        stride ignored: Your windows lie one value apart: move them by `stride`.
        stride in the size only: You have the right number of rows, but they move one value at a time: row i begins at i
            * stride.
        padding ignored: You left out the padding: the first window begins before the signal.
        padding after only: You padded after the signal only: the padding before it moves all windows.
        padding before only: You padded before the signal only: the padding after it makes room for more windows.
        padding sides swapped: You swapped the sides of the padding: the pair is (before, after).
        padding columns kept: You kept columns for the padding: it is always zero, so drop them and keep the n of the
            signal.
        nothing left without padding: You cut the padding's columns off with before:-after, which is empty where after
            is 0: end at before + n.
        wrapped around: Weights that fall on the padding came in again at the other end: they meet zeros, so leave them
            out.
        """,
        {
            "flipped": lambda w, **how: matrix_1d(w[::-1], **how),
            "transposed": lambda **how: matrix_1d(**how).T.copy(),
            "last row missing": lambda **how: matrix_1d(**how)[:-1],
            "windows over the end": hanging_over,
            "whole numbers": lambda **how: matrix_1d(**how).astype(np.int64),
            "stride ignored": lambda stride=1, **how: matrix_1d(**how),
            "stride in the size only": as_row(crowded),
            "padding ignored": lambda padding=0, **how: matrix_1d(**how),
            "padding after only": lambda padding=0, **how: matrix_1d(padding=(0, pair(padding)[1]), **how),
            "padding before only": lambda padding=0, **how: matrix_1d(padding=(pair(padding)[0], 0), **how),
            "padding sides swapped": lambda padding=0, **how: matrix_1d(padding=turned(padding), **how),
            "padding columns kept": as_row(with_padding_columns),
            "nothing left without padding": cut_from_the_end,
            "wrapped around": as_row(wrapped),
        },
    ),
    varied=varied(
        plain_case,
        public("plain: 2 weights on 4 values", w=normal(2), n=4),
        {
            "stride": {"stride": 2},
            "stride that leaves values over": {"stride": 3},
            "padding": {"padding": 1},
            "one-sided padding": {"padding": (1, 0)},
            "one weight": {"w": normal(1)},
            "float32": {"w": normal(2, dtype="float32")},
        },
    ),
    clues=(
        clue(
            "Each row is w somewhere among zeros: where does it begin in row 0, row 1, row i? With padding, that may be "
            "before column 0, and NumPy counts a negative index from the end.",
            "transposed",
            "wrapped around",
            arguments=("padding",),
        ),
        clue(
            "Let the matrix have before + n + after columns first, write w into row i from column i * stride on, and "
            "cut the columns of the padding off at the end.",
            "stride ignored",
            "stride in the size only",
            "padding ignored",
            "padding columns kept",
            "wrapped around",
            arguments=("stride", "stride that leaves values over", "padding", "one-sided padding"),
        ),
        clue(
            "After `before, after = pair(padding)`, make zeros of (out, before + n + after), set "
            "`matrix[i, i * stride : i * stride + len(w)] = w` in a loop, and return `matrix[:, before : before + n]`.",
            "flipped",
            "transposed",
            "stride ignored",
            "stride in the size only",
            "padding after only",
            "padding before only",
            "padding sides swapped",
            "padding columns kept",
            "nothing left without padding",
            "wrapped around",
            arguments=("stride", "padding", "one-sided padding"),
        ),
    ),
)
