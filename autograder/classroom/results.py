"""What grading a class came to: plain data, one StudentResult a student."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import TYPE_CHECKING, Any

from autograder.verdict import Verdict

if TYPE_CHECKING:
    from autograder.classroom.changes import Change


@dataclass(slots=True)
class StudentResult:
    """What grading found for one student.

    verdicts: by lesson and exercise; flags: for the instructor; seconds: in the sandbox; problem: why nothing was
    recorded, or ""; submission: a hash of what was judged and by what.
    """

    student: str
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""
    submission: str = ""

    @property
    def points(self) -> float:
        """All points of this row."""
        return sum(v.points for lesson in self.verdicts.values() for v in lesson.values())


@dataclass(frozen=True)
class ClassResult:
    """A graded class: one StudentResult a student in the order of their ids, and the wall time in seconds.

    changes: the grades that stood before and are others now.
    """

    assignment: str
    rows: tuple[StudentResult, ...]
    seconds: float
    changes: tuple[Change, ...] = ()


class VerdictInterner:
    """Lets equal Verdicts be one object: those of a thousand right answers then take the room of one."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Verdict] = {}

    def share(self, row: StudentResult) -> StudentResult:
        """Replace each of a row's Verdicts, and each name of a lesson or an exercise, by an equal one seen before."""
        row.verdicts = {
            intern(lesson): {
                intern(name): self._known.setdefault(_key(verdict), verdict)
                for name, verdict in verdicts.items()
            }
            for lesson, verdicts in row.verdicts.items()
        }
        return row


def _key(verdict: Verdict) -> tuple[Any, ...]:
    return (tuple(verdict.groups.items()), *(v for k, v in vars(verdict).items() if k != "groups"))
