"""Helpers of all stand-ins: they import torch, and turn arrays into tensors and back."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cnnlab.library.asking import note_stand_in, refuse_self_call
from cnnlab.sizes import Padding, sides

if TYPE_CHECKING:
    from torch import Tensor


def torch_for(name: str) -> ModuleType:
    """Return torch, for the stand-in of `name`; every stand-in calls this first.

    Raises:
        ImportError: where torch is not available.
        SelfCallError: where `name` is being asked.
    """
    refuse_self_call(name)
    try:
        import torch
    except ImportError:
        raise ImportError(
            f"{name} is not in your library, and cnnlab's stand-in needs torch, which is not available here"
        ) from None
    note_stand_in(name)
    return torch


def floating(torch: ModuleType, array: ArrayLike) -> Tensor:
    """Return an array as a tensor of float32 where it is float32, else of float64; always a copy."""
    array = np.asarray(array)
    return torch.from_numpy(
        np.array(array, array.dtype if array.dtype == np.float32 else np.float64, order="C")
    )


def like(tensor: Tensor, array: ArrayLike) -> np.ndarray:
    """Return a tensor as an array of the dtype of `array`."""
    return np.ascontiguousarray(tensor.detach().numpy()).astype(np.asarray(array).dtype, copy=False)


def padded(torch: ModuleType, tensor: Tensor, padding: Padding, value: float = 0.0) -> Tensor:
    """Surround the last two axes of a tensor with `value`.

    Args:
        torch: the module.
        tensor: (N, C, H, W).
        padding: pixels around the last two axes, as `cnnlab.sizes.sides` reads it.
        value: the value of the border.
    """
    (top, bottom), (left, right) = sides(padding)
    return torch.nn.functional.pad(tensor, (left, right, top, bottom), value=value)


def gradients(
    torch: ModuleType, forward: Callable[..., Tensor], dout: np.ndarray, *arrays: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return the gradients of a function with respect to its arrays.

    Args:
        torch: the module.
        forward: a function of as many tensors as there are arrays, which returns one tensor.
        dout: the gradient of the function's output, of its shape.
        arrays: the function's inputs.

    Returns: one gradient for each array, of its shape and dtype.
    """
    tensors = [floating(torch, array).requires_grad_() for array in arrays]
    with torch.enable_grad():
        out = forward(*tensors)
    found = torch.autograd.grad(out, tensors, floating(torch, dout).to(out.dtype), allow_unused=True)
    return tuple(
        like(torch.zeros_like(tensor) if gradient is None else gradient, array)
        for gradient, tensor, array in zip(found, tensors, arrays, strict=True)
    )
