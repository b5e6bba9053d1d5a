"""Has a notebook that a stranger wrote read by a child process, and takes from the reply only what it may
hold.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.course import CourseError
from autograder.intake import child as intake_child
from autograder.intake.forked import reply_of

MAX_REPLY = 64 * intake_child.MIB
MAX_WORDS = 300  # characters of a sentence in the reply
FIELDS = {"number", "kind", "source", "refused", "cell_id", "grade_id", "defines", "imports"}


class IntakeError(CourseError):
    """A submission of which nothing can be used, in one sentence that says why."""


@dataclass(frozen=True)
class StudentCell:
    """One cell as the student handed it in.

    number: its place, counted from 1; kind: "code", "markdown" or "raw"; refused: why its text was left out,
    else ""; cell_id and grade_id: "" where there is none; defines: top-level name -> digest of its definition
    ("" where unknown).
    """

    number: int
    kind: str
    source: str
    refused: str
    cell_id: str
    grade_id: str
    defines: Mapping[str, str]
    imports: bool


@dataclass(frozen=True)
class StudentNotebook:
    """What a student's file holds: its cells in order, and sentences about what was odd in it."""

    cells: tuple[StudentCell, ...]
    odd: tuple[str, ...]


Reader = Callable[[bytes], StudentNotebook]


def read_in_child(data: bytes) -> StudentNotebook:
    """Read a notebook in a process with little memory and time; raise IntakeError for what is no notebook.

    The sentence of the error goes on after the file's name, as in "is not JSON".
    """
    if len(data) > intake_child.MAX_BYTES:
        raise IntakeError(too_large(len(data)))
    for option in (
        [],
        [intake_child.WITHOUT_AST],
    ):  # what crashes Python's parser can still be read line by line
        reply = _reply(data, option)
        if reply is not None:
            return _verified(reply)
    raise IntakeError("takes more time or memory to read than any notebook should")


def read_here(data: bytes) -> StudentNotebook:
    """Read a notebook in this process: for tests, and for files that are our own."""
    try:
        return _verified(json.dumps(intake_child.extract(data)).encode())
    except intake_child.Unusable as error:
        raise IntakeError(str(error)) from None


def too_large(size: int) -> str:
    """Say that a file of `size` bytes is too large to be taken in."""
    limit = intake_child.MAX_BYTES // intake_child.MIB
    size_in_words = f"{size / intake_child.MIB:,.1f} MiB"
    return f"is {size_in_words} large; a notebook may have {limit} MiB, so clear its outputs first"


def _reply(data: bytes, options: list[str]) -> bytes | None:
    """Return what the child wrote, or None where it crashed, ran out of time or wrote too much."""
    return reply_of("child", data, options, MAX_REPLY)


def _verified(reply: bytes) -> StudentNotebook:
    """Rebuild the notebook from the reply: the child read a hostile file, so its word is checked too."""
    try:
        intake_child.verify_depth(reply)
        value = json.loads(reply)
        if type(value) is dict and set(value) == {"error"}:
            raise IntakeError(_words(value["error"]))
        if type(value) is not dict or set(value) != {"cells", "odd"}:
            raise ValueError("fields")
        cells = tuple(_cell(cell) for cell in _list(value["cells"], intake_child.MAX_CELLS))
        odd = tuple(_words(sentence) for sentence in _list(value["odd"], intake_child.MAX_CELLS + 1))
    except (ValueError, RecursionError, intake_child.Unusable) as error:
        raise IntakeError("could not be read: what its reader says about it makes no sense") from error
    return StudentNotebook(cells, odd)


def _cell(value: Any) -> StudentCell:
    if type(value) is not dict or set(value) != FIELDS or type(value["number"]) is not int:
        raise ValueError("cell")
    if value["kind"] not in intake_child.KINDS.values() or type(value["imports"]) is not bool:
        raise ValueError("cell")
    if (
        type(value["source"]) is not str
        or len(value["source"]) > intake_child.MAX_SOURCE
        or "\0" in value["source"]
    ):
        raise ValueError("source")
    value["source"].encode("utf-8")  # UnicodeEncodeError is a ValueError
    for field, pattern in (("cell_id", intake_child.CELL_ID), ("grade_id", intake_child.GRADE_ID)):
        if type(value[field]) is not str or (value[field] and not pattern.fullmatch(value[field])):
            raise ValueError(field)
    defines = value["defines"]
    if type(defines) is not dict or not all(
        type(digest) is str and len(digest) <= 16 for digest in defines.values()
    ):
        raise ValueError("defines")
    _words(value["refused"])
    return StudentCell(**value)


def _list(value: Any, most: int) -> list[Any]:
    if type(value) is not list or len(value) > most:
        raise ValueError("list")
    return value


def _words(value: Any) -> str:
    if type(value) is not str or len(value) > MAX_WORDS or not value.isprintable():
        raise ValueError("words")
    return value
