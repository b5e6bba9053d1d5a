"""`autograder doctor`: say what is wrong with this machine or course."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course


def add(commands: Subparsers) -> None:
    """Declare the command."""
    command(commands, "doctor", run, "say what is wrong with this machine or course, and what to do")


def run(course: Course, options: argparse.Namespace) -> int:
    """Print a line for each finding; return 1 where one is a problem."""
    from autograder import doctor

    problems = 0
    for finding in doctor.examine(course):
        print(f"{finding.kind}: {finding.sentence}", flush=True)
        problems += finding.kind == "problem"
    if problems:
        print(f"{problems} problem{'' if problems == 1 else 's'} to mend.")
        return 1
    print("Nothing is wrong.")
    return 0
