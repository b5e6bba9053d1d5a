"""Reads and writes a journal: a file of JSON lines by key that only grows.

Journals serve to resume a run, to replay it, and to prove what was recorded. Memory holds only the place of each
line: an entry is read from the file when it is asked for.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from autograder.course import CourseError

KEY_FIRST = re.compile(rb'\{"key": "([^"\\]*)"[,}]')


class Journal:
    """The entries of one file, by key; of several lines with one key the last whole one counts.

    Any number of threads and processes may read and add at the same time. A line is passed over if a crash cut it
    short, or if it is no entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._forget()

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the last entry of a key, or None where it has none.

        Raises:
            CourseError: where the file cannot be read.
        """
        with self._lock:
            try:
                with self.path.open("rb") as file:
                    self._catch_up(file)
                    return self._last(file, key)
            except FileNotFoundError:
                self._forget()
                return None
            except OSError as error:
                raise CourseError(f"{self.path} cannot be read: {error.strerror}.") from error

    def keys(self) -> list[str]:
        """Return the keys of all lines, in the order of their first lines."""
        self.find("")
        with self._lock:
            return list(self._places)

    def entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each key with its last entry; one entry is in memory at a time."""
        for key in self.keys():
            entry = self.find(key)
            if entry is not None:
                yield key, entry

    def add(self, key: str, entry: Mapping[str, object]) -> None:
        """Append an entry as one line.

        Raises:
            CourseError: where the file cannot be written.
        """
        self.add_all([(key, entry)])

    def add_all(self, entries: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Append entries in one write, each as one line.

        Raises:
            CourseError: where the file cannot be written.
        """
        text = "".join(_line(key, entry) for key, entry in entries)
        if not text:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
                if file.tell() and not _ends_with_newline(file):
                    text = "\n" + text  # the line before was cut short by a crash
                file.write(text.encode())
        except OSError as error:
            raise CourseError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _forget(self) -> None:
        self._places: dict[str, array[int]] = {}  # key -> where each of its lines begins
        self._read_to = 0
        self._inode = 0

    def _catch_up(self, file: BinaryIO) -> None:
        """Note where the lines are that were added since the last look."""
        state = os.fstat(file.fileno())
        if state.st_ino != self._inode or state.st_size < self._read_to:  # another file, or cut
            self._forget()
            self._inode = state.st_ino
        file.seek(self._read_to)
        for line in file:
            if not line.endswith(b"\n"):
                break  # somebody is still writing it, or was cut short
            key = _key_of(line)
            if key is not None:
                self._places.setdefault(key, array("q")).append(self._read_to)
            self._read_to += len(line)

    def _last(self, file: BinaryIO, key: str) -> dict[str, Any] | None:
        for place in reversed(self._places.get(key, ())):
            file.seek(place)
            entry = _entry(file.readline())
            if entry is not None and entry["key"] == key:
                return entry
        return None


def _line(key: str, entry: Mapping[str, object]) -> str:
    # The key comes first, so that a reader finds it without reading the whole line as JSON.
    return json.dumps({"key": key, **{name: entry[name] for name in sorted(entry) if name != "key"}}) + "\n"


def _key_of(line: bytes) -> str | None:
    found = KEY_FIRST.match(line)
    if found:
        return found[1].decode("utf-8", "replace")
    entry = _entry(line)
    return None if entry is None else entry["key"]


def _entry(line: bytes) -> dict[str, Any] | None:
    """Return the entry that a line holds, or None where it holds none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("key"), str) else None


def _ends_with_newline(file: BinaryIO) -> bool:
    file.seek(-1, 2)
    return file.read(1) == b"\n"
