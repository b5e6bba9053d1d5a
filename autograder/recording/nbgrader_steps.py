"""Steps that replace nbgrader's own where those would touch, run or believe what a student wrote."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat.notebooknode import NotebookNode
from nbgrader import api, utils
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.abc import ExchangeList
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from traitlets import Any as AnyTrait
from traitlets import Unicode
from traitlets.log import get_logger

from autograder import intake, sandbox
from autograder.course import Course, CourseError
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import judgement_key
from autograder.recording import recorded
from autograder.recording.errors import RecordError
from autograder.recording.graded import Scores, fill_in, needs_a_person, recorded_lesson, scores
from autograder.recording.registration import sync
from autograder.words import plain


def pre_convert(assignment: str, student: str, notebooks: list[str], *, course: Course | None = None) -> None:
    """Register the assignment and take the submission in, before nbgrader reads or copies any of it.

    nbgrader calls this once for each submission and goes on with the files in `notebooks`, so the list is changed in
    place to the files that intake wrote. nbgrader would swallow an Exception and go on with the student's own files.
    So where intake fails, the list is left empty, which makes nbgrader report the submission as failed; and the
    folder is moved away, because nbgrader would copy what is in it.

    Args:
        assignment: the assignment.
        student: the student, "*" where nbgrader grades a class.
        notebooks: the paths of the submission's notebooks.
        course: the course, by default that of this checkout.

    Raises:
        SystemExit: with one sentence, where the assignment cannot be registered or there is no sandbox.
    """
    course = course or Course.here()
    try:
        sandbox.verify_available()
        sync(course, assignment)
    except Exception as error:
        raise SystemExit(f"{assignment} cannot be graded: {reason_of(error)}") from error
    folder = Path(notebooks[0]).parent
    try:
        intake.take_in_submitted(course, notebooks)
    except Exception as error:
        notebooks[:] = []
        place = _set_aside(folder, course.raw / folder.parent.name)
        get_logger().error(
            "%s of %s was moved to %s: %s", assignment, folder.parent.name, place, reason_of(error)
        )


def _set_aside(folder: Path, raw: Path) -> Path:
    """Move a folder that cannot be taken in to a place of its own, and open nothing in it."""
    raw.mkdir(parents=True, exist_ok=True)
    number = 1
    while os.path.lexists(place := raw / f"{folder.name}.refused.{number}"):
        number += 1
    if os.path.lexists(folder):
        folder.rename(place)
    return place


def reason_of(error: BaseException) -> str:
    """Return an error as one sentence; a CourseError is one already."""
    words = str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"
    return plain(" ".join(words.split()), 500)


class JudgeStep(NbGraderPreprocessor):
    """Has a notebook judged where nbgrader would execute it, and writes the points as the checks' results.

    nbgrader reads the points of a check from its output: one result that is a number. This step writes that number
    from the Verdict alone, and drops every output that was there before.
    """

    course = AnyTrait(None, allow_none=True, help="the Course; by default that of this checkout").tag(
        config=True
    )
    judge = AnyTrait(judge_notebook, help="runs a notebook and returns its Judgement").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Judge a notebook that intake wrote, and fill it in.

        Raises:
            RecordError: where that fails; nothing is recorded then.
        """
        about = resources["nbgrader"]
        student, assignment, lesson = about["student"], about["assignment"], about["notebook"]
        course = self.course or Course.here()
        try:
            submission = Submission.of_student(course, assignment, student)
            declared = course.lesson(assignment, lesson)
            key = judgement_key(course, declared, nb, submission)
            judgement = self.judge(course, declared, nb, submission)
            fill_in(nb, lesson, judgement, intake.load_record(course, assignment, student))
        except Exception as error:
            raise RecordError(f"{lesson} of {student} is not graded: {reason_of(error)}") from error
        for flag in nb.metadata.cnnlab.flags:
            self.log.warning("%s: %s", student, flag)
        resources["cnnlab"] = {"course": course, "judgement": key}
        return nb, resources


class SaveVerdicts(NbGraderPreprocessor):
    """Does what nbgrader's SaveAutoGrades does, with one query for all cells and one commit for the notebook.

    So a notebook is recorded whole or not at all, in a quarter of the time.
    """

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Store the points and the remarks "No response."; never touch a person's points and comments."""
        about, found = resources["nbgrader"], scores(nb)
        with _noted(about, resources.get("cnnlab"), found), api.Gradebook(about["db_url"]) as book:
            mine: Any = book.find_submission_notebook(
                about["notebook"], about["assignment"], about["student"]
            )
            grades, comments = _rows(book, api.Grade, mine), _rows(book, api.Comment, mine)
            for name, auto in found.auto.items():
                grades[name].auto_score = auto
                grades[name].needs_manual_grade = needs_a_person(auto, grades[name].manual_score)
            for name, remark in found.remarks.items():
                comments[name].auto_comment = remark
            book.db.commit()
        return nb, resources


@contextmanager
def _noted(about: dict[str, str], judged: dict[str, Any] | None, found: Scores) -> Iterator[None]:
    """Note in the journal that a notebook is being recorded, and after the block that it is recorded."""
    if not judged:  # an instructor's own step stands in JudgeStep's place
        yield
        return
    course = judged["course"]
    now = _now_recorded(course, about, judged["judgement"], found)
    recorded.begin(course, [now])
    yield
    recorded.end(course, [now])


def _now_recorded(
    course: Course, about: dict[str, str], judgement: str, found: Scores
) -> recorded.RecordedSubmission:
    """Return what is recorded of a submission after one of its notebooks is."""
    assignment, student, lesson = about["assignment"], about["student"], about["notebook"]
    before = recorded.find(course, assignment, student) or recorded.RecordedSubmission(assignment, student)
    folder = course.submitted / student / assignment
    lessons = {name: one for name, one in before.lessons.items() if (folder / f"{name}.ipynb").exists()}
    lessons[lesson] = recorded_lesson(
        judgement, recorded.notebook_hash(course, assignment, student, lesson), found
    )
    # Which other notebooks nbgrader will come to is not known here: only what changes nothing is known whole.
    identity = before.identity if before.whole and lessons == before.lessons else ""
    return recorded.RecordedSubmission(assignment, student, identity, lessons, before.handed_in)


def _rows(book: api.Gradebook, kind: Any, notebook: api.SubmittedNotebook) -> dict[str, Any]:
    query = book.db.query(kind, api.BaseCell.name).join(api.BaseCell, api.BaseCell.id == kind.cell_id)
    return {name: row for row, name in query.filter(kind.notebook_id == notebook.id)}


class FeedbackGrades(GetGrades):
    """Does what nbgrader's GetGrades does with two queries a notebook, and adds which grades a person still has to give."""

    _book: api.Gradebook | None = None

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> tuple[NotebookNode, ResourcesDict]:
        """Put scores, points and comments into the cells, and the notebook's score into the resources."""
        about = resources["nbgrader"]
        book = self._opened(about["db_url"])
        try:
            mine: Any = book.find_submission_notebook(
                about["notebook"], about["assignment"], about["student"]
            )
            grades, comments = _rows(book, api.Grade, mine), _rows(book, api.Comment, mine)
            for cell in nb.cells:
                if utils.is_solution(cell) or utils.is_task(cell):
                    cell.metadata.nbgrader["comment"] = comments[cell.metadata.nbgrader.grade_id].comment
                if utils.is_grade(cell) or utils.is_task(cell):
                    grade = grades[cell.metadata.nbgrader.grade_id]
                    waits = grade.auto_score is None and grade.manual_score is None
                    cell.metadata.nbgrader.update(score=grade.score, points=grade.max_score, waits=waits)
            late_penalty = mine.late_submission_penalty or 0
            about["score"], about["max_score"] = mine.score - late_penalty, mine.max_score
            about["late_penalty"] = late_penalty
        finally:
            book.db.remove()  # the next notebook sees what was written meanwhile, and no lock is held
        return nb, resources

    def _opened(self, url: str) -> api.Gradebook:
        # One for all notebooks: opening takes longer than reading.
        if self._book is None or str(self._book.engine.url) != url:
            self._book = api.Gradebook(url)
        return self._book


class NoExchange(ExchangeList):
    """Tells formgrader without an error in the log that this course uses no exchange: students hand in elsewhere."""

    root = Unicode("(none: this course uses no exchange)")

    def start(self) -> None:
        """Raise ExchangeError, but do not log the error, which nbgrader would do at every click."""
        raise ExchangeError(self.root)
