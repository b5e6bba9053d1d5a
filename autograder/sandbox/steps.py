"""The steps of a submission, cell by cell and Exercise by Exercise, and the transcript of their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value


@dataclass(frozen=True)
class RunCell:
    """Run a cell's source; index: its place in the notebook."""

    index: int
    source: str


@dataclass(frozen=True)
class Probe:
    """Ask the Answer of `exercise` each of `cases` (argument name -> value).

    named: what its Outcomes are called in the Transcript, where that is not the exercise's name.
    """

    exercise: str
    returns: tuple[str, ...]
    cases: tuple[Mapping[str, Value], ...]
    way: Way = CALL
    named: str = ""

    @property
    def key(self) -> str:
        """The name of its Outcomes in the Transcript."""
        return self.named or self.exercise

    def asked(self, start: int, seconds: float) -> dict[str, Value]:
        """Return the request for the Cases from `start` on, as the worker understands it."""
        return {
            "exercise": self.exercise,
            "returns": list(self.returns),
            "way": self.way.as_value(),
            "cases": [dict(case) for case in self.cases[start:]],
            "seconds": seconds,
        }

    def packed(self, seconds: float) -> bytes:
        """Return the request for all Cases as it travels; made once, however many submissions are asked."""
        if seconds not in self._packed:
            self._packed[seconds] = wire.pack({"answer": self.asked(0, seconds)})
        return self._packed[seconds]

    @cached_property
    def _packed(self) -> dict[float, bytes]:
        return {}


@dataclass
class Transcript:
    """The results of a submission's steps.

    Args:
        outcomes: a Probe's key -> the Outcome of each Case.
        printed: index of a cell -> what it printed.
        errors: index of a cell -> the error that it raised.
        flags: sentences for the instructor.
        destroyed: the cells that ended the sandbox, and were skipped when it was started again.
    """

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    printed: dict[int, str] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    destroyed: set[int] = field(default_factory=set)
