"""What the gradebook holds already, and how a run's results get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.classroom.grade_submission import GradedSubmission, Task
from autograder.course import Course
from autograder.recording.recorder import Recorder


class Book:
    """The gradebook during one run."""

    def __init__(self, course: Course, assignment: str) -> None:
        self.recorder = Recorder(course, assignment)

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *exception: object) -> None:
        self.recorder.close()

    def noted(self, task: Task) -> Task:
        """Return a Task that knows what was recorded of its student.

        nbgrader asks for manual grading anew whenever a submission is recorded, so what did not change is left alone.
        """
        known = self.recorder.standing(task.student)
        if known is None:
            return task
        lessons = {name: (one.judgement, one.notebook) for name, one in known.lessons.items()}
        return replace(task, recorded=lessons)

    def record(self, results: Sequence[GradedSubmission]) -> None:
        """Record what there is to be recorded; where that fails, the StudentResult says so."""
        drafts = [done.draft for done in results if done.draft is not None]
        problems = self.recorder.commit(drafts) if drafts else {}
        for done in results:
            if problem := problems.get(done.row.student):
                done.row.problem = problem
