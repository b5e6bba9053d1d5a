"""Compares the gradebook and the graded notebooks with the journals of what was judged and recorded.

The Judgements lie in work/journal.jsonl, and what was recorded of each submission in work/recorded.jsonl.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autograder.course import Course
from autograder.judging import judgement
from autograder.judging.judgement import Judgement
from autograder.recording import gradebook, recorded
from autograder.recording.graded import SAME_POINTS

Grades = Mapping[tuple[str, str], gradebook.Grade]  # (lesson, exercise) -> what the gradebook holds


@dataclass(frozen=True)
class Difference:
    """One difference between the journals and the gradebook.

    student: whose submission it is in.
    lesson: the notebook that it is in, "" where the whole submission differs.
    exercise: the Exercise or question that it is in, "" where the whole notebook differs.
    words: what is wrong, as in "its graded notebook is missing".
    journal: the grader's points in the journal, None where it has none.
    gradebook: the grader's points in the gradebook, None where it has none.
    """

    student: str
    lesson: str
    exercise: str
    words: str
    journal: float | None = None
    gradebook: float | None = None


def differences(course: Course, assignment: str) -> list[Difference]:
    """List the differences between the journals and the gradebook by student, lesson and exercise; [] where they agree."""
    course.lessons(assignment)
    held: dict[str, dict[tuple[str, str], gradebook.Grade]] = defaultdict(dict)
    for grade in gradebook.grades(course, assignment):
        held[grade.student][grade.lesson, grade.exercise] = grade
    found, known = [], set()
    for one in recorded.records(course, assignment):
        known.add(one.student)
        found += _of_submission(course, one, held.get(one.student, {}))
    for student, grades in held.items():
        # Rows without points are made where a submission could not be recorded.
        if student not in known and any(grade.auto for grade in grades.values()):
            found.append(Difference(student, "", "", "it is in the gradebook only"))
    return sorted(found, key=lambda one: (one.student, one.lesson, one.exercise))


def _of_submission(course: Course, one: recorded.RecordedSubmission, held: Grades) -> Iterator[Difference]:
    if not one.whole:
        yield Difference(one.student, "", "", "recording it was begun and not ended")
    if not held:
        yield Difference(one.student, "", "", "it is in the journal only")
        return
    if not one.lessons:
        yield Difference(one.student, "", "", "the journal does not say what was recorded of it")
        return
    for name, lesson in one.lessons.items():
        yield from _of_lesson(course, one.student, name, lesson, held)
        path = course.work / "autograded" / one.student / one.assignment / f"{name}.ipynb"
        if not path.is_file():
            yield Difference(one.student, name, "", "its graded notebook is missing")
    for (name, exercise), grade in held.items():
        if grade.auto and exercise not in (one.lessons[name].points if name in one.lessons else ()):
            words = "the journal has no points for it"
            yield Difference(one.student, name, exercise, words, None, grade.auto)


def _of_lesson(
    course: Course, student: str, name: str, lesson: recorded.RecordedLesson, held: Grades
) -> Iterator[Difference]:
    for exercise, points in lesson.points.items():
        grade = held.get((name, exercise))
        if grade is None:
            yield Difference(student, name, exercise, "the gradebook has no such exercise", points)
        elif not _same(points, grade.auto):
            yield Difference(student, name, exercise, "the points differ", points, grade.auto)
    judged = find_judgement(course, lesson)
    if judged is None:
        yield Difference(student, name, "", "its Judgement is not in the journal")
        return
    for exercise, verdict in judged.verdicts.items():
        points = lesson.points.get(exercise)
        if points is not None and not _same(points, verdict.points):
            grade = held.get((name, exercise))
            words = f"it was recorded with {points:g} points and judged with others"
            yield Difference(student, name, exercise, words, verdict.points, grade and grade.auto)


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, abs_tol=SAME_POINTS)


def find_judgement(course: Course, lesson: recorded.RecordedLesson) -> Judgement | None:
    """Return the Judgement that was recorded, or None where the journal does not hold it any more."""
    try:
        return judgement.find(course, lesson.judgement)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
