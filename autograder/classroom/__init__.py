"""A whole class: takes every submission in, judges them side by side on Dask's workers, records the Verdicts."""

from autograder.classroom.changes import Change, read_changes, write_changes
from autograder.classroom.rejudge import Replay, replay
from autograder.classroom.row import ClassResult, Row
from autograder.classroom.run import grade
from autograder.classroom.students import students_in

__all__ = [
    "Change",
    "ClassResult",
    "Replay",
    "Row",
    "grade",
    "read_changes",
    "replay",
    "students_in",
    "write_changes",
]
