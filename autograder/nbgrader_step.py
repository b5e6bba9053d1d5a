"""What stands in nbgrader's place where nbgrader would touch, run or believe what a student wrote."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output
from nbgrader import api, utils
from nbgrader.converters import Autograde, GenerateFeedback
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.abc import ExchangeList
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from sqlalchemy.exc import SQLAlchemyError
from traitlets import Any as AnyTrait
from traitlets import Unicode
from traitlets.config import Config
from traitlets.log import get_logger

from autograder import gradebook
from autograder.course import Course, CourseError
from autograder.feedback import plain, verdict_html, verdict_text
from autograder.verdict import Verdict

FAILED = "failed"  # key of a notebook's cnnlab metadata: why intake could not do its work

TakeIn = Callable[..., Any]


def pre_convert(
    assignment: str,
    student: str,
    notebooks: list[str],
    *,
    course: Course | None = None,
    take_in: TakeIn | None = None,
) -> None:
    """Register the assignment and take the submission in, before nbgrader reads or copies any of it.

    nbgrader calls this once a submission, with student "*" where it grades a class, and then goes on with the files in
    `notebooks`: so the list is changed in place to those that intake wrote. Never raises an Exception, since nbgrader would
    swallow it and go on with the student's own files: what cannot be taken in is set aside in work/raw, and pristine
    notebooks stand in for it, marked so that the judge refuses them and nothing is recorded.
    """
    course = course or Course.here()
    folder = Path(notebooks[0]).parent if notebooks else course.submitted / student / assignment
    who = folder.parent.name
    try:
        gradebook.sync(course, assignment)
        if take_in is None:
            from autograder.intake import pre_convert_hook as take_in
        take_in(assignment=assignment, student=who, notebooks=list(notebooks))
        reason = ""
    except Exception as error:
        reason = _reason(error)
    written = [] if reason else _lessons_in(course, assignment, folder)
    if not written:
        reason = reason or "it holds no notebook of this assignment"
        get_logger().error("%s's %s cannot be taken in: %s", who, assignment, reason)
        written = _stand_in(course, assignment, folder, reason)
    notebooks[:] = [str(path) for path in written]


def _lessons_in(course: Course, assignment: str, folder: Path) -> list[Path]:
    paths = [folder / f"{lesson.name}.ipynb" for lesson in course.lessons(assignment)]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def _stand_in(course: Course, assignment: str, folder: Path, reason: str) -> list[Path]:
    """Set a submission's files aside, put marked pristine notebooks in their place, and return these; [] if that fails."""
    try:
        _set_aside(folder, course.raw / folder.parent.name / assignment)
        folder.mkdir(parents=True)
        paths = []
        for lesson in course.lessons(assignment):
            notebook = nbformat.read(course.source / assignment / f"{lesson.name}.ipynb", as_version=4)
            notebook.cells = []
            notebook.metadata["cnnlab"] = {FAILED: reason}
            paths.append(folder / f"{lesson.name}.ipynb")
            nbformat.write(notebook, paths[-1])
    except Exception as error:  # then nbgrader gets no notebook, and says that this submission failed
        get_logger().error("%s cannot be set aside: %s", folder, _reason(error))
        return []
    return paths


def _set_aside(folder: Path, raw: Path) -> None:
    """Rename a folder that cannot be taken in to a place of its own under work/raw; nothing in it is opened."""
    if not os.path.lexists(folder):
        return
    number = 0
    while True:
        target = raw if number == 0 else raw.with_name(f"{raw.name}.{number}")
        if not os.path.lexists(target):
            break
        number += 1
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)


def _reason(error: BaseException) -> str:
    """Put an error into one sentence: ours are sentences already."""
    words = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
    return plain(" ".join(words.split()), 500)


class JudgeStep(NbGraderPreprocessor):
    """Stands where nbgrader would execute the notebook: has it judged, and writes the points as the checks' results.

    nbgrader reads a check's points from its output: one result that is a number. That is written here, from the Verdict
    and nothing else; every output that was there before is dropped.
    """

    course = AnyTrait(None, allow_none=True, help="the Course; by default that of this checkout").tag(config=True)
    judge = AnyTrait(None, allow_none=True, help="stands in for judge_notebook in tests").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Judge a notebook that intake wrote; raise CourseError where it cannot be, so that nothing is recorded."""
        about = resources["nbgrader"]
        judgement = self._judge(nb, about["student"], about["assignment"], about["notebook"])
        for index, cell in enumerate(nb.cells):
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if utils.is_grade(cell):
                name = gradebook.exercise_of(cell.metadata.nbgrader.grade_id)
                verdict = judgement.verdicts.get(name) or _missing(name, cell)
                cell.outputs = outputs(verdict, float(cell.metadata.nbgrader.points))
            elif judgement.printed.get(index):
                cell.outputs = [new_output("stream", name="stdout", text=plain(judgement.printed[index]))]
        nb.metadata["cnnlab"] = {"flags": [plain(flag, 500) for flag in judgement.flags]}
        return nb, resources

    def _judge(self, nb: NotebookNode, student: str, assignment: str, name: str) -> Any:
        course = self.course or Course.here()
        try:
            failed = nb.metadata.get("cnnlab", {}).get(FAILED)
            if failed:
                raise CourseError(failed)
            judge = self.judge
            if judge is None:
                from autograder.judge import judge_notebook as judge
            return judge(course, course.lesson(assignment, name), nb)
        except Exception as error:
            raise CourseError(f"{name} of {student} is not graded: {_reason(error)}") from error


def outputs(verdict: Verdict, points: float) -> list[NotebookNode]:
    """Return the outputs of a check: the points for nbgrader, then the Verdict for people.

    points: the check's points in the gradebook. nbgrader gives full points for a number below zero or none at all, and fails
    on one above the maximum, so such a Verdict is refused here with a CourseError.
    """
    total = max(points, verdict.total)
    if not math.isfinite(verdict.points) or not -1e-9 <= verdict.points <= total + 1e-9:
        raise CourseError(f"{verdict.exercise} was given {verdict.points} points of {verdict.total:g}, which cannot be")
    if not math.isclose(points, verdict.total, abs_tol=1e-9):
        raise CourseError(f"{verdict.exercise} was judged out of {verdict.total:g} points but carries {points:g}")
    given = min(max(float(verdict.points), 0.0), points)
    shown = {"text/plain": verdict_text(verdict), "text/html": verdict_html(verdict)}
    return [
        new_output("execute_result", data={"text/plain": repr(given)}, execution_count=None),
        new_output("display_data", data=shown),
    ]


def _missing(name: str, cell: NotebookNode) -> Verdict:
    reason = "the grader has no result for this exercise; ask your instructor"
    return Verdict(name, 0.0, float(cell.metadata.nbgrader.points), "not found", notes=(reason,))


class SaveVerdicts(NbGraderPreprocessor):
    """Does what nbgrader's SaveAutoGrades does, with one query for all cells and one commit for the notebook.

    So a submission is recorded whole or not at all, and in a quarter of the time.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Store the points and "No response." remarks; a person's points and comments are never touched."""
        about = resources["nbgrader"]
        with api.Gradebook(about["db_url"]) as book:
            mine = book.find_submission_notebook(about["notebook"], about["assignment"], about["student"])
            grades, comments = _rows(book, api.Grade, mine), _rows(book, api.Comment, mine)
            for cell in nb.cells:
                if utils.is_grade(cell):
                    grade = grades[cell.metadata.nbgrader.grade_id]
                    grade.auto_score, _ = utils.determine_grade(cell, self.log)
                    grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
                if utils.is_solution(cell):
                    unwritten = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                    comments[cell.metadata.nbgrader.grade_id].auto_comment = "No response." if unwritten else None
            book.db.commit()
        return nb, resources


def _rows(book: api.Gradebook, kind: Any, notebook: api.SubmittedNotebook) -> dict[str, Any]:
    query = book.db.query(kind, api.BaseCell.name).join(api.BaseCell, api.BaseCell.id == kind.cell_id)
    return {name: row for row, name in query.filter(kind.notebook_id == notebook.id)}


class FeedbackGrades(GetGrades):
    """Adds to the grades that a feedback page shows which of them are still to be given by a person."""

    def _get_score(self, cell: NotebookNode, resources: ResourcesDict) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(
            cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id
        )
        cell.metadata.nbgrader["waits"] = grade.auto_score is None and grade.manual_score is None


class NoExchange(ExchangeList):
    """Tells formgrader quietly that this course uses no exchange: students hand in through a platform of their own."""

    root = Unicode("(none: notebooks are handed in elsewhere and graded with 'autograder grade')")

    def start(self) -> None:
        """Say that there is no exchange, without the error that nbgrader would log at every click."""
        raise ExchangeError(self.root)


class _InProcess(BaseConverter):
    """What nbgrader's converters need to run quietly here and to say in one sentence what went wrong."""

    failures: dict[str, Exception]

    def _prepare(self, directory: CourseDirectory, config: Config) -> None:
        log = logging.Logger("autograder.nbgrader")  # of its own: nothing is printed
        log.addHandler(logging.NullHandler())
        super().__init__(coursedir=directory, config=config, log=log, force=True)
        self.failures = {}

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
    """nbgrader's autograde for one student."""

    def __init__(self, directory: CourseDirectory, config: Config) -> None:
        self._prepare(directory, config)

    def run(self) -> str:
        """Grade, and return "" or a sentence that says why nothing was recorded."""
        try:
            self.start()
        except NbGraderException as error:
            return _sentence_of(self.failures, error)
        return ""


class FeedbackWriter(_InProcess, GenerateFeedback):
    """nbgrader's generate_feedback for the students named, with one exporter for all of them."""

    def __init__(self, directory: CourseDirectory, config: Config, students: list[str]) -> None:
        self.students = students
        self._prepare(directory, config)

    def init_notebooks(self) -> None:
        """Find the graded notebooks of the students, where nbgrader knows one student or all."""
        self.assignments, self.notebooks = {}, []
        for student in self.students:
            folder = self._format_source(self.coursedir.assignment_id, student)
            found = sorted(str(path) for path in Path(folder).glob("*.ipynb"))
            if found:
                self.assignments[folder] = found

    def run(self) -> str:
        """Write the pages, and return "" or a sentence that says whose failed and why."""
        try:
            self.start()
        except NbGraderException as error:
            return f"The feedback of {', '.join(self.failures)} could not be written: {_sentence_of(self.failures, error)}"
        return ""


def _sentence_of(failures: dict[str, Exception], error: Exception) -> str:
    cause = next(iter(failures.values()), None) or error.__context__ or error
    if isinstance(cause, (SQLAlchemyError, api.InvalidEntry)):
        raise cause  # it will hit the others too
    return _reason(cause)
