"""Has hostile bytes read by a process of their own: server.py forks one for each."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

SERVER = Path(__file__).with_name("server.py")
WALL_SECONDS = 20.0


class _Server:
    """One server.py; used by one thread of one process."""

    def __init__(self) -> None:
        self.process_id = os.getpid()
        self.control, their = socket.socketpair()
        # It sees neither our environment nor our files' names.
        environment = {key: os.environ[key] for key in ("LD_LIBRARY_PATH",) if key in os.environ}
        with their, tempfile.TemporaryFile() as known:
            known.write(_known)
            known.seek(0)
            descriptors = their.fileno(), known.fileno()
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(SERVER), *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=descriptors,
                env=environment,
                cwd="/",
                start_new_session=True,
            )

    def reply(self, script: str, file: BinaryIO, options: Sequence[str], most: int) -> bytes | None:
        """Return what the script wrote, or None where it crashed; raise TimeoutError and the like where it is not done."""
        read_end, write_end = os.pipe()
        try:
            try:
                request = json.dumps({"script": script, "options": list(options)}).encode()
                socket.send_fds(self.control, [request], [file.fileno(), write_end])
            finally:
                os.close(write_end)
            deadline = time.monotonic() + WALL_SECONDS
            reply = _bounded(read_end, most, deadline)
        finally:
            os.close(read_end)
        self.control.settimeout(max(0.1, deadline - time.monotonic()))
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self.control.recv(4096)
            if not piece:
                raise ConnectionError("the server ended")
            answer += piece
        return reply if json.loads(answer)["code"] == 0 else None

    def close(self) -> None:
        """End it and whatever it has forked, unless it is another process's."""
        if self.process_id == os.getpid() and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.control.close()

    __del__ = close


_of_thread = threading.local()
_known = b"[]"  # what new servers are told of cells: [whether code, text, facts] of each


def expect(known: Iterable[tuple[bool, str, dict[str, Any]]]) -> None:
    """Tell the servers that are started from now on what is known of cells, so that it is not found out again.

    known: whether a cell is code, its text, and what autograder.intake.child.definitions says of it.
    """
    global _known
    _known = json.dumps(list(known)).encode()


def reply_of(script: str, data: bytes, options: Sequence[str], most: int) -> bytes | None:
    """Have one of server.py's scripts read hostile bytes, and return what it wrote, at most `most` bytes.

    None where it crashed, ran out of time or wrote too much.
    """
    with tempfile.TemporaryFile() as file:  # a file, not a pipe: nobody waits for the other
        file.write(data)
        file.seek(0)
        server: _Server | None = getattr(_of_thread, "server", None)
        if server is None or server.process_id != os.getpid() or server.process.poll() is not None:
            server = _of_thread.server = _Server()
        try:
            return server.reply(script, file, options, most)
        except BaseException as error:
            close()  # whatever it still does is not worth waiting for; the next file gets a new one
            if not isinstance(error, (OSError, ValueError)):
                raise
            return None


def start() -> None:
    """Start this thread's server before there is anything to read."""
    _of_thread.server = _Server()


def close() -> None:
    """End this thread's server; the next file gets a new one."""
    server = _of_thread.__dict__.pop("server", None)
    if server is not None:
        server.close()


def _bounded(descriptor: int, most: int, deadline: float) -> bytes:
    """Return all that is written to a pipe; raise TimeoutError where that takes too long or is too much."""
    chunks, size = [], 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(descriptor, 1 << 16)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            size += len(chunk)
            if size > most:
                break
    raise TimeoutError
