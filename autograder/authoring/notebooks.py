"""Turns the cells of an authored lesson into notebooks: for students, for nbgrader, and solved, to read."""

from __future__ import annotations

import copy
import re
from html import escape
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring import cover
from autograder.authoring.frame import BUILT, COVER, NEXT, built, next_lesson
from autograder.authoring.release import Release
from autograder.authoring.script import BEGIN, END, Cell, Script
from autograder.exercise import Lesson
from cnnlab.checking.speed import TASKS

STUB = "# Write your code here, in place of the next line.\nraise NotImplementedError"
TEXT_STUB = "Write your answer here."
SETUP_LINE = re.compile(r'^CNNLAB = ".*".*$', re.MULTILINE)
TITLE = "# @title "  # the line that Colab shows in place of a folded cell; the others show it as the cell's first line
TITLE_LINE = re.compile(rf"\A{re.escape(TITLE)}.*\n")
# JupyterLab and Notebook 7 read the first key, Colab the second. VS Code keeps what is folded apart from the file.
FOLDED = {"jupyter": {"source_hidden": True}, "cellView": "form"}


def student_notebook(script: Script, where: Release) -> NotebookNode:
    """Return the notebook that students open: solutions cut, checks locked, no outputs."""
    from nbconvert.exporters.exporter import ResourcesDict
    from nbgrader.preprocessors import ClearOutput, ClearSolutions, ComputeChecksums, LockCells

    notebook = source_notebook(script, where)
    clear = ClearSolutions(code_stub={"python": STUB}, text_stub=TEXT_STUB)
    for step in (LockCells(), clear, ClearOutput(), ComputeChecksums()):
        notebook, _ = step.preprocess(notebook, ResourcesDict())
    nbformat.validate(notebook)
    return notebook


def source_notebook(script: Script, where: Release) -> NotebookNode:
    """Return the lesson for nbgrader's source directory: solved, with solution regions and grading metadata."""
    folder = f"notebooks/{script.lesson.assignment}"
    notebook = _notebook(script, where, folder)
    for cell, node in zip(script.shown, notebook.cells, strict=True):
        node.metadata.update(_grading_metadata(script.lesson, cell))
    return notebook


def solved_notebook(script: Script, where: Release) -> NotebookNode:
    """Return the solved lesson to read and run: no marks of regions, no grading metadata, no outputs."""
    notebook = _notebook(script, where, f"solutions/{script.lesson.assignment}")
    for node in notebook.cells:
        kept = [line for line in node.source.split("\n") if BEGIN not in line and END not in line]
        node.source = "\n".join(kept)
    nbformat.validate(notebook)
    return notebook


def _notebook(script: Script, where: Release, folder: str) -> NotebookNode:
    lesson = script.lesson
    nodes = []
    for number, cell in enumerate(script.shown, 1):
        new: Any = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
        source = _folded(cell, _stamped(cell, script, where, folder))
        node = new(source, id=f"{lesson.name.replace('_', '-')}-{number:02}")
        if cell.role in ("show", "setup"):
            node.metadata.update({"tags": [cell.role], **copy.deepcopy(FOLDED)})
        elif cell.role == "check":
            node.metadata["tags"] = ["raises-exception"]  # so that Run All goes on after a red check
        nodes.append(node)
    notebook = nbformat.v4.new_notebook(cells=nodes)
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    return notebook


def _folded(cell: Cell, source: str) -> str:
    """Return a cell's text with the line that is left of it when it is folded."""
    if cell.role in ("show", "setup"):
        return f"{TITLE}{cell.name}\n{source}"
    if "optional" in cell.options:
        return _details(f"Optional: {cell.options['optional']}", source)
    if "asks" in cell.options:
        return f"**{cell.options['asks']}**\n\n{_details('Answer', source)}"
    return f"---\n\n{source}" if "pause" in cell.options else source


def _details(summary: str, source: str) -> str:
    # Without the empty lines what stands inside would not be read as Markdown.
    return f"<details><summary>{escape(summary)}</summary>\n\n{source}\n\n</details>"


def _stamped(cell: Cell, script: Script, where: Release, folder: str) -> str:
    """Return a cell's text with what the lesson's declaration says in its places."""
    lesson, source = script.lesson, cell.source
    total = lesson.total + sum(lesson.questions.values())
    badge = f"[Open in Colab]({where.colab(f'{folder}/{lesson.name}.ipynb')})"
    source = source.replace("{badge}", badge).replace("{points}", f"{total:g}")
    for name, exercise in lesson.exercises.items():
        source = source.replace(f"{{points:{name}}}", f"{exercise.total:g}")
        if exercise.way.speed:
            source = source.replace(f"{{at_most:{name}}}", f"{TASKS[exercise.way.speed].at_most:g}")
    for name, points in lesson.questions.items():
        source = source.replace(f"{{points:{name}}}", f"{points:g}")
    if cell.kind == "markdown":
        if COVER in source:
            source = source.replace(COVER, cover.markdown(script))
        if BUILT in source:
            source = source.replace(BUILT, built(script))
        if NEXT in source:
            source = source.replace(NEXT, next_lesson(script, where, folder.split("/")[0]))
    return SETUP_LINE.sub(f'CNNLAB = "{where.requirement}"', source)


def _grading_metadata(lesson: Lesson, cell: Cell) -> dict[str, Any]:
    if cell.role not in ("exercise", "check", "question"):
        return {}
    grade_id = f"{cell.name}_check" if cell.role == "check" else cell.name
    metadata: dict[str, Any] = {
        "grade": cell.role != "exercise",
        "grade_id": grade_id,
        "locked": cell.role == "check",
        "schema_version": 3,
        "solution": cell.role != "check",
        "task": False,
    }
    if cell.role == "check":
        metadata["points"] = lesson.exercises[cell.name].total
    elif cell.role == "question":
        metadata["points"] = lesson.questions[cell.name]
    return {"nbgrader": metadata}
