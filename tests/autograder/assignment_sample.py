"""What the tests of whole assignments share: what lies beside the notebooks, and grading by plain nbgrader."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from autograder.recording import gradebook
from autograder.sample import save

EXERCISES = Path(__file__).resolve().parents[2] / "autograder" / "exercises"
NBGRADER = Path(sys.executable).with_name("nbgrader")


def lessons_of(assignment: str) -> list[Lesson]:
    """Return the lessons of an assignment, in order."""
    return [lesson for lesson in all_lessons() if lesson.assignment == assignment]


def trained(lessons: Sequence[Lesson]) -> dict[str, bytes]:
    """Return the trained weights that these lessons ask for, as their solutions make them: file name -> bytes."""
    found = {name: list(EXERCISES.glob(f"*/{name}")) for lesson in lessons for name in lesson.files}
    assert all(len(paths) == 1 for paths in found.values()), found
    return {name: paths[0].read_bytes() for name, paths in found.items()}


def hand_in(
    folder: Path,
    student: str,
    notebooks: Mapping[str, NotebookNode],
    files: Mapping[str, bytes] | None = None,
) -> None:
    """Write a submission as it comes in: lesson -> notebook, and what lies beside them."""
    for name, notebook in notebooks.items():
        save(notebook, folder / student / f"{name}.ipynb")
    for name, data in (files or {}).items():
        (folder / student / name).write_bytes(data)


def points(course: Course, assignment: str, students: Sequence[str]) -> dict[tuple[str, str], float]:
    """Return what the gradebook holds for these students: (student, exercise) -> points."""
    return {
        (g.student, g.exercise): g.auto
        for g in gradebook.grades(course, assignment)
        if g.student in students and g.auto is not None
    }


def by_plain_nbgrader(
    course: Course, assignment: str, students: Sequence[str], folder: Path
) -> dict[tuple[str, str], float]:
    """Grade the raw submissions of `course` again by `nbgrader autograde`, in a work folder of its own; return the points.

    Skips the test where nbgrader is not installed beside this Python.
    """
    if not NBGRADER.exists():
        pytest.skip("nbgrader is not installed beside this Python")
    work = folder / "work"
    for student in students:
        source, target = course.raw / student / assignment, work / "submitted" / student / assignment
        target.mkdir(parents=True)
        for path in source.iterdir():
            (target / path.name).write_bytes(path.read_bytes())
    (work / "secret").write_bytes((course.work / "secret").read_bytes())
    done = subprocess.run(
        [str(NBGRADER), "autograde", assignment],
        cwd=course.root,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "CNNLAB_WORK": str(work),
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return points(Course(course.root, work), assignment, students)
