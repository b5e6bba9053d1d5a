"""Reads and writes whole messages on descriptors."""

from __future__ import annotations

import os
import select
import time

from .agreed import MAX_RESULT, MIB


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_until_closed(descriptor: int, deadline: float) -> tuple[bytes, str]:
    """Read until the other side closes; return the bytes and why reading ended: "closed", "late" or "flood"."""
    pieces: list[bytes] = []
    size = 0
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"".join(pieces), "late"
        piece = os.read(descriptor, MIB)
        if not piece:
            return b"".join(pieces), "closed"
        size += len(piece)
        if size > MAX_RESULT:
            return b"".join(pieces), "flood"
        pieces.append(piece)
