"""Has a student's zip archive opened by a child process, and takes from the reply only what it may hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autograder.intake import unzip
from autograder.intake.forked import reply_of
from autograder.intake.read import MAX_WORDS, IntakeError

SUFFIXES = frozenset([".zip"])
HEADER = 64 << 10  # bytes of the reply's first line
# What operating systems put into archives by themselves.
LITTER = frozenset(["__MACOSX", ".ipynb_checkpoints"])


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    name: without the folders it lay in; data: its bytes; refused: why it was not taken, else "".
    """

    name: str
    data: bytes
    refused: str = ""


@dataclass(frozen=True)
class Archive:
    """What was taken out of an archive, and how many other things lie in it."""

    members: tuple[Member, ...]
    more: int

    @property
    def words(self) -> str:
        """What was made of it, as the end of a sentence."""
        taken = sum(not member.refused for member in self.members)
        files = f"{taken} file{'' if taken == 1 else 's'} of it {'was' if taken == 1 else 'were'} looked at"
        return f"{files}, {self.more:,} more left out" if self.more else files


def unpacked(data: bytes, suffixes: Sequence[str], most: int) -> Archive:
    """Return the files of an archive whose names end as wanted, at most `most`; raise IntakeError where none can be had.

    The sentence of the error goes on after the file's name, as in "is not a zip archive".
    """
    reply = reply_of("unzip", data, suffixes, unzip.MAX_UNPACKED + HEADER)
    if reply is None:
        raise IntakeError("takes more time or memory to open than any hand-in should")
    try:
        return _verified(reply, most)
    except (ValueError, TypeError, RecursionError) as error:
        raise IntakeError("could not be opened: what its reader says about it makes no sense") from error


def _verified(reply: bytes, most: int) -> Archive:
    """Rebuild the archive from the reply: the child read hostile bytes, so its word is checked too."""
    line, _, rest = reply.partition(b"\n")
    if len(line) > HEADER:
        raise ValueError("header")
    value = json.loads(line)
    if set(value) == {"error"}:
        raise IntakeError(_words(value["error"]))
    if set(value) != {"files", "more"} or type(value["files"]) is not list or type(value["more"]) is not int:
        raise ValueError("fields")
    members, position = [], 0
    for path, size, refused in value["files"]:
        if type(path) is not str or type(size) is not int or not 0 <= size <= unzip.MAX_FILE:
            raise ValueError("file")
        if refused != "" and refused not in unzip.REFUSALS:
            raise ValueError("refusal")
        members.append(Member(path, rest[position : position + size], refused))
        position += size
    if position != len(rest) or len(members) > unzip.MAX_FILES:
        raise ValueError("bytes")
    wanted = [_plain(member) for member in members if not _is_litter(member.name)]
    return Archive(tuple(wanted[:most]), value["more"] + len(wanted[most:]))


def _plain(member: Member) -> Member:
    return Member(member.name.rsplit("/", 1)[-1], member.data, member.refused)


def _is_litter(path: str) -> bool:
    parts = path.split("/")
    return parts[-1].startswith("._") or not LITTER.isdisjoint(parts)


def _words(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_WORDS or not value.isprintable():
        raise ValueError("words")
    return value
