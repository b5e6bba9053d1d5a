"""Graft a student's cells onto the pristine lesson: the result is a notebook that we wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from nbformat.notebooknode import NotebookNode

from autograder.exercise import Lesson
from autograder.intake.assemble_notebook import assemble_notebook
from autograder.intake.match_answers import Answers, match_answers
from autograder.intake.match_cells import CellMatcher
from autograder.intake.match_questions import match_questions
from autograder.intake.place_code import Placement, place_code
from autograder.intake.pristine_lesson import PristineLesson
from autograder.intake.read_notebook import StudentNotebook
from autograder.intake.remarks import Remarks

ANSWER_ASSIGNED = re.compile(r"^answer *(?::[^=\n]*)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class GraftedNotebook:
    """A lesson's notebook with one student's Answers and other code in it.

    notebook: written by us.
    flags: sentences for the instructor.
    found: the Exercises and questions for which an Answer was found, be it the untouched stub.
    notes: Exercise or question -> sentence for the student.
    written: those of `found` whose Answer differs from the stub.
    base: the digest of the released lesson that they were put into.
    """

    lesson: Lesson
    notebook: NotebookNode
    flags: tuple[str, ...] = ()
    found: frozenset[str] = frozenset()
    notes: Mapping[str, str] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    base: str = ""


def graft(lesson: PristineLesson, student: StudentNotebook, *, fenced: bool = True) -> GraftedNotebook:
    """Return the lesson with the student's Answers in its cells and their other code between them.

    Args:
        lesson: as it was released.
        student: the notebook handed in.
        fenced: whether free text is shown letter by letter, so that nothing of it is markup.
    """
    matcher = CellMatcher(lesson, student)
    remarks = Remarks(student.odd)
    answers = match_answers(matcher, remarks)
    texts = match_questions(matcher, remarks, fenced=fenced)
    _remark_copied_checks(matcher, remarks)
    _remark_overwritten(matcher, answers, remarks)
    placement = place_code(matcher, answers, remarks)
    exercises, questions = lesson.cells_of("exercise"), lesson.cells_of("question")
    sources = {exercises[name].index: cell.source for name, cell in answers.cells.items()}
    sources |= {questions[name].index: text for name, text in texts.items() if text}
    return GraftedNotebook(
        lesson.lesson,
        assemble_notebook(lesson, sources, placement, answers.later),
        flags=remarks.flags,
        found=frozenset([*answers.cells, *texts]),
        notes=remarks.notes,
        written=answers.written | {name for name, text in texts.items() if text},
        base=lesson.digest,
    )


def without_answers(lesson: PristineLesson, flag: str, note: str) -> GraftedNotebook:
    """Return the lesson as nobody worked on it, for a submission of which nothing could be used.

    Args:
        lesson: the lesson.
        flag: the sentence for the instructor.
        note: the sentence for the student, said of every Exercise and question.
    """
    names = [*lesson.cells_of("exercise"), *lesson.cells_of("question")]
    notebook = assemble_notebook(lesson, {}, Placement(), {})
    notes = dict.fromkeys(names, note)
    return GraftedNotebook(lesson.lesson, notebook, flags=(flag,), notes=notes, base=lesson.digest)


def _remark_copied_checks(matcher: CellMatcher, remarks: Remarks) -> None:
    for name, check in matcher.lesson.cells_of("check").items():
        copies = matcher.copies(check)
        if copies > 1:
            remarks.flag(f"{name}: {copies} cells carry the id of its check; the lesson's own was used.")


def _remark_overwritten(matcher: CellMatcher, answers: Answers, remarks: Remarks) -> None:
    """Tell of the first Answer below a cell that gives the name `answer` to a value."""
    overwriting = [
        cell for cell in matcher.cells if cell.kind == "code" and ANSWER_ASSIGNED.search(cell.source)
    ]
    for name, cell in answers.cells.items():
        above = [one.number for one in overwriting if one.number < cell.number]
        if above and "@answer" in cell.source:
            remarks.tell_both(
                name,
                f"Cell {above[0]} overwrites `answer`, so that @answer fails in the cells below it: give that value another "
                "name. It was graded as if the name were still cnnlab's.",
            )
            return
