"""A copy of the checkout whose one assignment holds only the convolution lesson, without points for speed."""

from __future__ import annotations

import inspect
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.authoring import build, notebooks
from autograder.authoring.release import release
from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import SPEED, Lesson
from autograder.exercises import convolution

ROOT = Path(__file__).resolve().parent.parent.parent
COPIED = ("autograder", "cnnlab", "nbgrader_config.py", "pyproject.toml")
LESSON = "convolution"  # of the folders in autograder/exercises
KEPT = (LESSON, "common")  # the lesson, and what lessons share


@dataclass(frozen=True)
class OneLesson:
    """A course of one lesson, in its own checkout; its work folder does not exist."""

    course: Course
    lesson: Lesson


def untimed(lesson: Lesson) -> Lesson:
    """Return a lesson whose Exercises are not timed and give no points for speed."""
    exercises = {
        name: replace(
            exercise,
            way=replace(exercise.way, speed=""),
            points={group: points for group, points in exercise.points.items() if group != SPEED},
        )
        for name, exercise in lesson.exercises.items()
    }
    return replace(lesson, exercises=exercises)


def one_lesson(root: Path, *, timed: bool = False) -> OneLesson:
    """Write the course to `root`, which must not exist.

    Args:
        root: the new checkout.
        timed: whether the lesson keeps its points for speed.
    """
    lesson = convolution.LESSON if timed else untimed(convolution.LESSON)
    root.mkdir(parents=True)
    for name in COPIED:
        _copy(ROOT / name, root / name)
    for folder in (root / "autograder" / "exercises").iterdir():
        if folder.is_dir() and folder.name not in KEPT:
            shutil.rmtree(folder)
    if not timed:
        _append(root / "autograder" / "exercises" / LESSON / "__init__.py", untimed)
    course = Course(root, root / "work")
    script = Course(ROOT, ROOT / "work").script(lesson)
    course.script(lesson).parent.mkdir(parents=True)
    shutil.copyfile(script, course.script(lesson))
    shutil.copyfile(script.with_suffix(".png"), course.script(lesson).with_suffix(".png"))
    notebook = notebooks.student_notebook(read(lesson, script), release(root / "pyproject.toml"))
    build.write_notebook(notebook, course.student_notebook(lesson))
    return OneLesson(course, lesson)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


def _append(module: Path, change: Callable[[Lesson], Lesson]) -> None:
    """Make a copied module change its LESSON in the same way as this process."""
    imports = "from dataclasses import replace\n\nfrom autograder.exercise import SPEED, Lesson\n"
    text = f"\n\n{imports}\n\n{inspect.getsource(change)}\n\nLESSON = {change.__name__}(LESSON)\n"
    with module.open("a", encoding="utf-8") as file:
        file.write(text)
