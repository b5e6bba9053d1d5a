"""Stand-ins for lesson 03: gradients of a convolution, and the convolution that runs the other way."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

from cnnlab.library.standins.common import floating, gradients, like, torch_for
from cnnlab.library.standins.convolution import convolved
from cnnlab.sizes import Padding, Size, must_fit, pair, sides

if TYPE_CHECKING:
    from torch import Tensor


def conv1d_backward(dout: np.ndarray, x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return dx, dw of the cross-correlation of x (n,) with w (K,), given dout (n - K + 1,).

    Args:
        dout: the gradient of the output, (n - K + 1,).
        x: (n,).
        w: (K,).
    """
    torch = torch_for("conv1d_backward")

    def forward(x: Tensor, w: Tensor) -> Tensor:
        return torch.nn.functional.conv1d(x[None, None], w.to(x.dtype)[None, None])[0, 0]

    return gradients(torch, forward, dout, x, w)


def numerical_gradient(
    f: Callable[[np.ndarray], SupportsFloat], x: np.ndarray, eps: float = 1e-5
) -> np.ndarray:
    """Return the gradient of a scalar f at x by central differences in float64, of the shape of x.

    Args:
        f: a function of an array of the shape of x that returns one number.
        x: where the gradient is taken, of any shape.
        eps: the step to either side.
    """
    torch = torch_for("numerical_gradient")
    point = floating(torch, x).double()
    slopes = torch.zeros_like(point)
    for index in np.ndindex(*point.shape):
        step = torch.zeros_like(point)
        step[index] = eps
        slopes[index] = (float(f((point + step).numpy())) - float(f((point - step).numpy()))) / (2 * eps)
    return slopes.numpy()


def adjoint_gap(
    forward: Callable[[np.ndarray], np.ndarray],
    adjoint: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
) -> float:
    """Return how far the sums of forward(x) * y and x * adjoint(y) differ, relative to the size of their terms.

    Args:
        forward: a linear map.
        adjoint: the map that may be its adjoint.
        x: an input of `forward`.
        y: an array of the shape of forward(x).
    """
    torch = torch_for("adjoint_gap")
    left = floating(torch, forward(x)) * floating(torch, y)
    right = floating(torch, x) * floating(torch, adjoint(y))
    scale = float(left.abs().sum() + right.abs().sum())
    return abs(float(left.sum()) - float(right.sum())) / scale if scale else 0.0


def col2im(
    cols: np.ndarray,
    x_shape: tuple[int, ...],
    kernel: Size,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
) -> np.ndarray:
    """Add up the columns of im2col at the pixels that they were taken from.

    Args:
        cols: (N, C*KH*KW, OH*OW).
        x_shape: the shape of the images, (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        dilation: the distance between a kernel's weights, one number or (rows, columns).

    Returns: (N, C, H, W).
    """
    torch = torch_for("col2im")
    must_fit(tuple(x_shape), kernel, padding, dilation)
    (top, bottom), (left, right) = sides(padding)
    height, width = x_shape[2:]
    whole = torch.nn.functional.fold(
        floating(torch, cols),
        (top + height + bottom, left + width + right),
        pair(kernel),
        pair(dilation),
        stride=pair(stride),
    )
    return like(whole[:, :, top : top + height, left : left + width], cols)


def conv2d_backward(
    dout: np.ndarray,
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> tuple[np.ndarray, ...]:
    """Return dx, dw, db of conv2d_forward.

    Args:
        dout: the gradient of the output, (N, F, OH, OW).
        x: (N, C, H, W).
        w: (F, C/groups, KH, KW).
        b: (F,).
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        dilation: the distance between a kernel's weights, one number or (rows, columns).
        groups: the number of groups that the channels are divided into.
    """
    torch = torch_for("conv2d_backward")
    return gradients(
        torch, lambda x, w, b: convolved(torch, x, w, b, stride, padding, dilation, groups), dout, x, w, b
    )


def conv_transpose2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size = 1,
    padding: Padding = 0,
    output_padding: Size = 0,
) -> np.ndarray:
    """Apply the transposed convolution with w, and add b.

    Args:
        x: (N, C, H, W).
        w: (C, F, KH, KW).
        b: (F,).
        stride: the step of the convolution that is transposed, one number or (rows, columns).
        padding: the padding of that convolution: so many pixels are cut off here.
        output_padding: rows and columns added at the bottom and the right.

    Returns: (N, F, OH, OW).
    """
    torch = torch_for("conv_transpose2d_forward")
    (top, bottom), (left, right) = sides(padding)
    x_, w_, b_ = (floating(torch, array) for array in (x, w, b))
    down, across = pair(output_padding)
    maps = torch.nn.functional.conv_transpose2d(x_, w_.to(x_.dtype), None, pair(stride))
    # Padding of the convolution is what this one cuts off, and output_padding adds to the far sides.
    maps = torch.nn.functional.pad(maps, (-left, across - right, -top, down - bottom))
    return like(maps + b_.to(x_.dtype)[:, None, None], x)
