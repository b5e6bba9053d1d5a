"""The errors of intake, each in one sentence that a user is told."""

from __future__ import annotations

from autograder.course import CourseError
from autograder.files import printable_name


class IntakeError(CourseError):
    """A submission that intake cannot take in."""


class InvalidStudentId(IntakeError):
    """A student's id that could be anything but the name of a folder."""


class UnusableFolder(IntakeError):
    """A folder that is no student's submission to the assignment."""


class UnusableFile(IntakeError):
    """A file of which nothing can be used.

    reason: goes on after the file's name, as in "is not JSON".
    name: the file's, "" where it is not known.
    """

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(reason, name)
        self.reason, self.name = reason, name

    def __str__(self) -> str:
        return f"{printable_name(self.name) or 'The file'} {self.reason}."
