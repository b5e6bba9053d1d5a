"""Finds the lines on which the values of a TOML file stand, which tomllib does not say.

A TOML file is a list of statements (a table's header, or a key with its value). Each begins on a line of its own, and one
that is cut off does not parse. So the fewest first lines that tomllib accepts are the first statement, and the following
ones are found in the same way.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str | int, ...]  # as in ("lessons", 0, "due")

AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
CLOSES = ("]", "}", '"""', "'''")  # one of them is in the last line of a statement of several lines


def lines_of_values(text: str) -> dict[KeyPath, int]:
    """Return the line on which the statement begins that sets each value of a valid TOML text."""
    lines: dict[KeyPath, int] = {}
    tables: dict[KeyPath, int] = {}  # an array of tables -> the index of its last one
    table: KeyPath = ()
    for line, statement, data in _statements(text):
        if not data:  # an empty line, or a comment
            continue
        if statement.lstrip().startswith("["):
            table = _open_table(data, tables)
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], line)
        else:
            for path in _paths(data, table):
                lines.setdefault(path, line)
    return lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """Return the line of a value, or of the innermost table around it that has a line."""
    while path and path not in lines:
        path = path[:-1]
    return lines[path] if path else 1


def syntax_error(text: str, error: Exception) -> tuple[int, str]:
    """Return the line of an error that tomllib found, and its reason without the place."""
    found = AT_LINE.search(str(error))
    reason = AT_LINE.sub("", str(error)).strip().rstrip(".") if found else "a value is too long or too deep"
    if found and found[1]:
        return min(int(found[1]), _last_line(text)), reason
    unfinished = [line for line, _, data in _statements(text) if data is None]
    return min([*unfinished, _last_line(text)]), reason


def _statements(text: str) -> Iterator[tuple[int, str, dict[str, Any] | None]]:
    """Yield each statement with its first line and its values; the last one has None where it does not parse."""
    begun: list[str] = []
    for number, line in enumerate(_lines(text), 1):
        begun.append(line)
        if len(begun) > 1 and not any(mark in line for mark in CLOSES):
            continue
        statement = "\n".join(begun)
        try:
            data = tomllib.loads(statement)
        except (ValueError, RecursionError):
            continue
        yield number - len(begun) + 1, statement, data
        begun = []
    if begun:
        yield len(_lines(text)) - len(begun) + 1, "\n".join(begun), None


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").split("\n")


def _last_line(text: str) -> int:
    return max(1, len(_lines(text.removesuffix("\n"))))


def _open_table(data: dict[str, Any], tables: dict[KeyPath, int]) -> KeyPath:
    """Return the path of the table that a header opens, and count the tables of each array of tables."""
    path: KeyPath = ()
    inner: Any = data
    while inner:
        ((key, inner),) = inner.items()
        path = (*path, key)
        if isinstance(inner, list):
            tables[path] = tables.get(path, -1) + 1
            inner = None
        if path in tables:
            path = (*path, tables[path])
    return path


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _paths(inner, (*path, key))
