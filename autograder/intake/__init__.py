"""Intake: from files that strangers wrote to notebooks that we wrote.

A submission is the student's word for what they wrote, nothing more. Nothing but text of its cells comes
through, what they handed in is kept byte for byte in work/raw/, and what could not be used is said, to the
student and the instructor.
"""

from autograder.intake.errors import IntakeError
from autograder.intake.graft import Taken
from autograder.intake.records import IntakeRecord, LessonRecord
from autograder.intake.submission import (
    notebook_bytes,
    pre_convert_hook,
    record,
    take_in,
    take_in_notebook,
    take_in_safely,
    take_in_submitted,
    verify_student,
)

__all__ = [
    "IntakeError",
    "IntakeRecord",
    "LessonRecord",
    "Taken",
    "notebook_bytes",
    "pre_convert_hook",
    "record",
    "take_in",
    "take_in_notebook",
    "take_in_safely",
    "take_in_submitted",
    "verify_student",
]
