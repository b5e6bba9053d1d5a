"""`autograder sync`: register assignments in the gradebook."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course, private_files


def add(commands: Subparsers) -> None:
    """Declare the command."""
    parser = command(
        commands,
        "sync",
        run,
        "register assignments in the gradebook (grading does it by itself), and write a course.toml to edit",
    )
    parser.add_argument(
        "--work-out",
        action="store_true",
        help="work out all sets of secret cases now, so that no grading waits for one; takes some minutes",
    )


@private_files()
def run(course: Course, options: argparse.Namespace) -> int:
    """Register every assignment of the course in the gradebook, and work out its secret Cases where that is asked for.

    Where there is no course.toml yet, one is written in which every setting is commented out.
    """
    from autograder import configuration
    from autograder.judging import secret_cases
    from autograder.recording import registration

    for assignment in course.assignments():
        registration.sync(course, assignment)
        for lesson in course.lessons(assignment) if options.work_out else ():
            secret_cases.work_out(course, lesson)
        print(f"{assignment} is in the gradebook.")
    try:
        written = configuration.write_default(course)
    except OSError as error:  # a course goes on without the file, as where only work/ can be written
        print(f"No course.toml could be written for you to edit: {error.strerror} ({error.filename}).")
    else:
        if written:
            print(f"{written} is written for you to edit; nothing in it is in force yet.")
    return 0
