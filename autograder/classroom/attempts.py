"""Counts how often grading one submission was begun, so that one which kills its workers is given up."""

from __future__ import annotations

from autograder.course import Course
from autograder.recording.class_lock import started_folder


class AttemptCounter:
    """A mark that a submission is being graded; it outlives the worker, so that each death can be counted."""

    def __init__(self, course: Course, assignment: str, student: str) -> None:
        self.path = started_folder(course) / assignment / student

    def begin(self) -> int:
        """Add a mark, and return how many times grading was begun and not ended, this time included."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(b".")
            file.flush()
            return file.tell()

    def count(self) -> int:
        """Return how many marks there are."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def end(self) -> None:
        """Take the marks away."""
        self.path.unlink(missing_ok=True)
