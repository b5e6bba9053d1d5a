"""Numbers for sandboxes that exist at the same time; a sandbox's user id follows from its number."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SLOTS = 1000  # of one process, far more than it ever uses
PROCESSES = 100_000  # whose slots differ; process ids beyond begin again

_taken: set[int] = set()
_lock = threading.Lock()


def slot(number: int) -> int:
    """Return this process's slot of a number below SLOTS; processes differ by their id."""
    return os.getpid() % PROCESSES * SLOTS + number


@contextmanager
def free_slot() -> Iterator[int]:
    """Reserve a slot that no other sandbox of this machine uses now."""
    with _lock:
        number = next(n for n in range(SLOTS) if n not in _taken)
        _taken.add(number)
    try:
        yield slot(number)
    finally:
        with _lock:
            _taken.discard(number)
