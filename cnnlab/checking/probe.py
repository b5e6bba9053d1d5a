"""The ways to ask an Answer: each runs it on one Case's inputs and returns an Outcome, whatever it does."""

from __future__ import annotations

import contextlib
import io
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.functions import named
from cnnlab.checking.outcome import MAX_MESSAGE, Outcome
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value

MAX_RETURNED = 1 << 30  # bytes; a broadcast array can claim far more than the machine has
MAX_PRINTED = 1 << 20  # characters of output that one call may print while being checked


def ask(
    function: Callable[..., Any], inputs: dict[str, Value], returns: tuple[str, ...], way: Way = CALL
) -> Outcome:
    """Ask an Answer one Case in the way that its Exercise declares, and return the Outcome before any summary.

    Names of public functions become those functions and a seed becomes a `np.random.Generator`. With an rng
    the Answer is called twice with the same seed: it must draw from it, and give the same both times.
    """
    given = {**inputs, **{name: named(inputs[name]) for name in way.functions if name in inputs}}
    if not way.rng:
        return call(function, given, returns)
    first, second = (np.random.default_rng(inputs[way.rng]) for _ in range(2))
    untouched = first.bit_generator.state
    outcome = call(function, {**given, way.rng: first}, returns)
    if outcome.kind != "values":
        return outcome
    if first.bit_generator.state == untouched:
        return Outcome(
            "bad output", message=f"it drew nothing from {way.rng}; take all chance from {way.rng}"
        )
    again = call(function, {**given, way.rng: second}, returns)
    if again.kind != "values" or not same(outcome.values, again.values):
        message = f"two calls with the same seed gave different results; take all chance from {way.rng}"
        return Outcome("bad output", message=message)
    return outcome


def call(function: Callable[..., Any], inputs: dict[str, Value], returns: tuple[str, ...]) -> Outcome:
    """Call `function(**inputs)` and name what it returns.

    returns: the outputs' names; one name stands for the returned value itself, several for the items of a
    returned tuple or list. Inputs are copied first; an Answer that changes one gets the Outcome "bad output".
    What the Answer prints is dropped. KeyboardInterrupt passes through: in a notebook it is the student
    pressing stop.
    """
    given = {name: _copy(value) for name, value in inputs.items()}
    try:
        with _quiet():
            returned = function(**given)
    except NotImplementedError as error:
        return _not_implemented(function, error)
    except MemoryError:
        return Outcome("out of memory", message="it asked for more memory than there is", error="MemoryError")
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _raised(function, error)
    outcome = _named(returned, returns)
    if outcome.kind == "values":
        changed = [name for name, value in inputs.items() if not same(value, given[name])]
        if changed:
            message = f"it changed its argument {' and '.join(changed)}; work on a copy instead"
            return Outcome("bad output", message=message)
    return outcome


def _named(returned: Any, returns: tuple[str, ...]) -> Outcome:
    if returned is None:
        return Outcome("bad output", message="it returned None; is a return statement missing?")
    if len(returns) != 1:
        if type(returned) not in (tuple, list) or len(returned) != len(returns):
            got = f"{len(returned)} values" if type(returned) in (tuple, list) else _a_type(returned)
            return Outcome("bad output", message=f"it returned {got}; return {', '.join(returns)} as a tuple")
        values = dict(zip(returns, returned, strict=True))
    else:
        values = {returns[0]: returned}
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
        return Outcome("bad output", message=f"it returned {error}; return {_plain_words(returns)} instead")
    return Outcome("values", wire.restore(tree, arrays))


def _plain_words(returns: tuple[str, ...]) -> str:
    return "plain NumPy arrays or numbers" if len(returns) > 1 else "a plain NumPy array or number"


def _a_type(value: Any) -> str:
    return f"a {wire.type_name(type(value))}"


def _not_implemented(function: Callable[..., Any], error: NotImplementedError) -> Outcome:
    frames = traceback.extract_tb(error.__traceback__)
    name = getattr(function, "__name__", "it")
    if frames and frames[-1].name not in (name, "call"):
        return Outcome(
            "error",
            message=f"it needs {frames[-1].name}, which is not written yet",
            error="NotImplementedError",
            line=_line(function, error),
        )
    return Outcome(
        "not attempted", message="it still raises NotImplementedError", error="NotImplementedError"
    )


def _raised(function: Callable[..., Any], error: BaseException) -> Outcome:
    try:
        text = " ".join(str(error)[:MAX_MESSAGE].split())
    except Exception:  # an exception's own __str__ may raise
        text = ""
    name = wire.type_name(type(error)).split(".")[-1]
    return Outcome(
        "error", message=f"{name}: {text}" if text else name, error=name, line=_line(function, error)
    )


def _line(function: Callable[..., Any], error: BaseException) -> int | None:
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f.lineno for f in frames if code and f.filename == code.co_filename]
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


def _copy(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (tuple, list):
        return type(value)(_copy(item) for item in value)
    return {key: _copy(item) for key, item in value.items()} if type(value) is dict else value


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
