"""What the references of this lesson share: the gradients of an operation, by torch's autograd in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.exercises.convolution.operations import tensor
from cnnlab.checking.threads import one_thread


def gradients(forward: Callable[..., Any], dout: np.ndarray, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the gradient of each array, given that of forward(torch, *tensors)."""
    with one_thread() as torch:
        tensors = [tensor(array).requires_grad_() for array in arrays]
        found = torch.autograd.grad(forward(torch, *tensors), tensors, tensor(dout))
    return tuple(g.numpy().astype(array.dtype) for g, array in zip(found, arrays, strict=True))
