"""Write the chosen notebooks to work/submitted/, leave nothing else there, and note in work/intake/ what was done."""

from __future__ import annotations

import os
from collections.abc import Container, Mapping

from autograder import files, notebook_io
from autograder.files import Entry
from autograder.intake import raw_folder
from autograder.intake.folder_contents import NOTEBOOK, TIMESTAMP, ChosenNotebook, FolderContents
from autograder.intake.hand_in import HandIn
from autograder.intake.records import IntakeRecord, LessonIntake, save_record
from autograder.intake.secret_sets import secret_set


def write_submission(hand_in: HandIn, contents: FolderContents, chosen: Mapping[str, ChosenNotebook]) -> None:
    """Write the chosen notebooks and the files that the lessons ask for.

    Whatever else lies in the submitted folder goes to work/raw/.

    Args:
        hand_in: the folder that was handed in.
        contents: what was found in it.
        chosen: lesson -> the notebook that is written for it.
    """
    new = {
        f"{name}{NOTEBOOK}": notebook_io.writes(one.notebook.notebook).encode()
        for name, one in chosen.items()
    }
    new |= contents.files
    if contents.timestamp:
        new[TIMESTAMP] = contents.timestamp
    # First: a notebook without a record would be taken for the student's.
    save_record(hand_in.course, _record(hand_in, contents, chosen, new))
    home = hand_in.home
    home.mkdir(parents=True, exist_ok=True)
    if not files.is_real_folder(home) or not files.is_real_folder(home.parent):
        raise OSError(f"{home} is a link")
    ours = {f"{name}{NOTEBOOK}" for name in contents.standing}
    for entry in files.list_entries(home):
        if entry.name in new and not _may_be_replaced(hand_in, contents, entry, ours):
            raw_folder.put_away(entry, hand_in.raw)
    for name, data in new.items():
        if not files.is_same(home / name, data):
            files.write(home / name, data)
    _sweep(hand_in, contents, contents.wanted(chosen))
    _set_aside_earlier(hand_in, contents, chosen)


def _may_be_replaced(hand_in: HandIn, contents: FolderContents, entry: Entry, ours: Container[str]) -> bool:
    return entry.kind == "file" and (entry.name in ours or _is_kept(hand_in, contents, entry))


def _is_kept(hand_in: HandIn, contents: FolderContents, entry: Entry) -> bool:
    """Say whether a file of the submitted folder lies in raw/ too, as we read it."""
    return hand_in.in_place and entry.kind == "file" and entry.name in contents.kept


def _sweep(hand_in: HandIn, contents: FolderContents, wanted: Container[str]) -> None:
    """Leave in the submitted folder only what is ours: nbgrader copies whatever else lies there."""
    while foreign := [entry for entry in files.list_entries(hand_in.home) if entry.name not in wanted]:
        for entry in foreign:
            if _is_kept(hand_in, contents, entry):
                entry.path.unlink()
            else:
                raw_folder.put_away(entry, hand_in.raw)


def _set_aside_earlier(
    hand_in: HandIn, contents: FolderContents, chosen: Mapping[str, ChosenNotebook]
) -> None:
    """Move out of raw/ the file of an earlier submission that a file of another name has replaced."""
    if hand_in.before is None:
        return
    for lesson in chosen:
        noted = hand_in.before.lessons.get(lesson)
        if noted is None or not noted.source or noted.source in contents.kept:
            continue
        earlier = hand_in.raw / noted.source
        if os.path.lexists(earlier):
            raw_folder.set_aside(earlier, hand_in.raw)


def _record(
    hand_in: HandIn,
    contents: FolderContents,
    chosen: Mapping[str, ChosenNotebook],
    new: Mapping[str, bytes],
) -> IntakeRecord:
    before = hand_in.before
    lessons = {name: before.lessons[name] for name in contents.standing} if before else {}
    for name, one in chosen.items():
        lessons[name] = LessonIntake(
            source=one.source,
            source_sha256=one.source_sha256,
            sha256=files.sha256(new[f"{name}{NOTEBOOK}"]),
            flags=one.notebook.flags,
            found=one.notebook.found,
            written=one.notebook.written,
            notes=one.notebook.notes,
            base=one.notebook.base,
            secret_set=secret_set(
                hand_in.course.secret(), one.source_sha256, before.lessons.get(name) if before else None
            ),
        )
    earlier = before.folder_flags if before and contents.standing.keys() - chosen.keys() else ()
    flags = tuple(dict.fromkeys([*earlier, *contents.flags]))
    return IntakeRecord(hand_in.assignment, hand_in.student, flags, lessons)
