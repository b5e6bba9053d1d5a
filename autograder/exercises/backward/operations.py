"""What the references of this lesson share: torch's own gradients, in float64."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercise import Case, Random, normal
from autograder.exercises.common.operations import gradients
from autograder.exercises.common.sizes import Padding, Size, must_fit, pair, sides
from cnnlab.checking.wire import Value

if TYPE_CHECKING:
    from torch import Tensor


def conv2d_gradients(
    dout: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> tuple[np.ndarray, ...]:
    """Return dx, dw and db of a convolution, by torch."""
    must_fit(x, w.shape[2:], padding, dilation)
    (top, bottom), (left, right) = sides(padding)

    def forward(torch: ModuleType, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(x, (left, right, top, bottom))
        return torch.nn.functional.conv2d(padded, w, b, pair(stride), 0, pair(dilation), groups)

    return gradients(forward, dout, x, w, b)


def positions(
    size: tuple[int, int], kernel: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> tuple[int, int]:
    """Return OH and OW by laying windows until one no longer ends inside."""
    each = zip(size, pair(kernel), pair(stride), sides(padding), pair(dilation), strict=True)
    height, width = (len(range(0, n + sum(side) - d * (k - 1), s)) for n, k, s, side, d in each)
    return height, width


def layer_gradient_case(
    key: str, group: str, x: tuple[int, ...], w: tuple[int, ...], dtype: str = "float64", **how: Value
) -> Case:
    """Return a Case of a convolution's backward from the shapes of x and w, with normal values, dout's too."""
    where = {name: value for name, value in how.items() if name != "groups"}
    out = positions(x[2:], w[2:], **where)  # type: ignore[arg-type]
    arrays = {
        "dout": normal(x[0], w[0], *out, dtype=dtype),
        "x": normal(*x, dtype=dtype),
        "w": normal(*w, dtype=dtype),
        "b": normal(w[0], dtype=dtype),
    }
    return Case(key, group=group, **arrays, **how)


def columns_case(
    key: str, group: str, x_shape: tuple[int, ...], kernel: Size, dtype: str = "float64", **how: Value
) -> Case:
    """Return a Case of col2im: columns of normal values for the windows of images of x_shape."""
    oh, ow = positions(x_shape[2:], kernel, **how)  # type: ignore[arg-type]
    kh, kw = pair(kernel)
    cols = normal(x_shape[0], x_shape[1] * kh * kw, oh * ow, dtype=dtype)
    return Case(key, group=group, cols=cols, x_shape=x_shape, kernel=kernel, **how)


def whole(*shape: int, low: int = -9, high: int = 10, dtype: str = "int64") -> Random:
    """Draw whole numbers from low to high - 1."""
    return Random(lambda rng: rng.integers(low, high, shape).astype(dtype))
