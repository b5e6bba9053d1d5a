"""Exports a class, and reads what was exported."""

from __future__ import annotations

import csv
from pathlib import Path

from autograder import cli
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.recording.gradebook import Grade
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME

HINT = "You doubled only the small numbers; write it for all."


def export(course: sample.SampleCourse, *arguments: str) -> int:
    options = cli._parser().parse_args(["export", *arguments])
    return options.run(course, options)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def only(student: str, **fields: str | float) -> ClassGrades:
    """ClassGrades of one student with a name of the test's choice."""
    known = {"first_name": "", "last_name": "", "email": "", "lms_id": "", "penalty": 0.0, **fields}
    grades = (Grade(student, NAME, "double", 3.0, None, 0.0, 3.0, False),)
    return ClassGrades(ASSIGNMENT, 3.0, (StudentGrades(student, grades=grades, **known),))  # type: ignore[arg-type]
