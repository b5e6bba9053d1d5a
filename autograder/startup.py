"""Helpers for the start and the run of processes: signals, cores, the garbage collector.

Each function's docstring says what it gains.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

PARENT_DEATH_SIGNAL = 1  # of prctl


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Block Ctrl-C within the block: processes started there do not receive it, and this one receives it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stay_on(core: int) -> None:
    """Run this thread and the processes that it starts on one core.

    Processes that take turns lose nothing by this, and they share the contents of the core's caches.
    """
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {core})


def collect_rarely() -> None:
    """Exempt everything loaded so far from garbage collection, and collect the rest less often.

    Looking for cycles among all modules takes a tenth of a submission's time and finds nothing.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def end_with(parent: int) -> None:
    """Kill this process when its parent ends, so that no worker goes on without the run's lock."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
