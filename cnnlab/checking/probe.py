"""The ways to ask an Answer: each runs it on one Case's inputs and returns an Outcome, whatever it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from cnnlab.checking import scripts, tables
from cnnlab.checking.attempt import a_type, attempt, copied, plain, same
from cnnlab.checking.functions import is_network, named
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value

__all__ = ["ask", "call", "same"]


def ask(
    function: Callable[..., Value], inputs: dict[str, Value], returns: tuple[str, ...], way: Way = CALL
) -> Outcome:
    """Ask an Answer one Case in the way that its Exercise declares, and return the Outcome before any summary.

    Names of public functions become those functions, names of networks new networks, arrays that the way calls tensors
    torch tensors, and a seed a `np.random.Generator`. With an rng the Answer is called twice with the same seed: it must
    draw from it, and give the same both times.

    Args:
        function: the Answer.
        inputs: argument name -> value.
        returns: the outputs' names.
        way: how it is asked, by default as a plain call.
    """
    given = {**inputs, **{name: named(inputs[name]) for name in way.functions if name in inputs}}
    if way.module:
        from cnnlab.checking import modules  # needs torch, which many lessons do without

        return modules.ask(function, given, returns, way.module)
    if way.script:
        return scripts.ask(function, given, returns, way.script)
    if not way.rng:
        outcome = _asked(function, given, returns, way)
        return tables.as_rows(outcome, way.table) if way.table else outcome
    first, second = (np.random.default_rng(inputs[way.rng]) for _ in range(2))
    untouched = first.bit_generator.state
    outcome = _asked(function, {**given, way.rng: first}, returns, way)
    if outcome.kind != "values":
        return outcome
    if first.bit_generator.state == untouched:
        return Outcome(
            "bad output", message=f"it drew nothing from {way.rng}; take all chance from {way.rng}"
        )
    again = _asked(function, {**given, way.rng: second}, returns, way)
    if again.kind != "values" or not same(outcome.values, again.values):
        message = f"two calls with the same seed gave different results; take all chance from {way.rng}"
        return Outcome("bad output", message=message)
    return outcome


def _asked(
    function: Callable[..., Value], given: dict[str, Value], returns: tuple[str, ...], way: Way
) -> Outcome:
    """Call an Answer, through torch where the way says so."""
    if not way.tensors and not any(is_network(given.get(name)) for name in way.functions):
        return call(function, given, returns)
    from cnnlab.checking import torched
    from cnnlab.torch_settings import pinned_settings

    with pinned_settings(double=False):
        return call(function, given, returns, partial(torched.invoke, tensors=way.tensors))


def call(
    function: Callable[..., Value],
    inputs: dict[str, Value],
    returns: tuple[str, ...],
    invoke: Callable[..., Value] | None = None,
) -> Outcome:
    """Call `function(**inputs)` and name what it returns.

    Inputs are copied first; an Answer that changes one gets the Outcome "bad output". What the Answer prints is dropped.
    KeyboardInterrupt passes through: in a notebook it is the student pressing stop.

    Args:
        function: the Answer.
        inputs: argument name -> value.
        returns: the outputs' names; one name stands for the returned value itself, several for the items of a returned
            tuple or list.
        invoke: calls the Answer in this function's place, `invoke(function, inputs)`.
    """
    given = copied(inputs)
    returned: list[Value] = []

    def call() -> Outcome:
        returned.append(invoke(function, given) if invoke else function(**given))
        return Outcome("values")

    outcome = attempt(function, call)
    if outcome.kind == "values":
        outcome = _named(returned[0], returns)
    if outcome.kind == "values":
        changed = [name for name, value in inputs.items() if not same(value, given[name])]
        if changed:
            message = f"it changed its argument {' and '.join(changed)}; work on a copy instead"
            return Outcome("bad output", message=message)
    return outcome


def _named(returned: Value, returns: tuple[str, ...]) -> Outcome:
    if returned is None:
        return Outcome("bad output", message="it returned None; is a return statement missing?")
    if len(returns) == 1:
        return plain({returns[0]: returned}, "a plain NumPy array or number")
    if type(returned) not in (tuple, list) or len(returned) != len(returns):
        got = f"{len(returned)} values" if type(returned) in (tuple, list) else a_type(returned)
        return Outcome("bad output", message=f"it returned {got}; return {', '.join(returns)} as a tuple")
    return plain(dict(zip(returns, returned, strict=True)), "plain NumPy arrays or numbers")
