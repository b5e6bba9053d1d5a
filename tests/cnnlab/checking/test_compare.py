"""Comparison: exact in type, shape, dtype kind and finiteness, close in value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnlab.checking.compare import Difference, compare
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

A = np.arange(12.0).reshape(3, 4)


def difference(expected: Value, got: Value, tolerance: float = 1e-6) -> Difference | None:
    return compare({"out": expected}, Outcome("values", {"out": got}), tolerance)


def changed(array: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    copy = array.copy()
    copy[index] = value
    return copy


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (A, A * (1 + 1e-8)),
        (A, A.astype(np.float32)),
        (A.astype(int), A.astype(np.int32)),
        (1.0, 1.0 + 1e-9),
        (3, 3),
        (True, True),
        ((2, 3), [2, 3]),
        ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
        ({"w": A, "n": 2}, {"w": A.copy(), "n": 2}),
        (np.array([np.inf, -np.inf, np.nan, 1.0]), np.array([np.inf, -np.inf, np.nan, 1.0])),
        (float("nan"), float("nan")),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.array(2.0), np.array(2.0)),
    ],
)
def test_what_is_right_has_no_difference(expected, got):
    assert difference(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "what", "sentence"),
    [
        (A, A.T, "shape", "out has shape (4, 3), expected (3, 4)"),
        (A, A.astype(int), "dtype", "out has dtype int64 (integer), expected float64 (floating point)"),
        (A, changed(A, (2, 1), 9.5), "value", "out[2, 1] is 9.5, expected 9 (1 of 12 values differ)"),
        (A, changed(A, (0, 2), np.nan), "finite", "out[0, 2] is nan, expected 2 (1 of 12 values differ)"),
        (changed(A, (0, 2), np.inf), A, "finite", "out[0, 2] is 2, expected inf (1 of 12 values differ)"),
        (
            np.array([np.inf]),
            np.array([-np.inf]),
            "value",
            "out[0] is -inf, expected inf (1 of 1 values differ)",
        ),
        (
            np.array([np.inf]),
            np.array([np.nan]),
            "value",
            "out[0] is nan, expected inf (1 of 1 values differ)",
        ),
        (float("inf"), 1.0, "value", "out is 1, expected inf"),
        (1.0, float("nan"), "value", "out is nan, expected 1"),
        (1.0, 1.5, "value", "out is 1.5, expected 1"),
        (2, 2.0, "type", "out is 2 (a float), expected 2"),
        (1, True, "type", "out is True, expected 1"),
        (A, [1.0], "type", "out is a list of 1, expected an array of shape (3, 4)"),
        ((2, 3), (2, 3, 4), "type", "out is a tuple of 3, expected a tuple of 2"),
        ((2, 3), (2, 4), "value", "out[1] is 4, expected 3"),
        (
            [A, A],
            [A, changed(A, (1, 1), 0.0)],
            "value",
            "out[1][1, 1] is 0, expected 5 (1 of 12 values differ)",
        ),
        ({"w": A}, {"w": A + 1}, "value", "w[0, 0] is 1, expected 0 (12 of 12 values differ)"),
        ({"w": A}, {}, "type", "w is missing, expected an array of shape (3, 4)"),
        (1.0, 1.0 + 5e-7, "value", "out is 1.0000005, expected 1"),
        (np.array(2.0), np.array(3.0), "value", "out is 3, expected 2"),
        (np.array([True, False]), np.array([True, True]), "value", "out[1] is True, expected False"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(expected, got, what, sentence):
    tolerance = 1e-9 if sentence.startswith("out is 1.0000005") else 1e-6
    found = difference(expected, got, tolerance)
    assert found is not None
    assert (found.what, found.sentence.removesuffix(" (1 of 2 values differ)")) == (what, sentence)


def test_shape_comes_before_dtype_and_dtype_before_values():
    found = difference(A, (A.T + 1).astype(int))
    assert found is not None and found.what == "shape"
    found = difference(A, (A + 1).astype(int))
    assert found is not None and found.what == "dtype"


def test_a_missing_output_is_told():
    found = compare({"dx": A, "dw": A}, Outcome("values", {"dx": A}))
    assert found is not None and found.sentence == "dw is missing, expected an array of shape (3, 4)"


def test_a_failed_outcome_differs_by_its_message():
    found = compare({"out": A}, Outcome("bad output", message="it returned None"))
    assert found == Difference("outcome", "", "", "it returned None")
    found = compare({"out": A}, Outcome("timeout"))
    assert found is not None and found.sentence == "timeout"


@settings(derandomize=True, deadline=None, max_examples=100, database=None)
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-8e307, 8e307)))
def test_an_array_equals_itself_and_nothing_with_one_value_changed(array):
    assert difference(array, array.copy()) is None
    index = (0,) * array.ndim
    found = difference(array, changed(array, index, array[index] + 1 + abs(array).max()))
    assert found is not None and found.index == index and (found.wrong, found.total) == (1, array.size)
