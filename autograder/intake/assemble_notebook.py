"""Assemble the notebook that is graded: the lesson's cells, with the student's text in them and code between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.intake.place_code import TOP, Placement
from autograder.intake.pristine_lesson import LessonCell, PristineLesson
from autograder.intake.read_notebook import StudentCell

WRITTEN_BY_STUDENTS = ("exercise", "question", "extra")  # roles


def assemble_notebook(
    lesson: PristineLesson,
    sources: Mapping[int, str],
    placement: Placement,
    later: Mapping[str, StudentCell],
) -> NotebookNode:
    """Assemble a notebook that shares with the lesson what is deeper than a cell's metadata.

    Args:
        lesson: where the cells come from.
        sources: index of a lesson's cell -> the text that it holds instead of its own.
        placement: the student's other code.
        later: Exercise -> the cell below its check that answers it anew; its note says so.
    """
    cells: list[NotebookNode] = []
    extra_count = 0

    def add_extra(student_cells: Iterable[StudentCell]) -> None:
        nonlocal extra_count
        for cell in student_cells:
            extra_count += 1
            about: dict[str, Any] = {"cnnlab": {"role": "extra", "name": ""}}
            if again := [name for name, one in later.items() if one is cell]:
                about["cnnlab"] |= {"answers": again, "number": cell.number}
            cells.append(nbformat.v4.new_code_cell(cell.source, id=f"extra-{extra_count:02}", metadata=about))

    add_extra(placement.after.get(TOP, ()))
    for cell in lesson.cells:
        add_extra(placement.before.get(cell.index, ()))
        cells.append(_filled(cell, sources.get(cell.index, cell.node["source"])))
        add_extra(placement.after.get(cell.index, ()))
    notebook = _node({**lesson.notebook, "cells": cells, "metadata": _node({**lesson.notebook.metadata})})
    # The others are the lesson's, which were valid before.
    written = [cell for cell in cells if cell["metadata"]["cnnlab"]["role"] in WRITTEN_BY_STUDENTS]
    nbformat.validate(_node({**notebook, "cells": written}))
    return notebook


def _filled(cell: LessonCell, source: str) -> NotebookNode:
    about = _node({"role": cell.role, "name": cell.name})
    metadata = _node({**cell.node["metadata"], "cnnlab": about})
    outputs: dict[str, object] = {"outputs": []} if cell.node["cell_type"] == "code" else {}
    return _node({**cell.node, "source": source, "metadata": metadata, **outputs})


def _node(fields: Mapping[str, object]) -> NotebookNode:
    # Not by its constructor, which would copy every value once more.
    node = NotebookNode()
    dict.update(node, fields)
    return node
