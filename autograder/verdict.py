"""A Verdict: the points of one Exercise, and the reasons for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CaseVerdict:
    """The result of one secret Case, as the student may be told of it.

    It holds no input, no expected value and nothing that the student's code said.

    words: what the Case tests.
    group: the group of Cases that it belongs to.
    passed: whether the Answer passed it.
    sentence: what went wrong, "" where nothing did.
    """

    words: str
    group: str
    passed: bool
    sentence: str = ""


@dataclass(frozen=True)
class Verdict:
    """The points of one Exercise and the reasons for them.

    exercise: the Exercise's name.
    points: the points that were earned.
    total: the points that can be earned.
    status: "passed", "failed", "not attempted" or "not found".
    groups: the name of each group of Cases -> (points, total).
    cases: the results of the secret Cases.
    mistake: the name of the recognised Mistake, "" where none was recognised.
    hint: that Mistake's hint, "" where none was recognised.
    patterns: sentences about what the failing Cases have in common, each beginning with "Pattern:".
    notes: further sentences for the student, such as "depends on im2col, which fails".
    """

    exercise: str
    points: float
    total: float
    status: str
    groups: dict[str, tuple[float, float]] = field(default_factory=dict)
    cases: tuple[CaseVerdict, ...] = ()
    mistake: str = ""
    hint: str = ""
    patterns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the Verdict as plain values, which the journal writes as JSON."""
        return {**vars(self), "cases": [dict(vars(case)) for case in self.cases]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """Return the Verdict of which `as_json` made these values."""
        fields = dict(data)
        fields["groups"] = {name: tuple(pair) for name, pair in data["groups"].items()}
        fields["cases"] = tuple(CaseVerdict(**case) for case in data["cases"])
        fields["notes"] = tuple(data["notes"])
        fields["patterns"] = tuple(data.get("patterns", ()))  # Verdicts of version 0.1.0 have none
        return cls(**fields)
