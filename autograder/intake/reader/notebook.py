"""Read a notebook that a student wrote, and list the contents of its cells.

This runs in a process of its own. The notebook arrives on standard input; the reply is JSON on standard output:
{"error": words} or {"cells": [...], "odd": [sentences]}. Only text leaves the process: outputs, attachments and all
metadata but `grade_id` and the cell's id stay behind.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from .cell_facts import MAX_PARSED, CellFacts, parse_facts
from .limits import MIB, limit_process

MAX_BYTES = 20 * MIB  # a notebook
MAX_DEPTH = 64  # a real notebook nests 8 deep, rich outputs some more
MAX_CELLS = 2_000
MAX_SOURCE = MIB  # characters of one cell
MAX_TEXT = 16 * MIB  # characters of all cells
MAX_PARSED_TEXT = (
    400_000  # characters of all cells that are parsed: many more would take longer than CPU_SECONDS
)
MAX_NAMES = 20_000  # that all cells define
MEMORY = 1024 * MIB
CPU_SECONDS = 10
WITHOUT_AST = "--without-ast"

GRADE_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}")
CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
JSON_STRING = re.compile(rb'(?s)"(?:[^"\\]++|\\.)*+"')
BRACKETS = b"[]{}"
NOT_BRACKETS = bytes(set(range(256)) - set(BRACKETS))
KINDS = {"code": "code", "markdown": "markdown", "raw": "raw", "heading": "markdown", "html": "raw"}

# (whether code, a cell's source) -> its facts
KnownFacts = Mapping[tuple[bool, str], CellFacts]


class CellReply(TypedDict):
    """One cell in the reply; autograder.intake.read_notebook.StudentCell says what each field is."""

    number: int
    kind: str
    source: str
    refused: str
    cell_id: str
    grade_id: str
    defines: dict[str, str]
    imports: bool


class NotebookReply(TypedDict):
    """The cells of a notebook, and sentences about what was odd in it."""

    cells: list[CellReply]
    odd: list[str]


class UnreadableNotebook(Exception):
    """A file that is no notebook; its text goes on after the file's name, as in "is not JSON"."""


def extract_cells(data: bytes, *, use_ast: bool = True, known: KnownFacts | None = None) -> NotebookReply:
    """Extract the cells of a notebook, and note what was odd about them.

    Args:
        data: the file's bytes.
        use_ast: parse the cells' source; without it their facts are found line by line, for a notebook whose deep
            nesting crashed the parser.
        known: the facts of cells as they were handed out, which most notebooks still have.

    Raises:
        UnreadableNotebook: where the file holds no cells.
    """
    cells: list[CellReply] = []
    odd: list[str] = []
    text_left, parsed, names = MAX_TEXT, 0, 0
    found = list(_cells(_parsed(data)))
    if len(found) > MAX_CELLS:
        odd.append(
            f"The notebook has {len(found):,} cells; those after the first {MAX_CELLS:,} were left out."
        )
    for number, raw in enumerate(found[:MAX_CELLS], 1):
        if type(raw) is not dict or type(raw.get("cell_type")) is not str or raw["cell_type"] not in KINDS:
            odd.append(f"Cell {number} is not a cell of a notebook; it was left out.")
            continue
        kind = KINDS[raw["cell_type"]]
        source, refused = _source(raw, text_left)
        text_left -= len(source)
        if refused:
            odd.append(f"Cell {number} {refused}; its text was left out.")
        parsed += len(source) if len(source) <= MAX_PARSED else 0
        facts = known.get((kind == "code", source)) if known and use_ast else None
        if facts is None:
            facts = parse_facts(source, code=kind == "code", use_ast=use_ast and parsed <= MAX_PARSED_TEXT)
        names += len(facts["defines"])
        if names > MAX_NAMES and facts["defines"]:
            facts = CellFacts(defines={}, imports=facts["imports"])
            odd.append(f"Cell {number} comes after {MAX_NAMES:,} definitions; its own were left out.")
        cell_id, grade_id = _ids(raw)
        cells.append(
            CellReply(
                number=number,
                kind=kind,
                source=source,
                refused=refused,
                cell_id=cell_id,
                grade_id=grade_id,
                defines=facts["defines"],
                imports=facts["imports"],
            )
        )
    return NotebookReply(cells=cells, odd=odd)


def verify_depth(data: bytes) -> None:
    """Raise UnreadableNotebook where JSON nests deeper than MAX_DEPTH, in one pass and without parsing it."""
    depth = 0
    for bracket in JSON_STRING.sub(b"", data).translate(None, NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise UnreadableNotebook(f"is nested more than {MAX_DEPTH} levels deep")


def _parsed(data: bytes) -> object:
    if len(data) > MAX_BYTES:
        raise UnreadableNotebook(f"is larger than {MAX_BYTES // MIB} MiB")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise UnreadableNotebook("is empty")
    verify_depth(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        which = ", it looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise UnreadableNotebook(f"is not UTF-8 text (byte {error.start:,}{which})") from None
    try:
        # Numbers mean nothing here, and long ones take quadratic time to read.
        return json.loads(text, parse_int=_no_number, parse_float=_no_number, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or not text[error.pos :].strip():
            raise UnreadableNotebook(
                f"is not complete: it breaks off in line {text.count(chr(10)) + 1:,}"
            ) from None
        raise UnreadableNotebook(
            f"is not JSON: {error.msg} in line {error.lineno:,}, column {error.colno:,}"
        ) from None
    except RecursionError:
        raise UnreadableNotebook("is nested too deep") from None


def _no_number(_: str) -> None:
    return None


def _cells(notebook: Any) -> Iterator[Any]:
    if type(notebook) is not dict:
        raise UnreadableNotebook("is JSON, but not a notebook")
    if "cells" in notebook:
        if type(notebook["cells"]) is not list:
            raise UnreadableNotebook("has no list of cells")
        yield from notebook["cells"]
    elif type(notebook.get("worksheets")) is list:  # nbformat 3
        for sheet in notebook["worksheets"]:
            if type(sheet) is not dict or type(sheet.get("cells")) is not list:
                raise UnreadableNotebook(
                    "has a worksheet without a list of cells; open it in Jupyter and save it again"
                )
            yield from sheet["cells"]
    else:
        raise UnreadableNotebook("is JSON, but not a notebook: it has no cells")


def _source(cell: dict[str, object], text_left: int) -> tuple[str, str]:
    """Return a cell's text and the reason why it was refused: one of the two is ""."""
    source = cell.get("source", cell.get("input"))  # nbformat 3 calls a code cell's text its input
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    if type(source) is not str:
        return "", "has no text"
    if len(source) > MAX_SOURCE:
        return "", f"is longer than {MAX_SOURCE:,} characters"
    if len(source) > text_left:
        return "", f"comes after {MAX_TEXT:,} characters of other cells"
    if "\0" in source:
        return "", "holds a NUL character"
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        return "", "holds half a character (a lone surrogate)"
    return source.replace("\r\n", "\n").replace("\r", "\n"), ""


def _ids(cell: dict[str, object]) -> tuple[str, str]:
    """Return the cell's id and its grade_id, each "" where there is none of the usual form."""
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if type(metadata) is dict else None
    grade_id = nbgrader.get("grade_id") if type(nbgrader) is dict else None
    return _matching(CELL_ID, cell.get("id")), _matching(GRADE_ID, grade_id)


def _matching(pattern: re.Pattern[str], value: object) -> str:
    return value if type(value) is str and pattern.fullmatch(value) else ""


def main(known: KnownFacts, options: Sequence[str]) -> None:
    """Read a notebook from standard input and write the reply; options: WITHOUT_AST or none."""
    limit_process(MEMORY, CPU_SECONDS)
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        reply = extract_cells(data, use_ast=WITHOUT_AST not in options, known=known)
    except UnreadableNotebook as error:
        reply = {"error": str(error)}
    except MemoryError:
        reply = {"error": "needs more memory to read than any notebook should"}
    sys.stdout.buffer.write(json.dumps(reply, ensure_ascii=False).encode("utf-8"))
