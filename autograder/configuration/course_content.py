"""What course.toml can say; the defaults are what holds without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class LateRule:
    """How many points lateness costs.

    Args:
        per_day: the share of a lesson's points that each started day takes off, from 0 to 1.
        at_most: the largest share that is taken off.
        grace: how late a hand-in still counts as on time.
    """

    per_day: float
    at_most: float = 1.0
    grace: timedelta = timedelta(0)


@dataclass(frozen=True)
class PlannedLesson:
    """A lesson of the course.

    Args:
        name: the lesson's name, as in "1_layers/02_convolution".
        due: the last moment at which a hand-in is on time, None where there is none.
        weight: the factor by which its points count.
    """

    name: str
    due: datetime | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class CourseFile:
    """What course.toml says; the defaults are what holds without it.

    Args:
        title, term: of the course.
        time_zone: the zone of all dates that name no other, None where there are no such dates.
        lessons: the lessons in order; without any, all lessons in the order of their folders.
        late: the rule for late hand-ins; None takes no points off.
        extensions: student -> lesson -> the student's own due date.
        exemptions: student -> the lessons that do not count for the student.
        follow_through: whether what builds on a student's wrong Answer is judged once more with a stand-in.
    """

    title: str = ""
    term: str = ""
    time_zone: ZoneInfo | None = None
    lessons: tuple[PlannedLesson, ...] = ()
    late: LateRule | None = None
    extensions: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    exemptions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    follow_through: bool = False
