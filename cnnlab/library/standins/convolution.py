"""Stand-ins for lesson 02: sizes, padding, windows as columns and convolution."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.library.standins.common import floating, like, padded, torch_for
from cnnlab.sizes import Padding, Size, must_fit, pair, sides

if TYPE_CHECKING:
    from torch import Tensor


def conv_output_size(size: int, kernel: int, stride: int = 1, padding: Size = 0, dilation: int = 1) -> int:
    """Count the outputs of a convolution along one axis.

    Args:
        size: inputs along this axis, without padding.
        kernel: weights along this axis.
        stride: the window's step.
        padding: zeros at each end, one number or (before, after).
        dilation: the distance between a kernel's weights.

    Raises:
        ValueError: where the kernel does not fit.
    """
    torch = torch_for("conv_output_size")
    room, span = int(size) + sum(pair(padding)), int(dilation) * (int(kernel) - 1) + 1
    if span > room:
        raise ValueError(f"a kernel that spans {span} does not fit into a padded size of {room}")
    signal = torch.empty(1, 1, room, device="meta")
    weights = torch.empty(1, 1, int(kernel), device="meta")
    out = torch.nn.functional.conv1d(signal, weights, stride=int(stride), dilation=int(dilation))
    return out.shape[-1]


def same_padding(size: int, kernel: int, stride: int = 1, dilation: int = 1) -> tuple[int, int]:
    """Find the padding (before, after) that makes the output ceil(size / stride) long.

    Args:
        size: inputs along one axis.
        kernel: weights along this axis.
        stride: the window's step.
        dilation: the distance between a kernel's weights.
    """
    torch = torch_for("same_padding")
    outputs = torch.empty(int(size), device="meta")[:: int(stride)].shape[0]
    total = max((outputs - 1) * int(stride) + int(dilation) * (int(kernel) - 1) + 1 - int(size), 0)
    return total // 2, total - total // 2


def pad2d(x: np.ndarray, padding: Padding, value: float = 0.0) -> np.ndarray:
    """Surround each image with a border of one value.

    Args:
        x: (N, C, H, W).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        value: the value of the border.
    """
    torch = torch_for("pad2d")
    return like(padded(torch, floating(torch, x), padding, value), x)


def im2col(
    x: np.ndarray, kernel: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1
) -> np.ndarray:
    """Copy every window into a column: (N, C*KH*KW, OH*OW).

    Args:
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        dilation: the distance between a kernel's weights, one number or (rows, columns).
    """
    torch = torch_for("im2col")
    must_fit(x.shape, kernel, padding, dilation)
    images = padded(torch, floating(torch, x), padding)
    return like(
        torch.nn.functional.unfold(images, pair(kernel), pair(dilation), stride=pair(stride)),
        x,
    )


def conv2d_naive(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Size = 1, padding: Padding = 0
) -> np.ndarray:
    """Cross-correlate x with w and add b: (N, F, OH, OW).

    Args:
        x: (N, C, H, W).
        w: (F, C, KH, KW).
        b: (F,).
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    return _convolve("conv2d_naive", x, w, b, stride, padding, 1, 1)


def conv2d_forward(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlate x with w and add b: (N, F, OH, OW).

    Args:
        x: (N, C, H, W).
        w: (F, C/groups, KH, KW).
        b: (F,).
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        dilation: the distance between a kernel's weights, one number or (rows, columns).
        groups: the number of groups that the channels are divided into.
    """
    return _convolve("conv2d_forward", x, w, b, stride, padding, dilation, groups)


def filter_image(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Cross-correlate an image (H, W) or (H, W, 3) with kernel (KH, KW), mirroring it at its edges."""
    torch = torch_for("filter_image")
    height, width = image.shape[:2]
    planes = floating(torch, image).reshape(height, width, -1).permute(2, 0, 1)[:, None]  # (C, 1, H, W)
    (top, bottom), (left, right) = (((size - 1) // 2, size // 2) for size in kernel.shape)
    mirrored = torch.nn.functional.pad(planes, (left, right, top, bottom), mode="reflect")
    weights = floating(torch, kernel).to(planes.dtype)[None, None]
    out = torch.nn.functional.conv2d(mirrored, weights)  # (C, 1, H, W)
    return like(out[:, 0].permute(1, 2, 0).reshape(image.shape), image)


def _convolve(
    name: str,
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size,
    padding: Padding,
    dilation: Size,
    groups: int,
) -> np.ndarray:
    torch = torch_for(name)
    return like(
        convolved(
            torch,
            floating(torch, x),
            floating(torch, w),
            floating(torch, b),
            stride,
            padding,
            dilation,
            groups,
        ),
        x,
    )


def convolved(
    torch: ModuleType,
    x: Tensor,
    w: Tensor,
    b: Tensor,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve tensors as conv2d_forward convolves arrays.

    Args:
        torch: the module.
        x: (N, C, H, W).
        w: (F, C/groups, KH, KW).
        b: (F,).
        stride: the window's step, one number or (rows, columns).
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
        dilation: the distance between a kernel's weights, one number or (rows, columns).
        groups: the number of groups that the channels are divided into.

    Raises:
        ValueError: where the shapes do not fit.
    """
    (f, c_group), c = w.shape[:2], x.shape[1]
    if f % groups or c_group * groups != c:
        raise ValueError(f"{f} filters of {c_group} channels do not fit {c} channels in {groups} groups")
    must_fit(x.shape, (w.shape[2], w.shape[3]), sides(padding), dilation)
    images = padded(torch, x, padding)
    return torch.nn.functional.conv2d(
        images, w.to(x.dtype), b.to(x.dtype), pair(stride), 0, pair(dilation), groups
    )
