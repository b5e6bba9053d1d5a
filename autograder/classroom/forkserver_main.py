"""Runs in the forkserver's own process: loads what workers need, then forks one for each request."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from autograder.course import Course
from autograder.startup import collect_nothing, collect_rarely, end_with, stay_on

if TYPE_CHECKING:
    from autograder.classroom.worker_process import Prepared
    from autograder.sandbox.warm import Server

MAX_REQUEST = 64 << 10  # bytes


def main() -> None:
    """Load everything, then fork a worker for each request; sys.argv: as WorkerForkServer fills it."""
    control = socket.socket(fileno=int(sys.argv[3]))
    end_with(int(sys.argv[4]))
    # A handler, and no SIG_IGN or mask: those would be handed down to students' code, which must find a process as it
    # finds it elsewhere. Ctrl-C is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    collect_nothing()
    # It takes a second to load, in which this process must already end with its parent.
    from autograder.classroom.worker_process import Prepared

    root, work, assignment, lessons, bare = json.loads(sys.argv[5])
    prepared = Prepared(Course(Path(root), Path(work)), assignment, lessons, bare)
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
        with prepared.sandbox_server() as server:
            child = os.fork()
            if child == 0:
                _be_worker(prepared, server, control, here, core, data.decode(), descriptors[0])
        cores[child] = core
        os.close(descriptors[0])


def _be_worker(
    prepared: Prepared,
    server: Server | None,
    control: socket.socket,
    parent: int,
    core: int,
    folder: str,
    descriptor: int,
) -> NoReturn:
    """Serve the process at the other end of a descriptor, on one core, with temporary files in `folder`; then end."""
    from autograder.classroom.worker_process import serve

    code = 1
    try:
        stay_on(core)
        end_with(parent)
        control.close()
        os.environ["TMPDIR"] = folder
        serve(Connection(descriptor), prepared.in_sandboxes, server)
        code = 0
    finally:
        os._exit(code)
