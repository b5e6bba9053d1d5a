"""Stand-ins for lesson 01: a linear classifier, its number of parameters, and convolution as a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cnnlab.library.standins.common import floating, like, padded, torch_for
from cnnlab.sizes import Padding, Size, pair

if TYPE_CHECKING:
    from torch.nn import Module


def linear_scores(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Score each row of x: x @ W + b, (N, M).

    Args:
        x: (N, D).
        W: (D, M).
        b: (M,).
    """
    torch = torch_for("linear_scores")
    x_, W_, b_ = (floating(torch, array) for array in (x, W, b))
    return like(torch.nn.functional.linear(x_, W_.T, b_), x)


def dense_parameters(in_shape: tuple[int, ...], out_shape: tuple[int, ...], bias: bool = True) -> int:
    """Count the parameters of a dense layer.

    Args:
        in_shape: (C, H, W).
        out_shape: (C, H, W).
        bias: whether the layer has a bias.
    """
    torch = torch_for("dense_parameters")
    sizes = [torch.empty(tuple(shape), device="meta").numel() for shape in (in_shape, out_shape)]
    return _count(torch.nn.Linear(*sizes, bias=bool(bias), device="meta"))


def local_parameters(
    in_shape: tuple[int, ...], out_shape: tuple[int, ...], kernel: Size, bias: bool = True
) -> int:
    """Count the parameters of a locally connected layer.

    Args:
        in_shape: (C, H, W).
        out_shape: (C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        bias: whether the layer has a bias.
    """
    torch = torch_for("local_parameters")
    one = torch.nn.Conv2d(in_shape[0], 1, pair(kernel), bias=bool(bias), device="meta")
    return _count(one) * torch.empty(tuple(out_shape), device="meta").numel()


def conv_parameters(c_in: int, c_out: int, kernel: Size, groups: int = 1, bias: bool = True) -> int:
    """Count the parameters of a convolutional layer.

    Args:
        c_in: input channels.
        c_out: output channels.
        kernel: the window's (KH, KW), or one size for both.
        groups: the number of groups that the channels are divided into.
        bias: whether the layer has a bias.
    """
    torch = torch_for("conv_parameters")
    return _count(torch.nn.Conv2d(c_in, c_out, pair(kernel), groups=groups, bias=bool(bias), device="meta"))


def toeplitz_matrix(w: np.ndarray, n: int, stride: int = 1, padding: int = 0) -> np.ndarray:
    """Write a cross-correlation with w as a matrix (OUT, n).

    Args:
        w: (K,).
        n: inputs.
        stride: the window's step.
        padding: zeros at each end, one number or (before, after).
    """
    torch = torch_for("toeplitz_matrix")
    before, after = pair(padding)
    kernel = floating(torch, w)
    units = torch.nn.functional.pad(
        torch.eye(n, dtype=kernel.dtype)[:, None], (before, after)
    )  # (n, 1, n + P)
    return like(torch.nn.functional.conv1d(units, kernel[None, None], stride=stride)[:, 0].T, w)


def toeplitz_matrix_2d(
    w: np.ndarray, shape: tuple[int, int], stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Write the cross-correlation of an image with w as a matrix (OH*OW, H*W).

    Args:
        w: (KH, KW).
        shape: the image's (H, W).
        stride: the window's step, one number or (rows, columns).
        padding: pixels around the image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("toeplitz_matrix_2d")
    height, width = shape
    kernel = floating(torch, w)
    units = torch.eye(height * width, dtype=kernel.dtype).reshape(-1, 1, height, width)
    maps = torch.nn.functional.conv2d(
        padded(torch, units, padding), kernel[None, None], stride=pair(stride)
    )  # (H*W, 1, OH, OW)
    return like(maps.flatten(1).T, w)


def _count(module: Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
