"""Finds the submissions that a run grades, and their students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder import intake
from autograder.course import Course, CourseError
from autograder.files import printable_name

MAX_LEFT_OUT = 20  # names that are said
IGNORED = ("__macosx", "thumbs.db", "desktop.ini")  # which systems put there, beside names with a dot


@dataclass(frozen=True)
class FoundSubmissions:
    """The submissions that a run may grade.

    folders: student id -> the folder of their submission.
    left_out: a sentence for each name in the folder handed over that is no student's folder.
    """

    folders: Mapping[str, Path]
    left_out: tuple[str, ...] = ()


def student_folders(folder: Path) -> FoundSubmissions:
    """Find the students' folders in a folder that holds one for each, whatever else lies there.

    Raises:
        CourseError: where it is not a folder, or holds no student's folder.
    """
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give one that holds a folder per student.")
    found: dict[str, Path] = {}
    left_out: list[str] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in IGNORED:
            continue
        if path.is_symlink() or not path.is_dir():
            left_out.append(
                f"{printable_name(path.name)!r} is no folder: move it into its student's folder (a notebook, a zip "
                "archive), or take a download of Moodle or Canvas apart with 'nbgrader zip_collect'."
            )
        elif not _is_student(path.name):
            left_out.append(
                f"{printable_name(path.name)!r} is no student's id: rename the folder. An id is made of the letters "
                "a to z, digits and . _ @ -, begins with a letter or digit and is not long; folders as Moodle names "
                "them first go through 'nbgrader zip_collect'."
            )
        else:
            found[path.name] = path
    if not found:
        raise CourseError(
            f"{folder} holds no student's folder; put each student's notebooks into a folder named by the id. "
            f"{left_out[0] if left_out else ''}".rstrip()
        )
    if len(left_out) > MAX_LEFT_OUT:
        left_out[MAX_LEFT_OUT:] = [
            f"{len(left_out) - MAX_LEFT_OUT:,} more names of this kind are not listed."
        ]
    return FoundSubmissions(found, tuple(left_out))


def find_submissions(course: Course, assignment: str, folder: Path | None) -> FoundSubmissions:
    """Find all submissions that a run may grade.

    Args:
        course: the course.
        assignment: its name.
        folder: one folder for each student, or None. Those who are not in it are found in work/submitted/.

    Raises:
        CourseError: where `folder` is not one with notebooks of this assignment.
    """
    found = {
        student: course.submitted / student / assignment for student in students_taken_in(course, assignment)
    }
    if folder is None:
        return FoundSubmissions(found)
    if folder.resolve().is_relative_to(course.submitted):
        raise CourseError(
            f"{folder} is where what was handed in is kept: leave the folder out to grade it again."
        )
    new = student_folders(folder)
    other = _of_another(course, assignment, new.folders)
    if other:
        raise CourseError(
            f"{folder} holds notebooks of {other} and none of {assignment}: give {other}, or another folder."
        )
    return FoundSubmissions({**found, **new.folders}, new.left_out)


def _of_another(course: Course, assignment: str, folders: Mapping[str, Path]) -> str:
    """Return the assignment that all notebooks there belong to, by their names, where it is another; else ""."""
    lessons = [lesson for name in course.assignments() for lesson in course.lessons(name)]
    found: set[str] = set()
    for folder in folders.values():
        for path in folder.iterdir():
            of = [lesson.assignment for lesson in lessons if intake.names_lesson(path.name, lesson)]
            if path.suffix == ".ipynb" and of:
                found.update(of)
            elif path.suffix in (".ipynb", ".zip") or path.is_dir():
                return ""  # what is in there is found out when it is taken in
    return found.pop() if len(found) == 1 and assignment not in found else ""


def students_taken_in(course: Course, assignment: str) -> list[str]:
    """Return the students whose submission lies in work/submitted/."""
    if not course.submitted.is_dir():
        return []
    names = (path.name for path in course.submitted.iterdir() if (path / assignment).is_dir())
    return sorted(name for name in names if _is_student(name))


def _is_student(name: str) -> bool:
    try:
        return intake.verify_student(name) == name
    except CourseError:
        return False
