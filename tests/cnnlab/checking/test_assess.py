"""Assessment: which Cases pass, and the Mistake that explains those that fail."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cnnlab.checking import cases, probe
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Question, Questionnaire


def scale(x, factor=1.0, shift=0.0):
    return x * factor + shift


MISTAKES: dict[str, Callable] = {
    "factor ignored": lambda x, factor=1.0, shift=0.0: x + shift,
    "shift ignored": lambda x, factor=1.0, shift=0.0: x * factor,
    "shift first": lambda x, factor=1.0, shift=0.0: (x + shift) * factor,
    "whole numbers": lambda x, factor=1.0, shift=0.0: np.round(x * factor + shift),
    "no floats": lambda x, factor=1.0, shift=0.0: x[0.5],
}


def question(group: str, words: str, size: int, **inputs) -> Question:
    inputs = {"x": np.random.default_rng(size).normal(size=size), **inputs}
    mistakes = {name: probe.call(wrong, inputs, ("y",)) for name, wrong in MISTAKES.items()}
    return Question(words, group, inputs, {"y": scale(**inputs)}, 1e-6, mistakes)


SCALE = Questionnaire(
    "scale",
    ("y",),
    (
        question("factor", "a factor on many values", 9, factor=3.0),
        question("factor", "a factor on two values", 2, factor=2.0),
        question("shift", "a shift", 4, shift=1.5),
        question("together", "a factor and a shift", 5, factor=2.0, shift=0.5),
    ),
    {name: f"Hint: {name}." for name in MISTAKES},
)


def find(function: Callable) -> Finding:
    return assess(SCALE, [probe.call(function, dict(q.inputs), SCALE.returns) for q in SCALE.questions])


def test_a_right_answer_passes():
    finding = find(scale)
    assert finding.passed and finding.attempted and finding.failed == ()
    assert (finding.mistake, finding.hint, finding.telling) == ("", "", None)


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_recognised(name):
    finding = find(MISTAKES[name])
    assert not finding.passed
    assert (finding.mistake, finding.hint) == (name, f"Hint: {name}.")


def test_the_case_shown_is_the_smallest_that_the_mistake_explains():
    telling = find(MISTAKES["factor ignored"]).telling
    assert telling is not None and telling.question.words == "a factor on two values"


def test_two_slips_are_told_by_the_cases_where_one_shows():
    # Both slips show in the last Case only, where no Mistake does the same.
    finding = find(lambda x, factor=1.0, shift=0.0: x)
    assert finding.mistake == "factor ignored" and len(finding.failed) == 4
    telling = finding.telling
    assert telling is not None and telling.question.words == "a factor on two values"


def test_a_chance_hit_on_one_case_of_a_group_names_no_mistake():
    finding = find(lambda x, factor=1.0, shift=0.0: x if factor == 2.0 else x + 7)
    assert len(finding.failed) == 4 and finding.mistake == ""


def test_an_unknown_slip_has_no_mistake_and_shows_the_first_failed_case():
    finding = find(lambda x, factor=1.0, shift=0.0: x * factor + shift + 7)
    assert not finding.passed and (finding.mistake, finding.hint) == ("", "")
    assert finding.telling is finding.results[0]


def test_a_mistake_that_a_passing_case_rules_out_is_not_named():
    # Wrong as "factor ignored" in one Case only, right in the others.
    finding = find(lambda x, factor=1.0, shift=0.0: x if factor == 2.0 and not shift else x * factor + shift)
    assert len(finding.failed) == 1 and finding.mistake == ""


def test_the_same_exception_in_some_of_the_failed_cases_names_no_mistake():
    def function(x, factor=1.0, shift=0.0):
        return x[0.5] if shift else x + 7

    assert find(function).mistake == ""


def test_a_stub_is_not_attempted():
    def stub(x, factor=1.0, shift=0.0):
        raise NotImplementedError

    finding = find(stub)
    assert not finding.passed and not finding.attempted


def test_an_answer_that_leaves_some_cases_out_is_attempted():
    def partly(x, factor=1.0, shift=0.0):
        if shift:
            raise NotImplementedError
        return x * factor

    finding = find(partly)
    assert finding.attempted and [r.passed for r in finding.results] == [True, True, False, False]


class Lying(np.ndarray):
    """An array that says that it equals everything."""

    def __eq__(self, other):
        return np.ones(self.shape, bool)

    def __array_function__(self, func, types, args, kwargs):
        return True

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.ones(self.shape, bool)


@pytest.mark.parametrize("kind", [Lying, np.matrix])
def test_an_array_that_lies_fails_every_case(kind):
    finding = find(lambda x, factor=1.0, shift=0.0: scale(x, factor, shift).view(kind))
    assert len(finding.failed) == 4
    assert {r.outcome.kind for r in finding.results} == {"bad output"}


def test_every_question_needs_an_outcome():
    with pytest.raises(ValueError):
        assess(SCALE, [Outcome("timeout")])


def test_cases_come_back_from_their_file_and_the_same_cases_are_the_same_bytes(tmp_path):
    for name in ("one.npz", "two.npz"):
        cases.save(tmp_path / name, [SCALE])
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    loaded = cases.load("scale", tmp_path)
    assert (loaded.exercise, loaded.returns, loaded.hints) == (SCALE.exercise, SCALE.returns, SCALE.hints)
    assert [q.words for q in loaded.questions] == [q.words for q in SCALE.questions]
    answers = [probe.call(MISTAKES["shift first"], dict(q.inputs), loaded.returns) for q in loaded.questions]
    assert assess(loaded, answers).mistake == "shift first"


def test_an_unknown_exercise_is_told_those_that_exist(tmp_path):
    cases.save(tmp_path / "01_scale.npz", [SCALE])
    with pytest.raises(LookupError, match="no lesson has an exercise named 'skale'; the exercises are scale"):
        cases.load("skale", tmp_path)
