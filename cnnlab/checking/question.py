"""What is asked, and what came of it: Questions, the Questionnaire that holds an Exercise's, the result of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cnnlab.checking.compare import Difference
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import CALL, Way
from cnnlab.checking.wire import Value


@dataclass(frozen=True)
class Question:
    """One Case as it is asked and judged.

    Args:
        words: the Case in words.
        group: the name of the group whose points it decides.
        inputs: argument name -> value.
        expected: output name -> value.
        tolerance: relative, as in `compare`.
        mistakes: Mistake name -> the Outcome of that wrong implementation with these inputs.
        varies: in which one thing this Case differs from the plain one of its Exercise, as in "stride"; "plain" for that
            one, "" for all that carry points.
    """

    words: str
    group: str
    inputs: Mapping[str, Value]
    expected: Mapping[str, Value]
    tolerance: float
    mistakes: Mapping[str, Outcome]
    varies: str = ""


@dataclass(frozen=True)
class Clue:
    """A piece of help for one Exercise.

    Args:
        words: what it says.
        mistakes: the names of the Mistakes that it helps with, none where it helps with any.
        arguments: the names of the arguments that it helps with, where Cases fail that differ in them.
    """

    words: str
    mistakes: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Questionnaire:
    """All Cases of one Exercise.

    Args:
        exercise: its name.
        returns: the names of its outputs.
        questions: the Cases.
        hints: Mistake name -> one sentence for the student.
        way: the way to ask an Answer.
        clues: help that is shown piece by piece, from a nudge to nearly the code.
    """

    exercise: str
    returns: tuple[str, ...]
    questions: tuple[Question, ...]
    hints: Mapping[str, str]
    way: Way = CALL
    clues: tuple[Clue, ...] = ()


@dataclass(frozen=True)
class CaseResult:
    """One Case with its Outcome and the Outcome's difference from what is expected (None where it passes)."""

    question: Question
    outcome: Outcome
    difference: Difference | None

    @property
    def passed(self) -> bool:
        return self.difference is None
