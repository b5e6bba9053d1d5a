"""A file on the network: its mirrors, and how to tell that the bytes that came are that file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnlab.data.errors import WrongContent


@dataclass(frozen=True)
class Remote:
    """A file on the network, and its mirrors.

    Args:
        title: the name that the user is told.
        name: its place in the cache, folder/file.
        urls: the mirrors, tried in order.
        size: bytes, exact where a digest is known.
        digest: "sha256:...", or None where the server makes the file anew each time.
        check: reads a file without a digest, and raises ValueError for a broken one.
        room: bytes needed on the disk besides.
    """

    title: str
    name: str
    urls: tuple[str, ...]
    size: int
    digest: str | None
    check: Callable[[Path], None] | None = None
    room: int = 0


def verify(remote: Remote, path: Path) -> None:
    """Raise WrongContent unless the file at path has the known digest or passes its own check."""
    from pooch.hashes import hash_matches

    try:
        if not hash_matches(str(path), remote.digest):
            raise WrongContent("what it sent has another checksum")
        if remote.check:
            remote.check(path)
    except ValueError as error:
        raise WrongContent(str(error)) from error
