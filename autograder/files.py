"""Read and write files without following a link or trusting a name: a student's folder is a stranger's."""

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
DRAFT_BYTES = 8  # random bytes in the name of a file that is being written: no two are ever the same
MODE = 0o666  # of a new file, less what the umask takes


@dataclass(frozen=True)
class Entry:
    """One name in a folder, as lstat sees it.

    kind: "file", "link", "folder", "named pipe", "socket" or "device".
    size: bytes.
    modified: seconds since 1970.
    links: how many names the file has.
    target: where a link points, else "".
    inside: the name of the archive that it was taken out of, else "".
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
        """The name in its folder."""
        return self.path.name

    @property
    def handed_in(self) -> str:
        """The name of the file in the folder that this one came with."""
        return self.inside or self.name


def list_entries(folder: Path) -> Iterator[Entry]:
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


def read(path: Path, max_bytes: int) -> bytes:
    """Return a regular file's bytes, at most `max_bytes` + 1 of them; raise OSError for anything else.

    The one byte more tells the caller that the file is too large.
    """
    # O_NONBLOCK: opening a pipe that took the file's place would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path} is not a regular file")
        return file.read(max_bytes + 1)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, in place of what stands there; a link there is replaced, not followed."""
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write to; when all is written it takes the place of what stands at `path`, as with `write`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".cnnlab-{secrets.token_hex(DRAFT_BYTES)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE), "wb") as file:
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


def printable_name(name: str) -> str:
    """Return a stranger's file name as it may stand in a sentence: on one line, printable, not too long."""
    name = name if name.isprintable() else ascii(name)
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
