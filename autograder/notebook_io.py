"""Write and read notebooks as nbformat does, in a fraction of the time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring
from typing import Any

from nbformat.notebooknode import NotebookNode
from nbformat.v4.rwbase import rejoin_lines, strip_transient

# Fields that nbformat never writes (nbformat.v4.rwbase.strip_transient).
TRANSIENT = frozenset(["orig_nbformat", "orig_nbformat_minor", "signature"])
SPLIT = frozenset(["application/javascript", "image/svg+xml"])  # by lines, beside text/*
CONSTANTS = {None: "null", True: "true", False: "false"}
TRUSTED = frozenset(["trusted"])
MAX_KEPT_CELLS = 500  # whose JSON is kept; a course's lessons have fewer
MAX_KEPT_SOURCE = 20_000  # characters of a cell whose JSON is kept
_kept: dict[str, str] = {}  # a cell -> its JSON


def writes(notebook: Mapping[str, Any]) -> str:
    """Return a valid notebook as `nbformat.writes(notebook, version=NO_CONVERT)` does, and a newline.

    It is faster because json leaves indenting to Python, item by item, and nbformat copies the whole notebook first.
    """
    top = dict(notebook)
    top["cells"] = [_Json(_cell_json(cell)) for cell in notebook["cells"]]
    top["metadata"] = _without(TRANSIENT, notebook["metadata"])
    return _pretty(top, "\n") + "\n"


class _Json(str):
    """The JSON of a value, where the value itself is expected."""


def reads(data: bytes) -> NotebookNode:
    """Return a notebook of version 4 from its bytes, as `nbformat.v4.reads` does."""
    return strip_transient(rejoin_lines(json.loads(data.decode("utf-8"), object_hook=_node)))


def _node(fields: dict[str, Any]) -> NotebookNode:
    # Not by its constructor, which would look at every value once more.
    node = NotebookNode()
    dict.update(node, fields)
    return node


def _cell_json(cell: Mapping[str, Any]) -> str:
    # Most cells of a class are those that were handed out, so they have been written before.
    if cell.get("outputs") or len(cell["source"]) > MAX_KEPT_SOURCE:
        return _pretty(_split_cell(cell), "\n  ")
    key = repr(sorted(cell.items()))
    if key not in _kept:
        if len(_kept) == MAX_KEPT_CELLS:
            _kept.clear()
        _kept[key] = _pretty(_split_cell(cell), "\n  ")
    return _kept[key]


def _split_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a cell as it is written: its texts split into lines, without what nbformat never writes."""
    written = dict(cell)
    written["source"] = _lines(cell["source"])
    written["metadata"] = _without(TRUSTED, cell["metadata"])
    if "attachments" in cell:
        written["attachments"] = {name: _split_bundle(data) for name, data in cell["attachments"].items()}
    if cell["cell_type"] == "code":
        written["outputs"] = [_split_output(output) for output in cell["outputs"]]
    return written


def _split_output(output: Mapping[str, Any]) -> Mapping[str, Any]:
    if output["output_type"] in ("execute_result", "display_data"):
        return {**output, "data": _split_bundle(output["data"])} if "data" in output else output
    if output["output_type"] == "stream":
        return {**output, "text": _lines(output["text"])}
    return output


def _split_bundle(data: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _lines(value) if k.startswith("text/") or k in SPLIT else value for k, value in data.items()}


def _lines(value: object) -> object:
    return value.splitlines(True) if isinstance(value, str) else value


def _without(names: Iterable[str], metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in metadata.items() if name not in names}


def _pretty(value: object, newline: str) -> str:
    """Return what json.dumps does with indent 1 and sorted keys.

    newline: a line break and the indent of the line that the value begins in.
    """
    if isinstance(value, str):
        return value if type(value) is _Json else encode_basestring(value)
    inner = newline + " "
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        items = (f"{encode_basestring(key)}: {_pretty(value[key], inner)}" for key in sorted(value))
        return f"{{{inner}{f',{inner}'.join(items)}{newline}}}"
    if isinstance(value, (list, tuple)):
        if not value:
            return "[]"
        if all(type(item) is str for item in value):  # as the lines of a text
            return f"[{inner}{f',{inner}'.join(map(encode_basestring, value))}{newline}]"
        return f"[{inner}{f',{inner}'.join([_pretty(item, inner) for item in value])}{newline}]"
    return CONSTANTS[value] if value is None or value is True or value is False else json.dumps(value)
