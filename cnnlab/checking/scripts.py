"""The way "script": an object is built from a Case's inputs, then its methods are called one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.attempt import a_type, attempt, copied, plain, same
from cnnlab.checking.errors import InvalidAnswer
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

RETURNED = "returned"  # the output that holds what the calls return; the others are attributes


def ask(build: Callable[..., Value], inputs: dict[str, Value], returns: Sequence[str], calls: str) -> Outcome:
    """Build an object, call its methods one after the other, and return what each call gave.

    Each output is a list with one item for each call; a list of plain numbers alone becomes a float64 array. Arrays given to
    `build` belong to the object, which may change them, as an optimiser does; a call that changes an argument gets the
    Outcome "bad output".

    Args:
        build: the Answer, called with the other inputs.
        inputs: argument name -> value.
        returns: "returned" for what the calls return, and names of attributes, which are read after building and after
            each call.
        calls: the name of the input that holds the calls: tuples of a method's name and its arguments.
    """
    outcome = attempt(build, lambda: _played(build, inputs, returns, calls))
    if outcome.kind != "values":
        return outcome
    return Outcome("values", {name: _numbers(values) for name, values in outcome.values.items()})


def _played(
    build: Callable[..., Value], inputs: dict[str, Value], returns: Sequence[str], calls: str
) -> Outcome:
    thing = build(**copied({name: value for name, value in inputs.items() if name != calls}))
    if thing is None:
        raise InvalidAnswer("it returned None instead of an object; is a return statement missing?")
    told: dict[str, list[Value]] = {name: [] for name in returns}

    def read(after: str) -> None:
        for name in returns:
            if name != RETURNED:
                told[name].append(_read(thing, name, after))

    read("when it is built")
    for number, (method, *arguments) in enumerate(inputs[calls], 1):
        words = f"{method}, call {number} of {len(inputs[calls])}"
        given = copied(arguments)
        returned = _method(thing, method)(*given)
        if not same(arguments, given):
            raise InvalidAnswer(f"{words}, changed its argument; work on a copy instead")
        if RETURNED in told:
            told[RETURNED].append(_plain(returned, f"{words}, returned"))
        read(f"after {words}")
    return Outcome("values", told)


def _method(thing: object, name: str) -> Callable[..., Value]:
    method = getattr(thing, name, None)
    if not callable(method):
        raise InvalidAnswer(f"what it builds, {a_type(thing)}, has no method {name}")
    return method


def _read(thing: object, name: str, after: str) -> Value:
    try:
        value = getattr(thing, name)
    except AttributeError:
        raise InvalidAnswer(f"what it builds, {a_type(thing)}, has no attribute {name} {after}") from None
    return _plain(value, f"{after} its {name} is")


def _plain(value: Value, words: str) -> Value:
    """Return a copy of a value as it is now; raise InvalidAnswer with `words` where it is no plain one."""
    try:
        wire.flatten(value)
    except (wire.WireError, RecursionError) as error:
        raise InvalidAnswer(f"{words} {error}; it must be a plain NumPy array or number") from None
    outcome = plain({"value": value}, "a plain NumPy array or number")
    if outcome.kind != "values":
        raise InvalidAnswer(outcome.message)
    return outcome.values["value"]


def _numbers(values: list[Value]) -> Value:
    """Return a list of plain numbers as an array, so that 1 and 1.0 are the same and a report can draw it."""
    if values and all(type(value) in (int, float) and abs(value) < 1e300 for value in values):
        return np.array(values, np.float64)
    return values
