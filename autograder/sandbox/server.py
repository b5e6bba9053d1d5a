"""A server as the grader sees it: a long-lived sandbox that has imported everything, and forks one worker after another.

A worker is as separate as in a sandbox of its own (see inside/server.py), and costs a fork instead of half a second of
imports.
"""

from __future__ import annotations

import base64
import json
import platform
import socket
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from autograder.sandbox import bubblewrap, seccomp, socket_pairs, usage
from autograder.sandbox.errors import CannotFork
from autograder.sandbox.limits import Limits

START_SECONDS = 30.0  # to import everything, torch too, on a busy machine
ANSWER_SECONDS = 10.0  # to fork, or to see a worker's last process end
MAX_ANSWER = 4096  # bytes read at once of what a server answers


class Spare(NamedTuple):
    """A worker that nobody has asked yet: the sockets to it, and the bytes of memory that it may have."""

    sockets: list[socket.socket]
    memory: int


class Server:
    """A process that runs inside/server.py: forks workers of one user, one at a time, for lessons without the same packages.

    Args:
        control: the socket to the server.
        uid: its workers' user.
        without: the packages that cannot be imported.
        process: the bubblewrap that was started for the server, None where it is a copy that lives in another's sandbox.
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
        self.spare: Spare | None = None

    @classmethod
    def start(cls, slots: Sequence[int], without: tuple[str, ...]) -> Server:
        """Start a server for the first of these slots, or for copies that serve all of them; raise SandboxError.

        The server ends with the thread that started it.
        """
        with socket_pairs.pairs(1) as ((control,), (their,)), bubblewrap.held() as (hold, held):
            command = bubblewrap.server_command(slots, without, their, hold)
            process = bubblewrap.start(command, (their, *held))
        return cls(control, bubblewrap.user_of(slots[0]), without, process)

    def ready(self) -> Server:
        """Wait until the server has imported everything and has forked a worker as a trial; raise CannotFork."""
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
        """Fork a server for another slot, in the same sandbox and without importing anything again; raise CannotFork."""
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
        """Fork a worker, or take the spare one where it fits.

        Args:
            count: how many sockets the worker gets.
            memory: bytes of address space of one of its processes.

        Returns: the sockets, and the process that all of the worker's processes descend from.
        Raises:
            CannotFork: where the server refuses, or has ended.
        """
        spare, self.spare = self.spare, None
        if spare and (len(spare.sockets), spare.memory) != (count, memory):
            socket_pairs.close(spare.sockets)
            self._answer(ANSWER_SECONDS)
            spare = None
        ours = spare.sockets if spare else self._begin(count, memory)
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

    def replace_worker(self, count: int, memory: int) -> None:
        """Have the worker ended and a spare one forked, and wait for neither: `spawn` does; arguments: as for `spawn`."""
        try:
            self.spare = Spare(self._begin(count, memory), memory)
        except CannotFork:
            self.close()

    def end(self) -> None:
        """End the worker and everything that it started, and wait until all have ended."""
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
            socket_pairs.close(self.spare.sockets)
            self.spare = None

    def _begin(self, count: int, memory: int) -> list[socket.socket]:
        # The server ends a worker that is there before it forks the next.
        filtered = base64.b64encode(seccomp.filter_for(platform.machine())).decode()
        with socket_pairs.pairs(count) as (ours, descriptors):
            self._send({"spawn": {"uid": self.uid, "memory": memory, "filter": filtered}}, descriptors)
            return ours

    def _send(self, request: Mapping[str, object], descriptors: Sequence[int] = ()) -> None:
        try:
            self.control.settimeout(ANSWER_SECONDS)
            socket.send_fds(self.control, [json.dumps(request).encode() + b"\n"], list(descriptors))
        except OSError as error:
            raise CannotFork(str(error)) from error

    def _answer(self, seconds: float) -> None:
        try:
            self.control.settimeout(seconds)
            while b"\n" not in self.said:
                piece = self.control.recv(MAX_ANSWER)
                if not piece:
                    raise CannotFork("the server ended")
                self.said += piece
        except OSError as error:
            raise CannotFork(str(error)) from error
        line, _, self.said = self.said.partition(b"\n")
        answer = json.loads(line)
        if "failed" in answer:
            raise CannotFork(answer["failed"])
