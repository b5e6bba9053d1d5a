"""The record of measurements, one JSON line for each, so that a benchmark resumes where it was stopped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnlab.train.recipes import Setting

Measured = dict[str, Any]
KEYS = ("kind", "network", "setting", "seed", "device", "torch")  # the same values: the same measurement


class Record:
    """The measurements in one file; two with the same values of `KEYS` are the same measurement."""

    def __init__(self, path: Path) -> None:
        """Read the file, leaving out a last line that was not written whole."""
        self.path = path
        self.lines = read(path) if path.exists() else []

    def find(self, **wanted: Any) -> Measured | None:
        """Return the last measurement with these values of `KEYS`, None where there is none."""
        for line in reversed(self.lines):
            if all(line.get(key) == wanted[key] for key in KEYS if key in wanted):
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


def read(path: Path) -> list[Measured]:
    """Return the measurements in a file, without lines that were not written whole."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and all(key in line for key in KEYS):
            lines.append(line)
    return lines


def distinct(lines: Iterable[Measured]) -> list[Measured]:
    """Return each measurement once: of equal ones the last."""
    return list({tuple(line.get(key) for key in KEYS): line for line in lines}.values())


def digest(setting: Setting) -> str:
    """Return a short hash of a setting, which changes with anything in it."""
    return hashlib.sha256(repr(setting).encode()).hexdigest()[:12]
