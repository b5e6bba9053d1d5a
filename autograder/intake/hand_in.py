"""Verify the folder that a student handed in, and say where in the course its parts go."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder import files
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.files import printable_name
from autograder.intake.errors import UnusableFolder
from autograder.intake.records import IntakeRecord, load_record
from autograder.intake.student_id import verify_student


@dataclass(frozen=True)
class HandIn:
    """The folder that a student handed in for an assignment.

    lessons: those of the assignment.
    folder: where the files lie that were handed in.
    before: what intake noted when it last took in this student's work.
    """

    course: Course
    assignment: str
    student: str
    lessons: Sequence[Lesson]
    folder: Path
    before: IntakeRecord | None

    @property
    def raw(self) -> Path:
        """The folder of work/raw/ where the files are kept byte for byte."""
        return self.course.raw / self.student / self.assignment

    @property
    def home(self) -> Path:
        """The folder of work/submitted/ where the notebooks go that we write."""
        return self.course.submitted / self.student / self.assignment

    @property
    def in_place(self) -> bool:
        """Whether the folder handed in is the one that we write to."""
        return is_same_folder(self.folder, self.home)

    @cached_property
    def asked_for(self) -> set[str]:
        """The names of the files that the lessons ask for beside the notebooks."""
        return {name for lesson in self.lessons for name in lesson.files}


def open_hand_in(
    course: Course, assignment: str, student: str, folder: Path, lessons: Sequence[Lesson] | None
) -> HandIn:
    """Verify that a folder can be taken in, and load what was noted before.

    Args:
        course: where the student's work goes.
        assignment: its name.
        student: the id.
        folder: what was handed in.
        lessons: those of the assignment; None for all that it has.

    Raises:
        InvalidStudentId: where the id is no name of a folder.
        UnusableFolder: where there is no such folder, or a lesson is of another assignment.
    """
    verify_student(student)
    lessons = list(course.lessons(assignment) if lessons is None else lessons)
    if any(lesson.assignment != assignment for lesson in lessons):
        raise UnusableFolder(f"The lessons given are not those of {assignment!r}.")
    before = load_record(course, assignment, student)
    hand_in = HandIn(course, assignment, student, lessons, folder, before)
    for path in (folder, folder.parent if hand_in.in_place else folder):
        if not files.is_real_folder(path):
            raise UnusableFolder(f"{printable_name(str(path))} is not a folder, or only a link to one.")
    return hand_in


def is_same_folder(one: Path, other: Path) -> bool:
    """Say whether two paths lead to the same folder."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
