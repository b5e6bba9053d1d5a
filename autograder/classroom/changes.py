"""Finds out which grades a run has changed, and why.

The grades before a run are kept in work/before/ until the run has ended, so that a run that is killed and started again
still compares with those before the first of them.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import NotRequired, TypedDict

from autograder import files, intake
from autograder.course import Course, CourseError
from cnnlab.checking import handin

SUBMISSION = "the submission changed"
POINTS = "the points of the exercise changed"
GRADER = "the exercise or the grader changed"
NEW = "the exercise is new"
GONE = "the lesson no longer has the exercise"
WAITS = "a person has to grade it"

Graded = list[float]  # the points, and those that could be had: as JSON holds a pair
StudentSnapshot = TypedDict(  # one student's line of work/before/<assignment>.json
    "StudentSnapshot",
    {
        "handed in": dict[str, str],  # lesson or file -> its hash
        "grades": dict[str, Graded],  # "lesson/exercise" -> what it got
        "waiting": NotRequired[
            list[str]
        ],  # "lesson/exercise" that a person has to grade; not kept for the next run
    },
)
ClassSnapshot = dict[str, StudentSnapshot]  # by student


@dataclass(frozen=True)
class Change:
    """One grade that changed.

    Args:
        student: the id.
        lesson: the lesson's name.
        exercise: the Exercise or question.
        before: the points before the run, None where there were none.
        before_max: the points that could be had then.
        after: the points now, None where there are none.
        after_max: the points that can be had now.
        reason: in words.
    """

    student: str
    lesson: str
    exercise: str
    before: float | None
    before_max: float | None
    after: float | None
    after_max: float | None
    reason: str


class GradeSnapshot:
    """The grades before a run, of the students that it grades.

    Args:
        course: the course.
        assignment: its name.
        students: the ids of those that the run grades.
    """

    def __init__(self, course: Course, assignment: str, students: Iterable[str]) -> None:
        self.course, self.assignment = course, assignment
        self.path = course.work / "before" / f"{assignment}.json"
        known, now = self._read(), grades_now(course, assignment)
        self.all = known | {student: what for student, what in now.items() if student not in known}
        self.of_run = {student: self.all[student] for student in students if student in self.all}
        if self.of_run:
            files.write(self.path, json.dumps(self.all).encode())

    def changes(self) -> tuple[Change, ...]:
        """Compare with the grades now, and forget the earlier grades of this run's students."""
        found: list[Change] = []
        if self.of_run:
            now = grades_now(self.course, self.assignment)
            for student, before in sorted(self.of_run.items()):
                found += _compared(student, before, now.get(student) or {"handed in": {}, "grades": {}})
            left = {student: what for student, what in self.all.items() if student not in self.of_run}
            if left:
                files.write(self.path, json.dumps(left).encode())
            else:
                self.path.unlink(missing_ok=True)
        return tuple(found)

    def _read(self) -> ClassSnapshot:
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return {
                student: {"handed in": w["handed in"], "grades": w["grades"]} for student, w in found.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}


def grades_now(course: Course, assignment: str) -> ClassSnapshot:
    """Return what students have handed in and what the gradebook gives them for it, for all that are graded."""
    from autograder.recording import gradebook  # nbgrader takes a second to load, and workers do without it

    grades: dict[str, dict[str, Graded]] = {}
    waiting: dict[str, list[str]] = {}
    for grade in gradebook.grades(course, assignment):
        name = f"{grade.lesson}/{grade.exercise}"
        if grade.auto is not None or grade.manual is not None:
            grades.setdefault(grade.student, {})[name] = [grade.score, grade.max]
        else:
            waiting.setdefault(grade.student, []).append(name)
    names = {name for lesson in course.lessons(assignment) for name in lesson.files}
    return {
        student: {
            "grades": of_student,
            "handed in": _handed_in(course, assignment, student, names),
            "waiting": waiting.get(student, []),
        }
        for student, of_student in grades.items()
    }


def _handed_in(course: Course, assignment: str, student: str, names: Iterable[str]) -> dict[str, str]:
    try:
        record = intake.load_record(course, assignment, student)
    except CourseError:  # a student of nbgrader's whose id we would not take
        record = None
    found = {name: one.source_sha256 for name, one in record.lessons.items()} if record else {}
    for name in names:
        try:
            data = files.read(course.submitted / student / assignment / name, handin.MAX_BYTES)
        except OSError:
            continue
        found[name] = files.sha256(data)
    return found


def _compared(student: str, before: StudentSnapshot, after: StudentSnapshot) -> list[Change]:
    same = before["handed in"] == after["handed in"]
    changes = []
    for name in sorted({*before["grades"], *after["grades"]}):
        old, new = before["grades"].get(name), after["grades"].get(name)
        if old == new:
            continue
        lesson, _, exercise = name.partition("/")
        (was, was_max), (is_now, now_max) = old or (None, None), new or (None, None)
        reason = WAITS if name in after.get("waiting", ()) else _reason(old, new, same)
        changes.append(Change(student, lesson, exercise, was, was_max, is_now, now_max, reason))
    return changes


def _reason(old: Sequence[float] | None, new: Sequence[float] | None, same: bool) -> str:
    if new is None:
        return GONE
    found = [] if same else [SUBMISSION]
    if old is not None and old[1] != new[1]:
        found.append(POINTS)
    if not found:
        found.append(NEW if old is None else GRADER)
    return ", and ".join(found)


def path_of(course: Course, assignment: str) -> Path:
    """Return the path of the list of changed grades."""
    return course.work / "report" / f"{assignment}-changes.csv"


def write_changes(course: Course, assignment: str, changes: Sequence[Change]) -> Path:
    """Write the list of changed grades as CSV, and return its path.

    No spreadsheet evaluates anything in it.

    Args:
        course: the course.
        assignment: its name.
        changes: one line each.
    """
    from autograder import spreadsheet

    def cell(value: str | float | None) -> str:
        return (
            ""
            if value is None
            else spreadsheet.text(value)
            if isinstance(value, str)
            else spreadsheet.number(value)
        )

    head = [field.name for field in fields(Change)]
    return spreadsheet.write_table(
        [head, *([*map(cell, astuple(c))] for c in changes)], path_of(course, assignment)
    )


def read_changes(course: Course, assignment: str) -> list[dict[str, str]]:
    """Return the lines of the list of changed grades: column -> text; [] where there is none."""
    path = path_of(course, assignment)
    if not os.path.exists(path):
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
