"""`autograder matrix`: write the table of the Mistakes that the checks catch."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course
from autograder.exercise import SETS


def add(commands: Subparsers) -> None:
    """Declare the command."""
    parser = command(commands, "matrix", run, "write the table of what the checks catch to docs/matrix.md")
    sets = range(SETS)
    parser.add_argument(
        "--set",
        type=int,
        choices=sets,
        metavar="K",
        help="print the table for set K of the secret cases instead",
    )


def run(course: Course, options: argparse.Namespace) -> int:
    """Write the page with the table, or print it for one set of secret Cases."""
    from autograder.authoring import matrix
    from autograder.exercises import all_lessons

    if options.set is not None:
        print(matrix.page(matrix.measure_all(all_lessons(), options.set)), end="")
        return 0
    path = course.root / matrix.PAGE
    path.parent.mkdir(exist_ok=True)
    path.write_text(matrix.page(matrix.measure_all(all_lessons())), encoding="utf-8")
    print(f"{matrix.PAGE} is written.")
    return 0
