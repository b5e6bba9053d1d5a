"""Touches the files of a stranger's folder without following a link or trusting a name."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

MAX_LISTED = 10_000  # names of a folder that are read at all
MAX_NAME = 80  # characters of a name in a sentence


@dataclass(frozen=True)
class Entry:
    """One name in a folder, as lstat sees it.

    kind: "file", or what it is instead in words ("link", "folder", "named pipe", "socket", "device"); links:
    how many names the file has; target: where a link points; inside: the archive that it was taken out of.
    """

    path: Path
    kind: str
    size: int
    modified: float
    links: int
    target: str = ""
    inside: str = ""

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def handed_in(self) -> str:
        """The name of the file in the folder that this one came with."""
        return self.inside or self.name


def entries(folder: Path) -> Iterator[Entry]:
    """List a folder by name without following anything in it."""
    with os.scandir(folder) as found:
        paths = sorted(Path(entry.path) for entry in islice(found, MAX_LISTED))
    for path in paths:
        try:
            state = path.lstat()
            target = os.readlink(path) if stat.S_ISLNK(state.st_mode) else ""
        except OSError:  # gone meanwhile
            continue
        yield Entry(path, _kind(state.st_mode), state.st_size, state.st_mtime, state.st_nlink, target)


def _kind(mode: int) -> str:
    tests = {
        "file": stat.S_ISREG,
        "link": stat.S_ISLNK,
        "folder": stat.S_ISDIR,
        "named pipe": stat.S_ISFIFO,
        "socket": stat.S_ISSOCK,
    }
    return next((kind for kind, test in tests.items() if test(mode)), "device")


def is_real_folder(path: Path) -> bool:
    """Say whether `path` is a folder itself and no link to one."""
    with contextlib.suppress(OSError):
        return stat.S_ISDIR(path.lstat().st_mode)
    return False


def read(path: Path, most: int) -> bytes:
    """Return a regular file's bytes, at most `most` + 1 of them; raise OSError for anything else."""
    # O_NONBLOCK: opening a pipe that took the file's place would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        return file.read(most + 1)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of what stands there; a link there is replaced, not
    followed.
    """
    with writing(path) as file:
        file.write(data)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes the place of what stands at `path` when all is written, as `write` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".cnnlab-{secrets.token_hex(8)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666), "wb") as file:
            yield file
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def is_same(path: Path, data: bytes) -> bool:
    """Say whether a regular file holds exactly these bytes."""
    try:
        return read(path, len(data)) == data
    except OSError:
        return False


def sha256(data: bytes) -> str:
    """Return the SHA-256 of some bytes in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def shown(name: str) -> str:
    """Return a stranger's file name as it may stand in a sentence: one line, printable, not too long."""
    name = name if name.isprintable() else ascii(name)
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
