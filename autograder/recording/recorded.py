"""Keeps work/recorded.jsonl, the journal beside the gradebook: a line for each submission that was recorded.

These lines and the Judgements in work/journal.jsonl are enough to check the gradebook, and to rebuild it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autograder import files
from autograder.course import Course
from autograder.judging import grader_version
from autograder.judging.journal import Journal
from autograder.recording.errors import RecordError

MAX_NOTEBOOK = 64 << 20  # bytes; intake writes none that is larger


@dataclass(frozen=True)
class RecordedLesson:
    """The record of one notebook.

    Args:
        judgement: the key of its Judgement in work/journal.jsonl.
        notebook: the hash of its file in work/submitted/.
        points: the points of each Exercise and question, by name; None where a person has to grade the answer.
    """

    judgement: str
    notebook: str
    points: Mapping[str, float | None]


@dataclass(frozen=True)
class RecordedSubmission:
    """The record of one submission.

    Args:
        assignment: its name.
        student: the id.
        identity: a hash of what was judged and by which grader, "" where only part of the submission was recorded.
        lessons: the lessons that were handed in and judged, by name.
        handed_in: when the submission was handed in, in UTC, "" where that is not known.
        whole: False from just before the gradebook is written until the graded files lie in work/autograded/.
    """

    assignment: str
    student: str
    identity: str = ""
    lessons: Mapping[str, RecordedLesson] = field(default_factory=dict)
    handed_in: str = ""
    whole: bool = True

    @property
    def key(self) -> str:
        """The key of the submission's lines in the journal."""
        return key_of(self.assignment, self.student)


def key_of(assignment: str, student: str) -> str:
    """Return the key of a submission's lines in the journal."""
    return f"{assignment}/{student}"


def journal(course: Course) -> Journal:
    """Return the journal work/recorded.jsonl."""
    return _journal(course.work / "recorded.jsonl")


@cache
def _journal(path: Path) -> Journal:
    return Journal(path)


def find(course: Course, assignment: str, student: str) -> RecordedSubmission | None:
    """Return what was last recorded of a submission, or None where nothing was.

    Args:
        course: whose class it is.
        assignment: the assignment.
        student: whose submission it is.
    """
    entry = journal(course).find(key_of(assignment, student))
    return None if entry is None else _from_json(assignment, student, entry)


def records(course: Course, assignment: str) -> Iterator[RecordedSubmission]:
    """Go through an assignment's submissions, and yield what was last recorded of each."""
    book = journal(course)
    for key in sorted(book.keys()):
        found, _, student = key.partition("/")
        if found == assignment:
            entry = book.find(key)
            if entry is not None:
                yield _from_json(assignment, student, entry)


def begin(course: Course, records: Iterable[RecordedSubmission]) -> None:
    """Note in the journal that these submissions are being recorded, before the gradebook is written.

    If the run is killed after that, the next run records them again.
    """
    journal(course).add_all(_entry(course, replace(one, identity="", whole=False)) for one in records)


def end(course: Course, records: Iterable[RecordedSubmission]) -> None:
    """Note in the journal that these submissions are recorded whole."""
    journal(course).add_all(_entry(course, one) for one in records)


def _entry(course: Course, record: RecordedSubmission) -> tuple[str, dict[str, Any]]:
    """Return a submission's line for the journal, with the time and the versions of what judged it."""
    from cnnlab import __version__

    lessons = {
        name: {"judgement": one.judgement, "notebook": one.notebook, "points": dict(one.points)}
        for name, one in record.lessons.items()
    }
    return record.key, {
        "assignment": record.assignment,
        "student": record.student,
        "submission": record.identity,  # by the name that it had first: old lines are still read
        "lessons": lessons,
        "handed_in": record.handed_in,
        "whole": record.whole,
        "versions": {
            "python": sys.version.split()[0],
            "numpy": np.__version__,
            "cnnlab": __version__,
            "grader": grader_version.grader(),
        },
        # By it the secret can be recognised from which the Cases were drawn; the secret itself is in no journal.
        "secret": hashlib.sha256(b"journal\0" + course.secret()).hexdigest(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def notebook_hash(course: Course, assignment: str, student: str, lesson: str) -> str:
    """Return the hash of a notebook in work/submitted/, "" where the notebook is missing.

    Args:
        course: whose class it is.
        assignment: the assignment.
        student: whose submission it is.
        lesson: the lesson's name.
    """
    path = course.submitted / student / assignment / f"{lesson}.ipynb"
    try:
        return files.sha256(files.read(path, MAX_NOTEBOOK))
    except OSError:
        return ""


def _from_json(assignment: str, student: str, entry: Mapping[str, Any]) -> RecordedSubmission:
    """Read a line; lines of earlier versions lack some fields.

    Raises:
        RecordError: where a field holds what no version writes.
    """
    try:
        lessons = {
            name: RecordedLesson(one["judgement"], one["notebook"], dict(one["points"]))
            for name, one in entry.get("lessons", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        key = key_of(assignment, student)
        raise RecordError(
            f"The last line of {key} in work/recorded.jsonl cannot be read: it was changed, or a later version wrote it."
        ) from error
    identity, handed_in = str(entry.get("submission", "")), str(entry.get("handed_in", ""))
    return RecordedSubmission(
        assignment, student, identity, lessons, handed_in, bool(entry.get("whole", True))
    )
