"""The first stage: takes a submission in, again where the lesson has changed since."""

from __future__ import annotations

from autograder import intake
from autograder.classroom.results import StudentResult
from autograder.classroom.tasks import Task


def take_in(task: Task, result: StudentResult) -> None:
    """Take a submission in; what lies in work/submitted/ may be as a student wrote it.

    Args:
        task: whose submission it is, and where it lies.
        result: what intake found odd is added to its flags.
    """
    intake.take_in_current(task.course, task.assignment, task.student, task.folder)
    record = intake.load_record(task.course, task.assignment, task.student)
    result.flags += dict.fromkeys(record.flags if record else ())
