"""The ways "script" and "table": method calls one after the other, and rows of plain values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cnnlab.checking import probe
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import Way
from tests.cnnlab.checking.ways_parts import finding
from tests.ways_sample import ANSWERS, TABLE, written

# script


def script(build: Any, calls: list[Any], *returns: str, **inputs: Any) -> Outcome:
    return probe.ask(build, {"calls": calls, **inputs}, returns, Way(script="calls"))


class Momentum:
    """An optimiser that changes the arrays it was given."""

    def __init__(self, weights: list[np.ndarray], lr: float) -> None:
        self.weights, self.lr, self.count = weights, lr, 0

    def step(self, gradients: list[np.ndarray]) -> None:
        self.count += 1
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight -= self.lr * gradient


def test_an_optimiser_is_followed_from_step_to_step() -> None:
    weights, gradient = [np.ones(2)], [np.array([1.0, 2.0])]
    outcome = script(
        Momentum, [("step", gradient)] * 2, "weights", "count", "returned", weights=weights, lr=0.5
    )
    assert [list(w[0]) for w in outcome.values["weights"]] == [[1, 1], [0.5, 0], [0, -1]]
    assert list(outcome.values["count"]) == [0, 1, 2] and outcome.values["returned"] == [None, None]
    assert list(weights[0]) == [1, 1]


class Odd:
    def __init__(self) -> None:
        self.held: Any = AlwaysEqual()

    def spoil(self, array: np.ndarray) -> None:
        array[0] = 7

    def fail(self) -> None:
        raise KeyError("nothing")

    def stub(self) -> None:
        raise NotImplementedError


class AlwaysEqual:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("calls", "returns", "kind", "words"),
    [
        ([("spoil", np.zeros(2))], "returned", "bad output", "spoil, call 1 of 1, changed its argument"),
        ([("gone",)], "returned", "bad output", "Odd, has no method gone"),
        ([], "missing", "bad output", "Odd, has no attribute missing when it is built"),
        ([], "held", "bad output", f"when it is built its held is a {__name__}.AlwaysEqual; it must be"),
        ([("fail",)], "returned", "error", "KeyError: 'nothing'"),
        ([("stub",)], "returned", "not attempted", "it still raises NotImplementedError"),
    ],
)
def test_what_an_object_does_wrong_is_said_in_one_sentence(
    calls: list[Any], returns: str, kind: str, words: str
) -> None:
    outcome = script(Odd, calls, returns)
    assert outcome.kind == kind and words in outcome.message


def test_whole_numbers_and_others_make_one_array() -> None:
    class Lr:
        lr: float = 1

        def halve(self) -> None:
            self.lr = self.lr / 2

    assert script(Lr, [("halve",)], "lr").values["lr"].tolist() == [1.0, 0.5]


# table


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (5, "it returned a int; return a list of rows"),
        ([("a", 1), ("b",)], "row 1 has 1 values, not 2; its columns are name, macs"),
        ([{"name": "a"}], "row 0 lacks macs"),
        ([{"name": "a", "macs": 1, "more": 2}], "row 0 has more too"),
        (["ab"], "row 0 is a str, not a dict or a tuple"),
    ],
)
def test_rows_that_are_none_are_said(rows: Any, words: str) -> None:
    outcome = probe.ask(lambda: rows, {}, ("rows",), Way(table=("name", "macs")))
    assert outcome.kind == "bad output" and words in outcome.message


def test_a_table_that_differs_says_row_column_expected_and_got() -> None:
    questionnaire = TABLE.public_questions()
    found = finding(questionnaire, written(TABLE, ANSWERS["stack_table"].replace("height * width", "height")))
    assert found.telling is not None and found.telling.difference is not None
    assert found.telling.difference.sentence == "rows[0]['macs'] is 6912, expected 165888"
    short = "def stack_table(image, filters): return [(f'conv1', (8, 32, 24), 224, 165888)]"
    found = finding(questionnaire, written(TABLE, short))
    assert (
        found.telling and found.telling.difference and found.telling.difference.sentence
    ) == "rows has 1 rows, expected 4 rows"
