"""Statistics of a class: how its students did, and how hard and how telling each exercise is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from autograder.reporting.table import ROUNDING, cause

if TYPE_CHECKING:
    from autograder.classroom.results import ClassResult, StudentResult
    from autograder.exercise import Lesson
    from autograder.verdict import Verdict

FEWEST = 5  # students; a correlation over fewer means nothing
MOST_BINS = 20
NO_SPREAD = 1e-9  # square points: a spread below it is one of equal points, rounded
STEP_ROUNDING = 1e-12  # by which a round step may miss what it must reach by rounding
ATTEMPTS = ("passed", "failed", "not attempted", "not found")


@dataclass(frozen=True)
class Scores:
    """The automatic points of every student who was graded, in [0, total]."""

    points: tuple[float, ...]
    total: float

    @property
    def median(self) -> float | None:
        """The median score, None without students."""
        return float(np.median(self.points)) if self.points else None

    @property
    def mean(self) -> float | None:
        """The mean score, None without students."""
        return float(np.mean(self.points)) if self.points else None

    @property
    def full(self) -> int:
        """The number of students who have all the points."""
        return sum(points >= self.total - ROUNDING for points in self.points)

    def bins(self) -> list[tuple[float, float, int]]:
        """Return (from, to, students) for bins of equal, round widths.

        Each bin excludes its upper bound, but the last one includes it. The last bin may reach beyond the total.
        """
        step = round_step(self.total / MOST_BINS)
        edges = step * np.arange(int(np.ceil(self.total / step - ROUNDING)) + 1)
        counts, _ = np.histogram(np.clip(self.points, 0.0, edges[-1]), edges)
        return [
            (float(low), float(high), int(count))
            for (low, high), count in zip(pairwise(edges), counts, strict=True)
        ]


@dataclass(frozen=True)
class Item:
    """Statistics of one Exercise, among the students who handed its lesson in.

    Args:
        lesson, exercise: their names.
        points: all that the exercise gives.
        students: how many handed the lesson in.
        share: the mean share of the points that they earned.
        discrimination: see `discrimination`.
        attempts: status -> number of students.
    """

    lesson: str
    exercise: str
    points: float
    students: int
    share: float | None
    discrimination: float | None
    attempts: dict[str, int]


@dataclass(frozen=True)
class Made:
    """A reason for which students lost points in one Exercise.

    Args:
        lesson, exercise: their names.
        mistake: the name of the Mistake, "" where none was recognised.
        reason: the reason in words.
        hint: the Mistake's sentence.
        students: the ids of the students who lost points for this reason.
    """

    lesson: str
    exercise: str
    mistake: str
    reason: str
    hint: str
    students: list[str] = field(default_factory=list)


def graded(result: ClassResult) -> list[StudentResult]:
    """Return the rows that count in statistics: all but the submissions that could not be graded."""
    return [row for row in result.rows if not row.problem]


def scores(result: ClassResult, lessons: Sequence[Lesson]) -> Scores:
    """Return every student's automatic points in these lessons; a lesson that was not handed in counts as 0."""
    names = {lesson.name for lesson in lessons}
    points = (
        sum(v.points for name, verdicts in row.verdicts.items() if name in names for v in verdicts.values())
        for row in graded(result)
    )
    return Scores(tuple(points), float(sum(lesson.total for lesson in lessons)))


def items(result: ClassResult, lesson: Lesson) -> list[Item]:
    """Return the statistics of each Exercise of a lesson."""
    rows = [row.verdicts[lesson.name] for row in graded(result) if lesson.name in row.verdicts]
    names = list(lesson.exercises)
    points = np.array([[v[name].points if name in v else 0.0 for name in names] for v in rows])
    points = points.reshape(len(rows), len(names))  # (students, exercises), even without students
    correlations = discrimination(points)
    return [
        Item(
            lesson.name,
            name,
            exercise.total,
            len(rows),
            float(points[:, place].mean() / exercise.total) if rows and exercise.total else None,
            correlations[place],
            _attempts([verdicts.get(name) for verdicts in rows]),
        )
        for place, (name, exercise) in enumerate(lesson.exercises.items())
    ]


def discrimination(points: np.ndarray) -> list[float | None]:
    """Return each Exercise's correlation with the rest of its lesson, r(x_i, sum of x_j over j != i), in [-1, 1].

    This is the corrected item-total correlation of S. Henrysson, Psychometrika 28 (1963), 211-218. It is None for fewer
    than FEWEST students and where it is undefined: where all students have the same points in the Exercise or in the
    rest, or where the lesson has no other Exercise.

    Args:
        points: (students, exercises).
    """
    if len(points) < FEWEST:
        return [None] * points.shape[1]
    rest = points.sum(axis=1, keepdims=True) - points
    x, y = points - points.mean(axis=0), rest - rest.mean(axis=0)
    spread = np.sqrt((x**2).sum(axis=0) * (y**2).sum(axis=0))
    products = (x * y).sum(axis=0)
    return [float(p / s) if s > NO_SPREAD else None for p, s in zip(products, spread, strict=True)]


def made(result: ClassResult) -> list[Made]:
    """Return the reasons for which students lost points.

    Mistakes come before other reasons, and reasons that more students share come first.
    """
    found: dict[tuple[str, str, str, str], Made] = {}
    for row in graded(result):
        for lesson, verdicts in row.verdicts.items():
            for verdict in verdicts.values():
                reason = cause(verdict)
                if reason:
                    key = (lesson, verdict.exercise, verdict.mistake, reason)
                    one = found.setdefault(key, Made(*key, verdict.hint if verdict.mistake else ""))
                    one.students.append(row.student)
    return sorted(
        found.values(), key=lambda one: (not one.mistake, -len(one.students), one.lesson, one.exercise)
    )


def _attempts(verdicts: Sequence[Verdict | None]) -> dict[str, int]:
    count = Counter(verdict.status if verdict else "not found" for verdict in verdicts)
    return {status: count[status] for status in ATTEMPTS}


def round_step(least: float) -> float:
    """Return the smallest of ..., 0.5, 1, 2, 5, 10, 20, ... that is not below `least`."""
    if least <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(least))
    return next(float(m * power) for m in (1, 2, 5, 10) if m * power >= least - STEP_ROUNDING)
