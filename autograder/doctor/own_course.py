"""The check of the instructor's own files, course.toml and roster.csv: faults, and who else can read or change them."""

from __future__ import annotations

from pathlib import Path

from autograder.configuration import (
    ConfigurationError,
    CourseFile,
    Roster,
    course_file,
    course_file_path,
    roster,
    roster_path,
)
from autograder.course import Course
from autograder.doctor.finding import Finding, note, problem

OTHERS_READ_OR_WRITE = 0o006
OTHERS_WRITE = 0o002


def own_course(course: Course) -> list[Finding]:
    """Read roster.csv and course.toml, and report each fault, or what a file holds; an absent file is no finding."""
    found: list[Finding] = []
    for path, read in ((roster_path(course), roster), (course_file_path(course), course_file)):
        try:
            content = read(course)
        except ConfigurationError as error:
            faults = [problem(str(fault)) for fault in error.faults]
            found += [
                fault for fault in faults if fault not in found
            ]  # course.toml is checked against the roster
        else:
            if path.exists() and content is not None:
                found.append(note(f"{path} is in order: {_amount(content)}."))
        found += _access(path)
    return found


def _amount(content: CourseFile | Roster) -> str:
    if not isinstance(content, CourseFile):
        return _count(len(content), "student")
    if content == CourseFile():
        return "it sets nothing, so that everything is as without it"
    said = [
        _count(len(content.lessons), "lesson") if content.lessons else "all lessons",
        _count(sum(lesson.due is not None for lesson in content.lessons), "due date"),
        "a late rule" if content.late else "no late rule",
        _count(len(content.extensions), "student") + " with extensions",
        _count(len(content.exemptions), "student") + " with exemptions",
        f"follow-through {'on' if content.follow_through else 'off'}",
    ]
    return ", ".join(said) + " (grading does not use it yet)"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _access(path: Path) -> list[Finding]:
    """Report that other users of this machine can change a file, or read it."""
    mode = path.stat().st_mode if path.exists() else 0
    if mode & OTHERS_WRITE:
        return [problem(f"Other users of this machine can change {path}: chmod 600 {path}")]
    if mode & OTHERS_READ_OR_WRITE:
        return [note(f"Other users of this machine can read {path}: chmod 600 {path}")]
    return []
