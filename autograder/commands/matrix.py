"""`autograder matrix`: write the table of the Mistakes that the checks catch."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course


def add(commands: Subparsers) -> None:
    """Declare the command."""
    command(commands, "matrix", run, "write the table of what the checks catch to docs/matrix.md")


def run(course: Course, options: argparse.Namespace) -> int:
    """Write the page with the table."""
    from autograder.authoring import matrix
    from autograder.exercises import all_lessons

    path = course.root / matrix.PAGE
    path.parent.mkdir(exist_ok=True)
    path.write_text(matrix.page(matrix.measure_all(all_lessons())), encoding="utf-8")
    print(f"{matrix.PAGE} is written.")
    return 0
