"""The student's convolution inside torch: autograd calls their forward and their backward."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cnnlab import layers
from cnnlab.sizes import Padding, Size, pair


class Convolution(torch.autograd.Function):
    """`layers.conv2d_forward` and `layers.conv2d_backward` as one operation that torch can differentiate."""

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, options: dict[str, Any]
    ) -> torch.Tensor:
        ctx.save_for_backward(x, w, b)
        ctx.options = options
        return _tensor(layers.conv2d_forward(_array(x), _array(w), _array(b), **options), x)

    @staticmethod
    def backward(ctx: Any, *douts: Any) -> Any:
        x, w, b = ctx.saved_tensors
        gradients = layers.conv2d_backward(
            _array(douts[0].contiguous()), _array(x), _array(w), _array(b), **ctx.options
        )
        return *(_tensor(gradient, x) for gradient in gradients), None


def conv2d(
    x: torch.Tensor,
    w: torch.Tensor,
    b: torch.Tensor | None = None,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> torch.Tensor:
    """Compute torch.nn.functional.conv2d with the student's own convolution, gradients included.

    A tensor on another device is carried to the CPU and back.

    Args:
        x: images, (N, C, H, W).
        w: filters, (F, C/groups, KH, KW).
        b: one bias for each filter, (F,); None for zeros.
        stride: steps of the window, in pixels.
        padding: zeros added around the images, in pixels.
        dilation: the distance between the pixels that a kernel reads.
        groups: runs of channels that do not see each other.
    """
    bias = torch.zeros(len(w), dtype=w.dtype, device=w.device) if b is None else b
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return Convolution.apply(x, w, bias, options)  # type: ignore[no-any-return]


class Conv2d(torch.nn.Conv2d):
    """A drop-in for torch.nn.Conv2d, with its arguments and state, that computes with the student's own code.

    Raises ValueError for a padding that is not zeros.
    """

    def _conv_forward(
        self, input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None
    ) -> torch.Tensor:
        if self.padding_mode != "zeros" or isinstance(self.padding, str):
            raise ValueError("give the padding as numbers, of zeros: the student's layer knows no other")
        # torch types these as tuple[int, ...]; of a Conv2d each has two numbers.
        two = (self.stride, self.padding, self.dilation)
        stride, padding, dilation = (pair(size) for size in two)  # type: ignore[arg-type]
        return conv2d(input, weight, bias, stride, padding, dilation, self.groups)


def replace_convolutions(network: torch.nn.Module) -> torch.nn.Module:
    """Put the student's convolution in place of every torch.nn.Conv2d of a network, in place; return it."""
    for module in network.modules():
        if type(module) is torch.nn.Conv2d:
            module.__class__ = Conv2d  # the same arguments and weights, another forward
    return network


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().numpy()


def _tensor(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device=like.device, dtype=like.dtype)
