"""What the forkserver's own process does: load what workers need, then fork one for each request."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from autograder.startup import collect_rarely, end_with, stay_on

MAX_REQUEST = 64 << 10  # bytes


def main() -> None:
    """Load everything, then fork a worker for each request; arguments: as WorkerForkServer gives them."""
    control = socket.socket(fileno=int(sys.argv[3]))
    end_with(int(sys.argv[4]))
    # A handler, and no SIG_IGN or mask: those would be handed down to students' code, which must find a process as it
    # finds it elsewhere. Ctrl-C is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    gc.disable()  # what is loaded stays
    from autograder.classroom import (
        worker_process,  # it takes a second to load, in which this process must already end with its parent
    )

    root, work, assignment, lessons, bare = json.loads(sys.argv[5])
    forking = worker_process.prepare(root, work, assignment, lessons, bare)
    collect_rarely()
    cores: dict[int, int] = {}  # worker -> the core that it has, and its sandboxes with it
    while True:
        data, descriptors, _, _ = socket.recv_fds(control, MAX_REQUEST, 1)
        if not data:
            return
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitpid(-1, os.WNOHANG)[0]:
                cores.pop(ended, None)
        here, taken = os.getpid(), list(cores.values())
        core = min(os.sched_getaffinity(0), key=taken.count)
        with forking() as begin:
            child = os.fork()
            if child == 0:
                stay_on(core)
                _be_worker(control, here, data.decode(), descriptors[0], begin)
        cores[child] = core
        os.close(descriptors[0])


def _be_worker(
    control: socket.socket, parent: int, folder: str, descriptor: int, work: Callable[[Connection], Any]
) -> None:
    code = 1
    try:
        end_with(parent)
        control.close()
        os.environ["TMPDIR"] = folder
        work(Connection(descriptor))
        code = 0
    finally:
        os._exit(code)
