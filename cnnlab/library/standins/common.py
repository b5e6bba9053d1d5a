"""What the stand-ins share: torch, imported only here, and the ways in which the lessons write their settings."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnnlab.library.asking import note_stand_in, refuse_self_call

Sides = tuple[tuple[int, int], tuple[int, int]]


def torch_for(name: str) -> Any:
    """Return torch for the stand-in of `name`, which every stand-in calls first.

    Raises ImportError in one sentence where torch is not available, and SelfCallError where `name` is being asked.
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


def pair(value: Any) -> tuple[int, int]:
    """Return an int or (h, w) as (h, w)."""
    first, second = value if isinstance(value, (tuple, list)) else (value, value)
    return int(first), int(second)


def sides(padding: Any) -> Sides:
    """Return a padding in any of its three forms as ((top, bottom), (left, right))."""
    rows, columns = padding if isinstance(padding, (tuple, list)) else (padding, padding)
    return pair(rows), pair(columns)


def floating(torch: Any, array: Any) -> Any:
    """Return an array as a tensor of float32 where it is float32, else of float64; always a copy."""
    array = np.asarray(array)
    return torch.from_numpy(
        np.array(array, array.dtype if array.dtype == np.float32 else np.float64, order="C")
    )


def like(tensor: Any, array: Any) -> np.ndarray:
    """Return a tensor as an array of the dtype of `array`."""
    return np.ascontiguousarray(tensor.detach().numpy()).astype(np.asarray(array).dtype, copy=False)


def padded(torch: Any, tensor: Any, padding: Any, value: float = 0.0) -> Any:
    """Surround the last two axes of a tensor with `value`."""
    (top, bottom), (left, right) = sides(padding)
    return torch.nn.functional.pad(tensor, (left, right, top, bottom), value=value)


def must_fit(shape: tuple[int, ...], kernel: Any, padding: Any, dilation: Any = 1) -> None:
    """Raise ValueError where the dilated kernel spans more than the padded image (.., H, W)."""
    for size, k, side, d in zip(shape[-2:], pair(kernel), sides(padding), pair(dilation), strict=True):
        span = d * (k - 1) + 1
        if span > size + sum(side):
            raise ValueError(
                f"a kernel that spans {span} does not fit into a padded size of {size + sum(side)}"
            )


def gradients(torch: Any, forward: Any, dout: Any, *arrays: Any) -> tuple[np.ndarray, ...]:
    """Return the gradients of `forward(*tensors)` with respect to `arrays`, given that of its output."""
    tensors = [floating(torch, array).requires_grad_() for array in arrays]
    with torch.enable_grad():
        out = forward(*tensors)
    found = torch.autograd.grad(out, tensors, floating(torch, dout).to(out.dtype), allow_unused=True)
    return tuple(
        like(torch.zeros_like(tensor) if gradient is None else gradient, array)
        for gradient, tensor, array in zip(found, tensors, arrays, strict=True)
    )
