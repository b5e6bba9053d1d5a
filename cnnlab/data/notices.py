"""Notices of a download to the student, on stderr."""

from __future__ import annotations

import sys
from urllib.parse import urlsplit

from cnnlab.data.cache import folder
from cnnlab.data.remote import Remote

USUAL = 10e6 / 8  # bytes per second, for the estimate before a transfer has a speed of its own


def say(line: str) -> None:
    """Print a line for the person who waits, to stderr."""
    print(line, file=sys.stderr, flush=True)


def amount(size: float) -> str:
    """Write a number of bytes for people: 26.4 MB."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def announce(remote: Remote, url: str, have: int) -> None:
    """Say before a transfer starts how much comes, from where, to where and about how long it takes.

    Args:
        remote: the file.
        url: the mirror it comes from.
        have: bytes that are here already.
    """
    total = amount(remote.size) if remote.digest else f"about {amount(remote.size)}"
    rest = f"the rest of {total} after {amount(have)}" if have else total
    seconds = max(remote.size - have, 0) / USUAL
    time = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
    say(f"{remote.title}: {rest} from {urlsplit(url).netloc} to {folder()}, about {time} at 10 Mbit/s")
