"""The course.toml that an instructor finds ready to be edited: every setting is there, and none is in force."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from autograder.configuration.course_file import course_file_path
from autograder.course import Course

WEEK = timedelta(days=7)

HEAD = """\
# The course as you give it. Lines that begin with # and no space behind it are settings: take the # away to use one.
# Without them, all lessons are graded, nothing is due, and nothing is taken off. 'autograder doctor' reads this file
# and says what is wrong. Text stands in quotes, dates stand without.

#title = "Convolutional networks"
#term = "Autumn {year}"

# The zone of all dates, by its name in the IANA list. A date without a time means the end of that day.
#time_zone = "Europe/Berlin"

# Judge what builds on a student's own wrong answer once more, with a working stand-in in that answer's place.
#follow_through = true

# What is handed in late loses a share of its points for each day that has begun, at most so much in all. A hand-in within
# the grace minutes is on time. Without this table, lateness costs nothing.
#[late]
#per_day = 0.1
#at_most = 0.5
#grace_minutes = 15

# The lessons in your order. As soon as one is listed, those that are not are left out. The points of a lesson count
# weight times.
"""
LESSON = """\
#[[lessons]]
#name = "{name}"
#due = {due}
#weight = 1.0
"""
FOOT = """\

# More time for a student, lesson by lesson: student ids are the names of the folders that you grade. An id with a dot or an
# @ stands in quotes, as in [extensions."ada@uni.edu"].
#[extensions.ada]
#"{name}" = {extended} 18:00:00

# Lessons that do not count for a student.
#[exemptions]
#ben = ["{name}"]
"""


def default_text(course: Course, today: date) -> str:
    """Return a course.toml whose settings are all commented out, with a lesson due each week from next week on."""
    names = [f"{one}/{lesson.name}" for one in course.assignments() for lesson in course.lessons(one)]
    lessons = [LESSON.format(name=name, due=today + WEEK * week) for week, name in enumerate(names, 1)]
    foot = FOOT.format(name=names[0], extended=today + 2 * WEEK)
    return HEAD.format(year=today.year) + "\n".join(lessons) + foot


def write_default(course: Course) -> Path | None:
    """Write the default course.toml, for its owner only, and return its path; return None where one is there already."""
    path = course_file_path(course)
    text = default_text(course, date.today())
    try:
        path.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        return None
    path.write_text(text, encoding="utf-8")
    return path
