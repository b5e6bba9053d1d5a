"""Wrong answers to every lesson: the percent scripts of this folder, and those that the sample class hands in."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from autograder.sample import convolution
from autograder.sample.edit import Edit, read_edits

FOLDER = Path(__file__).parent


def edits_here(lesson: Lesson) -> dict[str, Edit]:
    """Return student -> wrong answer, of this folder's script alone."""
    return read_edits(lesson, FOLDER / f"{lesson.name}.py")


@cache
def all_edits() -> dict[str, dict[str, Edit]]:
    """Return lesson -> student -> wrong answer; raise ValueError where two students of a lesson have one id."""
    found = {}
    for lesson in all_lessons():
        shown = convolution.edits(lesson) if lesson.name == convolution.LESSON else {}
        here = edits_here(lesson)
        if shown.keys() & here.keys():
            raise ValueError(f"{lesson.name}: {', '.join(shown.keys() & here.keys())} is in two files")
        found[lesson.name] = {**shown, **here}
    return found
