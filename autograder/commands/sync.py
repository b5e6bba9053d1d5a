"""`autograder sync`: register assignments in the gradebook."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course


def add(commands: Subparsers) -> None:
    """Declare the command."""
    command(commands, "sync", run, "register assignments in the gradebook (grading does it by itself)")


def run(course: Course, options: argparse.Namespace) -> int:
    """Register every assignment of the course."""
    from autograder import gradebook

    for assignment in course.assignments():
        gradebook.sync(course, assignment)
        print(f"{assignment} is in the gradebook.")
    return 0
