"""The rule that a student's id follows: it is the name of a folder and nothing more."""

from __future__ import annotations

import re

STUDENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
RULE = "it takes up to 64 letters, digits and . _ @ -, begins with a letter or digit and has no two dots in a row"


def is_student_id(student: str) -> bool:
    """Say whether a text is a student's id, so that it can be nothing but the name of a folder."""
    return bool(STUDENT_ID.fullmatch(student)) and ".." not in student
