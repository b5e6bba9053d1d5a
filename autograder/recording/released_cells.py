"""Lists the cells that nbgrader is to know of an assignment, and writes work/source/, from which nbgrader releases them.

Nothing here looks into the gradebook, so that workers need not load what reads it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from autograder import files, notebook_io
from autograder.authoring import frame, notebooks
from autograder.authoring.release import release
from autograder.authoring.script import read
from autograder.course import CHECKOUT, Course, CourseError
from autograder.exercise import Lesson

CHECK = "_check"
# What decides how a lesson is built and registered.
BUILDERS = (
    "authoring/build.py",
    "authoring/cover.py",
    "authoring/frame.py",
    "authoring/notebooks.py",
    "authoring/release.py",
    "authoring/script.py",
    "recording/released_cells.py",
)


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
        notebooks = _built(course, course.lessons(assignment))
        return _rows_of({name: student for name, (_, student) in notebooks.items()})
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
    path, stamp = _released_file(course, assignment), _stamp(course, lessons)
    sources = {lesson.name: course.source / assignment / f"{lesson.name}.ipynb" for lesson in lessons}
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        state = path.stat()
        known, rows, digests = _read_released(path, state.st_mtime_ns, state.st_size)
        if known == stamp and all(_digest(sources[name]) == digest for name, digest in digests.items()):
            return rows
    notebooks = _built(course, lessons)
    for name, (source, _) in notebooks.items():
        _write(notebook_io.writes(source), sources[name])
    rows = _rows_of({name: student for name, (_, student) in notebooks.items()})
    flat = {kind: [[*key, *values] for key, values in of_kind.items()] for kind, of_kind in rows.items()}
    digests = {name: _digest(source) for name, source in sources.items()}
    _write(json.dumps({"stamp": stamp, "rows": flat, "sources": digests}) + "\n", path)
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
    """Return a hash of all that decides the lessons' notebooks."""
    digest = hashlib.sha256(_builder().encode())
    digest.update(repr(release(course.root / "pyproject.toml")).encode())
    for lesson in lessons:
        points = [(e.name, e.total) for e in lesson.exercises.values()]
        digest.update(repr((lesson.name, points, dict(lesson.questions))).encode())
        digest.update(_script(course, lesson))
        picture = course.script(lesson).with_suffix(".png")
        digest.update(picture.read_bytes() if picture.exists() else b"")
        if after := frame.following(lesson):  # its title stands in this one's last cell
            digest.update(_script(course, after))
    return digest.hexdigest()


@cache
def _builder() -> str:
    digest = hashlib.sha256()
    for name in BUILDERS:
        digest.update((CHECKOUT / "autograder" / name).read_bytes())
    return digest.hexdigest() + " ".join(version(name) for name in ("nbgrader", "nbformat", "jupytext"))


def _script(course: Course, lesson: Lesson) -> bytes:
    path = course.script(lesson)
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error


def _digest(path: Path) -> str:
    """Return the hash of a file, "" where there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def _built(course: Course, lessons: Sequence[Lesson]) -> dict[str, tuple[NotebookNode, NotebookNode]]:
    """Return lesson name -> (source notebook, student notebook), and build them only when the files changed."""
    where = release(course.root / "pyproject.toml")
    built = {}
    for lesson in lessons:
        path, text = course.script(lesson), _script(course, lesson)
        points = [(e.name, e.total) for e in lesson.exercises.values()]
        stamp = (text, where, points, dict(lesson.questions))
        if path not in _known or _known[path][0] != stamp:
            script = read(lesson, path)
            both = (notebooks.source_notebook(script, where), notebooks.student_notebook(script, where))
            _known[path] = (stamp, both)
        built[lesson.name] = _known[path][1]
    return built


_known: dict[Path, tuple[Any, tuple[NotebookNode, NotebookNode]]] = {}


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
