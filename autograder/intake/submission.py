"""Take in a student's folder: inspect it, choose a notebook for each lesson, write them to work/submitted/."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder import files
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.files import printable_name
from autograder.intake.choose_notebooks import choose_notebooks, unreadable_notebook
from autograder.intake.folder_contents import ChosenNotebook, FolderContents
from autograder.intake.graft import GraftedNotebook
from autograder.intake.hand_in import HandIn, open_hand_in
from autograder.intake.inspect_folder import MAX_ENTRIES, inspect_folder, keep
from autograder.intake.read_notebook import Reader, read_notebook
from autograder.intake.recognise_lesson import names_lesson
from autograder.intake.write_submission import write_submission

log = logging.getLogger(__name__)


def take_in(
    course: Course,
    assignment: str,
    student: str,
    folder: Path,
    *,
    lessons: Sequence[Lesson] | None = None,
    reader: Reader = read_notebook,
) -> list[GraftedNotebook]:
    """Take in a student's folder and return every lesson of theirs that now stands in work/submitted/.

    Keeps what was handed in in work/raw/<student>/<assignment>/, writes
    work/submitted/<student>/<assignment>/<lesson>.ipynb and the record, and leaves nothing else in the submitted
    folder but the collector's timestamp.txt. Taking in again what stands there already changes nothing.

    Args:
        course: where the student's work goes.
        assignment: its name.
        student: the id.
        folder: one of work/submitted/, of work/raw/ or any other; files in any other are copied and left alone.
        lessons: those of the assignment; all that it has by default.
        reader: what reads notebooks.

    Raises:
        IntakeError: where the student's id or the folder cannot be used.
        OSError: where the disk fails; what was handed in is then still where it was, or in work/raw/.
    """
    hand_in = open_hand_in(course, assignment, student, folder, lessons)
    return _take_in(hand_in, FolderContents(), reader)


def take_in_safely(
    course: Course,
    assignment: str,
    student: str,
    folder: Path,
    *,
    lessons: Sequence[Lesson] | None = None,
    reader: Reader = read_notebook,
) -> list[GraftedNotebook]:
    """Do what `take_in` does; where that fails for a reason of our own, write notebooks without answers.

    So a submission that brings a fault of intake to light costs that submission only, and the flags say so.

    Args:
        course: where the student's work goes.
        assignment: its name.
        student: the id.
        folder: as in `take_in`.
        lessons: those of the assignment; all that it has by default.
        reader: the function that reads notebooks.

    Raises:
        IntakeError: where the student's id or the folder cannot be used.
        OSError: as in `take_in`.
    """
    hand_in = open_hand_in(course, assignment, student, folder, lessons)
    contents = FolderContents()
    try:
        return _take_in(hand_in, contents, reader)
    except CourseError:
        raise
    except Exception as error:
        log.exception("Intake failed on the submission of %s to %s.", student, assignment)
        reason = f"intake failed on it ({type(error).__name__}), a fault of the course's own"
        return _give_up(hand_in, contents, reason)


def refuse(
    course: Course,
    assignment: str,
    student: str,
    folder: Path,
    reason: str,
    *,
    lessons: Sequence[Lesson] | None = None,
) -> list[GraftedNotebook]:
    """Write notebooks without answers, whatever lies in a student's folder.

    Args:
        course, assignment, student, folder, lessons: as for `take_in`.
        reason: what the instructor and the student are told, without its last full stop.
    """
    hand_in = open_hand_in(course, assignment, student, folder, lessons)
    return _give_up(hand_in, FolderContents(), reason)


def _take_in(hand_in: HandIn, contents: FolderContents, reader: Reader) -> list[GraftedNotebook]:
    inspect_folder(hand_in, contents, reader)
    chosen = choose_notebooks(hand_in, contents)
    has_news = chosen or contents.flags or not hand_in.before or contents.names - contents.wanted(chosen)
    if has_news or not hand_in.in_place:
        write_submission(hand_in, contents, chosen)
    return _standing_now(hand_in, contents, chosen)


def _give_up(hand_in: HandIn, contents: FolderContents, reason: str) -> list[GraftedNotebook]:
    """Write notebooks without answers where nothing else can be done; raise OSError where even that fails."""
    entries = list(files.list_entries(hand_in.folder))
    contents.flags, contents.kept, contents.timestamp = [f"{reason[0].upper()}{reason[1:]}."], set(), None
    for entry in entries[:MAX_ENTRIES]:
        if entry.kind == "file":
            try:
                keep(hand_in, contents, entry)
            except Exception:  # it stays where it is, or is moved into raw/ as it is
                log.exception("%s of %s could not be copied.", printable_name(entry.name), hand_in.student)
    named = [x for x in hand_in.lessons if any(names_lesson(entry.name, x) for entry in entries)]
    chosen = {
        lesson.name: ChosenNotebook(unreadable_notebook(hand_in, lesson, reason))
        for lesson in named or hand_in.lessons
        if lesson.name not in contents.standing
    }
    write_submission(hand_in, contents, chosen)
    return _standing_now(hand_in, contents, chosen)


def _standing_now(
    hand_in: HandIn, contents: FolderContents, chosen: Mapping[str, ChosenNotebook]
) -> list[GraftedNotebook]:
    notebooks = contents.standing | {name: one.notebook for name, one in chosen.items()}
    return [notebooks[lesson.name] for lesson in hand_in.lessons if lesson.name in notebooks]
