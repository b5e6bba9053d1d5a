"""`autograder lab`: open JupyterLab on one's own copies of the lessons."""

from __future__ import annotations

import argparse
import os
import sys

from autograder.commands import Subparsers, command
from autograder.course import Course


def add(commands: Subparsers) -> None:
    """Declare the command and its option."""
    parser = command(commands, "lab", run, "open JupyterLab on your own copies of the lessons, in my_course/")
    parser.add_argument("--only-bring", action="store_true", help="bring the lessons in, and open nothing")


def run(course: Course, options: argparse.Namespace) -> int:
    """Bring the lessons into my_course/, say what is new there, and become JupyterLab."""
    from autograder.intake import own_copies

    for sentence in own_copies.bring_lessons(course):
        print(sentence)
    if options.only_bring:
        return 0
    first = course.lessons(course.assignments()[0])[0]
    opened = own_copies.own_copy(course, first).relative_to(course.root)
    sys.stdout.flush()
    arguments = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={course.root}", str(opened)]
    os.chdir(course.root)
    os.execv(sys.executable, arguments)
