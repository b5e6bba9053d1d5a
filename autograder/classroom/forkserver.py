"""The process that this machine's workers are forked from.

A run starts it first of all, and it loads what workers need while the run loads its own modules. So all workers together
load it once, and one that dies is replaced within a moment. It runs nothing else, has one thread, and holds neither the
gradebook nor the class's lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from autograder.startup import no_interrupts

if TYPE_CHECKING:
    from autograder.course import Course

FEW = 2  # submissions that are graded as soon by this process as by others, which have to be started
START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]); "
    "from autograder.classroom import forkserver_main; forkserver_main.main()"
)


class WorkerForkServer:
    """The forkserver, as seen by the process that started it.

    It ends with the thread that started it, and its workers end with it.

    Args:
        course: the course.
        assignment: its name.
        lessons: the names of the lessons to be graded, () for all.
        bare: whether students' code runs without a sandbox.
    """

    def __init__(
        self, course: Course, assignment: str, lessons: Sequence[str] = (), bare: bool = False
    ) -> None:
        self.about = _about(course, assignment, lessons, bare)
        self.control, their = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # One thread in each worker, also in the libraries that they load.
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        arguments = [json.dumps(sys.path), str(their.fileno()), str(os.getpid()), json.dumps(self.about)]
        with their, no_interrupts():
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, "autograder-workers", *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=(their.fileno(),),
                env={**threads, **os.environ},
            )

    def fork(self, folder: str) -> Connection:
        """Fork a worker, and return the connection to it; folder: for its temporary files.

        Raises:
            OSError: where the process is gone.
        """
        ours, their = socket.socketpair()
        try:
            with their:
                socket.send_fds(self.control, [folder.encode()], [their.fileno()])
        except OSError:
            ours.close()
            raise
        return Connection(ours.detach())

    def close(self) -> None:
        """End the process at once, with its workers: their finished work is on disk, and the rest is not wanted."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.control.close()


_begun: WorkerForkServer | None = None


def begin(
    course: Course, assignment: str, lessons: Sequence[str] = (), bare: bool = False
) -> WorkerForkServer:
    """Start a server for a run that is about to come; `take` gives it to that run.

    Args:
        course: the course.
        assignment: its name.
        lessons: the names of the lessons to be graded, () for all.
        bare: whether students' code runs without a sandbox.
    """
    global _begun
    abandon()
    _begun = WorkerForkServer(course, assignment, lessons, bare)
    return _begun


def take(
    course: Course, assignment: str, lessons: Sequence[str] = (), bare: bool = False
) -> WorkerForkServer:
    """Return the server that was begun for these arguments, else a new one; the caller closes it.

    Args:
        course: the course.
        assignment: its name.
        lessons: the names of the lessons to be graded, () for all.
        bare: whether students' code runs without a sandbox.
    """
    global _begun
    found, _begun = _begun, None
    if found is not None:
        if found.about == _about(course, assignment, lessons, bare):
            return found
        found.close()
    return WorkerForkServer(course, assignment, lessons, bare)


def abandon() -> None:
    """End the server that was begun, if nobody has taken it."""
    global _begun
    found, _begun = _begun, None
    if found is not None:
        found.close()


def _about(course: Course, assignment: str, lessons: Sequence[str], bare: bool) -> list[object]:
    return [str(course.root), str(course.work), assignment, sorted(lessons), bare]
