"""`autograder export`: write the grades for Canvas, Moodle or Gradescope."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.commands import Subparsers, command
from autograder.course import Course, CourseError, private_files

if TYPE_CHECKING:
    from autograder.configuration import Roster
    from autograder.exports.grades import ClassGrades


def add(commands: Subparsers) -> None:
    """Declare the command, its products and their options."""
    parser = command(commands, "export", run, "write the grades for Canvas, Moodle or Gradescope")
    products = parser.add_subparsers(required=True, dest="product", metavar="PRODUCT")
    canvas = _product(products, "canvas", "the CSV file that Canvas's gradebook imports")
    _list(canvas)
    canvas.add_argument("--assignment-id", type=int, metavar="N", help="the assignment's number in Canvas")
    moodle = _product(products, "moodle", "the CSV file that Moodle's grade import takes")
    _list(moodle)
    moodle.add_argument(
        "--identify-by",
        choices=("username", "email", "idnumber"),
        default="username",
        help="what Moodle knows students by (default: username, for which the student id is taken)",
    )
    gradescope = _product(products, "gradescope", "a results.json for each submission")
    gradescope.add_argument(
        "--visibility",
        choices=("visible", "hidden", "after_due_date", "after_published"),
        default="after_published",
        help="when students see it (default: after_published)",
    )


def _product(products: Subparsers, name: str, words: str) -> argparse.ArgumentParser:
    parser = products.add_parser(name, help=words, description=f"Write {words}.")
    parser.add_argument("assignment", help="as in 1_layers")
    parser.add_argument("--out", type=Path, metavar="PATH", help="where to write (default: in work/export)")
    return parser


def _list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--students",
        type=Path,
        metavar="FILE.csv",
        help="who is who: a column student_id (or student) and any of name, email, username, idnumber, "
        "canvas_id, sis_user_id, sis_login_id, section",
    )
    parser.add_argument("--title", default="", help="the assignment's title there (default: its name here)")
    parser.add_argument("--out-of", type=float, metavar="N", help="scale the points to N in all")


@private_files()
def run(course: Course, options: argparse.Namespace) -> int:
    """Write the exported files, and say where they are and what to know about them."""
    from autograder.configuration import read_roster
    from autograder.exports.canvas import canvas_table
    from autograder.exports.grades import read_class_grades
    from autograder.exports.gradescope import write_results
    from autograder.exports.moodle import moodle_table
    from autograder.spreadsheet import write_table

    grades_of_class = read_class_grades(course, options.assignment)
    kind = "folder" if options.product == "gradescope" else "file"
    if options.out and options.out.exists() and options.out.is_dir() != (kind == "folder"):
        raise CourseError(
            f"{options.out} is there already and is no {kind}: --out takes the name of a {kind}."
        )
    if options.product == "gradescope":
        folder = options.out or course.work / "export" / f"{options.assignment}_gradescope"
        paths = write_results(course, grades_of_class, folder, visibility=options.visibility)
        print(f"{len(paths)} results.json are in {folder}, one in a folder for each student.")
        return 0
    if options.out_of is not None and not 0 < options.out_of < float("inf"):
        raise CourseError("--out-of takes a number of points above 0.")
    roster = read_roster(options.students) if options.students else None
    shared = {"title": options.title, "out_of": options.out_of}
    if options.product == "canvas":
        table = canvas_table(grades_of_class, roster, assignment_id=options.assignment_id, **shared)
    else:
        table = moodle_table(course, grades_of_class, roster, identify_by=options.identify_by, **shared)
    path = options.out or course.work / "export" / f"{options.assignment}_{options.product}.csv"
    print(f"{write_table(table, path)} holds the grades of {len(grades_of_class.submissions)} students.")
    for remark in _remarks(grades_of_class, roster, options):
        print(remark)
    return 0


def _remarks(grades_of_class: ClassGrades, roster: Roster | None, options: argparse.Namespace) -> list[str]:
    """Return sentences that a person who imports the file has to know."""
    from autograder import spreadsheet
    from autograder.exports import moodle
    from autograder.exports.roster import without_submission

    said = []
    absent = without_submission(grades_of_class, roster)
    if absent:
        said.append(f"Nothing was handed in by {spreadsheet.named(absent)}: no row is written for them.")
    waiting = [s.student for s in grades_of_class.submissions if s.waiting]
    if waiting:
        said.append(
            f"Answers of {spreadsheet.named(waiting)} still wait for a person's grade and count as 0."
        )
    points = grades_of_class.maximum if options.out_of is None else options.out_of
    if options.product == "moodle" and points > moodle.HIGHEST:
        said.append(
            f"Moodle refuses grades above {moodle.HIGHEST} unless its site allows them: "
            f"export with --out-of {moodle.HIGHEST} where it does not allow {spreadsheet.number(points)}."
        )
    return said
