"""What is known of how a submission was recorded: a line of work/recorded.jsonl, the journal beside the gradebook.

Together with the Judgements in work/journal.jsonl it is enough to check the gradebook, and to rebuild it.
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

MAX_NOTEBOOK = 64 << 20  # bytes; intake writes none that is larger


@dataclass(frozen=True)
class LessonRecord:
    """What was recorded of one notebook.

    judgement: the key of its Judgement in work/journal.jsonl; notebook: the hash of the file in
    work/submitted/; points: of each Exercise, and of each question that was left as it was; None for what a
    person grades.
    """

    judgement: str
    notebook: str
    points: Mapping[str, float | None]


@dataclass(frozen=True)
class Record:
    """What was recorded of one submission.

    submission: a hash of what was judged and by what, "" where only part of it was recorded; lessons: by name,
    those that were handed in and judged; handed_in: when, in UTC, or ""; whole: False from just before the
    gradebook is written until its files lie in work/autograded/.
    """

    assignment: str
    student: str
    submission: str = ""
    lessons: Mapping[str, LessonRecord] = field(default_factory=dict)
    handed_in: str = ""
    whole: bool = True

    @property
    def key(self) -> str:
        """The key of its lines."""
        return key_of(self.assignment, self.student)


def key_of(assignment: str, student: str) -> str:
    """Return the key of a submission's lines."""
    return f"{assignment}/{student}"


def journal(course: Course) -> Journal:
    """Return the journal of what was recorded."""
    return _journal(course.work / "recorded.jsonl")


@cache
def _journal(path: Path) -> Journal:
    return Journal(path)


def find(course: Course, assignment: str, student: str) -> Record | None:
    """Return what was recorded last of a submission, or None."""
    entry = journal(course).find(key_of(assignment, student))
    return None if entry is None else _from_json(assignment, student, entry)


def records(course: Course, assignment: str) -> Iterator[Record]:
    """Go through what was recorded last of every submission to an assignment."""
    book = journal(course)
    for key in sorted(book.keys()):
        found, _, student = key.partition("/")
        if found == assignment:
            entry = book.find(key)
            if entry is not None:
                yield _from_json(assignment, student, entry)


def begin(course: Course, records: Iterable[Record]) -> None:
    """Write the lines that go before the gradebook: a run that is killed then has to record these again."""
    journal(course).add_all(_entry(course, replace(one, submission="", whole=False)) for one in records)


def end(course: Course, records: Iterable[Record]) -> None:
    """Write the lines of what is now recorded."""
    journal(course).add_all(_entry(course, one) for one in records)


def _entry(course: Course, record: Record) -> tuple[str, dict[str, Any]]:
    """Return the line of a Record, with what it was made by and when."""
    from cnnlab import __version__

    lessons = {
        name: {"judgement": one.judgement, "notebook": one.notebook, "points": dict(one.points)}
        for name, one in record.lessons.items()
    }
    return record.key, {
        "assignment": record.assignment,
        "student": record.student,
        "submission": record.submission,
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
    """Return the hash of a notebook in work/submitted/, "" where it is not there."""
    path = course.submitted / student / assignment / f"{lesson}.ipynb"
    try:
        return files.sha256(files.read(path, MAX_NOTEBOOK))
    except OSError:
        return ""


def _from_json(assignment: str, student: str, entry: Mapping[str, Any]) -> Record:
    """Read a line; one of an earlier version says less."""
    found = entry.get("lessons", {})
    lessons = {
        name: LessonRecord(one["judgement"], one["notebook"], dict(one["points"]))
        for name, one in found.items()
    }
    submission, handed_in = str(entry.get("submission", "")), str(entry.get("handed_in", ""))
    return Record(assignment, student, submission, lessons, handed_in, bool(entry.get("whole", True)))
