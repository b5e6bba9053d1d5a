"""Keep intake's notes on a submission where no student's file can reach: work/intake/<assignment>/<student>.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import files
from autograder.course import Course
from autograder.intake.student_id import verify_student

MAX_RECORD = 16 << 20  # bytes; the sentences about one submission are far fewer


@dataclass(frozen=True)
class LessonIntake:
    """Intake's notes on one lesson.

    Args:
        source: the name of the file handed in.
        source_sha256: of that file's bytes.
        sha256: of the notebook that we wrote.
        flags: as in `GraftedNotebook`.
        found: as in `GraftedNotebook`.
        written: as in `GraftedNotebook`.
        notes: as in `GraftedNotebook`.
        secret_set: the set of secret Cases that it is asked, for as long as this file counts.
        base: as in `GraftedNotebook`, "" where it was taken in before lessons were released to work/.
    """

    source: str
    source_sha256: str
    sha256: str
    flags: tuple[str, ...]
    found: frozenset[str]
    written: frozenset[str]
    notes: Mapping[str, str]
    secret_set: int = 0  # as in records of version 0.1.0, which knew one set
    base: str = ""

    @property
    def unused(self) -> str:
        """The reason why nothing of the file could be used; "" where something was."""
        reasons = set(self.notes.values())  # where nothing could be used, all notes say so
        return reasons.pop() if not self.found and len(reasons) == 1 else ""


@dataclass(frozen=True)
class IntakeRecord:
    """Intake's notes on one student's submission.

    Args:
        assignment: its name.
        student: the id.
        folder_flags: sentences for the instructor about the folder as a whole.
        lessons: lesson name -> the notes on it.
    """

    assignment: str
    student: str
    folder_flags: tuple[str, ...] = ()
    lessons: Mapping[str, LessonIntake] = field(default_factory=dict)

    @property
    def flags(self) -> tuple[str, ...]:
        """Every sentence for the instructor, those about a lesson with its name."""
        return self.folder_flags + tuple(
            f"{name}: {f}" for name, one in self.lessons.items() for f in one.flags
        )

    @property
    def found(self) -> frozenset[str]:
        """The Exercises and questions of all lessons for which an Answer was found."""
        return frozenset[str]().union(*(one.found for one in self.lessons.values()))

    @property
    def notes(self) -> dict[str, str]:
        """Exercise or question -> sentence for the student, of all lessons."""
        return {name: note for one in self.lessons.values() for name, note in one.notes.items()}


def load_record(course: Course, assignment: str, student: str) -> IntakeRecord | None:
    """Return the record of a submission, or None where none was taken in or the record is damaged.

    Args:
        course: the course.
        assignment: its name.
        student: the id.
    """
    try:
        value = json.loads(files.read(_path(course, assignment, student), MAX_RECORD))
        lessons = {name: _lesson(one) for name, one in value["lessons"].items()}
        return IntakeRecord(value["assignment"], value["student"], tuple(value["flags"]), lessons)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save_record(course: Course, record: IntakeRecord) -> None:
    """Write the record of a submission, whole or not at all."""
    value = {
        "assignment": record.assignment,
        "student": record.student,
        "flags": list(record.folder_flags),
        "lessons": {name: _plain(one) for name, one in sorted(record.lessons.items())},
    }
    text = json.dumps(value, indent=1) + "\n"
    files.write(_path(course, record.assignment, record.student), text.encode("utf-8"))


def _plain(one: LessonIntake) -> dict[str, Any]:
    sets = {"flags": list(one.flags), "found": sorted(one.found), "written": sorted(one.written)}
    return vars(one) | sets | {"notes": dict(one.notes)}


def _lesson(value: Any) -> LessonIntake:
    sets = {"found": frozenset(value["found"]), "written": frozenset(value["written"])}
    return LessonIntake(**(value | sets | {"flags": tuple(value["flags"]), "notes": dict(value["notes"])}))


def _path(course: Course, assignment: str, student: str) -> Path:
    return course.work / "intake" / assignment / f"{verify_student(student)}.json"
