"""The results of grading a class: plain data, one StudentResult for each student."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING

from autograder.verdict import Verdict

if TYPE_CHECKING:
    from autograder.classroom.changes import Change

MAX_ERROR = 300  # characters that are told of an error nobody foresaw


@dataclass(slots=True)
class StudentResult:
    """The result of grading one student; the stages of grading add to it.

    Args:
        student: the id.
        verdicts: by lesson and exercise.
        flags: sentences for the instructor about what was odd.
        seconds: wall time in the sandbox.
        problem: the reason why nothing was recorded, or "".
        submission_hash: a hash of what was judged and by which grader.
    """

    student: str
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""
    submission_hash: str = ""

    @property
    def points(self) -> float:
        """The sum of this student's points."""
        return sum(v.points for lesson in self.verdicts.values() for v in lesson.values())


@dataclass(frozen=True)
class ClassResult:
    """A graded class.

    rows: one result a student, in the order of their ids.
    seconds: wall time of the run.
    changes: the grades that were recorded before and are others now.
    left_out: a sentence for each name in the folder handed over that is no student's folder.
    """

    assignment: str
    rows: tuple[StudentResult, ...]
    seconds: float
    changes: tuple[Change, ...] = ()
    left_out: tuple[str, ...] = ()


def could_not_grade(error: BaseException) -> str:
    """Return the problem of a submission where something happened that nobody foresaw."""
    return f"It could not be graded: {error_in_one_line(error)}."


def error_in_one_line(error: BaseException) -> str:
    """Put an error that nobody foresaw into one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:MAX_ERROR]


class VerdictInterner:
    """Lets equal Verdicts be one object, so that those of a thousand right answers take the room of one.

    Of 300 students with all the lessons of an assignment it leaves 14 MiB where 50 would be held.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Verdict] = {}

    def intern(self, result: StudentResult) -> StudentResult:
        """Replace each Verdict of a result, and each name of a lesson or an exercise, by an equal one seen before."""
        result.verdicts = {
            intern(lesson): {
                intern(name): self._known.setdefault(_key(verdict), verdict)
                for name, verdict in verdicts.items()
            }
            for lesson, verdicts in result.verdicts.items()
        }
        return result


def _key(verdict: Verdict) -> tuple[object, ...]:
    return (tuple(verdict.groups.items()), *(v for k, v in vars(verdict).items() if k != "groups"))
