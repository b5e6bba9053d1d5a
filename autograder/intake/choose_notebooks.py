"""Choose for each lesson which of the notebooks handed in counts."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from functools import cmp_to_key

from autograder.exercise import Lesson
from autograder.files import Entry, printable_name
from autograder.intake.download_names import copy_number, upload_number
from autograder.intake.folder_contents import (
    ChosenNotebook,
    FolderContents,
    UnusableEntry,
    UsableNotebook,
)
from autograder.intake.graft import GraftedNotebook, without_answers
from autograder.intake.hand_in import HandIn
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.recognise_lesson import names_lesson

AT_ONCE = 60.0  # seconds within which files are written that were downloaded or unpacked together


def choose_notebooks(hand_in: HandIn, contents: FolderContents) -> dict[str, ChosenNotebook]:
    """Return lesson -> the notebook that is written for it, and flag what has no effect.

    A lesson whose file cannot be used gets a notebook without answers, unless one stands there from earlier.
    """
    chosen = {name: _best(name, usable) for name, usable in contents.usable.items()}
    taken_before = {one.source_sha256 for one in hand_in.before.lessons.values()} if hand_in.before else set()
    for unusable in contents.unusable:
        lessons = _lessons_without(hand_in, unusable.entry, {*chosen, *contents.standing})
        for lesson in lessons:
            notebook = unreadable_notebook(hand_in, lesson, unusable.sentence)
            chosen[lesson.name] = ChosenNotebook(notebook, unusable.entry.handed_in, unusable.sha256)
        if not lessons and not _is_known(unusable, taken_before):
            contents.flags.append(f"unreadable: {unusable.sentence}")
    if not chosen and not contents.standing:
        contents.flags.append("No notebook was handed in.")
    return chosen


def unreadable_notebook(hand_in: HandIn, lesson: Lesson, reason: str) -> GraftedNotebook:
    """Return a lesson's notebook without answers.

    Args:
        hand_in: the folder that was handed in.
        lesson: the lesson.
        reason: why nothing could be used of the files handed in.
    """
    pristine = load_pristine_lesson(hand_in.course, lesson)
    reason = reason.rstrip(".")
    return without_answers(
        pristine, f"unreadable: {reason}.", f"Nothing of your notebook could be used: {reason}."
    )


def _best(lesson: str, usable: list[UsableNotebook]) -> ChosenNotebook:
    """Return the notebook that was handed in last, of those in which anything is written where there are any."""
    written = [one for one in usable if one.notebook.written] or usable
    best = max(written, key=cmp_to_key(_later))
    others = [one.entry.name for one in usable if one.entry is not best.entry]
    if not others:
        return ChosenNotebook(best.notebook, best.entry.handed_in, best.sha256)
    shown = ", ".join(map(printable_name, others))
    plural = "was" if len(others) == 1 else "were"
    why = "as the later file" if len(written) > 1 else "as the only one with an answer"
    flag = f"{printable_name(best.entry.name)} was taken, {why}; {shown} {plural} left out."
    notebook = replace(best.notebook, flags=(flag, *best.notebook.flags))
    return ChosenNotebook(notebook, best.entry.handed_in, best.sha256)


def _later(one: UsableNotebook, other: UsableNotebook) -> int:
    """Say whether a file was handed in after another: 1, or -1 for before."""
    (name, time), (other_name, other_time) = ((x.entry.name, x.entry.modified) for x in (one, other))
    uploads = upload_number(name), upload_number(other_name)
    if 0 not in uploads and uploads[0] != uploads[1]:
        return 1 if uploads[0] > uploads[1] else -1
    if abs(time - other_time) > AT_ONCE:
        return 1 if time > other_time else -1
    return 1 if (copy_number(name), time, name) > (copy_number(other_name), other_time, other_name) else -1


def _lessons_without(hand_in: HandIn, unusable: Entry, filled: Container[str]) -> list[Lesson]:
    """Return the lessons that have no notebook because of a file of which nothing can be used."""
    empty = [lesson for lesson in hand_in.lessons if lesson.name not in filled]
    named = [lesson for lesson in hand_in.lessons if names_lesson(unusable.name, lesson)]
    if named:
        return [lesson for lesson in named if lesson in empty]
    # A file that names no lesson may be any of them; beside files that were used it is something else.
    return empty if len(empty) == len(hand_in.lessons) else []


def _is_known(unusable: UnusableEntry, taken_before: Container[str]) -> bool:
    """Say whether the file's bytes were taken in before, so that the instructor knows of them."""
    return bool(unusable.sha256) and unusable.sha256 in taken_before
