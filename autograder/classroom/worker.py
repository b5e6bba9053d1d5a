"""What a worker process of this machine's cluster does before its first submission. Dask loads it by its name."""

from __future__ import annotations

import gc
import signal
from typing import Any

# What grading needs, loaded while the gradebook is being opened.
from autograder.classroom import task as task


def dask_setup(worker: Any) -> None:
    """Leave Ctrl-C to the process that started this one, which then ends it.

    A handler and no SIG_IGN or mask: those would be handed down to students' code, which must find a process as it
    finds it elsewhere.
    """
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    rarely_collect()


def rarely_collect() -> None:
    """Have the garbage collector leave alone what has been loaded, and look less often at the rest.

    Looking for cycles among all modules takes a tenth of a submission's time, and what it finds there is nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
