"""`autograder sync`: register assignments in the gradebook."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course, private_files


def add(commands: Subparsers) -> None:
    """Declare the command."""
    command(
        commands,
        "sync",
        run,
        "register assignments and work out the secret cases (grading does it by itself)",
    )


@private_files()
def run(course: Course, options: argparse.Namespace) -> int:
    """Register every assignment of the course in the gradebook, and compute its secret Cases."""
    from autograder.judging import secret_cases
    from autograder.recording import registration

    for assignment in course.assignments():
        registration.sync(course, assignment)
        for lesson in course.lessons(assignment):
            secret_cases.work_out(course, lesson)
        print(f"{assignment} is in the gradebook.")
    return 0
