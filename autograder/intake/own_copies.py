"""The learner's own copies of the lessons, in my_course/: made once and never overwritten, so that nobody edits notebooks/.

A lesson that is released anew comes to lie beside the copy, with the answers of the copy in it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder import files, notebook_io
from autograder.authoring.released_lessons import released
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.intake.errors import UnusableFile
from autograder.intake.graft import graft
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.read_notebook import read_notebook_here

FOLDER = "my_course"
LIBRARY = "my_cnnlab"
NOTED = ".released.json"  # lesson -> the digest of the release that was brought in last
MAX_BYTES = 256 << 20  # of a learner's notebook, outputs included


def bring_lessons(course: Course) -> list[str]:
    """Bring every lesson into my_course/ that is not there as it is released now; return a sentence for each file written.

    Answers that were saved in notebooks/ go along, and so does the library beside them.

    Raises:
        CourseError: where a lesson cannot be built or a file not be written.
    """
    home = course.root / FOLDER
    noted, said = _noted(home), []
    try:
        library = course.root / "notebooks" / LIBRARY
        if library.is_dir() and not (home / LIBRARY).exists():
            shutil.copytree(library, home / LIBRARY)
            said.append(f"{FOLDER}/{LIBRARY} is a copy of notebooks/{LIBRARY}.")
        for lesson in (one for assignment in course.assignments() for one in course.lessons(assignment)):
            sentence = _bring(course, lesson, noted.get(f"{lesson.assignment}/{lesson.name}", ""))
            if sentence:
                said.append(sentence)
                noted[f"{lesson.assignment}/{lesson.name}"] = released(course, lesson).digest
                files.write(home / NOTED, json.dumps(noted, indent=1).encode())
    except OSError as error:
        raise CourseError(f"{error.filename or home} cannot be written: {error.strerror}.") from error
    return said


def own_copy(course: Course, lesson: Lesson) -> Path:
    """Return the path of the learner's copy of a lesson: of several the one that was brought in last."""
    first = course.root / FOLDER / lesson.assignment / f"{lesson.name}.ipynb"
    last = first
    for number in range(2, 1000):
        path = first.with_name(f"{lesson.name} ({number}).ipynb")
        if not path.exists():
            break
        last = path
    return last


def _bring(course: Course, lesson: Lesson, noted: str) -> str:
    """Bring a lesson in where it is not there as released now; return what was done, "" for nothing."""
    release, copy = released(course, lesson), own_copy(course, lesson)
    if not copy.exists():
        saved = _read(course.student_notebook(lesson))
        data, carried = _with_answers(course, lesson, saved)
        files.write(copy, data)
        return f"{_shown(course, copy)} is new{', with what was saved in notebooks/' if carried else ''}."
    if noted == release.digest:
        return ""
    before = _read(copy)
    data, carried = _with_answers(course, lesson, before)
    if files.sha256(before) == noted:  # nothing was ever saved in it
        files.write(copy, data)
        return f"{_shown(course, copy)} is the lesson as it is now; nothing was written in it yet."
    new = copy.with_name(f"{lesson.name} ({_number(copy) + 1}).ipynb")
    files.write(new, data)
    what = "with your answers in it" if carried else "without your answers, which could not be read"
    return f"The lesson changed: {_shown(course, new)} is the new one, {what}; {copy.name} stays as it is."


def _with_answers(course: Course, lesson: Lesson, written: bytes) -> tuple[bytes, bool]:
    """Return the lesson as it is released now with the answers and the code of a notebook, and whether there were any."""
    release = released(course, lesson)
    plain = files.read(release.path, MAX_BYTES)
    if not written or files.sha256(written) == release.digest:
        return plain, False
    try:
        grafted = graft(load_pristine_lesson(course, lesson), read_notebook_here(written), fenced=False)
    except UnusableFile:
        return plain, False
    return notebook_io.writes(_as_released(grafted.notebook)).encode(), True


def _as_released(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook without what intake notes in its cells."""
    cells = []
    for cell in notebook["cells"]:
        kept = NotebookNode(cell)
        kept["metadata"] = NotebookNode(
            {key: value for key, value in cell["metadata"].items() if key != "cnnlab"}
        )
        cells.append(kept)
    return NotebookNode({**notebook, "cells": cells})


def _number(copy: Path) -> int:
    stem = copy.stem
    return int(stem.rpartition("(")[2].rstrip(")")) if stem.endswith(")") else 1


def _noted(home: Path) -> dict[str, str]:
    try:
        found = json.loads(files.read(home / NOTED, MAX_BYTES))
        return {str(name): str(digest) for name, digest in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _read(path: Path) -> bytes:
    try:
        return files.read(path, MAX_BYTES)
    except FileNotFoundError:
        return b""


def _shown(course: Course, path: Path) -> str:
    return str(path.relative_to(course.root))
