"""The journal: append-only JSON lines of every Judgement, for resuming, replaying and not judging twice."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

from autograder.course import CourseError


class Journal:
    """The lines of one file, by key; the last line of a key counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, dict[str, Any]] = {}
        self._read_to = 0

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the last entry of `key`, or None."""
        self._catch_up()
        return self._known.get(key)

    def add(self, key: str, entry: dict[str, Any]) -> None:
        """Append an entry in one write; raise CourseError where the file cannot be written."""
        line = json.dumps({"key": key, **entry}, sort_keys=True) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if file.tell() and not _ends_with_newline(file):
                    line = "\n" + line  # the line before was cut short by a crash
                file.write(line.encode())
        except OSError as error:
            raise CourseError(f"{self.path} cannot be written: {error.strerror}.") from error

    def _catch_up(self) -> None:
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # somebody is still writing it, or was cut short
                self._read_to += len(line)
                try:
                    entry = json.loads(line)
                    self._known[entry["key"]] = entry
                except (ValueError, KeyError, TypeError):
                    continue


def _ends_with_newline(file: Any) -> bool:
    file.seek(-1, 2)
    return file.read(1) == b"\n"
