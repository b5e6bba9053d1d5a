"""Makes the Tasks of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.classroom.grade_submission import Task, chosen, digest
from autograder.course import Course, CourseError
from autograder.sandbox import Limits
from autograder.words import listed


def tasks(
    course: Course,
    assignment: str,
    folders: Mapping[str, Path],
    *,
    students: Sequence[str] = (),
    lessons: Sequence[str] = (),
    limits: Limits | None = None,
    bare: bool = False,
) -> list[Task]:
    """Return a Task for each of the students wanted, by default for all in `folders`, in the order of their ids.

    Raises CourseError where a student or lesson wanted is not there, or nobody is.
    """
    found = chosen(course, assignment, lessons)
    unknown = [student for student in students if student not in folders]
    if unknown:
        raise CourseError(
            f"{listed([*map(repr, unknown)])} has not handed in {assignment}: look for the id in "
            f"{course.submitted}, or give the folder with the class's notebooks."
        )
    if not folders:
        raise CourseError(f"Nobody has handed in {assignment}: give the folder with the class's notebooks.")
    # One worker grades a whole submission, so it needs what its most demanding lesson needs.
    resources: dict[str, float] = {}
    for lesson in found:
        for name, amount in lesson.resources.items():
            resources[name] = max(amount, resources.get(name, 0))
    secret = digest(course.secret())
    return [
        Task(
            course,
            assignment,
            student,
            folders[student],
            secret,
            tuple(lesson.name for lesson in found) if lessons else (),
            resources=resources,
            limits=limits,
            bare=bare,
        )
        for student in sorted(students or folders)
    ]
