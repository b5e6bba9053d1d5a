"""Runs nbgrader's autograde and generate_feedback inside this process, and says in one sentence why one failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from nbformat.notebooknode import NotebookNode
from nbgrader import api
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.intake import take_in_submitted
from autograder.judging.companions import Submission
from autograder.judging.judgement import Judgement
from autograder.recording.database import errors
from autograder.recording.errors import RecordError
from autograder.recording.gradebook import students_with
from autograder.recording.graded import LOG
from autograder.recording.nbgrader_settings import configuration
from autograder.recording.nbgrader_steps import reason_of
from autograder.recording.registration import sync

Judge = Callable[[Course, Lesson, NotebookNode, Submission], Judgement]  # judges one notebook


def autograde(
    course: Course,
    assignment: str,
    students: Sequence[str] | None = None,
    on_done: Callable[[str], None] | None = None,
    *,
    take_in: Callable[[Course, list[str]], None] | None = None,
    judge: Judge | None = None,
) -> dict[str, str]:
    """Run nbgrader's autograde, and return student -> why nothing was recorded.

    Where one student's submission fails, nothing is recorded for that student, what was recorded before stays,
    and the others go on.

    Args:
        course: whose class it is.
        assignment: the assignment, which is registered first.
        students: whose submissions are graded, by default all in work/submitted/.
        on_done: called with each student, after nbgrader has ended.
        take_in: takes one submission in, by default intake's take_in_submitted.
        judge: judges one notebook, by default judge_notebook, which finds in the journal what it judged before.

    Raises:
        RecordError: where the gradebook cannot be used.
    """
    sync(course, assignment)
    config = configuration(course)
    if judge:
        config.JudgeStep.judge = judge
    problems = {}
    for student in students_with(course.submitted, assignment) if students is None else students:
        with errors(course):
            directory = _course_directory(config, assignment, student)
            problem = Autograder(directory, config, partial(take_in or take_in_submitted, course)).run()
        if problem:
            problems[student] = problem
        if on_done:
            on_done(student)
    return problems


def feedback(course: Course, assignment: str, students: Sequence[str] | None = None) -> dict[str, list[Path]]:
    """Write the feedback pages of graded submissions, and return student -> pages.

    Args:
        course: whose class it is.
        assignment: the assignment.
        students: whose pages are written, by default those of all that are graded.

    Raises:
        RecordError: where pages could not be written; it names their students, and the others' are written.
    """
    config = configuration(course)
    graded = students_with(course.work / "autograded", assignment)
    chosen = graded if students is None else [student for student in students if student in graded]
    if not chosen:
        return {}
    with errors(course):
        problem = FeedbackWriter(_course_directory(config, assignment), config, chosen).run()
    if problem:
        raise RecordError(problem)
    return {student: sorted((course.feedback / student / assignment).glob("*.html")) for student in chosen}


class _InProcess(BaseConverter):
    """A converter of nbgrader's that prints nothing, and keeps the errors that nbgrader would only log."""

    assignment: str
    student: str
    failures: dict[str, Exception]

    def _prepare(self, directory: CourseDirectory, config: Config) -> None:
        super().__init__(coursedir=directory, config=config, log=LOG, force=True)
        self.assignment, self.student, self.failures = directory.assignment_id, directory.student_id, {}

    def _noted(self, student: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self.failures[student] = error
            raise

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Do as nbgrader does, and keep the error that it only logs."""
        self._noted(student_id, lambda: super(_InProcess, self).init_assignment(assignment_id, student_id))

    def convert_single_notebook(self, notebook_filename: str) -> None:
        """Do as nbgrader does, and keep the error that it only logs."""
        student = Path(notebook_filename).parent.parent.name
        self._noted(student, lambda: super(_InProcess, self).convert_single_notebook(notebook_filename))


class Autograder(_InProcess, Autograde):
    """Runs nbgrader's autograde for one student.

    Args:
        directory: nbgrader's view of the course's folder, for this student.
        config: nbgrader's configuration.
        take_in: called with the notebooks' paths in place of nbgrader's hook; may raise.
    """

    def __init__(
        self, directory: CourseDirectory, config: Config, take_in: Callable[[list[str]], None]
    ) -> None:
        self.take_in = take_in
        self._prepare(directory, config)

    def run_pre_convert_hook(self) -> None:
        """Take the submission in; where that fails, nothing of the submission is read or copied."""
        self._noted(self.student, self._take_in)

    def _take_in(self) -> None:
        self.take_in(self.notebooks)
        if not self.notebooks:
            raise RecordError(f"no notebook of {self.assignment} was handed in")

    def run(self) -> str:
        """Grade, and return "" or a sentence that says why nothing was recorded."""
        try:
            self.start()
        except NbGraderException as error:
            return _sentence_of(self.failures, error)
        return ""


class FeedbackWriter(_InProcess, GenerateFeedback):
    """Runs nbgrader's generate_feedback for the students named, with one exporter for all of them.

    Args:
        directory: nbgrader's view of the course's folder.
        config: nbgrader's configuration.
        students: their ids.
    """

    def __init__(self, directory: CourseDirectory, config: Config, students: list[str]) -> None:
        self.students = students
        self._prepare(directory, config)

    def init_notebooks(self) -> None:
        """Find the graded notebooks of the students named; nbgrader itself can only name one student, or all."""
        self.assignments, self.notebooks = {}, []
        for student in self.students:
            folder = self._format_source(self.assignment, student)
            found = sorted(str(path) for path in Path(folder).glob("*.ipynb"))
            if found:
                self.assignments[folder] = found

    def run(self) -> str:
        """Write the pages, and return "" or a sentence that says whose pages failed and why."""
        try:
            self.start()
        except NbGraderException as error:
            reason = _sentence_of(self.failures, error)
            return f"The feedback of {', '.join(self.failures)} could not be written: {reason}"
        return ""


def _sentence_of(failures: dict[str, Exception], error: Exception) -> str:
    cause = next(iter(failures.values()), None) or error.__context__ or error
    if isinstance(cause, (SQLAlchemyError, api.InvalidEntry)):
        raise cause  # it will hit the others too
    if isinstance(cause, NbGraderException):  # it found no file that could be a notebook
        return "there is no notebook to grade"
    return reason_of(cause)


def _course_directory(config: Config, assignment: str, student: str = "*") -> CourseDirectory:
    return CourseDirectory(config=config, assignment_id=assignment, student_id=student)
