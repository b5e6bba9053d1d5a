"""Lists the cells that nbgrader is to know of an assignment, and writes work/source/, from which nbgrader releases them.

Nothing here looks into the gradebook, so that workers need not load what reads it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from autograder import files, notebook_io
from autograder.authoring.released_lessons import built, stamp
from autograder.course import Course
from autograder.exercise import Lesson

CHECK = "_check"
Rows = dict[str, dict[tuple[str, str], tuple[Any, ...]]]


def exercise_of(grade_id: str) -> str:
    """Return the name of the Exercise or question that a graded cell stands for."""
    return grade_id.removesuffix(CHECK)


def released(course: Course, assignment: str) -> Rows:
    """Return the cells of an assignment as `sync` registered them, without looking into the gradebook.

    So many processes can write graded notebooks while one writes the gradebook.
    """
    path = _released_file(course, assignment)
    try:
        state = path.stat()
    except FileNotFoundError:
        return _rows_of({one.name: built(course, one)[1] for one in course.lessons(assignment)})
    return _read_released(path, state.st_mtime_ns, state.st_size)[1]


def current(course: Course, assignment: str, lessons: Sequence[Lesson]) -> Rows:
    """Return the cells of the lessons as they are now, and write the lessons to work/source/ if it does not hold them.

    The cells are kept in a file: building an assignment takes half a second, and reading the file a hundredth of
    that.

    Args:
        course: the course.
        assignment: the assignment.
        lessons: the assignment's lessons.
    """
    path, now = _released_file(course, assignment), _stamp(course, lessons)
    sources = {lesson.name: course.source / assignment / f"{lesson.name}.ipynb" for lesson in lessons}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        state = path.stat()
        known, rows, digests = _read_released(path, state.st_mtime_ns, state.st_size)
        if known == now and all(_digest(sources[name]) == digest for name, digest in digests.items()):
            return rows
    both = {lesson.name: built(course, lesson) for lesson in lessons}
    for name, (source, _) in both.items():
        _write(notebook_io.writes(source), sources[name])
    rows = _rows_of({name: student for name, (_, student) in both.items()})
    flat = {kind: [[*key, *values] for key, values in of_kind.items()] for kind, of_kind in rows.items()}
    digests = {name: _digest(source) for name, source in sources.items()}
    _write(json.dumps({"stamp": now, "rows": flat, "sources": digests}) + "\n", path)
    return rows


def _released_file(course: Course, assignment: str) -> Path:
    return course.work / "registered" / f"{assignment}.json"


@cache
def _read_released(path: Path, modified: int, size: int) -> tuple[str, Rows, dict[str, str]]:
    """Read the file that `current` wrote; a changed file has another `modified` or `size`, and is read again."""
    said = json.loads(path.read_bytes())
    rows: Rows = {
        kind: {(row[0], row[1]): tuple(row[2:]) for row in flat} for kind, flat in said["rows"].items()
    }
    return said["stamp"], rows, said["sources"]


def _stamp(course: Course, lessons: Sequence[Lesson]) -> str:
    """Return a hash of all that decides the lessons' notebooks and how they are registered."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for lesson in lessons:
        digest.update(stamp(course, lesson).encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    """Return the hash of a file, "" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _write(text: str, path: Path) -> None:
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    files.write(path, text.encode("utf-8"))


def _rows_of(notebooks: dict[str, NotebookNode]) -> Rows:
    """Return what nbgrader's SaveCells would store of the released notebooks.

    Keys are (lesson, cell name). The source and the checksum are those of the released notebook, without the
    solution: by the checksum nbgrader recognises an answer that was never written, and the source overwrites checks
    that a student changed.
    """
    rows: Rows = {"notebooks": {}, "grade": {}, "solution": {}, "source": {}}
    for lesson, notebook in notebooks.items():
        rows["notebooks"][lesson, ""] = (json.dumps(notebook.metadata.kernelspec),)
        for cell in notebook.cells:
            if "nbgrader" not in cell.metadata:
                continue
            data = cell.metadata.nbgrader
            key = (lesson, data.grade_id)
            if utils.is_grade(cell):
                rows["grade"][key] = (float(data.points), cell.cell_type)
            if utils.is_solution(cell):
                rows["solution"][key] = ()
            rows["source"][key] = (cell.cell_type, utils.is_locked(cell), cell.source, data.checksum)
    return rows
