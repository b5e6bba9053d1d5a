"""Counts how often grading one submission was begun, so that one which kills its workers is given up."""

from __future__ import annotations

from functools import wraps

from autograder.classroom.tasks import GradedSubmission, Task, Work, not_graded
from autograder.recording.class_lock import started_folder

ATTEMPTS = 3  # at a submission: the first, and two more where the worker dies


class AttemptCounter:
    """A mark that a submission is being graded; it outlives the worker, so that each death can be counted."""

    def __init__(self, task: Task) -> None:
        self.path = started_folder(task.course) / task.assignment / task.student

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


def with_attempt_limit(work: Work) -> Work:
    """Wrap a worker's function so that it gives up a task at which too many workers have died."""

    @wraps(work)
    def limited(task: Task) -> GradedSubmission:
        attempts = AttemptCounter(task)
        if attempts.begin() > ATTEMPTS:
            attempts.end()
            return given_up(task)
        done = work(task)
        attempts.end()
        return done

    return limited


def given_up(task: Task) -> GradedSubmission:
    """Return the result of a submission at which worker after worker died."""
    return not_graded(task, f"{ATTEMPTS} workers in turn died while grading it; nothing was recorded.")
