"""A small lesson to grade, in a course of its own in a temporary folder: for the tests of the gradebook."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder import build
from autograder.course import Course
from autograder.exercise import Case, Exercise, Lesson, lesson
from autograder.script import read
from autograder.settings import release
from autograder.verdict import CaseVerdict, Verdict

ASSIGNMENT, NAME = "1_layers", "01_doubling"

SCRIPT = '''# %% [markdown]
# # Doubling
#
# {badge} {points} points.

# %%
from cnnlab import answer, check

# %% exercise="double"
@answer
def double(x):
    """Return x twice."""
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION

# %% check="double"
check(double)

# %% [markdown] question="why" points=4
# Why is this linear?
#
# BEGIN SOLUTION
# Because 2(x + y) = 2x + 2y.
# END SOLUTION
'''

HALVE = '''
# %% exercise="halve"
@answer
def halve(x):
    """Return half of x."""
    # BEGIN SOLUTION
    return x / 2
    # END SOLUTION

# %% check="halve"
check(halve)
'''


@dataclass(frozen=True)
class SampleCourse(Course):
    """A course that holds what it is given, instead of what autograder/exercises declares."""

    declared: tuple[Lesson, ...] = ()

    def lessons(self, assignment: str) -> list[Lesson]:
        return [lesson for lesson in self.declared if lesson.assignment == assignment]


@dataclass(frozen=True)
class Judged:
    """The shape of a Judgement."""

    verdicts: dict[str, Verdict]
    printed: dict[int, str]
    flags: tuple[str, ...] = ()
    seconds: float = 0.0


def exercise(name: str, points: dict[str, float]) -> Exercise:
    cases = [Case(f"{group} numbers", group=group, x=1.0) for group in points]
    return Exercise(name, ("y",), lambda x: x, cases, cases, points)


def course(
    folder: Path, points: dict[str, float] | None = None, *, halve: bool = False, name: str = NAME
) -> SampleCourse:
    """Write the sample lesson below `folder` and return its course."""
    exercises = [exercise("double", points or {"small": 1.0, "large": 2.0})]
    if halve:
        exercises.append(exercise("halve", {"all": 5.0}))
    made = lesson(f"{ASSIGNMENT}/{name}", exercises, without=(), questions={"why": 4.0})
    script = folder / "solutions" / ASSIGNMENT / f"{name}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(SCRIPT + (HALVE if halve else ""))
    (folder / "pyproject.toml").write_text('[tool.cnnlab]\nrepo = "cnnlab/cnnlab"\nref = "main"\n')
    return SampleCourse(folder, folder / "work", (made,))


def released(course: Course) -> NotebookNode:
    """Return the lesson as intake would hand it on, with nothing written yet."""
    declared = course.lessons(ASSIGNMENT)[0]
    script = read(declared, course.script(declared))
    notebook = build.student_notebook(script, release(course.root / "pyproject.toml"))
    for node, cell in zip(notebook.cells, script.cells, strict=True):
        node.metadata["cnnlab"] = {"role": cell.role, "name": cell.name}
    return notebook


def release_notebook(course: Course) -> None:
    """Write the notebook that students open, for intake."""
    build.write_notebook(released(course), course.released(course.lessons(ASSIGNMENT)[0]))


def submit(
    course: Course,
    student: str,
    code: str = "def double(x):\n    return 2 * x",
    why: str = "",
    extra: str = "",
) -> NotebookNode:
    """Put a notebook as intake writes it into work/submitted."""
    notebook = released(course)
    for cell in notebook.cells:
        if cell.metadata.cnnlab.role == "exercise":
            cell.source = code
        elif cell.metadata.cnnlab.role == "question" and why:
            cell.source = why
    if extra:
        cell = nbformat.v4.new_code_cell(extra, id="extra")
        cell.metadata["cnnlab"] = {"role": "extra", "name": ""}
        notebook.cells.insert(2, cell)
    path = course.submitted / student / ASSIGNMENT / f"{course.lessons(ASSIGNMENT)[0].name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return notebook


def verdict(points: float, total: float = 3.0, **fields: Any) -> Verdict:
    """Return a Verdict of the exercise `double`."""
    cases = (
        CaseVerdict("small numbers", "small", points >= 1, "y has wrong values"),
        CaseVerdict("large numbers", "large", points >= 3, "y has the wrong shape"),
    )
    groups = {"small": (min(points, 1.0), 1.0), "large": (max(points - 1.0, 0.0), total - 1.0)}
    status = "passed" if points == total else "failed"
    return replace(Verdict("double", points, total, status, groups, cases), **fields)
