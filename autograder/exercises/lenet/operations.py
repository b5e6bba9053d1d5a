"""What the references and Mistakes of this lesson share: torch's own operations, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from autograder.exercise import Random
from autograder.exercises.common.operations import tensor
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread


def forward(operation: Callable[..., Value], *arrays: np.ndarray) -> np.ndarray:
    """Compute `operation(torch, *tensors)`; returns an array of the dtype of the first."""
    with one_thread() as torch:
        y = operation(torch, *map(tensor, arrays))
    return y.numpy().astype(arrays[0].dtype)


def classes(count: int, of: int) -> Random:
    """Draw labels from 0 to `of` - 1: (count,) int64."""
    return Random(lambda rng: rng.integers(0, of, count))


def seed() -> Random:
    """Draw a seed for the generator that the Answer is handed."""
    return Random(lambda rng: int(rng.integers(1 << 32)))


def coins(*shape: int, rate: float) -> Random:
    """Draw booleans that are False with the probability `rate`: a mask of dropout."""
    return Random(lambda rng: rng.random(shape) >= rate)
