"""Take a submission in, and once more from work/raw/ where a lesson was released anew since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.files import is_real_folder
from autograder.intake.graft import GraftedNotebook
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.records import load_record, save_record
from autograder.intake.submission import take_in_safely

OUTDATED = (
    "It was taken in before the lesson changed, and what was handed in is no longer in work/raw/: "
    "it was graded as it was taken in."
)


def take_in_current(
    course: Course, assignment: str, student: str, folder: Path, *, lessons: Sequence[Lesson] | None = None
) -> list[GraftedNotebook]:
    """Do what `take_in_safely` does, so that every notebook is grafted onto its lesson as it is released now.

    What was taken in with an earlier release is taken in again from the bytes in work/raw/; where these are gone, the
    record's flags say so.

    Args, Raises: as for `take_in_safely`.
    """
    taken = take_in_safely(course, assignment, student, folder, lessons=lessons)
    if not _outdated(course, taken):
        return taken
    raw = course.raw / student / assignment
    before = load_record(course, assignment, student)
    if is_real_folder(raw):
        taken = take_in_safely(course, assignment, student, raw, lessons=lessons)
    after = load_record(course, assignment, student)
    if before and after:
        # What intake had to say of the folder handed in stays: its links, say, never came to work/raw/.
        said = [flag for flag in (*before.folder_flags, *after.folder_flags) if flag != OUTDATED]
        if _outdated(course, taken):
            said.append(OUTDATED)
        flags = tuple(dict.fromkeys(said))
        if flags != after.folder_flags:
            save_record(course, replace(after, folder_flags=flags))
    return taken


def _outdated(course: Course, taken: Iterable[GraftedNotebook]) -> bool:
    """Say whether a notebook was grafted onto its lesson as it is no longer."""
    return any(one.base != load_pristine_lesson(course, one.lesson).digest for one in taken)
