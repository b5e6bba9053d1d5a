"""What was measured, a JSON line for each run, so that a benchmark goes on where it was stopped."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

Measured = dict[str, Any]


class Record:
    """The lines of one file; `keys` are what makes two measurements the same one."""

    keys = ("kind", "network", "setting", "seed", "device", "torch")

    def __init__(self, path: Path) -> None:
        """Read what is there; a last line that was not written whole is left out."""
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
        """Append one measurement, and have it on the disk before going on."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + json.dumps(measured) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(measured)
