"""The way "table": an Answer returns rows of plain values, one dict or tuple for each."""

from __future__ import annotations

from collections.abc import Sequence

from cnnlab.checking.attempt import a_type
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value


def as_rows(outcome: Outcome, columns: Sequence[str]) -> Outcome:
    """Return the Outcome of a call with its one output as a list of dicts, column -> value, in the order of `columns`.

    A row may be a dict with these keys, in any order, or a tuple or list with a value for each. Says in "bad output"
    which row is none.
    """
    if outcome.kind != "values":
        return outcome
    ((name, rows),) = outcome.values.items()
    if type(rows) not in (list, tuple):
        return Outcome("bad output", message=f"it returned {a_type(rows)}; return a list of rows")
    found: list[dict[str, Value]] = []
    for number, row in enumerate(rows):
        wrong = _wrong(row, columns)
        if wrong:
            return Outcome(
                "bad output", message=f"row {number} {wrong}; its columns are {', '.join(columns)}"
            )
        values = row if type(row) is dict else dict(zip(columns, row, strict=True))
        found.append({column: values[column] for column in columns})
    return Outcome("values", {name: found})


def _wrong(row: Value, columns: Sequence[str]) -> str:
    """Say in words why a row does not have these columns; "" where it has."""
    if type(row) is dict:
        missing = [column for column in columns if column not in row]
        more = [key for key in row if key not in columns]
        lacks = f"lacks {', '.join(missing)}" if missing else ""
        return lacks or (f"has {', '.join(more)[:60]} too" if more else "")
    if type(row) not in (tuple, list):
        return f"is {a_type(row)}, not a dict or a tuple"
    return "" if len(row) == len(columns) else f"has {len(row)} values, not {len(columns)}"
