"""Choose for each lesson which of the notebooks handed in counts."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from autograder.exercise import Lesson
from autograder.files import Entry, printable_name
from autograder.intake.folder_contents import (
    NOTEBOOK,
    ChosenNotebook,
    FolderContents,
    UnusableEntry,
    UsableNotebook,
)
from autograder.intake.graft import GraftedNotebook, without_answers
from autograder.intake.hand_in import HandIn
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.recognise_lesson import names_lesson


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
    """Return the notebook with the most answers, else the one with the lesson's own name, else the newest."""

    def rank(one: UsableNotebook) -> tuple[int, bool, float]:
        return len(one.notebook.written), one.entry.name == f"{lesson}{NOTEBOOK}", one.entry.modified

    best = max(usable, key=rank)
    others = [one.entry.name for one in usable if one.entry is not best.entry]
    flags = [
        f"{printable_name(name)} is the same lesson with no more answers; it was left out." for name in others
    ]
    notebook = replace(best.notebook, flags=(*flags, *best.notebook.flags))
    return ChosenNotebook(notebook, best.entry.handed_in, best.sha256)


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
