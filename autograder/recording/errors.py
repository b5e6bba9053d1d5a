"""The errors of recording: one tree below RecordError, each in one sentence that a user is told."""

from __future__ import annotations

from autograder.course import CourseError


class RecordError(CourseError):
    """A submission, a gradebook or a journal with which recording cannot go on."""


class RecordRejected(RecordError):
    """One submission of a batch cannot be recorded; it costs that submission only, and the others are recorded.

    student: whose submission it is.
    reason: why it cannot be recorded.
    """

    def __init__(self, student: str, reason: str) -> None:
        super().__init__(reason)
        self.student, self.reason = student, reason
