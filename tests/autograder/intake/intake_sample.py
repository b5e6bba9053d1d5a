"""A tiny course of two lessons in a temporary folder, and notebooks as students hand them in: for the tests
of intake.
"""

from __future__ import annotations

import copy
import functools
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from hypothesis import HealthCheck, settings
from nbformat.notebooknode import NotebookNode

from autograder import notebook_io
from autograder.authoring import build, notebooks
from autograder.authoring.release import Release
from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import Exercise, Lesson, lesson
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.intake import (
    GraftedNotebook,
    IntakeRecord,
    load_record,
    take_in,
    take_in_notebook,
    take_in_submitted,
)
from autograder.intake.read_notebook import read_notebook_here

ASSIGNMENT = "1_layers"
RELEASE = Release("cnnlab/cnnlab", "v0.1.0")
SHIFT = "@answer\ndef shift(x, by=1):\n    return x + by\n"
SCALE = "@answer\ndef scale(x, by=2):\n    return shift(x, 0) * by\n"

FIRST = '''# %% [markdown]
# # Shifting and scaling
#
# {badge}

# %% setup="Install cnnlab"
CNNLAB = ""

# %%
import numpy as np

from cnnlab import answer, check

# %% exercise="shift"
@answer
def shift(x, by=1):
    """Add `by` to `x`."""
    # BEGIN SOLUTION
    return x + by
    # END SOLUTION

# %% check="shift"
check(shift)

# %% [markdown]
# ## Scaling

# %%
def unit(x):
    return x

# %% exercise="scale"
@answer
def scale(x, by=2):
    """Multiply `x` by `by`."""
    # BEGIN SOLUTION
    return x * by
    # END SOLUTION

# %% check="scale"
check(scale)

# %% show="Print a scaled array"
print(scale(np.ones(3)))

# %% [markdown] question="why" points=2
# Why does the order of shifting and scaling matter?
#
# BEGIN SOLUTION
# Because the scale applies to the shift as well.
# END SOLUTION
'''
SECOND = '''# %% [markdown]
# # Turning

# %%
from cnnlab import answer, check

# %% exercise="turn"
@answer
def turn(x):
    """Change the sign of `x`."""
    # BEGIN SOLUTION
    return -x
    # END SOLUTION

# %% check="turn"
check(turn)
'''


def exercise(name: str) -> Exercise:
    cases = rows(
        plain_case,
        "basic",
        public("any", x=1.0),
        secret("any", x=1.0),
    )
    return Exercise(name, ("out",), lambda x: x, cases, {"basic": 4})


LESSONS = [
    lesson("1_layers/01_shifting", [exercise("shift"), exercise("scale")], questions={"why": 2}),
    lesson("1_layers/02_turning", [exercise("turn")]),
]
NAMES = [one.name for one in LESSONS]


@dataclass(frozen=True)
class Sample:
    """The course, and the student notebooks of its lessons as they were handed out."""

    course: Course
    first: NotebookNode
    second: NotebookNode

    def take(
        self,
        notebook: NotebookNode,
        name: str = "01_shifting.ipynb",
        reader: Callable[..., Any] = read_notebook_here,
    ) -> GraftedNotebook:
        data = notebook if isinstance(notebook, bytes) else as_bytes(notebook)
        return take_in_notebook(self.course, LESSONS, data, name=name, reader=reader)

    def submitted(self, student: str = "ada") -> Path:
        """A student's folder in work/submitted/, made."""
        folder = self.course.submitted / student / ASSIGNMENT
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def autograde(self, folder: Path) -> list[str]:
        """Take in a folder of work/submitted/ as nbgrader has it done; return the names that nbgrader goes on with."""
        notebooks = sorted(str(path) for path in folder.glob("*.ipynb"))
        take_in_submitted(self.course, notebooks, lessons=LESSONS)
        return [os.path.basename(path) for path in notebooks]

    def record(self, student: str = "ada") -> IntakeRecord:
        """What intake noted about a student's submission."""
        found = load_record(self.course, ASSIGNMENT, student)
        assert found is not None
        return found

    def raw(self, student: str = "ada") -> Path:
        return self.course.raw / student / ASSIGNMENT


def write_course(root: Path) -> None:
    """Write the authored lessons and the notebooks that students open."""
    course = Course(root, root / "work")
    (root / "pyproject.toml").write_text(
        f'[tool.cnnlab]\nrepo = "{RELEASE.repo}"\nref = "{RELEASE.ref}"\n', encoding="utf-8"
    )
    for one, text in zip(LESSONS, (FIRST, SECOND), strict=True):
        course.script(one).parent.mkdir(parents=True, exist_ok=True)
        course.script(one).write_text(text)
        script = read(one, course.script(one))
        build.write_notebook(notebooks.student_notebook(script, RELEASE), course.student_notebook(one))


def sample(root: Path, work: Path) -> Sample:
    course = Course(root, work)
    first, second = (copy.deepcopy(_read(course.student_notebook(one))) for one in LESSONS)
    return Sample(course, first, second)


@functools.cache
def _read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def as_bytes(notebook: NotebookNode) -> bytes:
    return json.dumps(notebook).encode()


def by_name(notebook: NotebookNode, name: str) -> NotebookNode:
    """The cell of a student's notebook with a grade_id."""
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def our_bytes(taken: GraftedNotebook) -> bytes:
    """The file that intake writes for a notebook taken in."""
    return notebook_io.writes(taken.notebook).encode()


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def sound(s: Sample, taken: GraftedNotebook) -> None:
    """What is true of every notebook taken in, whatever was handed in."""
    nbformat.validate(taken.notebook)
    pristine = s.first if taken.lesson is LESSONS[0] else s.second
    assert checks(taken.notebook) == checks(pristine)
    ours = [cell for cell in taken.notebook.cells if cell.metadata.cnnlab.role != "extra"]
    assert [cell.id for cell in ours] == [cell.id for cell in pristine.cells]
    for mine, cell in zip(ours, pristine.cells, strict=True):
        assert {k: v for k, v in mine.metadata.items() if k != "cnnlab"} == cell.metadata
        if mine.metadata.cnnlab.role not in ("exercise", "question"):
            assert mine.source == cell.source
    for cell in taken.notebook.cells:
        assert cell.get("outputs", []) == [] and "attachments" not in cell
        if cell.metadata.cnnlab.role == "extra":
            assert set(cell.metadata) == {"cnnlab"}
    assert all(flag.isprintable() and len(flag) < 500 for flag in (*taken.flags, *taken.notes.values()))
    our_bytes(taken)


def taken_in_is_sound(s: Sample, folder: Path, tmp_path: Path) -> list[GraftedNotebook]:
    """Take a folder in twice, and verify what then lies where."""
    before = sorted(tmp_path.iterdir())
    there = file_names(folder)
    taken = take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS, reader=read_notebook_here)
    assert file_names(folder) == there, "another's folder is left alone"
    assert sorted(tmp_path.iterdir()) == sorted({*before, s.course.work}), "nothing is written elsewhere"
    for one in taken:
        sound(s, one)
    home = s.course.submitted / "ada" / ASSIGNMENT
    assert set(file_names(home)) - {"timestamp.txt"} == {f"{one.lesson.name}.ipynb" for one in taken}
    for path in s.course.work.rglob("*"):
        assert path.is_dir() or stat.S_ISREG(path.lstat().st_mode), path
    for one in taken:
        nbformat.read(home / f"{one.lesson.name}.ipynb", as_version=4)
    assert all(flag.isprintable() for flag in s.record().flags)
    again = take_in(s.course, ASSIGNMENT, "ada", home, lessons=LESSONS, reader=read_notebook_here)
    assert [one.notebook for one in again] == [one.notebook for one in taken]
    return taken


def steady(examples: int) -> settings:
    """Draw so many examples, the same in every run."""
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.large_base_example,
        ],
    )


def without_metadata(notebook: NotebookNode) -> NotebookNode:
    """The notebook as an editor leaves it that knows neither our metadata nor cell ids."""
    for cell in notebook.cells:
        cell.metadata = NotebookNode()
        del cell["id"]
    return notebook


def huge_output(notebook: NotebookNode, size: int) -> None:
    """Give a cell so many bytes of output."""
    by_name(notebook, "shift").outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * size}]


def solved(notebook: NotebookNode) -> NotebookNode:
    """A copy of a student notebook with its exercises done."""
    done = copy.deepcopy(notebook)
    answers = {"shift": SHIFT, "scale": SCALE, "turn": "@answer\ndef turn(x):\n    return -x\n"}
    for cell in done.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        cell.source = answers.get(name, cell.source)
    return done


def code(source: str, **fields: Any) -> NotebookNode:
    return nbformat.from_dict(
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        | fields
    )


def markdown(source: str, **fields: Any) -> NotebookNode:
    return nbformat.from_dict({"cell_type": "markdown", "source": source, "metadata": {}} | fields)


def put_in(notebook: NotebookNode, after: str, *cells: NotebookNode) -> None:
    """Insert cells after the cell with a grade_id."""
    at = notebook.cells.index(by_name(notebook, after)) + 1
    notebook.cells[at:at] = cells


def answers(taken: GraftedNotebook) -> dict[str, str]:
    """Exercise or question -> its cell's text, in the notebook taken in."""
    roles = ("exercise", "question")
    return {c.metadata.cnnlab.name: c.source for c in taken.notebook.cells if c.metadata.cnnlab.role in roles}


def extras(taken: GraftedNotebook) -> list[str]:
    return [cell.source for cell in taken.notebook.cells if cell.metadata.cnnlab.role == "extra"]


def order(taken: GraftedNotebook) -> list[str]:
    """The code cells in order: the names of Exercises, checks as "shift?", the text of extra cells, else the
    role.
    """
    words = []
    for cell in taken.notebook.cells:
        role, name = cell.metadata.cnnlab.role, cell.metadata.cnnlab.name
        if cell.cell_type == "code":
            words.append({"exercise": name, "check": f"{name}?", "extra": cell.source}.get(role, role))
    return words


def checks(notebook: NotebookNode) -> list[str]:
    """The check cells of a notebook, as text without our own mark."""
    found = []
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("grade") and not about.get("solution"):
            plain = copy.deepcopy(cell)
            plain.metadata.pop("cnnlab", None)
            found.append(json.dumps(plain, sort_keys=True))
    return found


def lesson_of(name: str) -> Lesson:
    return LESSONS[NAMES.index(name)]
