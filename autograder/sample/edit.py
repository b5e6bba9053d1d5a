"""Wrong answers written by hand, and the percent scripts that hold them.

A script holds the wrong answers to one lesson; each is a cell as a student would write it. No cell calls a Mistake's
function or a reference, because the code that recognises a wrong answer must not be the code that made it. The cell's
marker says the rest, on one line:

    # %% student="olaf-zeros" exercise="max_pool2d_forward" mistake="padded with zeros" lost="padding, together"
    #    words="pads with zeros before taking the largest" follows="global_max: padding; lp_pool: padding, together"

`mistake` is left out where no Mistake explains the answer, `follows` where nothing else is lost. Values are JSON strings:
a quote within a value is \\", a backslash \\\\.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from autograder.authoring.percent import PercentCell, percent_cells
from autograder.course import CourseError
from autograder.exercise import Exercise, Lesson

NEEDED = ("student", "exercise", "lost", "words")
KEYS = {*NEEDED, "mistake", "follows"}


class Edit(NamedTuple):
    """One wrong answer in the otherwise solved lesson.

    Args:
        student: the student's id.
        words: a description of what is wrong.
        exercise: the name of the exercise that the cell answers.
        mistake: the Mistake that must be recognised, "" where none explains the answer.
        lost: the groups of points that the answer must lose.
        source: the cell's text.
        follows: the exercises that the lesson builds on this one -> the groups that they lose with it.
    """

    student: str
    words: str
    exercise: str
    mistake: str
    lost: tuple[str, ...]
    source: str
    follows: Mapping[str, tuple[str, ...]] = {}


def read_edits(lesson: Lesson, path: Path) -> dict[str, Edit]:
    """Read a lesson's wrong answers: student's id -> wrong answer.

    Raises:
        CourseError: where a wrong answer is odd; it names file and line.
    """
    found: dict[str, Edit] = {}
    for cell in percent_cells(path):
        if cell.kind != "code":
            continue
        try:
            edit = _edit(lesson, cell)
            if edit.student in found:
                raise CourseError(f"there is a wrong answer of {edit.student} already")
        except CourseError as error:
            raise CourseError(f"{path}:{cell.line}: {error}.") from error
        found[edit.student] = edit
    return found


def _edit(lesson: Lesson, cell: PercentCell) -> Edit:
    odd = [
        key
        for key, value in cell.options.items()
        if key not in KEYS or not (value and isinstance(value, str))
    ]
    if odd:
        raise CourseError(f"{', '.join(odd)} is no key with a text; the keys are {', '.join(sorted(KEYS))}")
    missing = [key for key in NEEDED if key not in cell.options]
    if missing:
        raise CourseError(f"the wrong answer has no {', '.join(missing)}")
    options: dict[str, str] = cell.options
    exercise = _exercise(lesson, options["exercise"])
    mistake = options.get("mistake", "")
    if mistake not in {"", *(known.name for known in exercise.mistakes)}:
        raise CourseError(f"{exercise.name} has no Mistake {mistake!r}")
    follows = [part.partition(":") for part in options.get("follows", "").split(";") if part]
    built_on = {name.strip(): groups for name, _, groups in follows}
    if len(built_on) != len(follows):
        raise CourseError("follows names an exercise twice")
    return Edit(
        options["student"],
        options["words"],
        exercise.name,
        mistake,
        _groups(exercise, options["lost"]),
        cell.source + "\n",
        {name: _groups(_exercise(lesson, name), groups) for name, groups in built_on.items()},
    )


def _exercise(lesson: Lesson, name: str) -> Exercise:
    if name not in lesson.exercises:
        raise CourseError(f"{lesson.name} has no exercise {name!r}")
    return lesson.exercises[name]


def _groups(exercise: Exercise, text: str) -> tuple[str, ...]:
    groups = tuple(group.strip() for group in text.split(","))
    odd = [group for group in groups if group not in exercise.points or groups.count(group) > 1]
    if odd:
        raise CourseError(f"{exercise.name} has no group {odd[0]!r}, or it is there twice")
    return groups
