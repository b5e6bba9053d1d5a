"""Runs what a student wrote: whatever it does comes out as an Outcome."""

from __future__ import annotations

import contextlib
import io
import os
import traceback
import types
from collections.abc import Callable, Iterator

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.errors import InvalidAnswer
from cnnlab.checking.outcome import MAX_MESSAGE, Outcome
from cnnlab.checking.wire import Value

MAX_RETURNED = 1 << 30  # bytes; a broadcast array can claim far more than the machine has
MAX_PRINTED = 1 << 20  # characters of output that one call may print while being checked
NO_MEMORY = "it asked for more memory than there is"


def attempt(answer: object, work: Callable[[], Outcome]) -> Outcome:
    """Run `work()`, which runs code of `answer`, and return its Outcome or that of the exception that it raises.

    All that is printed meanwhile is dropped. InvalidAnswer becomes "bad output". KeyboardInterrupt passes through: in a
    notebook it is the student pressing stop.
    """
    try:
        with _quiet():
            return work()
    except InvalidAnswer as error:
        return Outcome("bad output", message=str(error))
    except NotImplementedError as error:
        return _not_implemented(answer, error)
    except MemoryError:
        return Outcome("out of memory", message=NO_MEMORY, error="MemoryError")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raised(answer, error)


def plain(values: dict[str, Value], wanted: str) -> Outcome:
    """Return values as an Outcome that shares no array with them; "bad output" where one cannot travel.

    wanted: what the Answer must return, in words.
    """
    try:
        tree, arrays = wire.flatten(values)
        if sum(array.nbytes for array in arrays) > MAX_RETURNED:
            return Outcome("bad output", message="it returned more than 1 GiB of numbers")
        # Copied, for the Answer may hand out the same array again for the next Case.
        arrays = [array.copy() for array in arrays]
    except MemoryError:
        message = "there is no memory left for what it returned"
        return Outcome("out of memory", message=message, error="MemoryError")
    except (wire.WireError, RecursionError) as error:
        return Outcome("bad output", message=f"it returned {error}; return {wanted} instead")
    return Outcome("values", wire.restore(tree, arrays))


def a_type(value: object) -> str:
    """Return "a TYPE" for a value, asking nothing of the value itself."""
    return f"a {wire.type_name(type(value))}"


def _own_functions(answer: object) -> list[types.FunctionType]:
    """Return the functions whose code is the Answer's: itself, or a class's methods."""
    if isinstance(answer, types.FunctionType):
        return [answer]
    inside = vars(answer).values() if isinstance(answer, type) else ()
    return [value for value in inside if isinstance(value, types.FunctionType)]


def _not_implemented(answer: object, error: NotImplementedError) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    own = {getattr(answer, "__name__", "it"), "call", *(f.__name__ for f in _own_functions(answer))}
    if frames and frames[-1].name == "_forward_unimplemented":  # of torch
        return Outcome("bad output", message="its module has no forward method; write forward(self, x)")
    if frames and f"{os.sep}torch{os.sep}" in frames[-1].filename:  # what torch cannot do
        return _raised(answer, error)
    if frames and frames[-1].name not in own:
        return Outcome(
            "error",
            message=f"it needs {frames[-1].name}, which is not written yet",
            error="NotImplementedError",
            line=_line(answer, error),
        )
    return Outcome(
        "not attempted", message="it still raises NotImplementedError", error="NotImplementedError"
    )


def _raised(answer: object, error: BaseException) -> Outcome:
    try:
        text = " ".join(str(error)[:MAX_MESSAGE].split())
    except Exception:  # an exception's own __str__ may raise
        text = ""
    if type(error) is RuntimeError and "DefaultCPUAllocator" in text:  # torch's MemoryError
        return Outcome("out of memory", message=NO_MEMORY, error="MemoryError")
    name = wire.type_name(type(error)).split(".")[-1]
    return Outcome(
        "error", message=f"{name}: {text}" if text else name, error=name, line=_line(answer, error)
    )


def _line(answer: object, error: BaseException) -> int | None:
    files = {function.__code__.co_filename for function in _own_functions(answer)}
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if f.filename in files]
    return lines[-1] if lines else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with (
        contextlib.redirect_stdout(_Capped()),
        contextlib.redirect_stderr(_Capped()),
        np.errstate(all="ignore"),
    ):
        yield


class _Capped(io.StringIO):
    """Swallows what is printed and stops an Answer that never stops printing."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def write(self, text: str) -> int:
        self.count += len(text)
        if self.count > MAX_PRINTED:
            raise RuntimeError(f"it printed more than {MAX_PRINTED:,} characters")
        return len(text)


def copied(value: Value) -> Value:
    """Return a value that shares no array, list or dict with `value`."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (tuple, list):
        return type(value)(copied(item) for item in value)
    return {key: copied(item) for key, item in value.items()} if type(value) is dict else value


def same(before: Value, after: Value) -> bool:
    """Say whether two values are equal in type, dtype, shape and every number; NaN equals NaN."""
    if type(after) is not type(before):
        return False
    if type(before) in (tuple, list):
        return len(before) == len(after) and all(map(same, before, after))
    if type(before) is dict:
        return list(before) == list(after) and all(same(before[key], after[key]) for key in before)
    if isinstance(before, np.ndarray):
        alike = before.shape == after.shape and before.dtype == after.dtype
        return alike and np.array_equal(before, after, equal_nan=True)
    return before is after or before == after
