"""`autograder grade`: grade a class, and show what came out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands import Subparsers, command
from autograder.course import Course, CourseError

if TYPE_CHECKING:
    from autograder.classroom import ClassResult


def add(commands: Subparsers) -> None:
    """Declare the command and its options."""
    grade = command(commands, "grade", run, "grade a class")
    grade.add_argument("assignment", help="as in 1_layers")
    grade.add_argument(
        "folder", nargs="?", type=Path, help="one folder per student; default: what is in work/submitted"
    )
    grade.add_argument(
        "--workers", type=int, metavar="N", help="submissions judged at a time (default: one a core)"
    )
    grade.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run students' code with YOUR rights; only for code that you trust",
    )


def run(course: Course, options: argparse.Namespace) -> int:
    """Grade, and show the class's table and where everything is."""
    if options.workers is not None and options.workers < 1:
        raise CourseError("--workers takes a number from 1.")
    if options.no_sandbox:
        print(
            "WARNING: no sandbox. Students' code runs with your rights and can read and change all you can.",
            file=sys.stderr,
        )
    grade_and_show(
        course, options.assignment, options.folder, workers=options.workers, bare=options.no_sandbox
    )
    return 0


def grade_and_show(
    course: Course, assignment: str, folder: Path | None, *, workers: int | None = None, bare: bool = False
) -> ClassResult:
    """Grade a class with a progress bar, write feedback pages and the report, print the table and where all is."""
    from tqdm import tqdm

    from autograder import classroom, gradebook, report

    with tqdm(unit=" submissions", desc="judging", file=sys.stderr, disable=None, leave=False) as bar:

        def advance(row: classroom.Row, done: int, of: int) -> None:
            bar.total = of
            bar.update(1)

        result = classroom.grade(course, assignment, folder, workers=workers, bare=bare, on_done=advance)
    lessons = course.lessons(assignment)
    print(report.text_table(result, lessons))
    print(f"\n{report.counted(result)} graded in {result.seconds:.1f} s.")
    page = report.write_page(result, lessons, course.work / "report" / f"{assignment}.html")
    gradebook.feedback(course, assignment)
    print(f"Feedback   {course.feedback}/<student>/{assignment}/<lesson>.html")
    print(f"Report     {page}")
    print(f"Gradebook  {course.db_url.removeprefix('sqlite:///')}")
    problems = [row for row in result.rows if row.problem]
    if problems:
        raise CourseError(
            f"{len(problems)} submissions could not be graded: see the table; the others are recorded."
        )
    return result
