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
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from autograder.sandbox import bubblewrap, seccomp, socket_pairs, usage
from autograder.sandbox.errors import CannotFork
from autograder.sandbox.limits import Limits

START_SECONDS = 30.0
ANSWER_SECONDS = 10.0  # of the server: to fork, or to see a worker's last process end
COPIES = 64  # of one server, at most
MAX_SERVERS = 2  # of one slot: lessons that do without other packages have servers of their own


class Server:
    """A process with server.py in it: forks workers of one user, one at a time, for lessons without the same packages.

    control: the way to it; uid: its workers' user; process: the bubblewrap that was started for it, None where it is a
    copy that lives in another one's.
    """

    def __init__(
        self,
        control: socket.socket,
        uid: int,
        without: tuple[str, ...],
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.control, self.uid, self.without, self.process = control, uid, without, process
        self.pid = 0  # of the process that forks, when it is ready
        self.said = b""  # what has come of its next answer
        # Ways to a worker that nobody has asked, and the memory that it may have.
        self.spare: tuple[list[socket.socket], int] | None = None

    @classmethod
    def start(cls, slots: Sequence[int], without: tuple[str, ...]) -> Server:
        """Start one for the first of these slots, or for copies that serve all; raise SandboxError.

        It ends with the thread that started it.
        """
        with socket_pairs.pairs(1) as ((control,), (their,)), bubblewrap.held() as (hold, held):
            command = bubblewrap.server_command(slots, without, their, hold)
            process = bubblewrap.start(command, (their, *held))
        return cls(control, bubblewrap.user_of(slots[0]), without, process)

    def ready(self) -> Server:
        """Wait until it has imported everything and has forked a worker to try; raise CannotFork."""
        try:
            self._answer(START_SECONDS)
            if self.process:
                self.pid = usage.tree(self.process.pid)[-1]
            (ours,), _ = self.spawn(1, Limits().memory)
            with ours:
                ours.settimeout(ANSWER_SECONDS)
                if not ours.recv(1):
                    raise CannotFork("the worker ended")
            self.end()
        except BaseException:
            self.close()
            raise
        return self

    def copy(self, slot: int) -> Server:
        """Fork one that serves another slot, in the same sandbox, and takes none of the time that imports take."""
        before = set(usage.children(self.pid))
        with socket_pairs.pairs(1) as ((control,), descriptors):
            self._send({"copy": True}, descriptors)
            self._answer(ANSWER_SECONDS)
            copy = Server(control, bubblewrap.user_of(slot), self.without)
            copy._answer(ANSWER_SECONDS)
            (copy.pid,) = set(usage.children(self.pid)) - before
        return copy

    @property
    def alive(self) -> bool:
        """Whether the server is still there."""
        try:
            self.control.settimeout(0.0)
            return bool(self.control.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def spawn(self, count: int, memory: int) -> tuple[list[socket.socket], int]:
        """Fork a worker, and return `count` ways to it and the process that all of it descends from."""
        spare, self.spare = self.spare, None
        if spare and (len(spare[0]), spare[1]) != (count, memory):
            socket_pairs.close(spare[0])
            self._answer(ANSWER_SECONDS)
            spare = None
        ours = spare[0] if spare else self._begin(count, memory)
        try:
            self._answer(ANSWER_SECONDS)
            init = self._only_child()
        except BaseException:
            socket_pairs.close(ours)
            raise
        return ours, init

    def _only_child(self) -> int:
        # None is left where the server was killed after it had answered.
        found = usage.children(self.pid)
        if len(found) != 1:
            raise CannotFork(f"the server has {len(found)} processes below it")
        return found[0]

    def follow(self, count: int, memory: int) -> None:
        """End the worker and fork the next while its results are looked at; it is `spawn` that waits for both."""
        try:
            self.spare = self._begin(count, memory), memory
        except CannotFork:
            self.close()

    def end(self) -> None:
        """End the worker and everything that it started, and wait until they have."""
        try:
            self._send({"end": True})
            self._answer(ANSWER_SECONDS)
        except CannotFork:
            self.close()

    def close(self) -> None:
        """End the server, with the worker if there is one."""
        if self.process:
            bubblewrap.end(self.process)
            if self.process.stderr:
                self.process.stderr.close()
        self.control.close()  # at which a copy ends
        if self.spare:
            socket_pairs.close(self.spare[0])
            self.spare = None

    def _begin(self, count: int, memory: int) -> list[socket.socket]:
        # The server ends a worker that is there before it forks the next.
        filtered = base64.b64encode(seccomp.filter_for(platform.machine())).decode()
        with socket_pairs.pairs(count) as (ours, descriptors):
            self._send({"spawn": {"uid": self.uid, "memory": memory, "filter": filtered}}, descriptors)
            return ours

    def _send(self, request: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
        try:
            self.control.settimeout(ANSWER_SECONDS)
            socket.send_fds(self.control, [json.dumps(request).encode() + b"\n"], list(descriptors))
        except OSError as error:
            raise CannotFork(str(error)) from error

    def _answer(self, seconds: float) -> None:
        try:
            self.control.settimeout(seconds)
            while b"\n" not in self.said:
                piece = self.control.recv(4096)
                if not piece:
                    raise CannotFork("the server ended")
                self.said += piece
        except OSError as error:
            raise CannotFork(str(error)) from error
        line, _, self.said = self.said.partition(b"\n")
        answer = json.loads(line)
        if "failed" in answer:
            raise CannotFork(answer["failed"])


class ForkedWorker:
    """Starts a worker by a fork of a server, and ends it; as autograder.sandbox.fresh.FreshWorker."""

    def __init__(self, server: Server, limits: Limits) -> None:
        self.server, self.limits = server, limits

    def open(self, count: int) -> tuple[list[socket.socket], int]:
        """Return `count` ways to a new worker and the process that all of it descends from; raise CannotFork."""
        return self.server.spawn(count, self.limits.memory)

    def follow(self, count: int) -> None:
        """End every process of the sandbox, and have a worker ready for the next submission; wait for neither."""
        self.server.follow(count, self.limits.memory)

    def last_words(self) -> str:
        """Say why a worker that has just been forked does not answer."""
        return "its worker ended"

    def stop(self) -> None:
        """End every process of the sandbox, and wait until they have."""
        self.server.end()

    def close(self) -> None:
        """Nothing is left after `stop`."""


_servers: dict[int, list[Server]] = {}  # slot -> the one used last comes last
_refused = ""


def _new_starter() -> ThreadPoolExecutor:
    # Bubblewrap ends its sandbox with the thread that started it, so that has to be one that stays.
    return ThreadPoolExecutor(1, "sandbox-starter")


_starter = _new_starter()


def place(slot: int, without: tuple[str, ...], limits: Limits) -> ForkedWorker | None:
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
            return ForkedWorker(one, limits)
    if _refused:
        return None
    try:
        server = _starter.submit(lambda: Server.start([slot], without).ready()).result()
    except (CannotFork, OSError) as error:
        _refused = str(error) or type(error).__name__
        return None
    adopt(slot, server)
    return ForkedWorker(server, limits)


def adopt(slot: int, server: Server) -> None:
    """Have a server serve this slot from now on."""
    servers = _servers.setdefault(slot, [])
    servers.append(server)
    if len(servers) > MAX_SERVERS:
        servers.pop(0).close()


class SandboxTemplate:
    """One server that nobody asks for workers, but for copies: one for each process that is forked from this one.

    So that all of them together import but once. For the superuser only, who gives each copy's workers a user of their
    own: as one user's, those of all copies together would count against the limit of processes of each.
    """

    def __init__(self, without: tuple[str, ...]) -> None:
        self.slots = [os.getpid() % 100_000 * 1000 + number for number in range(COPIES)]
        self.server = Server.start(self.slots, without) if os.getuid() == 0 else None

    def copy(self) -> Server | None:
        """Return a copy that nobody else has, or None where there is none."""
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
