"""Torch on one thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def one_thread() -> Iterator[Any]:
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
