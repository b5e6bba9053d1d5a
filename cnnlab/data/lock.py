"""Keep two processes from writing one file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PAUSE = 0.2  # seconds between two tries


@contextmanager
def locked(path: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file at path; wait while another process or thread does.

    waiting is called once if there is something to wait for. The system frees the lock when the process ends, however
    it ends; the empty file stays, because removing it would let two waiting processes lock two different files.
    """
    with path.open("ab") as file:
        if not _take(file):
            waiting()
            while not _take(file):
                time.sleep(PAUSE)
        try:
            yield
        finally:
            _release(file)


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> bool:
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _release(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A network folder without locks: go on. Two downloads into one part file would fail their checksum.
            return True
        return True

    def _release(file: IO[bytes]) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_UN)
        except OSError:
            pass  # see above: it was never taken
