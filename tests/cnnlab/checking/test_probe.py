"""Probing: whatever an Answer does with a Case comes out as an Outcome."""

from __future__ import annotations

import contextlib
import io
import sys

import numpy as np
import pytest

from cnnlab.checking import probe
from cnnlab.checking.outcome import MAX_MESSAGE, Outcome

X = np.arange(6.0).reshape(2, 3)


def call(function, returns=("out",), **inputs) -> Outcome:
    return probe.call(function, inputs or {"x": X.copy()}, returns)


def test_one_output_is_what_is_returned():
    assert (call(lambda x: x * 2).values["out"] == X * 2).all()


def test_several_outputs_are_named_in_order():
    outcome = call(lambda x: (x, 1.5), ("dx", "loss"))
    assert list(outcome.values) == ["dx", "loss"] and outcome.values["loss"] == 1.5
    assert call(lambda x: [x, 1.5], ("dx", "loss")).kind == "values"


def test_numbers_of_numpy_are_plain_numbers():
    assert call(lambda x: x.sum()).values == {"out": 15.0}
    assert type(call(lambda x: x.sum()).values["out"]) is float


class Subclass(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __array_function__(self, func, types, args, kwargs):
        return True


class AlwaysEqual:
    shape, dtype, ndim = X.shape, X.dtype, 2

    def __eq__(self, other):
        return True

    def __array__(self, dtype=None, copy=None):
        return X


class FakeFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = None


@pytest.mark.parametrize(
    "returned",
    [
        Subclass((2, 3)),
        AlwaysEqual(),
        FakeFloat(1.0),
        X.view(np.matrix),
        np.ma.masked_array(X),
        X.astype(object),
        {3: 4},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_only_looks_like_an_array_is_bad_output(returned):
    for value in (returned, [returned]):
        outcome = call(lambda x: value)  # noqa: B023
        assert outcome.kind == "bad output" and outcome.values == {}
        assert outcome.message.endswith("return a plain NumPy array or number instead")
    assert call(lambda x: (X, returned), ("a", "b")).kind == "bad output"


@pytest.mark.parametrize(
    ("returned", "returns", "message"),
    [
        (None, ("out",), "it returned None; is a return statement missing?"),
        (X, ("dx", "dw"), "it returned a numpy.ndarray; return dx, dw as a tuple"),
        ((X, X, X), ("dx", "dw"), "it returned 3 values; return dx, dw as a tuple"),
        (np.broadcast_to(1.0, (1 << 20, 1 << 20)), ("out",), "it returned more than 1 GiB of numbers"),
    ],
)
def test_bad_output_is_told_in_one_sentence(returned, returns, message):
    outcome = call(lambda x: returned, returns)
    assert (outcome.kind, outcome.message) == ("bad output", message)


def test_a_list_that_holds_itself_is_bad_output():
    def endless(x):
        value: list = []
        value += [value] * 10
        return value

    assert call(endless).kind == "bad output"


def stub(x):
    """Do nothing yet."""
    raise NotImplementedError


def test_a_stub_is_not_attempted():
    assert call(stub).kind == "not attempted"


def test_a_helper_that_is_a_stub_is_named():
    outcome = call(lambda x: stub(x))
    assert outcome.kind == "error" and outcome.message == "it needs stub, which is not written yet"


def test_an_error_has_its_type_its_words_and_its_line():
    def divide(x):
        y = x * 2
        return y / [][0]

    outcome = call(divide)
    assert (outcome.kind, outcome.error) == ("error", "IndexError")
    assert outcome.message == "IndexError: list index out of range"
    assert outcome.line == divide.__code__.co_firstlineno + 2


def raising(error):
    def function(x):
        raise error

    return function


class Silent(Exception):
    def __str__(self):
        raise ZeroDivisionError


class Own(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (SystemExit(0), "SystemExit"),
        (GeneratorExit(), "GeneratorExit"),
        (Own("mine"), "Own"),
        (Silent(), "Silent"),
        (ValueError("x" * 10_000), "ValueError"),
        (RecursionError("deep"), "RecursionError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_exception_is_an_outcome(error, name):
    outcome = call(raising(error))
    assert (outcome.kind, outcome.error) == ("error", name)
    assert len(outcome.message) <= MAX_MESSAGE + len(name) + 2


def test_a_recursion_without_end_is_an_error():
    def again(x):
        return again(x)

    assert call(again).error == "RecursionError"


def test_too_little_memory_is_named():
    assert call(raising(MemoryError())).kind == "out of memory"


def test_pressing_stop_stops():
    with pytest.raises(KeyboardInterrupt):
        call(raising(KeyboardInterrupt()))


def spoil_array(x):
    x[0] = 9
    return x


def spoil_shape(x):
    x.shape = (6,)
    return 1.0


@pytest.mark.parametrize("function", [spoil_array, spoil_shape])
def test_changing_an_argument_is_bad_output_and_does_not_reach_the_case(function):
    x = X.copy()
    outcome = probe.call(function, {"x": x}, ("out",))
    assert (
        outcome.kind == "bad output"
        and outcome.message == "it changed its argument x; work on a copy instead"
    )
    assert (x == X).all() and x.shape == X.shape


@pytest.mark.parametrize(
    "spoil",
    [lambda items: items.append(1), lambda items: items[0].fill(5), lambda items: items[1].update(a=2)],
    ids=["append", "fill", "update"],
)
def test_changing_a_list_of_arguments_is_found_too(spoil):
    items = [X.copy(), {"a": 1}]

    def function(items):
        spoil(items)
        return 1.0

    assert probe.call(function, {"items": items}, ("out",)).kind == "bad output"
    assert len(items) == 2 and (items[0] == X).all() and items[1] == {"a": 1}


def test_an_argument_with_nan_is_not_taken_for_changed():
    assert call(lambda x, y: 1.0, x=np.array([np.nan]), y=[float("nan")]).kind == "values"


def test_an_array_handed_out_twice_keeps_each_result():
    out = np.zeros(1)

    def function(n):
        out[0] = n
        return out

    first, second = call(function, n=1), call(function, n=2)
    assert first.values["out"][0] == 1 and second.values["out"][0] == 2


def test_what_is_printed_is_dropped():
    def chatty(x):
        print("hello")
        print("hello", file=sys.stderr)
        return 1.0

    seen = io.StringIO()
    with contextlib.redirect_stdout(seen), contextlib.redirect_stderr(seen):
        assert call(chatty).kind == "values"
    assert seen.getvalue() == ""


def test_printing_without_end_ends():
    def endless(x):
        while True:
            print("x" * 10_000)

    outcome = call(endless)
    assert outcome.kind == "error" and "printed more than" in outcome.message


def test_an_outcome_survives_its_journey_and_a_forged_one_does_not():
    outcome = Outcome("error", message="ValueError: no", error="ValueError", line=3)
    assert Outcome.from_value(outcome.as_value()) == outcome
    for forged in (
        {},
        {**outcome.as_value(), "points": 10},
        {**outcome.as_value(), "line": -1},
        None,
        "passed",
    ):
        with pytest.raises(ValueError):
            Outcome.from_value(forged)
    with pytest.raises(ValueError):
        Outcome.from_value({**outcome.as_value(), "kind": "passed"})
