"""Reads intake's notes in the cells of a notebook that it wrote: each cell's role and the exercise that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nbformat.notebooknode import NotebookNode

RUN_ROLES = ("given", "exercise", "extra")  # of the cells that are run when a notebook is judged
MAX_LENT = 2 << 20  # characters of one notebook; an honest one has some ten thousand
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def role(cell: NotebookNode) -> str:
    """Return a cell's role by intake's note, "" where there is no note."""
    return cell["metadata"].get("cnnlab", {}).get("role", "")  # an attribute takes ten times as long


def exercise(cell: NotebookNode) -> str:
    """Return the name of the Exercise that a cell answers or checks, "" where there is none."""
    return cell["metadata"].get("cnnlab", {}).get("name", "")


def later_answers(notebook: NotebookNode) -> dict[str, tuple[int, NotebookNode]]:
    """Return the cells below a check that answer its Exercise anew: Exercise -> the student's number of the cell, and it."""
    found = {}
    for cell in notebook.cells:
        about = cell["metadata"].get("cnnlab", {})
        for name in about.get("answers", ()):
            found[name] = about["number"], cell
    return found


def answers(notebook: NotebookNode) -> dict[str, str]:
    """Return the source of each Exercise's cell."""
    return {exercise(cell): cell.source for cell in notebook.cells if role(cell) == "exercise"}


def is_defined_below_check(notebook: NotebookNode, checked: str, name: str) -> bool:
    """Say whether a code cell below the check of an Exercise defines a name, as far as the starts of lines show."""
    definition = re.compile(
        rf"^(?:(?:async )?(?:def|class) +{name}\b|{name} *(?::[^=\n]*)?=(?!=))", re.MULTILINE
    )
    cells = iter(notebook.cells)
    for cell in cells:
        if role(cell) == "check" and exercise(cell) == checked:
            break
    return any(cell["cell_type"] == "code" and definition.search(cell["source"]) for cell in cells)


def sources(notebook: NotebookNode) -> tuple[str, ...]:
    """Return the text of the cells that are run when a notebook is judged, in order, as far as they can be lent."""
    texts, room = [], MAX_LENT
    for cell in notebook.cells:
        if cell["cell_type"] == "code" and role(cell) in RUN_ROLES and len(cell["source"]) <= room:
            texts.append(cell["source"])
            room -= len(cell["source"]) + 1
    return tuple(texts)


def identifiers(texts: Iterable[str]) -> set[str]:
    """Return all words in some cells' sources that could be a name."""
    return {word for text in texts for word in IDENTIFIER.findall(text)}
