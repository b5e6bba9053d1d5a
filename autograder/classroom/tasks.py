"""Tasks, each the work on one submission, and their results: plain data, which crosses between processes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.classroom.results import StudentResult
from autograder.classroom.shared_folder import digest
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.sandbox import Limits
from autograder.words import listed

if TYPE_CHECKING:
    from autograder.recording.drafting import Draft

Identity = dict[str, tuple[str, str]]  # lesson -> the key of its Judgement, the hash of its notebook


@dataclass(frozen=True)
class Task:
    """One submission to be graded; its lessons cross between processes by name.

    folder: where the submission lies.
    secret: a digest of the course's secret.
    lessons: the names of those to be judged, () for all.
    recorded: what the gradebook holds of this student.
    resources: what a worker must declare, name -> amount.
    bare: without a sandbox.
    """

    course: Course
    assignment: str
    student: str
    folder: Path
    secret: str
    lessons: tuple[str, ...] = ()
    recorded: Identity = field(default_factory=dict)
    resources: Mapping[str, float] = field(default_factory=dict)
    limits: Limits | None = None
    bare: bool = False

    def chosen_lessons(self) -> list[Lesson]:
        """Return the lessons to be judged, in order."""
        return chosen_lessons(self.course, self.assignment, self.lessons)


@dataclass(frozen=True)
class GradedSubmission:
    """A worker's reply to a task.

    Args:
        result: the student's.
        draft: what is to be recorded, None where nothing is.
        differences: of a replay, one sentence for each result that differs from the earlier one.
    """

    result: StudentResult
    draft: Draft | None = None
    differences: tuple[str, ...] = ()


def not_graded(task: Task, problem: str) -> GradedSubmission:
    """Return the reply for a submission that no worker could grade."""
    return GradedSubmission(StudentResult(task.student, problem=problem))


Work = Callable[[Task], GradedSubmission]
Graded = Generator[
    GradedSubmission | None, None, None
]  # in the order in which they end; None: nothing yet; to be closed
HandOut = Callable[[Work, Iterable[Task]], Graded]


def list_tasks(
    course: Course,
    assignment: str,
    submissions: Mapping[str, Path],
    *,
    students: Sequence[str] = (),
    lessons: Sequence[str] = (),
    limits: Limits | None = None,
    bare: bool = False,
) -> list[Task]:
    """Return a Task for each student wanted, in the order of their ids.

    Args:
        course, assignment: what is graded.
        submissions: student -> where the submission lies.
        students: those wanted, by default all.
        lessons: the names of the lessons wanted, by default all.
        limits: of the sandboxes, by default the usual ones.
        bare: without a sandbox.

    Raises:
        CourseError: where a student or lesson wanted is not there, or nobody is.
    """
    found = chosen_lessons(course, assignment, lessons)
    unknown = [student for student in students if student not in submissions]
    if unknown:
        raise CourseError(
            f"{listed([*map(repr, unknown)])} has not handed in {assignment}: look for the id in "
            f"{course.submitted}, or give the folder with the class's notebooks."
        )
    if not submissions:
        raise CourseError(f"Nobody has handed in {assignment}: give the folder with the class's notebooks.")
    # One worker grades a whole submission, so it needs what its most demanding lesson needs.
    resources: dict[str, float] = {}
    for lesson in found:
        for name, amount in lesson.resources.items():
            resources[name] = max(amount, resources.get(name, 0))
    secret = digest(course.secret())
    names = tuple(lesson.name for lesson in found) if lessons else ()
    return [
        Task(
            course,
            assignment,
            student,
            submissions[student],
            secret,
            lessons=names,
            resources=resources,
            limits=limits,
            bare=bare,
        )
        for student in sorted(students or submissions)
    ]


def chosen_lessons(course: Course, assignment: str, names: Sequence[str]) -> list[Lesson]:
    """Return the lessons of an assignment that are named, by default all.

    Args:
        course: the course.
        assignment: its name.
        names: of lessons, () for all.

    Raises:
        CourseError: where a name is unknown.
    """
    for name in names:
        course.lesson(assignment, name)
    return [lesson for lesson in course.lessons(assignment) if not names or lesson.name in names]


def lacking(resources: Mapping[str, float]) -> str:
    """Say what a submission needs that no worker declares."""
    wanted = " ".join(f"{name}={amount:g}" for name, amount in resources.items())
    return (
        f"It needs a worker that declares {wanted}, and there is none: start one with "
        f"'dask worker ADDRESS --resources \"{wanted}\"' and grade again with --scheduler ADDRESS."
    )
