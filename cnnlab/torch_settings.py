"""Torch as Cases are asked: on one thread, with settings that an Answer cannot leave changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def one_thread() -> Iterator[ModuleType]:
    """Give torch on one thread, and back the number it had.

    A pool of threads makes a later fork of the process unsafe, and beside NumPy's own it makes small arrays many
    times slower. Raises ImportError where torch is not available.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield torch
    finally:
        torch.set_num_threads(before)


@contextmanager
def pinned_settings(*, double: bool) -> Iterator[ModuleType]:
    """Give torch on one thread, on the CPU, with gradients and a fixed seed, and put back what was before.

    double: new tensors are float64, else float32 as torch has it. Raises ImportError where torch is not available.
    """
    import torch

    dtype, mode, chance = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_rng_state()
    try:
        with one_thread():
            torch.default_generator.manual_seed(0)  # torch.manual_seed would ask for GPUs
            torch.set_default_dtype(torch.float64 if double else torch.float32)
            with torch.inference_mode(False), torch.enable_grad(), torch.device("cpu"):
                yield torch
    finally:
        torch.set_rng_state(chance)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(mode)
