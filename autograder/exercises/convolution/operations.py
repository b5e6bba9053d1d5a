"""What the references of this lesson share: torch's own operations, in float64.

torch takes about a second to import, so it is imported only where a reference runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercise import Case, Random, normal
from cnnlab.torch_settings import one_thread

Sides = tuple[tuple[int, int], tuple[int, int]]


def pair(value: Any) -> tuple[int, int]:
    """Return an int or (h, w) as (h, w)."""
    return (value[0], value[1]) if isinstance(value, tuple) else (value, value)


def sides(padding: Any) -> Sides:
    """Return a padding in any of its three forms as ((top, bottom), (left, right))."""
    height, width = padding if isinstance(padding, tuple) else (padding, padding)
    return pair(height), pair(width)


def scaled(factor: float, *shape: int, offset: float = 0.0) -> Random:
    """Normal values times `factor`, plus `offset`."""
    return Random(lambda rng: factor * rng.standard_normal(shape) + offset)


def layer_case(
    key: str, group: str, x: tuple[int, ...], w: tuple[int, ...], dtype: str = "float64", **how: Any
) -> Case:
    """A Case of a convolution of normal values: the shapes of x and w, and a bias that is not zero."""
    arrays = {"x": normal(*x, dtype=dtype), "w": normal(*w, dtype=dtype), "b": normal(w[0], dtype=dtype)}
    return Case(key, group=group, **arrays, **how)


def pad(x: np.ndarray, padding: Any, value: float = 0.0) -> np.ndarray:
    """Surround the last two axes with `value`, by torch."""
    (top, bottom), (left, right) = sides(padding)
    with one_thread() as torch:
        padded = torch.nn.functional.pad(tensor(x), (left, right, top, bottom), value=value)
    return padded.numpy().astype(x.dtype)


def conv2d(
    x: np.ndarray, w: np.ndarray, b: np.ndarray, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> np.ndarray:
    """Cross-correlate, by torch."""
    must_fit(x, w.shape[2:], padding, dilation)
    padded = tensor(pad(x, padding))
    with one_thread() as torch:
        y = torch.nn.functional.conv2d(padded, tensor(w), tensor(b), pair(stride), 0, pair(dilation), groups)
    return y.numpy().astype(x.dtype)


def unfold(x: np.ndarray, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1) -> np.ndarray:
    """Cut out the windows, by torch: (N, C*KH*KW, OH*OW)."""
    must_fit(x, kernel, padding, dilation)
    padded = tensor(pad(x, padding))
    with one_thread() as torch:
        columns = torch.nn.functional.unfold(padded, pair(kernel), pair(dilation), 0, pair(stride))
    return columns.numpy().astype(x.dtype)


def gradients(operation: Callable[..., Any], dout: np.ndarray, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the gradient of sum(dout * operation(torch, *tensors)) for each array, by autograd, in its dtype."""
    with one_thread() as torch:
        leaves = [tensor(array).requires_grad_() for array in arrays]
        found = torch.autograd.grad(operation(torch, *leaves), leaves, tensor(dout))
    return tuple(g.numpy().astype(array.dtype) for g, array in zip(found, arrays, strict=True))


def tensor(array: np.ndarray) -> Any:
    """Return an array as a float64 tensor; a copy, since torch takes no negative steps."""
    import torch

    return torch.from_numpy(np.array(array, np.float64, order="C"))


def must_fit(x: np.ndarray, kernel: Any, padding: Any, dilation: Any) -> None:
    """Raise ValueError, as the lesson asks, where the dilated kernel is larger than the padded image."""
    for size, k, side, d in zip(x.shape[2:], pair(kernel), sides(padding), pair(dilation), strict=True):
        if d * (k - 1) + 1 > size + sum(side):
            raise ValueError(f"a kernel of {k} with dilation {d} does not fit into {size} with padding {side}")
