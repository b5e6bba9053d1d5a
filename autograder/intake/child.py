"""Reads a notebook that a stranger wrote, in a process of its own, and says what its cells hold.

Run as a script with the notebook on standard input and nothing but the standard library; the reply is JSON on
standard output: {"error": words} or {"cells": [...], "odd": [sentences]}. Only text leaves: outputs,
attachments and all metadata but `grade_id` and the cell's id stay behind.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

MIB = 1 << 20
MAX_BYTES = 20 * MIB  # a notebook
MAX_DEPTH = 64  # a real notebook nests 8 deep, rich outputs some more
MAX_CELLS = 2_000
MAX_SOURCE = MIB  # characters of one cell
MAX_TEXT = 16 * MIB  # characters of all cells
MAX_PARSED = 100_000  # characters of a cell that is parsed as Python; longer ones are searched line by line
MAX_PARSED_TEXT = (
    400_000  # characters of all cells that are parsed so: many would take longer than CPU_SECONDS
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

MAGIC_LINE = re.compile(r"^(\s*+)(?:[%!?].*|.*\?)$")
MAGIC_VALUE = re.compile(r"=\s*[%!].*$")
PYTHON_CELL_MAGICS = re.compile(r"%%(?:time|capture|prun)\b")
DEFINED_LINE = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)
IMPORT_LINE = re.compile(r"^(?:import|from)[ \t]", re.MULTILINE)


class Unusable(Exception):
    """A file that is no notebook; its text goes on after the file's name, as in "is not JSON"."""


# (whether code, a cell's text) -> what `definitions` says of it
Facts = dict[tuple[bool, str], dict[str, Any]]


def extract(data: bytes, *, use_ast: bool = True, known: Facts | None = None) -> dict[str, Any]:
    """Return the cells of a notebook and what was odd about them; raise Unusable where there are none to be
    had.

    use_ast: parse the cells' source; without it, definitions are found line by line (deep nesting can crash
    the parser); known: of cells that most notebooks have as they were handed out.
    """
    cells: list[dict[str, Any]] = []
    odd: list[str] = []
    room, parsed, names = MAX_TEXT, 0, 0
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
        source, refused = _source(raw, room)
        room -= len(source)
        if refused:
            odd.append(f"Cell {number} {refused}; its text was left out.")
        cell = {"number": number, "kind": kind, "source": source, "refused": refused}
        parsed += len(source) if len(source) <= MAX_PARSED else 0
        facts = (known or {}).get((kind == "code", source)) if use_ast else None
        if facts is None:
            facts = definitions(source, code=kind == "code", use_ast=use_ast and parsed <= MAX_PARSED_TEXT)
        names += len(facts["defines"])
        if names > MAX_NAMES and facts["defines"]:
            facts = {**facts, "defines": {}}
            odd.append(f"Cell {number} comes after {MAX_NAMES:,} definitions; its own were left out.")
        cells.append(cell | _ids(raw) | facts)
    return {"cells": cells, "odd": odd}


def verify_depth(data: bytes) -> None:
    """Raise Unusable where JSON nests deeper than MAX_DEPTH, in one pass and without parsing it."""
    depth = 0
    for bracket in JSON_STRING.sub(b"", data).translate(None, NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Unusable(f"is nested more than {MAX_DEPTH} levels deep")


def _parsed(data: bytes) -> Any:
    if len(data) > MAX_BYTES:
        raise Unusable(f"is larger than {MAX_BYTES // MIB} MiB")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise Unusable("is empty")
    verify_depth(data)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        which = ", it looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise Unusable(f"is not UTF-8 text (byte {error.start:,}{which})") from None
    try:
        # Numbers mean nothing here, and long ones take quadratic time to read.
        return json.loads(text, parse_int=_nothing, parse_float=_nothing, parse_constant=_nothing)
    except json.JSONDecodeError as error:
        if error.msg.startswith("Unterminated string") or not text[error.pos :].strip():
            raise Unusable(f"is not complete: it breaks off in line {text.count(chr(10)) + 1:,}") from None
        raise Unusable(f"is not JSON: {error.msg} in line {error.lineno:,}, column {error.colno:,}") from None
    except RecursionError:
        raise Unusable("is nested too deep") from None


def _nothing(_: str) -> None:
    return None


def _cells(notebook: Any) -> Iterator[Any]:
    if type(notebook) is not dict:
        raise Unusable("is JSON, but not a notebook")
    if "cells" in notebook:
        if type(notebook["cells"]) is not list:
            raise Unusable("has no list of cells")
        yield from notebook["cells"]
    elif type(notebook.get("worksheets")) is list:  # nbformat 3
        for sheet in notebook["worksheets"]:
            if type(sheet) is not dict or type(sheet.get("cells")) is not list:
                raise Unusable(
                    "has a worksheet without a list of cells; open it in Jupyter and save it again"
                )
            yield from sheet["cells"]
    else:
        raise Unusable("is JSON, but not a notebook: it has no cells")


def _source(cell: dict[str, Any], room: int) -> tuple[str, str]:
    """Return a cell's text and why it was refused: one of the two is ""."""
    source = cell.get("source", cell.get("input"))  # nbformat 3 calls a code cell's text its input
    if type(source) is list and all(type(line) is str for line in source):
        source = "".join(source)
    if type(source) is not str:
        return "", "has no text"
    if len(source) > MAX_SOURCE:
        return "", f"is longer than {MAX_SOURCE:,} characters"
    if len(source) > room:
        return "", f"comes after {MAX_TEXT:,} characters of other cells"
    if "\0" in source:
        return "", "holds a NUL character"
    try:
        source.encode("utf-8")
    except UnicodeEncodeError:
        return "", "holds half a character (a lone surrogate)"
    return source.replace("\r\n", "\n").replace("\r", "\n"), ""


def _ids(cell: dict[str, Any]) -> dict[str, str]:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if type(metadata) is dict else None
    grade_id = nbgrader.get("grade_id") if type(nbgrader) is dict else None
    return {"cell_id": _matching(CELL_ID, cell.get("id")), "grade_id": _matching(GRADE_ID, grade_id)}


def _matching(pattern: re.Pattern[str], value: Any) -> str:
    return value if type(value) is str and pattern.fullmatch(value) else ""


def definitions(source: str, *, code: bool, use_ast: bool) -> dict[str, Any]:
    """Say what a cell defines at its top level: name -> digest of the definition ("" where unknown), and if
    it imports.
    """
    tree = _tree(source, code) if use_ast and len(source) <= MAX_PARSED else None
    if tree is not None:
        return _from_tree(tree, code)
    if not code:  # prose may begin a line with "def" or "class"
        return {"defines": {}, "imports": False}
    names = {name for match in DEFINED_LINE.finditer(source) for name in match.groups() if name}
    return {"defines": dict.fromkeys(sorted(names), ""), "imports": IMPORT_LINE.search(source) is not None}


def _tree(source: str, code: bool) -> ast.Module | None:
    for text in (source, _without_magics(source)) if code else (source,):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
        except (RecursionError, MemoryError, ValueError):
            return None
    return None


def _without_magics(source: str) -> str:
    """Return what is Python in a cell that may hold IPython's lines: %matplotlib inline, !pip list, help?"""
    if source.startswith("%%") and not PYTHON_CELL_MAGICS.match(source):
        return ""
    lines = (MAGIC_LINE.sub(r"\1pass", line) for line in source.split("\n"))
    return "\n".join(MAGIC_VALUE.sub("= None", line) for line in lines)


def _from_tree(tree: ast.Module, code: bool) -> dict[str, Any]:
    defines: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defines[node.name] = _digest(node)
        elif code and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            digest = _digest(node.value)
            defines |= {name: digest for target in targets for name in _names(target)}
    imports = any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body)
    return {"defines": defines, "imports": imports}


def _names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for item in target.elts for name in _names(item)]
    return []


def _digest(node: ast.AST) -> str:
    """Return a digest of a definition that comments, layout, decorators and the docstring do not change."""
    try:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            head = [node.args] if not isinstance(node, ast.ClassDef) else [*node.bases, *node.keywords]
            parts = [type(node).__name__, *map(ast.dump, head), *map(ast.dump, body)]
        else:
            parts = [ast.dump(node)]
    except (RecursionError, MemoryError):
        return ""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _limit() -> None:
    import resource

    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,  # it writes to a pipe only
    }
    for which, limit in limits.items():
        hard = resource.getrlimit(which)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(which, (limit, limit))


def main(known: Facts | None = None) -> None:
    """Read a notebook from standard input and write the reply; known: as for `extract`."""
    import warnings

    _limit()
    warnings.simplefilter("ignore")
    try:
        reply = extract(
            sys.stdin.buffer.read(MAX_BYTES + 1), use_ast=WITHOUT_AST not in sys.argv, known=known
        )
    except Unusable as error:
        reply = {"error": str(error)}
    except MemoryError:
        reply = {"error": "needs more memory to read than any notebook should"}
    sys.stdout.buffer.write(json.dumps(reply, ensure_ascii=False).encode("utf-8"))


if __name__ == "__main__":
    main()
