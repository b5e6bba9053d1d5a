"""Reads course.toml: the lessons of a course, their due dates, and what holds for single students."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from autograder.configuration.consistency import inconsistencies
from autograder.configuration.course_content import CourseFile, LateRule, PlannedLesson
from autograder.configuration.errors import ConfigurationError, Fault
from autograder.configuration.roster import roster
from autograder.configuration.text_file import name_in_messages, read_text
from autograder.configuration.toml_lines import KeyPath, line_of, lines_of_values, syntax_error
from autograder.course import Course

if TYPE_CHECKING:
    from autograder.configuration.schema import CourseTable

NAME = "course.toml"
MAX_BYTES = 1 << 18  # ten times a course of 500 students who all have an extension
ADVICE = (
    "write KEY = VALUE, text in quotes, dates without, and a name with a dot or an @ in quotes, as in "
    '[extensions."ada@uni.edu"]'
)


def course_file_path(course: Course) -> Path:
    """Return the path of course.toml, beside the class's folder: for `work/`, in the checkout."""
    return course.work.parent / NAME


def course_file(course: Course) -> CourseFile:
    """Return what course.toml says, or the defaults where there is none.

    Raises:
        ConfigurationError: where course.toml or the roster cannot be used as it is; it names every fault of the file.
    """
    path = course_file_path(course)
    name = name_in_messages(course, path)
    text = read_text(path, name, max_bytes=MAX_BYTES)
    data = _parse(text, name) if text else {}
    if not text or not data:
        return CourseFile()
    # Imported here because it imports pydantic, which takes 0.2 s: without course.toml, commands start without it.
    from autograder.configuration.schema import read_tables

    lessons = [f"{one}/{lesson.name}" for one in course.assignments() for lesson in course.lessons(one)]
    tables = read_tables(data, lessons)
    if isinstance(tables, list):
        raise _error(name, text, tables)
    found = _resolve(tables)
    faults = [*_without_time_zone(tables), *inconsistencies(found, roster(course))]
    if faults:
        raise _error(name, text, faults)
    return found


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        line, reason = syntax_error(text, error)
        raise ConfigurationError([Fault(name, line, f"this is no TOML ({reason}): {ADVICE}.")]) from error


def _error(name: str, text: str, faults: Iterable[tuple[KeyPath, str]]) -> ConfigurationError:
    lines = lines_of_values(text)
    return ConfigurationError(Fault(name, line_of(path, lines), sentence) for path, sentence in faults)


def _resolve(tables: CourseTable) -> CourseFile:
    """Turn the tables of a file into what they mean, each date into a moment."""
    zone = ZoneInfo(tables.time_zone) if tables.time_zone else None
    late = tables.late and LateRule(
        tables.late.per_day, tables.late.at_most, timedelta(minutes=tables.late.grace_minutes)
    )
    return CourseFile(
        title=tables.title,
        term=tables.term,
        time_zone=zone,
        lessons=tuple(
            PlannedLesson(lesson.name, lesson.due and _moment(lesson.due, zone), lesson.weight)
            for lesson in tables.lessons
        ),
        late=late,
        extensions={
            student: {name: _moment(due, zone) for name, due in extended.items()}
            for student, extended in tables.extensions.items()
        },
        exemptions={student: frozenset(names) for student, names in tables.exemptions.items()},
        follow_through=tables.follow_through,
    )


def _moment(due: date, zone: ZoneInfo | None) -> datetime:
    """Return the last moment that is on time: of a date alone, the end of that day."""
    moment = due if isinstance(due, datetime) else datetime.combine(due, time.max)
    if moment.tzinfo is not None:
        return moment.astimezone(zone) if zone else moment
    # Where clocks change, a time comes twice or never: the later moment is taken, in the student's favour.
    local = zone or UTC
    return max(moment.replace(tzinfo=local, fold=fold).astimezone(UTC) for fold in (0, 1)).astimezone(local)


def _without_time_zone(tables: CourseTable) -> Iterator[tuple[KeyPath, str]]:
    """Yield the first date whose moment is not known."""
    if tables.time_zone is not None:
        return
    dates: dict[KeyPath, date | None] = {
        ("lessons", index, "due"): lesson.due for index, lesson in enumerate(tables.lessons)
    }
    for student, extended in tables.extensions.items():
        dates |= {("extensions", student, name): due for name, due in extended.items()}
    for path, due in dates.items():
        if due is not None and not (isinstance(due, datetime) and due.tzinfo):
            yield (
                path,
                "dates need the course's time zone: add a line as time_zone = 'Europe/Berlin' at the top of the file.",
            )
            return
