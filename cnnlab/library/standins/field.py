"""Stand-ins for lesson 06: the receptive field of an output."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cnnlab.library.standins.common import torch_for


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> int:
    """Count the input positions along one axis that an output depends on.

    layers: (kernel, stride, dilation) of each, in order from the input.
    """
    torch = torch_for("receptive_field")
    if not layers:
        return 1
    kernels, strides, dilations = torch.tensor([list(layer) for layer in layers]).T
    jumps = torch.cumprod(strides, 0) // strides  # the strides of the layers before
    return 1 + int((dilations * (kernels - 1) * jumps).sum())


def input_window(
    layers: Sequence[tuple[int, int, int, int]], row: int, col: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Find the rows and columns of the input that an output depends on.

    Args:
        layers: (kernel, stride, padding, dilation) of each, in order from the input.
        row: the output's row.
        col: the output's column.

    Returns: (first row, row after the last), (first column, column after the last).
    """
    torch = torch_for("input_window")
    ends = torch.tensor([[row, row], [col, col]])  # first and last seen, of rows and columns
    for kernel, stride, padding, dilation in reversed(layers):
        ends = ends * stride - padding + torch.tensor([0, dilation * (kernel - 1)])
    (top, bottom), (left, right) = (ends + torch.tensor([0, 1])).tolist()
    return (top, bottom), (left, right)


def gradient_footprint(
    forward: Callable[[np.ndarray], np.ndarray], x_shape: tuple[int, int, int, int], row: int, col: int
) -> np.ndarray:
    """Find the pixels of an image that an output depends on, by changing one after the other.

    Args:
        forward: a function from (1, C, H, W) to (1, F, OH, OW).
        x_shape: (1, C, H, W).
        row: the output's row.
        col: the output's column.

    Returns: (H, W) bool.
    """
    torch = torch_for("gradient_footprint")
    _, channels, height, width = x_shape
    still = forward(np.zeros(tuple(x_shape)))[0, :, row, col]
    seen = torch.zeros(channels * height * width, dtype=torch.bool)
    for place in range(len(seen)):
        step = torch.zeros(len(seen), dtype=torch.float64)
        step[place] = 1
        moved = forward(step.reshape(tuple(x_shape)).numpy())[0, :, row, col]
        seen[place] = bool(np.any(np.abs(moved - still) > 1e-9))
    return seen.reshape(channels, height, width).any(0).numpy()


def stack_compare(kernels: Sequence[int], channels: int) -> tuple[int, int]:
    """Return the receptive field of a stack of square convolutions at stride 1, and its number of weights."""
    torch = torch_for("stack_compare")
    layers = [torch.nn.Conv2d(channels, channels, k, bias=False, device="meta") for k in kernels]
    weights = sum(layer.weight.numel() for layer in layers)
    return 1 + sum(layer.kernel_size[0] - 1 for layer in layers), weights
