"""Look at each file of a student's folder: keep its bytes in work/raw/ and find out what it can be used for."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

import nbformat

from autograder import files
from autograder.course import CourseError
from autograder.files import Entry, printable_name
from autograder.intake import raw_folder, timestamps
from autograder.intake.errors import UnusableFile
from autograder.intake.folder_contents import (
    NOTEBOOK,
    TIMESTAMP,
    FolderContents,
    UnusableEntry,
    UsableNotebook,
)
from autograder.intake.graft import GraftedNotebook
from autograder.intake.hand_in import HandIn, is_same_folder
from autograder.intake.notebook_intake import take_in_notebook
from autograder.intake.read_archive import SUFFIXES, Member, read_archive
from autograder.intake.read_notebook import Reader, too_large
from autograder.intake.reader.limits import MIB
from autograder.intake.reader.names import holds_notebook, is_notebook_name
from autograder.intake.reader.notebook import MAX_BYTES
from autograder.intake.timestamps import read_timestamp
from cnnlab.checking import handin

MAX_ENTRIES = 40  # of a student's folder that are looked at
MAX_NOTEBOOKS = 8 * MAX_BYTES  # bytes of all notebooks of a submission that are read
MAX_WRITTEN = 4 * MAX_BYTES  # bytes of a notebook that we wrote: quoting and the lesson make it longer
# What operating systems and editors leave in folders by themselves; nobody needs to hear of it.
LITTER = frozenset([".ipynb_checkpoints", "__pycache__", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"])
# Browsers and file managers write "lenet (1).safetensors" or "Copy of lenet.safetensors" for a second copy.
COPY = re.compile(r"^Copy[ _]of[ _]|[ _]?\(\d+\)(?=\.[^.]*$)|[ -]?[Cc]opy(?=\.[^.]*$)")

log = logging.getLogger(__name__)


def inspect_folder(hand_in: HandIn, contents: FolderContents, reader: Reader) -> None:
    """Look at each file of a folder, and put into `contents` what was found.

    Args:
        hand_in: the folder.
        contents: what was found, also where this fails half-way.
        reader: what reads notebooks.
    """
    _find_standing(hand_in, contents)
    if not hand_in.in_place:
        _inspect_home(hand_in, contents)
    entries = list(files.list_entries(hand_in.folder))
    contents.names = {entry.name for entry in entries}
    # Notebooks first, then what a lesson asks for by its very name, then by name.
    entries.sort(key=lambda entry: (not _is_notebook(entry), entry.name not in hand_in.asked_for))
    if len(entries) > MAX_ENTRIES:
        contents.flags.append(
            f"It has {len(entries):,} files; those after the first {MAX_ENTRIES} were not looked at."
        )
    inspector = _Inspector(hand_in, contents, reader)
    for entry in entries[:MAX_ENTRIES]:
        inspector.inspect(entry)


def keep(hand_in: HandIn, contents: FolderContents, entry: Entry) -> bytes | None:
    """Copy a file into work/raw/ and return its bytes; None where it is too large or cannot be read.

    Args:
        hand_in: the folder.
        contents: where it is noted that the file is kept, or why it is not.
        entry: the file.
    """
    try:
        data = files.read(entry.path, MAX_BYTES)
    except OSError as error:
        contents.flags.append(
            f"{printable_name(entry.name)} cannot be read: {error.strerror or 'it is no regular file'}."
        )
        return None
    if len(data) > MAX_BYTES:  # moved into raw/ at the end where it is ours to move, else left where it is
        return None
    if not is_same_folder(hand_in.folder, hand_in.raw):
        raw_folder.keep(data, entry.name, hand_in.raw)
    contents.kept.add(entry.name)
    return data


def _find_standing(hand_in: HandIn, contents: FolderContents) -> None:
    """Find the notebooks in work/submitted/ that are as intake wrote them."""
    for lesson in hand_in.lessons:
        noted = hand_in.before.lessons.get(lesson.name) if hand_in.before else None
        if noted is None:
            continue
        try:
            data = files.read(hand_in.home / f"{lesson.name}{NOTEBOOK}", MAX_WRITTEN)
        except OSError:
            continue
        if files.sha256(data) == noted.sha256:
            notebook = nbformat.reads(data.decode("utf-8"), as_version=nbformat.NO_CONVERT)
            contents.standing[lesson.name] = GraftedNotebook(
                lesson, notebook, noted.flags, noted.found, noted.notes, noted.written, noted.base
            )


def _inspect_home(hand_in: HandIn, contents: FolderContents) -> None:
    """Note the contents of work/submitted/ when the files come from another folder."""
    if not files.is_real_folder(hand_in.home):
        return
    for entry in files.list_entries(hand_in.home):
        if entry.name == TIMESTAMP and entry.kind == "file":
            data = files.read(entry.path, timestamps.MAX_BYTES)
            found = read_timestamp(data)
            contents.timestamp = found.text if found else None
        elif entry.name in hand_in.asked_for and entry.kind == "file":
            contents.standing_files.add(entry.name)
        elif entry.name not in LITTER and entry.name not in contents.wanted():
            contents.flags.append(
                f"{printable_name(entry.name)} stood in work/submitted/ already; it was moved to work/raw/."
            )


class _Inspector:
    """Looks at one file after the other, within limits for all of them together."""

    def __init__(self, hand_in: HandIn, contents: FolderContents, reader: Reader) -> None:
        self.hand_in, self.contents, self.reader = hand_in, contents, reader
        self.members_left = MAX_ENTRIES  # files of archives that are still looked at
        self.bytes_left = MAX_NOTEBOOKS  # of notebooks that are still read

    def inspect(self, entry: Entry) -> None:
        name = printable_name(entry.name)
        if entry.name in LITTER:
            return
        if entry.kind != "file":
            target = f" to {printable_name(entry.target)}" if entry.target else ""
            sentence = f"{name} is a {entry.kind}{target}, not a file; it was refused."
            if _is_notebook(entry):
                self._refuse(entry, sentence)
            else:
                self._flag(sentence)
            return
        if entry.links > 1 and not self._is_standing(entry):
            self._flag(f"{name} is a hard link: the same file has {entry.links} names. It was copied.")
        if entry.name == TIMESTAMP:
            self._inspect_timestamp(entry)
        elif _is_notebook(entry):
            if not self._is_standing(entry):
                self._inspect_notebook(entry)
        elif asked := self._asked_for(entry.name):
            self._take_file(entry.name, asked, self._keep(entry))
        elif entry.path.suffix.lower() in SUFFIXES:
            self._inspect_archive(entry)
        else:
            data = self._keep(entry)
            if data and holds_notebook(data):
                self._take_notebook(entry, data)
            else:
                self._flag(f"{name} is not a file that the lesson asks for; it was left out.")

    def _inspect_notebook(self, entry: Entry) -> None:
        data = self._keep(entry)
        if data is None:
            self._refuse(entry, str(UnusableFile(too_large(entry.size), entry.name)))
        else:
            self._take_notebook(entry, data)

    def _take_notebook(self, entry: Entry, data: bytes) -> None:
        digest = files.sha256(data)
        self.bytes_left -= len(data)
        if self.bytes_left < 0:
            limit = MAX_NOTEBOOKS // MIB
            sentence = (
                f"{printable_name(entry.name)} comes after {limit} MiB of other notebooks; it was not read."
            )
            self._refuse(entry, sentence, digest)
            return
        try:
            notebook = take_in_notebook(
                self.hand_in.course, self.hand_in.lessons, data, name=entry.name, reader=self.reader
            )
        except UnusableFile as error:
            self._refuse(entry, str(error), digest)
        except CourseError:
            raise
        except Exception as error:
            log.exception("Intake failed on %s of %s.", printable_name(entry.name), self.hand_in.student)
            why = f"({type(error).__name__}), a fault of the course's own."
            self._refuse(entry, f"{printable_name(entry.name)} could not be used {why}", digest)
        else:
            usable = self.contents.usable.setdefault(notebook.lesson.name, [])
            usable.append(UsableNotebook(notebook, entry, digest))

    def _inspect_archive(self, entry: Entry) -> None:
        data = self._keep(entry)
        digest = files.sha256(data or b"")
        try:
            if data is None:
                raise UnusableFile(too_large(entry.size))
            found = read_archive(data, [*self.hand_in.asked_for], self.members_left)
        except UnusableFile as error:
            self._refuse(entry, str(UnusableFile(error.reason, entry.name)), digest)
            return
        if not found.members:
            self._refuse(
                entry, f"{printable_name(entry.name)} is an archive without a notebook in it.", digest
            )
            return
        self.members_left -= len(found.members)
        self._flag(f"{printable_name(entry.name)} is an archive; {found.summary}.")
        for member in found.members:
            self._inspect_member(entry, member)

    def _inspect_member(self, archive: Entry, member: Member) -> None:
        entry = replace(
            archive, path=archive.path / member.name, size=len(member.data), links=1, inside=archive.name
        )
        if member.refused:
            shown_name = printable_name(f"{member.name} of {archive.name}")
            self._refuse(entry, f"{shown_name} {member.refused}; it was refused.")
        elif asked := self._asked_for(member.name):
            self._take_file(member.name, asked, member.data)
        elif is_notebook_name(member.name) or holds_notebook(member.data):
            self._take_notebook(entry, member.data)

    def _asked_for(self, file_name: str) -> str:
        """Return the name of the file that a lesson asks for and this one is, or ""."""
        original = COPY.sub("", file_name)
        return next((name for name in (file_name, original) if name in self.hand_in.asked_for), "")

    def _take_file(self, given: str, name: str, data: bytes | None) -> None:
        """Take a file handed in as `given` for the one that a lesson asks for by `name`."""
        if data is None or len(data) > handin.MAX_BYTES:
            self._flag(
                f"{printable_name(given)} is larger than {handin.MAX_BYTES:,} bytes, or cannot be read; it was left out."
            )
        elif name in self.contents.files and given != name:
            self._flag(f"{printable_name(given)} is a second {name}; it was left out.")
        else:
            self.contents.files[name] = data
            if given != name:
                self._flag(f"{printable_name(given)} was taken as {name}.")

    def _inspect_timestamp(self, entry: Entry) -> None:
        data = self._keep(entry)
        found = read_timestamp(data) if data is not None else None
        if found is None:
            self._flag(f"{TIMESTAMP} holds no date; it was left out.")
        elif self.contents.timestamp is None:  # else the collector wrote one into work/submitted/
            self.contents.timestamp = found.text
            if not self.hand_in.in_place:
                self._flag(f"{TIMESTAMP} came with the files, and is taken for the time of handing in.")
            if found.unknown_zone:
                self._flag(
                    f"{TIMESTAMP} names the time zone {found.unknown_zone}, which is none or several: it was read as UTC. "
                    "Write an offset instead, as in -08:00, or a place, as in America/Los_Angeles."
                )

    def _is_standing(self, entry: Entry) -> bool:
        """Say whether this is a notebook that was taken in earlier."""
        return self.hand_in.in_place and entry.name in {
            f"{name}{NOTEBOOK}" for name in self.contents.standing
        }

    def _keep(self, entry: Entry) -> bytes | None:
        return keep(self.hand_in, self.contents, entry)

    def _flag(self, sentence: str) -> None:
        self.contents.flags.append(sentence)

    def _refuse(self, entry: Entry, sentence: str, digest: str = "") -> None:
        self.contents.unusable.append(UnusableEntry(entry, sentence, digest))


def _is_notebook(entry: Entry) -> bool:
    return is_notebook_name(entry.name)
