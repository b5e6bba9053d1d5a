"""Long-lived sandboxes that have imported everything, and fork a worker for each submission.

A worker is as separate as in a sandbox of its own (see server.py), and costs a fork instead of half a second of imports.
One server serves one slot, so at most one worker at a time. Where this machine does not let a sandbox make namespaces,
`place` says so, and a fresh sandbox is made for each submission.
"""

from __future__ import annotations

import atexit
import base64
import contextlib
import json
import os
import platform
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from autograder.sandbox import bubblewrap, seccomp, usage
from autograder.sandbox.limits import Limits

START_SECONDS = 30.0
ANSWER_SECONDS = 10.0  # of the server: to fork, or to see a worker's last process end
MAX_SERVERS = 2  # of one slot: lessons that do without other packages have servers of their own


class CannotFork(Exception):
    """The server cannot make workers on this machine."""


class Server:
    """One bubblewrap process with server.py in it; workers of one slot and for lessons without the same packages."""

    def __init__(self, slot: int, without: tuple[str, ...]) -> None:
        self.without, self.uid = without, bubblewrap.user_of(slot)
        self.spare: tuple[list[socket.socket], int] | None = (
            None  # ways to a worker that nobody has asked, its memory
        )
        self.control, their = socket.socketpair()
        try:
            with their, bubblewrap.held() as (hold, held):
                command = bubblewrap.server_command(slot, without, their.fileno(), hold)
                self.process = bubblewrap.start(command, (their.fileno(), *held))
        except BaseException:
            self.control.close()
            raise
        try:
            self._answer(START_SECONDS)
            self.pid = usage.tree(self.process.pid)[-1]
            self._try()
        except BaseException:
            self.close()
            raise

    @property
    def alive(self) -> bool:
        """Whether the server is still there."""
        return self.process.poll() is None

    def spawn(self, count: int, memory: int) -> tuple[list[socket.socket], int]:
        """Fork a worker, and return `count` ways to it and the process that all of it descends from."""
        spare, self.spare = self.spare, None
        if spare is None:
            ours = self._begin(count, memory)
        elif len(spare[0]) == count and spare[1] == memory:
            ours = spare[0]
        else:
            _close(spare[0])
            self._answer(ANSWER_SECONDS)
            self._ask({"end": True})
            ours = self._begin(count, memory)
        try:
            self._answer(ANSWER_SECONDS)
            (init,) = usage.children(self.pid)
        except BaseException:
            _close(ours)
            raise
        return ours, init

    def prepare(self, count: int, memory: int) -> None:
        """Have the next worker forked while the last one's results are looked at; it is `spawn` that waits for it."""
        with contextlib.suppress(CannotFork):  # which is noticed when it is needed
            self.spare = self._begin(count, memory), memory

    def end(self) -> None:
        """End the worker and everything that it started, and wait until they have."""
        try:
            self._ask({"end": True})
        except CannotFork:
            self.close()

    def close(self) -> None:
        """End the server, with the worker if there is one."""
        bubblewrap.end(self.process)
        self.control.close()
        if self.spare:
            _close(self.spare[0])
            self.spare = None
        if self.process.stderr:
            self.process.stderr.close()

    def _try(self) -> None:
        (ours,), _ = self.spawn(1, Limits().memory)
        with ours:
            ours.settimeout(ANSWER_SECONDS)
            if not ours.recv(1):
                raise CannotFork("the worker ended")
        self.end()

    def _begin(self, count: int, memory: int) -> list[socket.socket]:
        filtered = base64.b64encode(seccomp.filter_for(platform.machine())).decode()
        request = {"spawn": {"uid": self.uid, "memory": memory, "filter": filtered}}
        pairs = [socket.socketpair() for _ in range(count)]
        try:
            self._send(request, [their.fileno() for _, their in pairs])
        except BaseException:
            _close([ours for ours, _ in pairs])
            raise
        finally:
            _close([their for _, their in pairs])
        return [ours for ours, _ in pairs]

    def _ask(self, request: dict[str, Any]) -> None:
        self._send(request)
        self._answer(ANSWER_SECONDS)

    def _send(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        try:
            self.control.settimeout(ANSWER_SECONDS)
            socket.send_fds(self.control, [json.dumps(request).encode() + b"\n"], list(descriptors))
        except OSError as error:
            raise CannotFork(str(error)) from error

    def _answer(self, seconds: float) -> None:
        data = b""
        try:
            self.control.settimeout(seconds)
            while not data.endswith(b"\n"):
                piece = self.control.recv(4096)
                if not piece:
                    raise CannotFork("the server ended")
                data += piece
        except OSError as error:
            raise CannotFork(str(error)) from error
        answer = json.loads(data)
        if "failed" in answer:
            raise CannotFork(answer["failed"])


class Warm:
    """Starts a worker by a fork of a server, and ends it; as autograder.sandbox.fresh.Fresh."""

    def __init__(self, server: Server, limits: Limits) -> None:
        self.server, self.limits = server, limits

    def open(self, count: int) -> tuple[list[socket.socket], int]:
        """Return `count` ways to a new worker and the process that all of it descends from; raise CannotFork."""
        return self.server.spawn(count, self.limits.memory)

    def prepare(self, count: int) -> None:
        """Have a worker ready for the next submission."""
        self.server.prepare(count, self.limits.memory)

    def last_words(self) -> str:
        """Say why a worker that has just been forked does not answer."""
        return "its worker ended"

    def stop(self) -> None:
        """End every process of the sandbox, and wait until they have."""
        self.server.end()

    def close(self) -> None:
        """Nothing is left after `stop`."""


def _close(sockets: Sequence[socket.socket]) -> None:
    for one in sockets:
        one.close()


_servers: dict[int, list[Server]] = {}  # slot -> the one used last comes last
_refused = ""


def _new_starter() -> ThreadPoolExecutor:
    # Bubblewrap ends its sandbox with the thread that started it, so that has to be one that stays.
    return ThreadPoolExecutor(1, "sandbox-starter")


_starter = _new_starter()


def place(slot: int, without: tuple[str, ...], limits: Limits) -> Warm | None:
    """Return where a worker of this slot can be forked, or None where this machine does not allow it.

    Raises SandboxError where no sandbox can be started at all.
    """
    global _refused
    servers = _servers.setdefault(slot, [])
    for one in [one for one in servers if not one.alive]:
        servers.remove(one)
        one.close()
    for one in servers:
        if one.without == without:
            servers.append(servers.pop(servers.index(one)))
            return Warm(one, limits)
    if _refused:
        return None
    try:
        server = _starter.submit(Server, slot, without).result()
    except (CannotFork, OSError) as error:
        _refused = str(error) or type(error).__name__
        return None
    servers.append(server)
    if len(servers) > MAX_SERVERS:
        servers.pop(0).close()
    return Warm(server, limits)


def refused() -> str:
    """Return why this machine makes a fresh sandbox for each submission, or "" where it need not."""
    return _refused


@atexit.register
def close_all() -> None:
    """End every server of this process; the next submission starts new ones."""
    for servers in _servers.values():
        while servers:
            with contextlib.suppress(OSError):
                servers.pop().close()


def _forget() -> None:
    # A copy of the grader's process must not end its parent's servers.
    global _starter
    _servers.clear()
    _starter = _new_starter()


os.register_at_fork(after_in_child=_forget)
