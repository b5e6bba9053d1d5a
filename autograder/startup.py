"""What makes processes start sooner and run on undisturbed: signals, cores, the garbage collector.

Each says what it pays.
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
    """Leave Ctrl-C to this process: what is started meanwhile does not get it, and it waits so long."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def stay_on(core: int) -> None:
    """Have this thread and the processes that it starts run on one core: they take turns, and share what its caches hold."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {core})


def collect_rarely() -> None:
    """Have the garbage collector leave alone what has been loaded, and look less often at the rest.

    Looking for cycles among all modules takes a tenth of a submission's time, and what it finds there is nothing.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, so that no worker goes on without the run's lock."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
