"""Fills in graded notebooks, and returns the scores that the gradebook is to hold of them.

Both ways of recording use it: the Recorder's own, and nbgrader's.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader import utils

from autograder import files
from autograder.course import Course
from autograder.intake import IntakeRecord
from autograder.judging.judgement import Judgement
from autograder.recording import recorded
from autograder.recording.errors import RecordError
from autograder.recording.released_cells import exercise_of
from autograder.verdict import Verdict
from autograder.words import plain, verdict_html, verdict_text

MAX_TIMESTAMP = 64  # bytes, as intake lets through
SAME_POINTS = 1e-9  # points that differ by less differ by rounding
LOG = logging.Logger("autograder.nbgrader")  # of its own: nothing of nbgrader's is printed
LOG.addHandler(logging.NullHandler())


def fill_in(nb: NotebookNode, lesson: str, judgement: Judgement, taken: IntakeRecord | None) -> None:
    """Write the results into a lesson's notebook: Verdicts, printed text, and flags for the instructor.

    Args:
        nb: the notebook, which is changed.
        lesson: the lesson's name.
        judgement: the notebook's Judgement.
        taken: what intake noted about the submission, None where it noted nothing.

    Raises:
        RecordError: where an Exercise was given impossible points.
    """
    known = taken.lessons.get(lesson) if taken else None
    _write(nb, judgement, dict(known.notes) if known else {})
    flags = (*(taken.flags if taken else ()), *judgement.flags)
    about: dict[str, object] = {"flags": [plain(flag, 500) for flag in flags]}
    if known and known.unused:
        about["unused"] = plain(known.unused, 1000)
    nb.metadata["cnnlab"] = about


def _write(nb: NotebookNode, judgement: Judgement, notes: dict[str, str]) -> None:
    """Write the results into each cell; notes: Exercise or question -> what intake has to tell the student."""
    for index, cell in enumerate(nb.cells):
        name = exercise_of(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))
        if cell["cell_type"] != "code":
            if name in notes:
                cell.metadata.setdefault("cnnlab", {})["note"] = plain(notes[name], 1000)
            continue
        cell.outputs, cell.execution_count = [], None
        if utils.is_grade(cell):
            verdict = judgement.verdicts.get(name) or _missing(name, cell)
            if name in notes:
                verdict = replace(verdict, notes=(*verdict.notes, notes[name]))
            cell.outputs = outputs(verdict, float(cell.metadata.nbgrader.points))
        elif judgement.printed.get(index):
            cell.outputs = [_output("stream", name="stdout", text=plain(judgement.printed[index]))]


def outputs(verdict: Verdict, points: float) -> list[NotebookNode]:
    """Return the outputs of a check: the points for nbgrader, then the Verdict for people.

    nbgrader would give full points for a negative number or for no number, and fails on one above the maximum. So
    such a Verdict is rejected here.

    Args:
        verdict: the Exercise's Verdict.
        points: the points of the check in the gradebook.

    Raises:
        RecordError: where the Verdict's points are impossible.
    """
    total = max(points, verdict.total)
    if not math.isfinite(verdict.points) or not -SAME_POINTS <= verdict.points <= total + SAME_POINTS:
        raise RecordError(
            f"{verdict.exercise} was given {verdict.points} points of {verdict.total:g}, which cannot be"
        )
    if not math.isclose(points, verdict.total, abs_tol=SAME_POINTS):
        raise RecordError(
            f"{verdict.exercise} was judged out of {verdict.total:g} points but carries {points:g}"
        )
    given = min(max(float(verdict.points), 0.0), points)
    shown = {"text/plain": verdict_text(verdict), "text/html": verdict_html(verdict)}
    return [
        _output("execute_result", data={"text/plain": repr(given)}, execution_count=None, metadata={}),
        _output("display_data", data=shown, metadata={}),
    ]


def _output(kind: str, **fields: object) -> NotebookNode:
    """Do what nbformat's new_output does without its validation, which takes a millisecond."""
    made: Any = nbformat.from_dict({"output_type": kind, **fields})
    return made


def _missing(name: str, cell: NotebookNode) -> Verdict:
    reason = "the grader has no result for this exercise; ask your instructor"
    return Verdict(name, 0.0, float(cell.metadata.nbgrader.points), "not found", notes=(reason,))


@dataclass(frozen=True)
class Scores:
    """The scores that the gradebook is to hold of one graded notebook, by the names of its cells.

    auto: the grader's points, None where a person has to grade the answer.
    remarks: "No response." where an answer is as it was handed out, None elsewhere.
    """

    auto: Mapping[str, float | None]
    remarks: Mapping[str, str | None]


def scores(nb: NotebookNode) -> Scores:
    """Return the scores that nbgrader's SaveAutoGrades would store of a notebook that `fill_in` filled in."""
    auto, remarks = {}, {}
    for cell in nb.cells:
        if utils.is_grade(cell):
            auto[cell.metadata.nbgrader.grade_id], _ = utils.determine_grade(cell, LOG)
        if utils.is_solution(cell):
            unwritten = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
            remarks[cell.metadata.nbgrader.grade_id] = "No response." if unwritten else None
    return Scores(auto, remarks)


def needs_a_person(auto: float | None, manual: float | None) -> bool:
    """Say whether a person has to look at a graded cell; nbgrader decides it in the same way."""
    return manual is not None or auto is None


def recorded_lesson(judgement: str, notebook: str, found: Scores) -> recorded.RecordedLesson:
    """Return what the journal of recorded submissions is to say of one graded notebook.

    Args:
        judgement: the key of the notebook's Judgement.
        notebook: the hash of its file in work/submitted/.
        found: its scores.
    """
    points = {exercise_of(name): auto for name, auto in found.auto.items()}
    return recorded.RecordedLesson(judgement, notebook, points)


def handed_in_at(course: Course, assignment: str, student: str) -> datetime | None:
    """Return when a submission was handed in, in UTC, or None where nbgrader's collector noted no time.

    Args:
        course: whose class it is.
        assignment: the assignment.
        student: whose submission it is.

    Raises:
        RecordError: where the noted time is no date.
    """
    path = course.submitted / student / assignment / "timestamp.txt"
    try:
        text = files.read(path, MAX_TIMESTAMP).decode().strip()
    except FileNotFoundError:
        return None
    try:
        return utils.parse_utc(text) if text else None
    except (ValueError, OverflowError, TypeError) as error:
        raise RecordError(f"{path} holds no date: take it away, or take the submission in again.") from error
