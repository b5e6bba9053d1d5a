"""Have a student's notebook read by a process of its own, and take from the reply only what it may hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from autograder.intake.errors import UnusableFile
from autograder.intake.reader import notebook as reader_notebook
from autograder.intake.reader.cell_facts import DIGEST_LENGTH
from autograder.intake.reader.limits import MIB
from autograder.intake.reader_process import ask_reader, verify_sentence

MAX_REPLY = 64 * MIB  # bytes; four times the characters of all cells, for their quoting and names
FIELDS = reader_notebook.CellReply.__annotations__.keys()


@dataclass(frozen=True)
class StudentCell:
    """One cell as the student handed it in.

    number: its place, counted from 1.
    kind: "code", "markdown" or "raw".
    source: its text.
    refused: why its text was left out, else "".
    cell_id, grade_id: "" where there is none.
    defines: name that the cell defines at its top level -> digest of the definition, "" where unknown.
    imports: whether it imports anything at its top level.
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
    """A student's notebook as text: its cells in order, and sentences about what was odd in it."""

    cells: tuple[StudentCell, ...]
    odd: tuple[str, ...]


Reader = Callable[[bytes], StudentNotebook]


def read_notebook(data: bytes) -> StudentNotebook:
    """Read a notebook in a process with little memory and time; raise UnusableFile for what is no notebook."""
    if len(data) > reader_notebook.MAX_BYTES:
        raise UnusableFile(too_large(len(data)))
    for options in ([], [reader_notebook.WITHOUT_AST]):
        # What crashes Python's parser can still be read line by line.
        reply = ask_reader("notebook", data, options, MAX_REPLY)
        if reply is not None:
            return _verified(reply)
    raise UnusableFile("takes more time or memory to read than any notebook should")


def read_notebook_here(data: bytes) -> StudentNotebook:
    """Read a notebook in this process: for tests, and for files that are our own."""
    try:
        return _verified(json.dumps(reader_notebook.extract_cells(data)).encode())
    except reader_notebook.UnreadableNotebook as error:
        raise UnusableFile(str(error)) from None


def too_large(size: int) -> str:
    """Say that a file of so many bytes is too large to be taken in; goes on after the file's name."""
    limit = reader_notebook.MAX_BYTES // MIB
    return f"is {size / MIB:,.1f} MiB large; a notebook may have {limit} MiB, so clear its outputs first"


def _verified(reply: bytes) -> StudentNotebook:
    """Rebuild the notebook from the reply: the reader met hostile bytes, so its word is checked too."""
    try:
        reader_notebook.verify_depth(reply)
        value = json.loads(reply)
        if type(value) is dict and set(value) == {"error"}:
            raise UnusableFile(verify_sentence(value["error"]))
        if type(value) is not dict or set(value) != {"cells", "odd"}:
            raise ValueError("fields")
        cells = tuple(_verified_cell(cell) for cell in _list(value["cells"], reader_notebook.MAX_CELLS))
        odd = tuple(
            verify_sentence(sentence) for sentence in _list(value["odd"], reader_notebook.MAX_CELLS + 1)
        )
    except (ValueError, RecursionError, reader_notebook.UnreadableNotebook) as error:
        raise UnusableFile("could not be read: what its reader says about it makes no sense") from error
    return StudentNotebook(cells, odd)


def _verified_cell(value: object) -> StudentCell:
    if type(value) is not dict or set(value) != FIELDS or type(value["number"]) is not int:
        raise ValueError("cell")
    if value["kind"] not in reader_notebook.KINDS.values() or type(value["imports"]) is not bool:
        raise ValueError("cell")
    source = value["source"]
    if type(source) is not str or len(source) > reader_notebook.MAX_SOURCE or "\0" in source:
        raise ValueError("source")
    source.encode("utf-8")  # UnicodeEncodeError is a ValueError
    for field, pattern in (("cell_id", reader_notebook.CELL_ID), ("grade_id", reader_notebook.GRADE_ID)):
        if type(value[field]) is not str or (value[field] and not pattern.fullmatch(value[field])):
            raise ValueError(field)
    defines = value["defines"]
    if type(defines) is not dict or not all(
        type(digest) is str and len(digest) <= DIGEST_LENGTH for digest in defines.values()
    ):
        raise ValueError("defines")
    verify_sentence(value["refused"])
    return StudentCell(**value)


def _list(value: object, max_items: int) -> list[object]:
    if type(value) is not list or len(value) > max_items:
        raise ValueError("list")
    return value
