"""Reads a course of one's own: course.toml and roster.csv, which an instructor writes beside work/.

Where a file is absent, everything is as without it. What is wrong with a file is said all at once, each fault with its
line and its remedy.
"""

from autograder.configuration.course_file import (
    CourseFile,
    LateRule,
    PlannedLesson,
    course_file,
    course_file_path,
)
from autograder.configuration.default_file import write_default
from autograder.configuration.errors import ConfigurationError, Fault
from autograder.configuration.roster import Person, Roster, read_roster, roster, roster_path

__all__ = [
    "ConfigurationError",
    "CourseFile",
    "Fault",
    "LateRule",
    "Person",
    "PlannedLesson",
    "Roster",
    "course_file",
    "course_file_path",
    "read_roster",
    "roster",
    "roster_path",
    "write_default",
]
