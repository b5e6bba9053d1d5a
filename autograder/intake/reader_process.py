"""Hand a student's file to a process that reads it, and take the reply within limits of time and size.

A server (autograder/intake/reader/server.py) forks that process for each file.
"""

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
from typing import BinaryIO, Literal

from autograder.intake.reader.cell_facts import CellFacts

PACKAGE = Path(__file__).with_name("reader")
# The package alone is put on the server's path, which holds nothing but the standard library else.
START = "import sys; sys.path.append(sys.argv.pop(1)); from reader.server import main; main()"
WALL_SECONDS = 20.0  # that a reader has for one file; its CPU time is limited to half of that
MIN_WAIT = 0.1  # seconds that the server has at least to say how a reader ended
PIECE = 1 << 16  # bytes read from a pipe at once: as many as it holds
MAX_ANSWER = 4096  # bytes; the server's answer is one short line
MAX_SENTENCE = 300  # characters of a sentence in a reply

ReaderName = Literal["notebook", "archive"]  # a module of autograder.intake.reader


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
                [sys.executable, "-I", "-S", "-B", "-c", START, str(PACKAGE.parent), *map(str, descriptors)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=descriptors,
                env=environment,
                cwd="/",
                start_new_session=True,
            )

    def reply(
        self, reader: ReaderName, file: BinaryIO, options: Sequence[str], max_bytes: int
    ) -> bytes | None:
        """Return what the reader wrote, or None where it crashed; raise TimeoutError and the like where it is not done."""
        read_end, write_end = os.pipe()
        try:
            try:
                request = json.dumps({"reader": reader, "options": list(options)}).encode()
                socket.send_fds(self.control, [request], [file.fileno(), write_end])
            finally:
                os.close(write_end)
            deadline = time.monotonic() + WALL_SECONDS
            reply = _read_pipe(read_end, max_bytes, deadline)
        finally:
            os.close(read_end)
        self.control.settimeout(max(MIN_WAIT, deadline - time.monotonic()))
        answer = b""
        while not answer.endswith(b"\n"):
            piece = self.control.recv(MAX_ANSWER)
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
_known = b"[]"  # JSON of the known cells that new servers are given: [whether code, source, facts] of each


def preload_facts(known: Iterable[tuple[bool, str, CellFacts]]) -> None:
    """Give the servers that are started from now on the facts of known cells, so that they are not parsed again.

    known: whether a cell is code, its source, and what `parse_facts` says of it.
    """
    global _known
    _known = json.dumps(list(known)).encode()


def ask_reader(reader: ReaderName, data: bytes, options: Sequence[str], max_bytes: int) -> bytes | None:
    """Have a process read a student's file, and return its reply.

    Args:
        reader: the module that reads the file.
        data: the file's bytes.
        options: what the reader's `main` is given.
        max_bytes: of the reply.

    Returns: None where the reader crashed, ran out of time or wrote too much.
    """
    with tempfile.TemporaryFile() as file:  # a file, not a pipe: nobody waits for the other
        file.write(data)
        file.seek(0)
        server: _Server | None = getattr(_of_thread, "server", None)
        if server is None or server.process_id != os.getpid() or server.process.poll() is not None:
            server = _of_thread.server = _Server()
        try:
            return server.reply(reader, file, options, max_bytes)
        except BaseException as error:
            stop_server()  # whatever it still does is not worth waiting for; the next file gets a new one
            if not isinstance(error, (OSError, ValueError)):
                raise
            return None


def verify_sentence(value: object) -> str:
    """Return a sentence of a reply; raise ValueError where it is none of one printable line."""
    if type(value) is not str or len(value) > MAX_SENTENCE or not value.isprintable():
        raise ValueError("sentence")
    return value


def start_server() -> None:
    """Start this thread's server before there is anything to read."""
    _of_thread.server = _Server()


def stop_server() -> None:
    """End this thread's server; the next file gets a new one."""
    server = _of_thread.__dict__.pop("server", None)
    if server is not None:
        server.close()


def _read_pipe(descriptor: int, max_bytes: int, deadline: float) -> bytes:
    """Return all that is written to a pipe; raise TimeoutError where that takes too long or is too much."""
    chunks, size = [], 0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(descriptor, PIECE)
            if not chunk:
                return b"".join(chunks)
            chunks.append(chunk)
            size += len(chunk)
            if size > max_bytes:
                break
    raise TimeoutError
