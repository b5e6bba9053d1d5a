"""Whose submissions a run grades, and where they lie."""

from __future__ import annotations

from pathlib import Path

from autograder import intake
from autograder.course import Course, CourseError


def students_in(folder: Path) -> dict[str, Path]:
    """Return student id -> folder for a folder that holds one folder per student; raise CourseError for anything else."""
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give one that holds a folder per student.")
    found, odd = {}, []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_symlink() or not path.is_dir() or not _is_student(path.name):
            odd.append(path.name)
        else:
            found[path.name] = path
    if odd:
        raise CourseError(
            f"{folder} holds what is no student's folder: {', '.join(map(repr, odd[:5]))}; rename it. A student id is made "
            "of the letters a to z, digits and . _ @ -, begins with a letter or digit, and its folder is no link; "
            "a zip archive goes into the student's folder."
        )
    if not found:
        raise CourseError(
            f"{folder} holds no student's folder; put each student's notebooks into a folder named by the id."
        )
    return found


def handed_in(course: Course, assignment: str, folder: Path | None) -> dict[str, Path]:
    """Return student id -> where their submission lies: in `folder`, else in work/submitted/ from before."""
    found = {student: course.submitted / student / assignment for student in standing(course, assignment)}
    return found | (students_in(folder) if folder is not None else {})


def standing(course: Course, assignment: str) -> list[str]:
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
