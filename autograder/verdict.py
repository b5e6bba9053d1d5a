"""What the judge decides for an Exercise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CaseVerdict:
    """One secret Case as the student may hear of it: its words, whether it passed, and what went wrong in one sentence.

    Holds no input, no expected value and nothing that the student's code said.
    """

    words: str
    group: str
    passed: bool
    sentence: str = ""


@dataclass(frozen=True)
class Verdict:
    """The points of one Exercise and the reasons for them.

    points of total; status: "passed", "failed", "not attempted" or "not found"; groups: name -> (points, total);
    mistake and hint: the recognised Mistake, "" where none is; notes: further sentences for the student, such as
    "depends on im2col, which fails".
    """

    exercise: str
    points: float
    total: float
    status: str
    groups: dict[str, tuple[float, float]] = field(default_factory=dict)
    cases: tuple[CaseVerdict, ...] = ()
    mistake: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the Verdict as plain JSON values, for the journal."""
        return {**vars(self), "cases": [dict(vars(case)) for case in self.cases]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """Rebuild a Verdict from the journal."""
        fields = dict(data)
        fields["groups"] = {name: tuple(pair) for name, pair in data["groups"].items()}
        fields["cases"] = tuple(CaseVerdict(**case) for case in data["cases"])
        fields["notes"] = tuple(data["notes"])
        return cls(**fields)
