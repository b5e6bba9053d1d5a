"""Pictures of tables for a report: rows of plain values, with the cells marked that differ."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from cnnlab.checking.compare import compare
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.picture import INK, LINE, MONO, PALE_INK
from cnnlab.checking.question import CaseResult
from cnnlab.checking.wire import Value

SHOWN = 24  # rows that a picture holds
IN_TEXT = 5  # rows that a text holds
WRONG = "#b42318"
PALE_WRONG = "#fdecea"

Write = Callable[[Value], str]  # a value in a few printable characters


def draw(result: CaseResult, write: Write) -> str:
    """Return HTML of the expected table beside what differs in the student's; "" where the output is no table."""
    pair = _tables(result)
    if pair is None:
        return ""
    expected, got = pair
    first = _first(expected, got, result.question.tolerance)
    start = max(0, min(first - SHOWN // 2, len(expected) - SHOWN))
    head = "".join(_cell(column, PALE_INK) for column in ("row", *expected[0]))
    lines = [f"<tr>{head}</tr>"]
    for number in range(start, min(start + SHOWN, len(expected))):
        row, other = expected[number], got[number] if number < len(got) else None
        cells = _cell(str(number), PALE_INK)
        for column, value in row.items():
            wrong = _differs(row, other, column, result.question.tolerance)
            if not wrong:
                cells += _cell(escape(write(value)), INK)
            else:
                yours = escape(write(other.get(column))) if other else "no such row"
                mark = f'<b style="color:{WRONG}">{yours}</b>'
                cells += _cell(
                    f'{mark} <span style="color:{PALE_INK}">expected {escape(write(value))}</span>',
                    INK,
                    PALE_WRONG,
                )
        lines.append(f"<tr>{cells}</tr>")
    left_out = len(expected) - SHOWN
    note = f"{left_out} more rows are left out. " if left_out > 0 else ""
    more = len(got) - len(expected)
    note += f"Yours has {more} more row{'s' if more > 1 else ''}." if more > 0 else ""
    below = f'<div style="font-size:12px;color:{PALE_INK};margin-top:4px">{note}</div>' if note else ""
    return (
        '<div style="overflow-x:auto;margin:10px 0 2px"><table style="border-collapse:collapse;'
        f'background:#ffffff">{"".join(lines)}</table></div>{below}'
    )


def text(result: CaseResult, write: Write) -> list[str]:
    """Return the rows around the first that differs, expected and got below each other, as lines of text."""
    pair = _tables(result)
    if pair is None:
        return []
    expected, got = pair
    first = _first(expected, got, result.question.tolerance)
    lines = [["row", *expected[0]]]
    for number in range(max(0, first - 2), min(first + IN_TEXT - 2, len(expected))):
        row, other = expected[number], got[number] if number < len(got) else None
        lines.append([str(number), *map(write, row.values())])
        if any(_differs(row, other, column, result.question.tolerance) for column in row):
            lines.append(["got", *(write(other.get(column)) if other else "-" for column in row)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  " + "  ".join(cell.rjust(w) for cell, w in zip(line, widths, strict=True)) for line in lines]


def _tables(result: CaseResult) -> tuple[list[dict[str, Value]], list[dict[str, Value]]] | None:
    difference = result.difference
    name = difference.name.split("[")[0] if difference else ""
    pair = result.question.expected.get(name), result.outcome.values.get(name)
    return pair if all(map(_is_table, pair)) and pair[0] else None  # type: ignore[return-value]


def _is_table(value: Value) -> bool:
    """Say whether a value is rows with the same columns."""
    return type(value) is list and all(
        type(row) is dict and row.keys() == value[0].keys() and bool(row) for row in value
    )


def _first(expected: list[dict[str, Value]], got: list[dict[str, Value]], tolerance: float) -> int:
    """Return the number of the first row that differs."""
    pairs = enumerate(zip(expected, got, strict=False))
    return next((i for i, (e, g) in pairs if any(_differs(e, g, c, tolerance) for c in e)), len(got))


def _differs(row: dict[str, Value], other: dict[str, Value] | None, column: str, tolerance: float) -> bool:
    if other is None or column not in other:
        return True
    return compare({column: row[column]}, Outcome("values", other), tolerance) is not None


def _cell(inner: str, colour: str, back: str = "#ffffff") -> str:
    return (
        f'<td style="text-align:right;padding:2px 10px;border:1px solid {LINE};background:{back};'
        f'color:{colour};font-family:{MONO};font-size:12.5px">{inner}</td>'
    )
