"""A small lesson to grade, in a course of its own in a temporary folder: for the tests of the gradebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring import build, notebooks
from autograder.authoring.release import release
from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import Case, Exercise, Lesson, lesson
from autograder.judging.judgement import Judgement
from autograder.verdict import CaseVerdict, Verdict

ASSIGNMENT, NAME = "1_layers", "01_doubling"
RIGHT = "def double(x):\n    return 2 * x"

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


def exercise(name: str, points: dict[str, float]) -> Exercise:
    """An Exercise that is never asked: the tests say what the judge found."""
    cases = [
        Case(f"{group} numbers", group=group, secret=secret, x=1.0)
        for group in points
        for secret in (False, True)
    ]
    return Exercise(name, ("y",), lambda x: x, cases, points)


def make_course(
    folder: Path, points: dict[str, float] | None = None, *, halve: bool = False, question: bool = True
) -> SampleCourse:
    """Write the sample lesson below `folder`, script and built notebook, and return its course."""
    exercises = [exercise("double", points or {"small": 1.0, "large": 2.0})]
    if halve:
        exercises.append(exercise("halve", {"all": 5.0}))
    made = lesson(f"{ASSIGNMENT}/{NAME}", exercises, questions={"why": 4.0} if question else {})
    course = SampleCourse(folder, folder / "work", (made,))
    (folder / "pyproject.toml").write_text('[tool.cnnlab]\nrepo = "cnnlab/cnnlab"\nref = "main"\n')
    script = SCRIPT if question else SCRIPT[: SCRIPT.index("# %% [markdown] question")]
    course.script(made).parent.mkdir(parents=True, exist_ok=True)
    course.script(made).write_text(script + (HALVE if halve else ""))
    build.write_notebook(released(course, bare=True), course.student_notebook(made))
    return course


def released(course: Course, *, bare: bool = False) -> NotebookNode:
    """Return the notebook that students open; with the roles that intake adds, unless bare."""
    declared = course.lessons(ASSIGNMENT)[0]
    script = read(declared, course.script(declared))
    notebook = notebooks.student_notebook(script, release(course.root / "pyproject.toml"))
    for node, cell in zip(notebook.cells, script.cells, strict=True):
        if not bare:
            node.metadata["cnnlab"] = {"role": cell.role, "name": cell.name}
    return notebook


def submit(course: Course, student: str, code: str = RIGHT, why: str = "", extra: str = "") -> NotebookNode:
    """Put a notebook as intake writes it into work/submitted; it is the same in the form that a student hands in."""
    notebook = released(course)
    for cell in notebook.cells:
        if cell.metadata.cnnlab.name == "double" and cell.metadata.cnnlab.role == "exercise":
            cell.source = code
        elif cell.metadata.cnnlab.role == "question" and why:
            cell.source = why
    if extra:
        cell = nbformat.v4.new_code_cell(extra, id="extra")
        cell.metadata["cnnlab"] = {"role": "extra", "name": ""}
        notebook.cells.append(cell)
    save(course, student, notebook)
    return notebook


def save(course: Course, student: str, notebook: NotebookNode) -> None:
    """Write a notebook into work/submitted."""
    path = course.submitted / student / ASSIGNMENT / f"{NAME}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def as_it_is(course: Course, notebooks: list[str]) -> None:
    """Stands in for intake where a test's submission is already what intake would write."""


def verdict(points: float, total: float = 3.0, **fields: Any) -> Verdict:
    """Return a Verdict of the exercise `double`."""
    cases = (
        CaseVerdict("small numbers", "small", points >= 1, "y has wrong values"),
        CaseVerdict("large numbers", "large", points >= 3, "y has the wrong shape"),
    )
    groups = {"small": (min(points, 1.0), 1.0), "large": (max(points - 1.0, 0.0), total - 1.0)}
    status = "passed" if points == total else "failed"
    return replace(Verdict("double", points, total, status, groups, cases), **fields)


def judges(
    *verdicts: Verdict, printed: dict[int, str] | None = None, flags: tuple[str, ...] = ()
) -> Callable:
    """Return a judge that always finds these Verdicts."""
    found = Judgement({v.exercise: v for v in verdicts}, printed or {}, flags, 0.0)
    return lambda course, lesson, notebook, submission: found
