"""`autograder verify`: compare the gradebook with the journals, and rebuild a lost one."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from autograder.commands import Subparsers, command
from autograder.course import Course, private_files

if TYPE_CHECKING:
    from autograder.recording.verify import Difference

SHOWN = 200  # differences of one assignment


def add(commands: Subparsers) -> None:
    """Declare the command and its options."""
    parser = command(commands, "verify", run, "list where the gradebook differs from the journals")
    parser.add_argument("assignment", nargs="?", help="as in 1_layers; default: all")
    parser.add_argument(
        "--rebuild",
        action="store_true",
        help="write the automatic grades of a lost or damaged gradebook again; runs no student's code",
    )


@private_files()
def run(course: Course, options: argparse.Namespace) -> int:
    """Print the differences and return 1, or one sentence and 0; with --rebuild, write what is missing first."""
    from autograder.recording import verify

    assignments = [options.assignment] if options.assignment else course.assignments()
    for assignment in assignments:
        course.lessons(assignment)
    if options.rebuild:
        _rebuild(course, assignments)
    found = {assignment: verify.differences(course, assignment) for assignment in assignments}
    count = sum(map(len, found.values()))
    if not count:
        print(f"The gradebook and the journals agree on {', '.join(assignments)}.")
        return 0
    for assignment, some in found.items():
        for one in some[:SHOWN]:
            print(f"{assignment}  {_line(one)}")
        if len(some) > SHOWN:
            print(f"{assignment}  ... and {len(some) - SHOWN:,} more")
    remedy = "" if options.rebuild else "; 'autograder verify --rebuild' writes what the journals say"
    print(f"The gradebook and the journals differ in {count:,} place{'s' * (count != 1)}{remedy}.")
    return 1


def _rebuild(course: Course, assignments: list[str]) -> None:
    from tqdm import tqdm

    from autograder.recording.rebuild import rebuild

    with tqdm(unit=" submissions", desc="rebuilding", file=sys.stderr, disable=None, leave=False) as bar:
        result = rebuild(course, assignments, on_done=lambda _: bar.update(1))
    if result.set_aside:
        print(
            f"The gradebook was damaged and now lies in {result.set_aside}: points and comments that people gave"
        )
        print("are in it or in a backup only.")
    count = len(result.students)
    print(f"The automatic grades of {count:,} submission{'s' * (count != 1)} were written again.")
    for one in result.points_only:
        print(f"{_plain(one)}: its points are back, its graded notebook is not: grade it again to have it.")
    for student, problem in result.problems.items():
        print(f"{_plain(student)}: {_plain(problem)}")


def _line(one: Difference) -> str:
    where = " ".join(name for name in (one.student, one.lesson, one.exercise) if name)
    points = f": journal {_points(one.journal)}, gradebook {_points(one.gradebook)}" if one.exercise else ""
    return _plain(f"{where}: {one.words}{points}")


def _points(points: float | None) -> str:
    return "-" if points is None else f"{points:g}"


def _plain(words: str) -> str:
    from autograder.words import plain

    return " ".join(plain(words, 1000).split())
