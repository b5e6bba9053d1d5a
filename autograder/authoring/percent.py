"""Reads py:percent scripts: their cells, and the keys in each cell's marker."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.course import CourseError

MARKER = re.compile(r"^# %%")
# Keys that jupytext adds: the number of blank lines after the cell, and the text of a marker that it cannot read.
BLANK_LINES, UNREADABLE = "lines_to_next_cell", "incorrectly_encoded_metadata"


@dataclass(frozen=True)
class PercentCell:
    """One cell of a script.

    Args:
        kind: "code" or "markdown".
        source: the cell's text, without its marker.
        line: where the marker stands in the script, counted from 1.
        options: the marker's keys with their values.
    """

    kind: str
    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)


def percent_cells(path: Path) -> list[PercentCell]:
    """Read the cells of a script.

    Raises:
        CourseError: where a marker cannot be read; it names file and line.
    """
    import jupytext  # imported here, so that grading without a build starts sooner

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    lines = [i for i, line in enumerate(text.splitlines(), 1) if MARKER.match(line)]
    if not lines or lines[0] != 1:
        raise CourseError(f"{path}:1: a script begins with a cell marker, '# %% [markdown]'.")
    notebook = jupytext.reads(text, fmt="py:percent")
    if len(notebook.cells) != len(lines):
        raise CourseError(
            f"{path}: it has {len(lines)} cell markers but reads as {len(notebook.cells)} cells."
        )
    return [_cell(path, line, cell) for line, cell in zip(lines, notebook.cells, strict=True)]


def _cell(path: Path, line: int, cell: Any) -> PercentCell:
    options = {key: value for key, value in cell.metadata.items() if key != BLANK_LINES}
    if UNREADABLE in options:
        raise CourseError(
            f"{path}:{line}: the keys of a cell marker are written as JSON, "
            r'key="value" ["a", "b"], with \" for a quote and \\ for a backslash in a value; this one has '
            f"{options[UNREADABLE]}."
        )
    return PercentCell(cell.cell_type, cell.source, line, options)
