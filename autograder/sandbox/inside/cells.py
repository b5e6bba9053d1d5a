"""Runs one cell of a notebook, for a limited time, and says what it printed and raised."""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from types import FrameType

import cnnlab
from cnnlab.checking.wire import Value

from .shell import CellTimeout, Printed, Shell, ShellHooks, plain_code

DECORATED = re.compile(r"^@answer\b(?! *[.(])", re.MULTILINE)
MAX_ERROR_NAME = 200  # characters of an exception's name, which a student can choose


def run_cell(shell: Shell, hooks: ShellHooks, source: str, seconds: float) -> dict[str, Value]:
    """Run a cell's source and return what it printed and the error it raised, in one sentence.

    Args:
        shell: the notebook's shell.
        hooks: those that the shell has of its own.
        source: the cell's text.
        seconds: wall time after which the cell is stopped, if it can be stopped.
    """
    printed, error = Printed(), ""
    too_long = f"it ran longer than {seconds:g} s"
    streams = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = printed  # pyright: ignore[reportAttributeAccessIssue]

    def stop(number: int, frame: FrameType | None) -> None:
        raise CellTimeout

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        with _answer_in_force(shell.user_ns, source):
            raised = _run(shell, hooks, source)
        if raised is not None:
            error = too_long if isinstance(raised, CellTimeout) else type(raised).__name__
    except CellTimeout:
        error = too_long
    except BaseException as raised:
        error = type(raised).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.stdout, sys.stderr = streams
    return {"printed": printed.text(), "error": str(error)[:MAX_ERROR_NAME]}


@contextmanager
def _answer_in_force(names: MutableMapping[str, object], source: str) -> Iterator[None]:
    """Let `@answer` be cnnlab's in a cell that has it, where another cell gave the name to a value of its own."""
    theirs = names.get("answer", cnnlab.answer)
    if callable(theirs) or not DECORATED.search(source):
        yield
        return
    names["answer"] = cnnlab.answer
    try:
        yield
    finally:
        if names.get("answer") is cnnlab.answer:
            names["answer"] = theirs


def _run(shell: Shell, hooks: ShellHooks, source: str) -> BaseException | None:
    """Run a cell's source as a notebook does, and return what it raised."""
    code = plain_code(shell, hooks, source)
    if code is None:
        result = shell.run_cell(source, store_history=False)
        return result.error_before_exec or result.error_in_exec
    shell.user_ns.pop("__warningregistry__", None)  # so that each cell's warnings are shown
    with shell.builtin_trap, shell.display_trap:
        try:
            exec(code, shell.user_global_ns, shell.user_ns)
        except BaseException as error:
            shell.showtraceback()
            return error
    return None
