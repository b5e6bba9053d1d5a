"""Reads the grades back from nbgrader's gradebook, which is the system of record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from sys import intern

from sqlalchemy import select

from autograder.course import Course
from autograder.recording.database import TABLES, connection, gradebook_exists
from autograder.recording.released_cells import exercise_of


@dataclass(frozen=True, slots=True)
class Grade:
    """The grade of one Exercise or question of one submission.

    exercise: the name of the Exercise or question.
    auto: the points that the grader gave, None before grading and for an answer that a person grades.
    manual: the points that a person gave, None where nobody did.
    extra: the points of extra credit.
    max: the points that can be had.
    needs_manual: whether a person has to look at the answer.
    """

    student: str
    lesson: str
    exercise: str
    auto: float | None
    manual: float | None
    extra: float
    max: float
    needs_manual: bool

    @property
    def score(self) -> float:
        """The points that count: a person's rather than the grader's, and the extra credit."""
        given = self.manual if self.manual is not None else self.auto
        return 0.0 if given is None else given + self.extra


def grades(course: Course, assignment: str) -> list[Grade]:
    """Return the grades of an assignment by student, lesson and exercise; [] before any is recorded."""
    return list(each_grade(course, assignment))


def each_grade(course: Course, assignment: str) -> Iterator[Grade]:
    """Read the grades of an assignment one by one, so that a large class need not fit into memory; else as `grades`."""
    if not gradebook_exists(course):
        return
    cell, grade = TABLES.GradeCell, TABLES.Grade
    submitted, handed_in = TABLES.SubmittedNotebook, TABLES.SubmittedAssignment
    query = (
        select(
            handed_in.student_id, TABLES.Notebook.name, cell.name, grade.auto_score, grade.manual_score,
            grade.extra_credit, cell.max_score, grade.needs_manual_grade,
        )
        .join_from(grade, submitted, submitted.id == grade.notebook_id)
        .join(handed_in, handed_in.id == submitted.assignment_id)
        .join(TABLES.Assignment, TABLES.Assignment.id == handed_in.assignment_id)
        .join(TABLES.Notebook, TABLES.Notebook.id == submitted.notebook_id)
        .join(cell, cell.id == grade.cell_id)
        .where(TABLES.Assignment.name == assignment)
        .order_by(handed_in.student_id, TABLES.Notebook.name, cell.name)
    )  # fmt: skip
    with connection(course) as connected:
        for student, lesson, name, auto, manual, extra, points, needs in connected.execute(query):
            yield Grade(
                intern(student),
                intern(lesson),
                intern(exercise_of(name)),
                auto,
                manual,
                extra or 0.0,
                points,
                bool(needs),
            )


def students_with(folder: Path, assignment: str) -> list[str]:
    """Return the students whose folder in `folder` holds the assignment, sorted."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if (path / assignment).is_dir())
