"""References that several lessons share: torch's own operations, in float64.

torch takes about a second to import, so it is imported only where a reference runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercises.common.sizes import Padding, Size, must_fit, pair, sides
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

if TYPE_CHECKING:
    from torch import Tensor


def tensor(array: np.ndarray) -> Tensor:
    """Return a copy of an array as a float64 tensor; torch cannot share arrays with negative strides."""
    import torch

    return torch.from_numpy(np.array(array, np.float64, order="C"))


def gradients(operation: Callable[..., Value], dout: np.ndarray, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the gradient of sum(dout * operation(torch, *tensors)) for each array, by autograd, in its dtype."""
    with one_thread() as torch:
        leaves = [tensor(array).requires_grad_() for array in arrays]
        found = torch.autograd.grad(operation(torch, *leaves), leaves, tensor(dout))
    return tuple(g.numpy().astype(array.dtype) for g, array in zip(found, arrays, strict=True))


def pad(x: np.ndarray, padding: Padding, value: float = 0.0) -> np.ndarray:
    """Surround the last two axes with `value`, using torch."""
    (top, bottom), (left, right) = sides(padding)
    with one_thread() as torch:
        padded = torch.nn.functional.pad(tensor(x), (left, right, top, bottom), value=value)
    return padded.numpy().astype(x.dtype)


def conv2d(
    x: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    stride: Size = 1,
    padding: Padding = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlate x, (N, C, H, W), with w, (F, C / groups, KH, KW), and add b, using torch."""
    must_fit(x, w.shape[2:], padding, dilation)
    padded = tensor(pad(x, padding))
    with one_thread() as torch:
        y = torch.nn.functional.conv2d(padded, tensor(w), tensor(b), pair(stride), 0, pair(dilation), groups)
    return y.numpy().astype(x.dtype)


def unfold(x: np.ndarray, kernel: Size, stride: Size = 1, padding: Padding = 0, dilation: Size = 1) -> np.ndarray:
    """Return the windows of x as columns, (N, C*KH*KW, OH*OW), using torch."""
    must_fit(x, kernel, padding, dilation)
    padded = tensor(pad(x, padding))
    with one_thread() as torch:
        columns = torch.nn.functional.unfold(padded, pair(kernel), pair(dilation), 0, pair(stride))
    return columns.numpy().astype(x.dtype)
