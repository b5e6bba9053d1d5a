"""Chooses a submission's sandbox: a worker forked by a server of its slot, where this machine allows that.

One server serves one slot, so at most one worker at a time. Where this machine does not let a sandbox make namespaces,
`place` returns None, and a fresh sandbox is made for each submission.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
from concurrent.futures import ThreadPoolExecutor

from autograder.sandbox.errors import CannotFork
from autograder.sandbox.limits import Limits
from autograder.sandbox.server import Server
from autograder.sandbox.slots import slot as slot_number

COPIES = 64  # of one server, at most
MAX_SERVERS = 2  # of one slot: lessons that do without other packages have servers of their own


class ForkedWorker:
    """A worker that a server forks; used as autograder.sandbox.fresh.FreshWorker is."""

    def __init__(self, server: Server, limits: Limits) -> None:
        self.server, self.limits = server, limits

    def open(self, count: int) -> tuple[list[socket.socket], int]:
        """Start the worker; return `count` sockets to it and the process that all of it descends from; raise CannotFork."""
        return self.server.spawn(count, self.limits.memory)

    def replace(self, count: int) -> None:
        """End every process of the sandbox, and have a worker ready for the next submission; wait for neither."""
        self.server.replace_worker(count, self.limits.memory)

    def last_words(self) -> str:
        """Say why a worker that has just been forked does not answer."""
        return "its worker ended"

    def stop(self) -> None:
        """End every process of the sandbox, and wait until all have ended."""
        self.server.end()

    def close(self) -> None:
        """Do nothing: nothing is left after `stop`."""


_servers: dict[int, list[Server]] = {}  # slot -> its servers, the one used last at the end
_refused = ""


def _new_starter() -> ThreadPoolExecutor:
    # Bubblewrap ends its sandbox with the thread that started it, so that has to be one that stays.
    return ThreadPoolExecutor(1, "sandbox-starter")


_starter = _new_starter()


def place(slot: int, without: tuple[str, ...], limits: Limits) -> ForkedWorker | None:
    """Return a worker that a server of this slot can fork, or None where this machine does not allow that.

    Args:
        slot: the sandbox's number, which no other has now.
        without: the packages that cannot be imported.
        limits: of the submission.

    Raises:
        SandboxError: where no sandbox can be started at all.
    """
    servers = _servers.setdefault(slot, [])
    for one in [one for one in servers if not one.alive]:
        servers.remove(one)
        one.close()
    for one in servers:
        if one.without == without:
            servers.append(servers.pop(servers.index(one)))
            return ForkedWorker(one, limits)
    if _refused:
        return None
    try:
        server = _starter.submit(lambda: Server.start([slot], without).ready()).result()
    except (CannotFork, OSError) as error:
        refuse(str(error) or type(error).__name__)
        return None
    adopt(slot, server)
    return ForkedWorker(server, limits)


def adopt(slot: int, server: Server) -> None:
    """Let a server serve this slot from now on; where the slot then has too many servers, its oldest one ends."""
    servers = _servers.setdefault(slot, [])
    servers.append(server)
    if len(servers) > MAX_SERVERS:
        servers.pop(0).close()


class SandboxTemplate:
    """A server that forks no workers but copies of itself: one for each process that is forked from this one.

    So all these processes together pay for the imports once. It is for the superuser only, who can give each copy's workers
    a user of their own: as one user's, the workers of all copies would count against each other's limit of processes.
    """

    def __init__(self, without: tuple[str, ...]) -> None:
        self.slots = [slot_number(number) for number in range(COPIES)]
        self.server = Server.start(self.slots, without) if os.getuid() == 0 else None

    def copy(self) -> Server | None:
        """Return a new copy of the server, or None where this machine allows none or all are given away."""
        try:
            if self.server and not self.server.pid:
                self.server.ready()
            return self.server.copy(self.slots.pop()) if self.server and self.slots else None
        except CannotFork:
            self.server = None
            return None


def refused() -> str:
    """Return why this machine makes a fresh sandbox for each submission, or "" where it need not."""
    return _refused


def refuse(reason: str) -> None:
    """Make a fresh sandbox for each submission from now on, for this reason; "": fork workers again."""
    global _refused
    _refused = reason


def release(slot: int) -> None:
    """End the servers of a slot."""
    servers = _servers.pop(slot, [])
    while servers:
        with contextlib.suppress(OSError):
            servers.pop().close()


@atexit.register
def close_all() -> None:
    """End every server of this process; the next submission starts new ones."""
    for slot in list(_servers):
        release(slot)


def _forget() -> None:
    # A copy of the grader's process must not end its parent's servers.
    global _starter
    _servers.clear()
    _starter = _new_starter()


os.register_at_fork(after_in_child=_forget)
