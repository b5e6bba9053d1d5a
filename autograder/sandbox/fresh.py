"""A sandbox made for one worker: a bubblewrap process, or none at all where the instructor asked for that."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

from autograder.sandbox import bubblewrap, socket_pairs
from autograder.sandbox.errors import SandboxError
from autograder.sandbox.limits import Limits

MAX_WORDS = 4000  # bytes of what the ended process wrote


class FreshWorker:
    """A worker in a bubblewrap sandbox of its own.

    Args:
        slot: the sandbox's number, which no other has now.
        without: the packages that cannot be imported.
        limits: of the submission.
    """

    def __init__(self, slot: int, without: tuple[str, ...], limits: Limits) -> None:
        self.slot, self.without, self.limits = slot, without, limits

    def open(self, count: int) -> tuple[list[socket.socket], int]:
        """Start the worker; return `count` sockets to it and the process that all of it descends from."""
        with socket_pairs.pairs(count) as (ours, descriptors):
            return ours, self._start(descriptors)

    def _start(self, descriptors: Sequence[int]) -> int:
        given = ",".join(map(str, descriptors))
        with bubblewrap.held() as (hold, held):
            command = bubblewrap.worker_command(self.slot, self.without, given, self.limits.memory, hold)
            self.process = bubblewrap.start(command, (*descriptors, *held))
        return self.process.pid

    def last_words(self) -> str:
        """Return the last line that the ended process wrote to stderr."""
        said = self.process.stderr.read(MAX_WORDS).decode(errors="replace") if self.process.stderr else ""
        return (said.strip().splitlines() or ["it said nothing"])[-1]

    def stop(self) -> None:
        """End every process of the sandbox, and wait until all have ended."""
        bubblewrap.end(self.process)

    def close(self) -> None:
        """Remove what is left after `stop`."""
        if self.process.stderr:
            self.process.stderr.close()


class BareWorker(FreshWorker):
    """A worker without a sandbox, with the rights of whoever grades."""

    def __init__(self, without: tuple[str, ...], limits: Limits) -> None:
        super().__init__(0, without, limits)
        self.home = ExitStack()

    def _start(self, descriptors: Sequence[int]) -> int:
        folder = self.home.enter_context(tempfile.TemporaryDirectory(prefix="cnnlab-"))
        try:
            self.process = subprocess.Popen(
                bubblewrap.bare_command(self.without, ",".join(map(str, descriptors)), self.limits.memory),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=descriptors,
                env=bubblewrap.environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        except BaseException as error:
            self.home.close()
            if isinstance(error, OSError):
                raise SandboxError(f"The process cannot be started: {error}.") from error
            raise
        return self.process.pid

    def stop(self) -> None:
        """End the worker and the processes of its group."""
        bubblewrap.end(self.process, bare=True)

    def close(self) -> None:
        """Remove what is left after `stop`."""
        super().close()
        self.home.close()
