"""A class's grades in an assignment, as the gradebook counts them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import select

from autograder.course import Course, CourseError
from autograder.recording import database, gradebook
from autograder.recording.database import TABLES
from autograder.recording.gradebook import Grade


@dataclass(frozen=True)
class StudentGrades:
    """One student's submission to an assignment.

    Args:
        student: the student's id.
        first_name, last_name, email: as in the gradebook.
        lms_id: the student's number in the university's system, where nbgrader knows it.
        penalty: the points taken off for lateness.
        grades: the grades, in the order of the lessons.
    """

    student: str
    first_name: str
    last_name: str
    email: str
    lms_id: str
    penalty: float
    grades: tuple[Grade, ...]

    @property
    def points(self) -> float:
        """The sum of all points, extra credit included; a person's points replace the grader's."""
        return sum(grade.score for grade in self.grades)

    @property
    def score(self) -> float:
        """The points less the late penalty, never below zero, as in `nbgrader export`."""
        return max(0.0, self.points - self.penalty)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the answers that a person still has to grade."""
        return tuple(g.exercise for g in self.grades if g.auto is None and g.manual is None)


@dataclass(frozen=True)
class ClassGrades:
    """The submissions to an assignment, in the order of their students, and the points that it gives (maximum)."""

    assignment: str
    maximum: float
    submissions: tuple[StudentGrades, ...]


def read_class_grades(course: Course, assignment: str) -> ClassGrades:
    """Read the grades of every student in an assignment.

    Raises:
        CourseError: where nothing is graded yet, or the gradebook cannot be read.
    """
    order = _order(course, assignment)
    grades = gradebook.grades(course, assignment)
    if not grades:
        raise CourseError(
            f"Nothing of {assignment} is graded yet: run 'autograder grade {assignment} FOLDER' first."
        )
    with database.connection(course) as connection:
        maximum = connection.scalar(
            select(TABLES.Assignment.max_score).where(TABLES.Assignment.name == assignment)
        )
        students = {row[0]: list(row[1:]) for row in connection.execute(_students(assignment))}
    submissions = []
    for student, mine in groupby(grades, key=lambda grade: grade.student):
        first, last, email, lms_id, penalty = students[student]
        in_order = sorted(mine, key=lambda g: (g.lesson, order.get((g.lesson, g.exercise), len(order))))
        known = first or "", last or "", email or "", lms_id or ""
        submissions.append(StudentGrades(student, *known, float(penalty or 0.0), tuple(in_order)))
    return ClassGrades(assignment, float(maximum or 0.0), tuple(submissions))


def _students(assignment: str) -> Any:
    student, submission = TABLES.Student, TABLES.SubmittedAssignment
    columns = student.id, student.first_name, student.last_name, student.email, student.lms_user_id
    query = select(*columns, submission.late_submission_penalty)
    query = query.join(submission, submission.student_id == student.id)
    query = query.join(TABLES.Assignment, TABLES.Assignment.id == submission.assignment_id)
    return query.where(TABLES.Assignment.name == assignment)


def _order(course: Course, assignment: str) -> dict[tuple[str, str], int]:
    names = [
        (lesson.name, name)
        for lesson in course.lessons(assignment)
        for name in (*lesson.exercises, *lesson.questions)
    ]
    return {name: place for place, name in enumerate(names)}
