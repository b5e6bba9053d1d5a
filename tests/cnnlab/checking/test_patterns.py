"""Patterns: sentences about what the failed Cases have in common."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.reporting.table import cause
from autograder.verdict import CaseVerdict, Verdict
from autograder.words import verdict_html, verdict_text
from cnnlab.checking import report
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Question, Questionnaire

NAMES = ("dx", "dw", "db")
CASES = 3


def found(right: list[dict[str, bool]], names: tuple[str, ...] = NAMES, error: int | None = None) -> Finding:
    """Return the Finding of an Answer whose outputs are right as `right` says, Case by Case; `error`: a Case that raises."""
    expected = {name: np.arange(3.0) for name in names}
    questions = tuple(Question(f"case {n}", "basic", {}, expected, 1e-6, {}) for n in range(len(right)))
    outcomes = [
        Outcome("error", error="ValueError", message="ValueError: no")
        if n == error
        else Outcome("values", values={name: np.arange(3.0) + (0 if ok[name] else 1) for name in names})
        for n, ok in enumerate(right)
    ]
    return assess(Questionnaire("conv", names, questions, {}), outcomes)


def every(**right: bool) -> list[dict[str, bool]]:
    return [dict(right) for _ in range(CASES)]


@pytest.mark.parametrize(
    "right, said",
    [
        (
            every(dx=True, dw=False, db=True),
            "Pattern: dx and db are right, dw is wrong, in every case that fails.",
        ),
        (
            every(dx=False, dw=False, db=True),
            "Pattern: db is right, dx and dw are wrong, in every case that fails.",
        ),
        (
            [{"dx": True, "dw": True, "db": True}, {"dx": True, "dw": False, "db": True}],
            "Pattern: dx and db are right, dw is wrong, in the case that fails.",
        ),
        (  # dw is right in one of them, so nothing is said of it
            [{"dx": True, "dw": True, "db": False}, {"dx": True, "dw": False, "db": False}],
            "Pattern: dx is right, db is wrong, in every case that fails.",
        ),
    ],
)
def test_it_says_which_outputs_are_right_and_which_are_wrong(right: list[dict[str, bool]], said: str) -> None:
    assert found(right).patterns == (said,)


@pytest.mark.parametrize(
    "finding",
    [
        found(every(dx=True, dw=True, db=True)),
        found(every(dx=False, dw=False, db=False)),
        found(every(y=False), names=("y",)),
        found(every(dx=True, dw=False, db=True), error=1),
        found([{"dx": True, "dw": False, "db": True}, {"dx": False, "dw": True, "db": False}]),
    ],
    ids=["all right", "all wrong", "one output", "one raises", "never the same"],
)
def test_where_nothing_holds_nothing_is_said(finding: Finding) -> None:
    assert finding.patterns == ()


def test_outputs_that_only_some_cases_have_are_not_spoken_of() -> None:
    questions, outcomes = [], []
    for n, gradient in enumerate(["gradient of (2, 3)", "gradient of (4, 3)"]):
        expected = {"y": np.arange(3.0), "dx": np.arange(3.0), gradient: np.arange(3.0)}
        questions.append(Question(f"case {n}", "basic", {}, expected, 1e-6, {}))
        outcomes.append(Outcome("values", values={**expected, "dx": np.ones(3), gradient: np.ones(3)}))
    finding = assess(Questionnaire("Block", ("y", "dx", "gradients"), tuple(questions), {}), outcomes)
    assert finding.patterns == ("Pattern: y is right, dx is wrong, in every case that fails.",)


@given(st.lists(st.fixed_dictionaries({name: st.booleans() for name in NAMES}), min_size=1, max_size=5))
def test_what_is_said_holds_in_every_failed_case(right: list[dict[str, bool]]) -> None:
    failed = [ok for ok in right if not all(ok.values())]
    for words in found(right).patterns:
        good, bad = words.removeprefix("Pattern: ").split(", in ")[0].split(" right, ")
        for name in NAMES:
            if name in good:
                assert all(ok[name] for ok in failed)
            if name in bad:
                assert not any(ok[name] for ok in failed)


def test_outputs_that_only_some_cases_have_are_left_out() -> None:
    expected = [{"y": 1.0, "dx": 2.0, f"gradient of ({n},)": 3.0} for n in range(2)]
    questions = tuple(Question(f"case {n}", "basic", {}, one, 1e-6, {}) for n, one in enumerate(expected))
    outcomes = [Outcome("values", values={**one, "dx": 0.0}) for one in expected]
    finding = assess(Questionnaire("block", ("y", "dx", "gradients"), questions, {}), outcomes)
    assert finding.patterns == ("Pattern: y is right, dx is wrong, in every case that fails.",)


def test_the_card_and_the_text_show_it() -> None:
    finding = found(every(dx=True, dw=False, db=True))
    (words,) = finding.patterns
    assert words in report.html(finding) and words in " ".join(report.text(finding).split())


def test_the_graded_page_shows_it_and_an_older_verdict_has_none() -> None:
    (words,) = found(every(dx=True, dw=False, db=True)).patterns
    case = CaseVerdict("any", "basic", False, "dw is wrong.")
    verdict = Verdict("conv", 0.0, 2.0, "failed", {"basic": (0.0, 2.0)}, (case,), patterns=(words,))
    assert words in verdict_html(verdict) and words in verdict_text(verdict)
    assert Verdict.from_json(verdict.as_json()) == verdict
    assert cause(verdict) == words  # in the class report and the table, where there is no Mistake
    assert cause(replace(verdict, mistake="dw flipped")) == "dw flipped"
    older = verdict.as_json()
    del older["patterns"]
    assert Verdict.from_json(older).patterns == ()
