"""Take in a submission when nbgrader begins to grade it, so that nbgrader never reads a file that a student wrote."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.files import printable_name
from autograder.intake.current import take_in_current
from autograder.intake.errors import UnusableFolder
from autograder.intake.folder_contents import NOTEBOOK
from autograder.intake.graft import GraftedNotebook
from autograder.intake.records import load_record
from autograder.intake.student_id import verify_student
from autograder.intake.submission import refuse

log = logging.getLogger(__name__)


def pre_convert_hook(assignment: str, student: str, notebooks: list[str]) -> None:
    """Take in a submission before nbgrader reads it: the c.Autograde.pre_convert_hook.

    So plain `nbgrader autograde` and formgrader's button are safe too.

    Args:
        assignment, student: may be patterns, so both are read from the paths instead.
        notebooks: the list that nbgrader goes on with, changed in place: whatever happens, only files that we wrote are
            left in it.
    """
    take_in_submitted(Course.here(), notebooks)


def take_in_submitted(
    course: Course, notebooks: list[str], *, lessons: Sequence[Lesson] | None = None
) -> None:
    """Take in the submission that `notebooks` lie in, and leave in that list the notebooks that we wrote.

    Args:
        course: where the submission lies.
        notebooks: the paths of a submission's notebooks, as nbgrader found them.
        lessons: those of the assignment; all that it has by default.
    """
    handed_in = list(notebooks)
    # nbgrader swallows exceptions here and goes on: it must not go on with a student's file.
    notebooks[:] = []
    if not handed_in:
        return
    where = os.path.dirname(handed_in[0])
    folder = Path(os.path.abspath(where))
    try:
        assignment, student = folder.name, verify_student(folder.parent.name)
        if not course.submitted.exists() or not os.path.samefile(folder.parent.parent, course.submitted):
            raise UnusableFolder(f"{folder} does not lie in {course.submitted}, so it was not taken in.")
        if folder.is_symlink():
            taken_in = _refuse_link(course, folder, lessons)
        else:
            taken_in = take_in_current(course, assignment, student, folder, lessons=lessons)
        record = load_record(course, assignment, student)
    except Exception as error:
        log.error("Nothing was graded in %s: %s", folder, error)
        raise
    names = {os.path.basename(path) for path in handed_in}
    for one in taken_in:
        name = f"{one.lesson.name}{NOTEBOOK}"
        source = record.lessons[one.lesson.name].source if record else ""
        # With --notebook nbgrader lists only some; archives it never lists.
        if name in names or source in names or not source.lower().endswith(NOTEBOOK):
            notebooks.append(os.path.join(where, name))


def _refuse_link(course: Course, folder: Path, lessons: Sequence[Lesson] | None) -> list[GraftedNotebook]:
    """Put a folder in the place of a link: what it points to is not the student's to hand in."""
    target = printable_name(os.readlink(folder))
    folder.unlink()
    folder.mkdir()
    reason = f"the folder handed in was a link to {target}"
    return refuse(course, folder.name, folder.parent.name, folder, reason, lessons=lessons)
