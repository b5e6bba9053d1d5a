"""Patterns: what the difference between expected and returned looks like over all failed Cases, whatever the Exercise.

A Mistake says what a student did; a pattern says what the result looks like where no Mistake, or not only one, explains
it. It is a sentence that begins with "Pattern:", in words that hold in every failed Case that it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnnlab.checking.compare import compare
from cnnlab.checking.question import CaseResult

MOST = 6  # outputs of which a sentence can tell

Pattern = Callable[[Sequence[CaseResult]], str]


def patterns(failed: Sequence[CaseResult]) -> tuple[str, ...]:
    """Return the sentences of the patterns that hold in the failed Cases; none where no Case failed."""
    said = (pattern(failed) for pattern in PATTERNS if failed)
    return tuple(f"Pattern: {words}." for words in said if words)


def outputs(failed: Sequence[CaseResult]) -> str:
    """Say which outputs are right and which are wrong, where that is the same in every failed Case.

    An output that is right in some of them is named in neither list. Return "" where the Exercise has one output or very
    many, where a Case returned nothing, or where no output is right in all of them.
    """
    # A module's gradients are named by their shapes, which differ from Case to Case.
    names = [name for name in failed[0].question.expected if all(name in r.question.expected for r in failed)]
    if not 1 < len(names) <= MOST or any(result.outcome.kind != "values" for result in failed):
        return ""
    right = [name for name in names if all(_is_right(result, name) for result in failed)]
    wrong = [name for name in names if not any(_is_right(result, name) for result in failed)]
    if not right or not wrong:
        return ""
    where = "in the case that fails" if len(failed) == 1 else "in every case that fails"
    return f"{_are(right, 'right')}, {_are(wrong, 'wrong')}, {where}"


PATTERNS: tuple[Pattern, ...] = (outputs,)


def _is_right(result: CaseResult, name: str) -> bool:
    question = result.question
    return compare({name: question.expected[name]}, result.outcome, question.tolerance) is None


def _are(names: Sequence[str], what: str) -> str:
    listed = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"{listed} {'is' if len(names) == 1 else 'are'} {what}"
