"""Stand-ins for lesson 05: 1x1, grouped and depthwise convolutions, and the costs of such layers."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.library.standins.common import floating, gradients, like, torch_for
from cnnlab.library.standins.convolution import convolved
from cnnlab.sizes import Padding, Size, pair, sides

if TYPE_CHECKING:
    from torch import Tensor


def conv1x1_forward(x: np.ndarray, w: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mix the channels of x at each pixel, and add b: (N, F, H, W).

    Args:
        x: (N, C, H, W).
        w: (F, C).
        b: (F,).
    """
    torch = torch_for("conv1x1_forward")
    return like(_conv1x1(torch, *(floating(torch, array) for array in (x, w, b))), x)


def conv1x1_backward(dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return dx, dw, db of conv1x1_forward.

    Args:
        dout: the gradient of the output, (N, F, H, W).
        x: (N, C, H, W).
        w: (F, C).
        b: (F,).
    """
    torch = torch_for("conv1x1_backward")
    return gradients(torch, lambda x, w, b: _conv1x1(torch, x, w, b), dout, x, w, b)


def grouped_conv2d_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, groups: int, stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Convolve each group of channels with the filters of that group: (N, F, OH, OW).

    Args:
        x: (N, C, H, W).
        w: (F, C/groups, KH, KW).
        b: (F,).
        groups: the number of groups that the channels are divided into.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("grouped_conv2d_forward")
    x_, w_, b_ = (floating(torch, array) for array in (x, w, b))
    return like(convolved(torch, x_, w_, b_, stride, padding, 1, groups), x)


def depthwise_conv2d_forward(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Convolve each channel with M filters of its own: (N, C*M, OH, OW).

    Args:
        x: (N, C, H, W).
        w: (C, M, KH, KW).
        b: one bias for each output map, C*M in any shape.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("depthwise_conv2d_forward")
    x_, w_, b_ = (floating(torch, array) for array in (x, w, b))
    return like(_depthwise(torch, x_, w_, b_, stride, padding), x)


def depthwise_conv2d_backward(
    dout: np.ndarray, x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0
) -> tuple[np.ndarray, ...]:
    """Return dx, dw, db of depthwise_conv2d_forward.

    Args:
        dout: the gradient of the output, (N, C*M, OH, OW).
        x: (N, C, H, W).
        w: (C, M, KH, KW).
        b: one bias for each output map, C*M in any shape.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("depthwise_conv2d_backward")
    return gradients(torch, lambda x, w, b: _depthwise(torch, x, w, b, stride, padding), dout, x, w, b)


def separable_cost_ratio(filters: int, kernel: Size) -> float:
    """Return the cost of a depthwise separable layer relative to a full one: 1/filters + 1/(KH*KW)."""
    torch = torch_for("separable_cost_ratio")
    window = torch.empty(pair(kernel), device="meta").numel()
    return 1 / filters + 1 / window


def bottleneck_parameters(channels: int, reduced: int, kernel: Size = 3, bias: bool = False) -> int:
    """Count the parameters of a bottleneck: a convolution between two of 1 x 1.

    Args:
        channels: the channels of the input and of the output.
        reduced: the channels between the layers.
        kernel: the (KH, KW) of the middle layer, or one size for both.
        bias: whether the layers have biases.
    """
    torch = torch_for("bottleneck_parameters")
    layers = ((channels, reduced, 1), (reduced, reduced, kernel), (reduced, channels, 1))
    modules = (
        torch.nn.Conv2d(c_in, c_out, pair(k), bias=bool(bias), device="meta") for c_in, c_out, k in layers
    )
    return sum(parameter.numel() for module in modules for parameter in module.parameters())


def macs(
    in_shape: tuple[int, int, int],
    filters: int,
    kernel: Size,
    stride: Size = 1,
    padding: Padding = 0,
    groups: int = 1,
) -> int:
    """Count the multiply-adds of a convolution of one image.

    Args:
        in_shape: (C, H, W).
        filters: the number of filters.
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        groups: the number of groups that the channels are divided into.
    """
    torch = torch_for("macs")
    channels, height, width = in_shape
    x = torch.empty(1, channels, height, width, device="meta")
    w = torch.empty(filters, channels // groups, *pair(kernel), device="meta")
    out = convolved(torch, x, w, torch.empty(filters, device="meta"), stride, sides(padding), 1, groups)
    return out.numel() * w[0].numel()


def _conv1x1(torch: ModuleType, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(x, w.to(x.dtype)[:, :, None, None], b.to(x.dtype))


def _depthwise(torch: ModuleType, x: Tensor, w: Tensor, b: Tensor, stride: Size, padding: Padding) -> Tensor:
    channels, multiplier = w.shape[:2]
    filters = w.reshape(channels * multiplier, 1, *w.shape[2:])
    # One bias for each output map, in whichever shape it is given.
    return convolved(torch, x, filters, b.reshape(-1), stride, padding, 1, channels)
