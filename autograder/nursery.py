"""The process that this machine's workers are forked from.

It is started as the first thing of a run, and loads what workers need while the run loads what it needs itself, so that
all workers together load it once, and one that dies is replaced within a moment. It runs nothing else, has one thread, and
holds neither the gradebook nor the class's lock.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.course import Course

FEW = 2  # submissions that are graded as soon by this process as by others, which have to be started
PARENT_DEATH_SIGNAL = 1  # of prctl
MAX_REQUEST = 64 << 10  # bytes
START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[2]); from autograder import nursery; nursery.main()"
)


class Nursery:
    """The process, as the one that started it sees it; it ends with the thread that started it, and its workers with it.

    course, assignment, lessons: what is to be graded, lessons () for all of them; bare: whether without a sandbox.
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
        """Fork a worker, and return the way to it; folder: where its temporary files go.

        Raises OSError where the process is gone.
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
        """End it at once, and with it its workers: what they have done is on disk, what they are doing is not wanted."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        self.control.close()


_begun: Nursery | None = None


def begin(course: Course, assignment: str, lessons: Sequence[str] = (), bare: bool = False) -> None:
    """Start a Nursery for a run that is about to come, which `take` gives it."""
    global _begun
    abandon()
    _begun = Nursery(course, assignment, lessons, bare)


def take(course: Course, assignment: str, lessons: Sequence[str] = (), bare: bool = False) -> Nursery:
    """Return the Nursery that was begun for just this, else a new one; the caller closes it."""
    global _begun
    found, _begun = _begun, None
    if found is not None:
        if found.about == _about(course, assignment, lessons, bare):
            return found
        found.close()
    return Nursery(course, assignment, lessons, bare)


def abandon() -> None:
    """End the Nursery that was begun, if nobody has taken it."""
    global _begun
    found, _begun = _begun, None
    if found is not None:
        found.close()


def _about(course: Course, assignment: str, lessons: Sequence[str], bare: bool) -> list[Any]:
    return [str(course.root), str(course.work), assignment, sorted(lessons), bare]


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


def rarely_collect() -> None:
    """Have the garbage collector leave alone what has been loaded, and look less often at the rest.

    Looking for cycles among all modules takes a tenth of a submission's time, and what it finds there is nothing.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


# In that process


def main() -> None:
    """Load everything, then fork a worker for each request; arguments: as Nursery gives them."""
    control = socket.socket(fileno=int(sys.argv[3]))
    end_with(int(sys.argv[4]))
    # A handler, and no SIG_IGN or mask: those would be handed down to students' code, which must find a process as it
    # finds it elsewhere. Ctrl-C is for the process that started this one, which then ends it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    gc.disable()  # what is loaded stays
    from autograder.classroom import worker

    root, work, assignment, lessons, bare = json.loads(sys.argv[5])
    forking = worker.prepare(root, work, assignment, lessons, bare)
    rarely_collect()
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


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, so that no worker goes on without the run's lock."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
