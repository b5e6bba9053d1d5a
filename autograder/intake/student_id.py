"""Verify that a student's id is the name of a folder and nothing more."""

from __future__ import annotations

import re

from autograder.files import printable_name
from autograder.intake.errors import InvalidStudentId

STUDENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


def verify_student(student: str) -> str:
    """Return a student's id; raise InvalidStudentId where it could be anything but the name of a folder."""
    if not STUDENT_ID.fullmatch(student) or ".." in student:
        raise InvalidStudentId(
            f"{printable_name(student)!r} is not a student's id: it takes up to 64 letters, digits and . _ @ -, "
            "begins with a letter or digit and has no two dots in a row."
        )
    return student
