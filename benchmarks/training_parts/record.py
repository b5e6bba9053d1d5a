"""The record of measurements, one JSON line for each run, so that a benchmark resumes where it was stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Measured = dict[str, Any]


class Record:
    """The measurements in one file; two with the same values of `keys` are the same measurement."""

    keys = ("kind", "network", "setting", "seed", "device", "torch")

    def __init__(self, path: Path) -> None:
        """Read the file, leaving out a last line that was not written whole."""
        self.path = path
        self.lines: list[Measured] = []
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    continue

    def find(self, **wanted: Any) -> Measured | None:
        """Return the last measurement with these values of `keys`, None where there is none."""
        for line in reversed(self.lines):
            if all(line.get(key) == wanted[key] for key in self.keys if key in wanted):
                return line
        return None

    def add(self, measured: Measured) -> None:
        """Append one measurement and flush it to the disk."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(measured) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(measured)
