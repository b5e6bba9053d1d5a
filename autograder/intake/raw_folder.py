"""Keep what a student handed in: byte for byte in work/raw/, and nothing of it is ever overwritten."""

from __future__ import annotations

import os
from pathlib import Path

from autograder import files
from autograder.files import Entry, is_same


def keep(data: bytes, name: str, raw: Path) -> None:
    """Write a file's bytes into the raw folder; an earlier file of that name is set aside.

    Args:
        data: the file's bytes.
        name: its name.
        raw: the student's folder in work/raw/.
    """
    place = raw / name
    if os.path.lexists(place):
        if is_same(place, data):
            return
        set_aside(place, raw)
    files.write(place, data)


def put_away(entry: Entry, raw: Path) -> None:
    """Move an entry out of its folder into the raw folder; a link or special file holds nothing and is
    removed.
    """
    if entry.kind not in ("file", "folder"):
        entry.path.unlink()
        return
    place = raw / entry.name
    raw.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(place):
        if entry.kind == "file" and _same_files(entry, place):
            entry.path.unlink()
            return
        set_aside(place, raw)
    os.rename(entry.path, place)


def set_aside(place: Path, raw: Path) -> None:
    """Move something out of the raw folder to `<raw>.earlier/<number>/`."""
    earlier = raw.with_name(f"{raw.name}.earlier")
    number = 1
    while os.path.lexists(earlier / str(number) / place.name):
        number += 1
    (earlier / str(number)).mkdir(parents=True, exist_ok=True)
    os.rename(place, earlier / str(number) / place.name)


def _same_files(entry: Entry, other: Path) -> bool:
    try:
        if other.lstat().st_size != entry.size:
            return False
        return is_same(other, files.read(entry.path, entry.size))
    except (OSError, MemoryError):
        return False
