"""Linear maps and their adjoints, right ones and wrong ones.

Each map is written as its matrix, so that its adjoint is the transposed matrix by definition. A wrong adjoint
ends in what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnnlab.checking.wire import Value

KERNEL = (2.0, -1.0, 0.5)


def _band(kernel: tuple[float, ...], outputs: int) -> np.ndarray:
    """Return the matrix whose row i holds the kernel from column i on: (outputs, outputs + len(kernel) - 1)."""
    matrix = np.zeros((outputs, outputs + len(kernel) - 1))
    for i in range(outputs):
        matrix[i, i : i + len(kernel)] = kernel
    return matrix


def slide(x: np.ndarray) -> np.ndarray:
    """Slide a kernel of three weights over a signal: (n,) to (n - 2,)."""
    return _band(KERNEL, x.size - 2) @ x


def slide_adjoint(y: np.ndarray) -> np.ndarray:
    """Apply the adjoint of `slide`: a full convolution with its kernel."""
    return _band(KERNEL, y.size).T @ y


def slide_adjoint_flipped(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `slide`: the kernel is turned round."""
    return _band(KERNEL[::-1], y.size).T @ y


def slide_adjoint_doubled(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `slide`: twice as large."""
    return 2.0 * slide_adjoint(y)


def slide_adjoint_shifted(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `slide`: moved by one."""
    return np.roll(slide_adjoint(y), 1)


def slide_adjoint_negated(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `slide`: the sign is wrong."""
    return -slide_adjoint(y)


def turn(x: np.ndarray) -> np.ndarray:
    """Move every row one step to the right, its last value to the front, and change its sign."""
    return -np.roll(x, 1, axis=-1)


def turn_adjoint(y: np.ndarray) -> np.ndarray:
    """Apply the adjoint of `turn`: back to the left, the sign changed again."""
    return -np.roll(y, -1, axis=-1)


def turn_adjoint_same_way(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `turn`: it moves to the right once more."""
    return turn(y)


def frame(x: np.ndarray) -> np.ndarray:
    """Surround an image with a border of zeros: (h, w) to (h + 2, w + 2)."""
    return np.pad(x, 1)


def frame_adjoint(y: np.ndarray) -> np.ndarray:
    """Apply the adjoint of `frame`: cut the border off."""
    return y[1:-1, 1:-1].copy()


def frame_adjoint_shifted(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `frame`: it cuts the image out one step beside its place."""
    return y[:-2, :-2].copy()


def copies(x: np.ndarray) -> np.ndarray:
    """Return an array three times: (...) to (3, ...)."""
    return np.stack([x, x, x])


def copies_adjoint(y: np.ndarray) -> np.ndarray:
    """Apply the adjoint of `copies`: add the copies up."""
    return y.sum(axis=0)


def copies_adjoint_averaged(y: np.ndarray) -> np.ndarray:
    """Apply a map that is not the adjoint of `copies`: the copies' mean."""
    return y.mean(axis=0)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    f.__name__: f
    for f in (
        slide,
        slide_adjoint,
        slide_adjoint_flipped,
        slide_adjoint_doubled,
        slide_adjoint_shifted,
        slide_adjoint_negated,
        turn,
        turn_adjoint,
        turn_adjoint_same_way,
        frame,
        frame_adjoint,
        frame_adjoint_shifted,
        copies,
        copies_adjoint,
        copies_adjoint_averaged,
    )
}
