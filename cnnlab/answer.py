"""Marks what a student wrote."""

from __future__ import annotations

import dis
from types import FunctionType
from typing import TypeVar

T = TypeVar("T")


def answer(written_by_student: T) -> T:
    """Mark a function or class as the student's Answer to the Exercise of its name; return it unchanged."""
    written_by_student.__cnnlab_answer__ = True  # type: ignore[attr-defined]
    return written_by_student


def is_answer(thing: object) -> bool:
    """Say whether `thing` was marked with `@answer`."""
    return getattr(thing, "__cnnlab_answer__", False) is True


def written(*functions: FunctionType | type) -> bool:
    """Say whether each of `functions` is more than the stub it was handed out as; name those that are not.

    A stub is a function whose body, after its docstring, only raises NotImplementedError, or a class whose
    `__init__` does no more than call that of its parent and then raise it. Cells that show
    what an Answer does begin with it, so that they ask for the Answer in one sentence where it is still
    missing.
    """
    missing = [function.__name__ for function in functions if _is_stub(function)]
    if missing:
        print(f"Write {' and '.join(missing)} first, then run this cell again.")
    return not missing


def _is_stub(thing: object) -> bool:
    function, names, free = thing, {"NotImplementedError"}, set()
    if isinstance(thing, type):
        function, names, free = vars(thing).get("__init__"), names | {"super", "__init__"}, {"__class__"}
    code = getattr(function, "__code__", None)
    # The stub's bytecode names only the exception it raises and never returns; any real body does more.
    if code is None or not {"NotImplementedError"} <= set(code.co_names) <= names:
        return False
    if not set(code.co_freevars) <= free:
        return False
    return not any(step.opname.startswith("RETURN") for step in dis.get_instructions(code))
