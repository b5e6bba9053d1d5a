"""The builder: derives every generated file from the authored lessons.

notebooks/<assignment>/<lesson>.ipynb         the notebook that students open: no solution, no output
solutions/<assignment>/<lesson>.ipynb         the solved lesson, for Colab
solutions/<assignment>/<lesson>.png           the picture of the lesson's first screen, which both hold
cnnlab/checking/cases/<lesson>.npz            the public Cases
README.md                                     the Colab badges in its table of lessons

Nothing flows back: an edit in a derived file is lost with the next build.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from nbformat.notebooknode import NotebookNode

from autograder import notebook_io
from autograder.authoring import cover, frame
from autograder.authoring.notebooks import solved_notebook, student_notebook
from autograder.authoring.release import Release, release, write_release
from autograder.authoring.script import Script, read
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from cnnlab.checking import cases, wire
from cnnlab.checking.question import Questionnaire

CASES = Path("cnnlab/checking/cases")
# Processors add up in different orders, so results may differ by this share of an array's largest value. It is a
# hundredth of what the checks allow, so an older file within it is as good as a new one.
ROUNDING = {"float64": 1e-8, "float32": 1e-6, "float16": 1e-3}
TINY = 1e-12  # where an array's values are all rounding errors
CLONE = re.compile(r"git clone https://github\.com/[^/\s]+/[^/\s]+ && cd \S+")
BADGE = re.compile(
    r"https://colab\.research\.google\.com/github/[^/\s)]+/[^/\s)]+/blob/.+?/(notebooks|solutions)/"
)


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook to a file; equal notebooks give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook_io.writes(notebook), encoding="utf-8")


def build(course: Course, lessons: Sequence[Lesson], new: Release | None = None) -> list[Path]:
    """Derive everything from the authored lessons and return the paths that changed, relative to the checkout.

    All files are made in a temporary folder first and put in place once they are complete, so an error in a lesson
    leaves the earlier files untouched.

    Args:
        course: the course whose files are derived.
        lessons: the lessons to derive them from.
        new: the release to stamp from now on, by default the present one.
    """
    pyproject = course.root / "pyproject.toml"
    where = new or release(pyproject)
    try:
        with tempfile.TemporaryDirectory(prefix=".build-", dir=course.root) as folder:
            draft = Path(folder)
            for lesson in lessons:
                _build_lesson(course, lesson, where, draft)
            _build_readme(course, where, draft)
            changed = _swap(draft, course.root)
        if new and new != release(pyproject):
            write_release(pyproject, new)
            changed.append(pyproject.relative_to(course.root))
    except OSError as error:
        raise CourseError(f"{error.filename or course.root} cannot be written: {error.strerror}.") from error
    return changed


def drift(course: Course, lessons: Sequence[Lesson], *, public_cases: bool = True) -> list[Path]:
    """Return the derived files that differ from what a build would write, without writing anything.

    Args:
        course: the course whose files are compared.
        lessons: the lessons that they derive from.
        public_cases: whether the public Cases are computed and the pictures drawn again too, which takes half a minute.
    """
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder)
        for lesson in lessons:
            _build_lesson(course, lesson, release(course.root / "pyproject.toml"), draft, public_cases)
        _build_readme(course, release(course.root / "pyproject.toml"), draft)
        return _changed(draft, course.root)


def _build_lesson(
    course: Course, lesson: Lesson, where: Release, draft: Path, all_of_it: bool = True
) -> None:
    script = read(lesson, course.script(lesson))
    frame.verify(script)
    if all_of_it:
        script = replace(script, picture=_draw(script, draft))
    name = f"{lesson.name}.ipynb"
    write_notebook(student_notebook(script, where), draft / "notebooks" / lesson.assignment / name)
    write_notebook(solved_notebook(script, where), draft / "solutions" / lesson.assignment / name)
    if not all_of_it:
        return
    (draft / CASES).mkdir(parents=True, exist_ok=True)
    path = draft / CASES / f"{lesson.name}.npz"
    cases.save(path, _public_cases(lesson))
    built_before = course.root / CASES / path.name
    if built_before.exists() and _same_cases(path, built_before):
        shutil.copyfile(built_before, path)


def _draw(script: Script, draft: Path) -> Path:
    """Draw the lesson's picture in the draft; one that looks as before stays the same to the byte."""
    path = draft / "solutions" / script.lesson.assignment / script.picture.name
    path.parent.mkdir(parents=True, exist_ok=True)
    png = cover.draw(script)
    if script.picture.exists() and cover.same(before := script.picture.read_bytes(), png):
        png = before
    path.write_bytes(png)
    return path


@cache
def _public_cases(lesson: Lesson) -> tuple[Questionnaire, ...]:
    """Work out the public Cases of a lesson, once in a process: it takes seconds, and a kit asks for them again."""
    return tuple(exercise.public_questions() for exercise in lesson.exercises.values())


def _same_cases(one: Path, other: Path) -> bool:
    """Say whether two files hold the same Cases, apart from the last bits, which differ between processors."""
    with np.load(one, allow_pickle=False) as a, np.load(other, allow_pickle=False) as b:
        return a.files == b.files and all(
            _near(wire.unpack(a[name].tobytes()), wire.unpack(b[name].tobytes())) for name in a.files
        )


def _near(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        same = a.shape == b.shape and a.dtype == b.dtype
        return same and (a.dtype.kind != "f" or _near_values(a, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return _near_values(np.array(a), np.array(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_near(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_near, a, b))
    return a == b


def _near_values(a: np.ndarray, b: np.ndarray) -> bool:
    largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
    return np.allclose(a, b, rtol=0.0, atol=ROUNDING[b.dtype.name] * float(largest) + TINY, equal_nan=True)


def _build_readme(course: Course, where: Release, draft: Path) -> None:
    readme = course.root / "README.md"
    if readme.exists():
        text = BADGE.sub(lambda m: where.colab(f"{m[1]}/"), readme.read_text(encoding="utf-8"))
        folder = where.repo.split("/")[1]
        text = CLONE.sub(f"git clone https://github.com/{where.repo} && cd {folder}", text)
        (draft / "README.md").write_text(text, encoding="utf-8")


def _changed(draft: Path, root: Path) -> list[Path]:
    made = sorted(path.relative_to(draft) for path in draft.rglob("*") if path.is_file())
    return [p for p in made if not (root / p).exists() or (root / p).read_bytes() != (draft / p).read_bytes()]


def _swap(draft: Path, root: Path) -> list[Path]:
    changed = _changed(draft, root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).replace(root / path)
    return changed
