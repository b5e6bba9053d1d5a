"""A Judgement: all findings of grading one notebook, its key, and the journal that keeps it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from nbformat.notebooknode import NotebookNode

from autograder import files
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging import cells, grader_version
from autograder.judging.companions import ALONE, Submission
from autograder.judging.journal import Journal
from autograder.verdict import Verdict


@dataclass(frozen=True)
class Judgement:
    """All findings of grading one notebook.

    Args:
        verdicts: by exercise.
        printed: index of a cell in the notebook -> what the student's cell printed, and the error it raised.
        flags: sentences for the instructor.
        seconds: wall time in the sandbox.
        key: the journal's key, "" where it was not worked out.
    """

    verdicts: Mapping[str, Verdict]
    printed: Mapping[int, str]
    flags: tuple[str, ...]
    seconds: float
    key: str = field(default="", compare=False)

    def as_json(self) -> dict[str, Any]:
        """Return the Judgement as plain JSON values, for the journal."""
        return {
            "verdicts": {name: verdict.as_json() for name, verdict in self.verdicts.items()},
            "printed": {str(index): text for index, text in self.printed.items()},
            "flags": list(self.flags),
            "seconds": round(self.seconds, 3),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Judgement:
        """Rebuild a Judgement from the journal."""
        return cls(
            {name: Verdict.from_json(verdict) for name, verdict in data["verdicts"].items()},
            {int(index): text for index, text in data["printed"].items()},
            tuple(data["flags"]),
            data["seconds"],
            data.get("key", ""),
        )


def judgement_key(
    course: Course, lesson: Lesson, notebook: NotebookNode, submission: Submission = ALONE
) -> str:
    """Return the journal's key of a notebook: equal for equal cells, files, earlier lessons, secret, set and grader.

    Args:
        course: the course, whose secret decides what is asked.
        lesson: the lesson that the notebook answers.
        notebook: as intake wrote it.
        submission: what it was handed in with.
    """
    # With their places: what was printed is kept by them.
    code = [
        [index, cells.role(cell), cells.exercise(cell), cell.source]
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code"
    ]
    handed_in = [[name, _digest(submission.file(name))] for name in lesson.files]
    library = submission.library(lesson, notebook)
    asked = submission.secret_set(lesson)
    decided_by = [lesson.assignment, lesson.name, code, handed_in, library, asked, grader_version.grader()]
    return hashlib.sha256(course.secret() + json.dumps(decided_by).encode()).hexdigest()


def _digest(data: bytes | None) -> str:
    return "" if data is None else files.sha256(data)


def find(course: Course, key: str) -> Judgement | None:
    """Return the Judgement of this key from the course's journal, or None where there is none."""
    entry = journal(course).find(key)
    return None if entry is None else Judgement.from_json(entry)


def keep(course: Course, lesson: Lesson, judgement: Judgement) -> None:
    """Add a Judgement to the course's journal, with the versions of Python and NumPy.

    Args:
        course: the course.
        lesson: the lesson that the notebook answers.
        judgement: with its key.
    """
    versions = {"python": sys.version.split()[0], "numpy": np.__version__}
    about = {"lesson": f"{lesson.assignment}/{lesson.name}", "versions": versions}
    journal(course).add(judgement.key, {**judgement.as_json(), **about})


def journal(course: Course) -> Journal:
    """Return the journal of Judgements, work/journal.jsonl."""
    return _journal(course.work / "journal.jsonl")


@cache  # a process that grades a class reads the file once
def _journal(path: Path) -> Journal:
    return Journal(path)
