"""Describes a failed Case in a sentence that gives nothing of the secret Cases away.

The student's own words are left out: they could carry a secret input.
"""

from __future__ import annotations

import builtins

from autograder.exercise import Exercise
from autograder.judging import repeatable
from autograder.sandbox import STOPPED
from cnnlab.checking.question import CaseResult

MAX_LINE = 200  # of a cell, that a sentence names
LEFT_A_DEBUGGER = "BdbQuit"  # what breakpoint() and pdb.set_trace() raise where nobody can type
DIFFERENCES = {  # what differs -> what is said of the output that differs
    "length": "has too few or too many items",
    "shape": "has the wrong shape",
    "dtype": "has the wrong dtype",
    "type": "has the wrong type",
    "finite": "has infinite or undefined values, or lacks them",
    "value": "has wrong values",
}


def sentence(exercise: Exercise, result: CaseResult, cell: str) -> str:
    """Say why one Case does not pass; cell: the text of the Answer's cell."""
    outcome, difference = result.outcome, result.difference
    if exercise.way.file and difference:  # no code of the student's saw the inputs, and all words are ours
        return difference.sentence
    if outcome.kind == "error":
        where = f" in line {outcome.line} of the cell" if outcome.line else ""
        if outcome.error == LEFT_A_DEBUGGER:
            return f"it stopped in a debugger{where}; take out breakpoint() or pdb.set_trace()"
        name = repeatable.undefined_name(outcome.message, outcome.line, cell)
        return f"it raised {error_name(outcome.error)}{where}{f': {name} is not defined' if name else ''}"
    if outcome.kind == "bad output":
        told = repeatable.of_bad_output(outcome.message, exercise, result.question.inputs)
        return told or _of_bad_output(exercise)
    if outcome.kind != "values" or difference is None:
        return STOPPED.get(outcome.kind, "it is not attempted")
    return f"{difference.name} {DIFFERENCES[difference.what]}"


def _of_bad_output(exercise: Exercise) -> str:
    way = exercise.way
    if way.module:
        return (
            "what it built did not run: it is no module, or gave no plain tensor, or no gradient flowed back"
        )
    if way.script:
        return "a call changed its argument, or something it returned or held was missing or no plain value"
    if way.table:
        return f"it did not return a list of rows with the columns {', '.join(way.table)}"
    drew = ", or took chance from elsewhere than its rng" if way.rng else ""
    return f"it changed its arguments, or returned something other than plain arrays and numbers{drew}"


def error_name(name: str) -> str:
    """Return an exception's name if it is one of Python's own: a name that a student chose could carry an input."""
    kind = getattr(builtins, name, None)
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else "an error"


def telling_line(line: int | None, cell: str) -> int | None:
    """Return the number of the line of a cell that raised an exception, or None where it must not be told.

    A number beyond the end of the cell, or a high one, may be the student's choice, and carry an input.
    """
    most = min(cell.count("\n") + 1, MAX_LINE)
    return line if line is None or line <= most else None
