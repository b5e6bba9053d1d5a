"""Verify that a student's id is the name of a folder and nothing more."""

from __future__ import annotations

from autograder.files import printable_name
from autograder.intake.errors import InvalidStudentId
from autograder.student_id import RULE, is_student_id


def verify_student(student: str) -> str:
    """Return a student's id; raise InvalidStudentId where it could be anything but the name of a folder."""
    if not is_student_id(student):
        raise InvalidStudentId(f"{printable_name(student)!r} is not a student's id: {RULE}.")
    return student
