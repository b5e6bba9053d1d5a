"""Have a student's zip archive opened by a process of its own, and take from the reply only what it may hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.intake.errors import UnusableFile
from autograder.intake.reader import archive as reader_archive
from autograder.intake.reader_process import ask_reader, verify_sentence

SUFFIXES = frozenset([".zip"])
MAX_HEADER = 64 << 10  # bytes of the reply's first line
# What operating systems put into archives by themselves.
LITTER = frozenset(["__MACOSX", ".ipynb_checkpoints"])


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    name: without the folders that it lay in.
    data: its bytes.
    refused: why it was not taken, else "".
    """

    name: str
    data: bytes
    refused: str = ""


@dataclass(frozen=True)
class Archive:
    """The files that were taken out of an archive; more: how many others lie in it."""

    members: tuple[Member, ...]
    more: int

    @property
    def summary(self) -> str:
        """The numbers of files that were looked at and left out, as the end of a sentence."""
        taken = sum(not member.refused for member in self.members)
        files = f"{taken} file{'' if taken == 1 else 's'} of it {'was' if taken == 1 else 'were'} looked at"
        return f"{files}, {self.more:,} more left out" if self.more else files


def read_archive(data: bytes, names: Sequence[str], max_members: int) -> Archive:
    """Take the notebooks and the wanted files out of a zip archive, in a process with little memory and time.

    Args:
        data: the archive's bytes.
        names: how the names of the wanted files end that are no notebooks.
        max_members: how many files are taken at most; the others are counted.

    Raises:
        UnusableFile: where no file can be had.
    """
    reply = ask_reader("archive", data, names, reader_archive.MAX_UNPACKED + MAX_HEADER)
    if reply is None:
        raise UnusableFile("takes more time or memory to open than any hand-in should")
    try:
        return _verified(reply, max_members)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnusableFile("could not be opened: what its reader says about it makes no sense") from error


def _verified(reply: bytes, max_members: int) -> Archive:
    """Rebuild the archive from the reply: the reader met hostile bytes, so its word is checked too."""
    line, _, rest = reply.partition(b"\n")
    if len(line) > MAX_HEADER:
        raise ValueError("header")
    value = json.loads(line)
    if set(value) == {"error"}:
        raise UnusableFile(verify_sentence(value["error"]))
    if set(value) != {"files", "more"} or type(value["files"]) is not list or type(value["more"]) is not int:
        raise ValueError("fields")
    members, position = [], 0
    for path, size, refused in value["files"]:
        if type(path) is not str or type(size) is not int or not 0 <= size <= reader_archive.MAX_FILE:
            raise ValueError("file")
        if refused != "" and refused not in reader_archive.REFUSALS:
            raise ValueError("refusal")
        if not _is_litter(path):
            members.append(Member(path.rsplit("/", 1)[-1], rest[position : position + size], refused))
        position += size
    if position != len(rest) or len(value["files"]) > reader_archive.MAX_FILES:
        raise ValueError("bytes")
    return Archive(tuple(members[:max_members]), value["more"] + len(members[max_members:]))


def _is_litter(path: str) -> bool:
    parts = path.split("/")
    return parts[-1].startswith("._") or not LITTER.isdisjoint(parts)
