"""From Outcomes to a Finding: which Cases pass, and which known Mistake explains those that fail."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cnnlab.checking.compare import compare
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.patterns import patterns
from cnnlab.checking.question import CaseResult, Question, Questionnaire
from cnnlab.checking.summaries import summarise


@dataclass(frozen=True)
class Finding:
    """The judgement of all Cases on one Answer.

    Args:
        exercise: its name.
        results: one for each Case.
        mistake: the recognised Mistake's name, "" where none is.
        hint: the sentence of that Mistake.
        patterns: sentences about what the failed Cases have in common.
    """

    exercise: str
    results: tuple[CaseResult, ...]
    mistake: str = ""
    hint: str = ""
    patterns: tuple[str, ...] = ()
    failed: tuple[CaseResult, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "failed", tuple(r for r in self.results if not r.passed))

    @property
    def passed(self) -> bool:
        return not self.failed

    @property
    def attempted(self) -> bool:
        return not all(r.outcome.kind == "not attempted" for r in self.results)

    @property
    def telling(self) -> CaseResult | None:
        """The failed Case to show: the smallest one that the recognised Mistake explains, else the first."""
        explained = [
            r for r in self.failed if self.mistake and _does_the_same(r.question, self.mistake, r.outcome)
        ]
        if explained:
            return min(explained, key=lambda r: _size(r.question))
        return self.failed[0] if self.failed else None


def assess(questionnaire: Questionnaire, outcomes: tuple[Outcome, ...] | list[Outcome]) -> Finding:
    """Compare one Outcome per Question with what was expected and recognise the Mistake behind failures."""
    summary = questionnaire.way.summary
    pairs = zip(questionnaire.questions, outcomes, strict=True)
    summed = [(q, summarise(summary, q.inputs, outcome)) for q, outcome in pairs]
    results = tuple(
        CaseResult(q, outcome, compare(dict(q.expected), outcome, q.tolerance)) for q, outcome in summed
    )
    mistake = recognise(results)
    hint = questionnaire.hints.get(mistake, "")
    failed = [result for result in results if not result.passed]
    return Finding(questionnaire.exercise, results, mistake, hint, patterns(failed))


def recognise(results: tuple[CaseResult, ...]) -> str:
    """Name the Mistake that explains the failed Cases, or "" where none does.

    A Mistake explains a failed Case when it does the same there as the Answer. A Case that the Answer passes and the
    Mistake would fail rules the Mistake out. Of those left, the one that explains the most Cases is named, if it explains
    all that failed in some group. So two slips at once are recognised by a group in which only one of them shows, and a
    chance hit on one Case is not enough. An exception of the same type says little by itself: it names a Mistake only
    where the Mistake explains all that failed. Cases that differ from a plain one in one thing are small and many, so what
    a Mistake explains of them counts as a group only where nothing else failed.
    """
    failed = [r for r in results if not r.passed]
    varied = {r.question.group for r in failed if r.question.varies}
    small = varied if any(not r.question.varies for r in failed) else set[str]()
    best, most = "", 0
    for name in results[0].question.mistakes if failed else ():
        same = [_does_the_same(r.question, name, r.outcome) for r in failed]
        alike = [r for r, is_same in zip(failed, same, strict=True) if is_same]
        unlike = [r for r, is_same in zip(failed, same, strict=True) if not is_same]
        only_raised = unlike and all(r.outcome.kind == "error" for r in alike)
        explained = {r.question.group for r in alike} - {r.question.group for r in unlike} - small
        if len(alike) <= most or not explained or only_raised:
            continue
        if all(_does_the_same(r.question, name, r.outcome) for r in results if r.passed):
            best, most = name, len(alike)
    return best


def _size(question: Question) -> int:
    return sum(np.size(value) for value in question.inputs.values() if isinstance(value, np.ndarray))


def _does_the_same(question: Question, mistake: str, outcome: Outcome) -> bool:
    theirs = question.mistakes[mistake]
    if theirs.kind != "values":
        return theirs.kind == outcome.kind == "error" and theirs.error == outcome.error
    return compare(theirs.values, outcome, question.tolerance) is None
