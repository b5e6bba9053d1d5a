"""`autograder grade`: grade a class and show the results."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from autograder.classroom import forkserver
from autograder.commands import Subparsers, command
from autograder.course import Course, CourseError, private_files
from autograder.startup import collect_nothing, one_blas_thread
from autograder.words import listed

if TYPE_CHECKING:
    from autograder.classroom.changes import Change
    from autograder.classroom.replay import Replay
    from autograder.classroom.results import ClassResult, StudentResult

MANY = 40  # changed grades that are shown; the file has them all
WIDEST = 100  # characters of the remarks in a submission's line


class RunOptions(TypedDict, total=False):
    """The options of grade_class and replay_class that the command line sets."""

    students: tuple[str, ...]
    lessons: tuple[str, ...]
    workers: int | None
    scheduler: str | None
    bare: bool


def add(commands: Subparsers) -> None:
    """Declare the command and its options."""
    grade = command(commands, "grade", run, "grade a class")
    grade.add_argument("assignment", help="as in 1_layers")
    grade.add_argument(
        "folder", nargs="?", type=Path, help="one folder per student; default: what is in work/submitted"
    )
    grade.add_argument(
        "--student", nargs="+", action="extend", default=[], metavar="ID", help="grade only these"
    )
    grade.add_argument(
        "--lesson",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="grade only these, as 02_convolution",
    )
    grade.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="processes that judge side by side, each with its sandboxes on one core (default: one a core)",
    )
    grade.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="a Dask scheduler, as tls://host:8786, whose workers share this checkout and its work folder "
        "(default: processes of this machine)",
    )
    grade.add_argument(
        "--replay",
        action="store_true",
        help="judge again what was judged, record nothing, and say whether all comes out the same",
    )
    grade.add_argument(
        "--no-feedback", action="store_true", help="write no feedback pages (nbgrader generate_feedback does)"
    )
    grade.add_argument(
        "--no-sandbox",
        action="store_true",
        help="run students' code with YOUR rights; only for code that you trust",
    )


@private_files()
def run(course: Course, options: argparse.Namespace) -> int:
    """Grade a class, and show its table and the paths of all results."""
    _verify(options)
    collect_nothing()
    one_blas_thread()
    if options.no_sandbox:
        print(
            "WARNING: no sandbox. Students' code runs with your rights and can read and change all you can.",
            file=sys.stderr,
        )
    given: RunOptions = {
        "students": tuple(options.student),
        "lessons": tuple(options.lesson),
        "workers": options.workers,
        "scheduler": options.scheduler,
        "bare": options.no_sandbox,
    }
    if not options.scheduler and options.workers != 1 and _are_many(options):
        forkserver.begin(course, options.assignment, options.lesson, options.no_sandbox)
    try:
        if options.replay:
            return _replay(course, options.assignment, given)
        grade_and_show(course, options.assignment, options.folder, pages=not options.no_feedback, **given)
    finally:
        forkserver.abandon()
    return 0


def _are_many(options: argparse.Namespace) -> bool:
    """Guess, before anything is loaded, whether several processes will grade."""
    if options.student:
        return len(options.student) > forkserver.FEW
    try:
        return options.folder is None or len(os.listdir(options.folder)) > forkserver.FEW
    except OSError:
        return False  # an error that is reported later


def _verify(options: argparse.Namespace) -> None:
    if options.workers is not None and options.workers < 1:
        raise CourseError("--workers takes a number from 1.")
    if options.workers is not None and options.scheduler is not None:
        raise CourseError(
            "--workers is for this machine; with --scheduler, start workers with 'dask worker'."
        )
    if options.replay and options.folder:
        raise CourseError("--replay judges what is in work/submitted: leave the folder out.")


def grade_and_show(
    course: Course, assignment: str, folder: Path | None, *, pages: bool = True, **options: Unpack[RunOptions]
) -> ClassResult:
    """Grade a class with a progress bar, write feedback pages and the report, print the table and the paths.

    Args:
        course, assignment, folder: as for grade_class.
        pages: whether feedback pages are written.
        options: those of grade_class.

    Raises:
        CourseError: at the end, where a submission could not be graded.
    """
    from autograder.classroom.grade_class import grade_class

    with Progress() as progress:

        def advance(row: StudentResult, done: int, of: int) -> None:
            progress.advance(line(row), done, of)

        result = grade_class(course, assignment, folder, **options, on_begin=progress.begin, on_done=advance)
    # The class's own page stays whole.
    part = "-part" if options.get("students") or options.get("lessons") else ""
    _show(course, assignment, result, f"{assignment}{part}.html", pages)
    problems = [row for row in result.rows if row.problem]
    if problems:
        from autograder.reporting.table import plural

        raise CourseError(
            f"{plural(len(problems), 'submission')} could not be graded: see the table; the others are recorded."
        )
    return result


def _show(course: Course, assignment: str, result: ClassResult, page_name: str, pages: bool) -> None:
    from autograder.authoring.released_lessons import edited
    from autograder.classroom.changes import write_changes
    from autograder.recording import gradebook, nbgrader_runs
    from autograder.reporting.class_report import write_page
    from autograder.reporting.table import counted, text_table

    lessons = course.lessons(assignment)
    print(text_table(result, lessons))
    print(f"\n{counted(result)} graded in {result.seconds:.1f} s.")
    for sentence in result.left_out:
        print(f"Left out: {sentence}")
    if result.changes:
        print("\n" + "\n".join(changes_table(result.changes)) + "\n")
        print(f"Changes    {write_changes(course, assignment, result.changes)}")
    grades = gradebook.each_grade(course, assignment)
    page = write_page(result, lessons, course.work / "report" / page_name, grades=grades)
    if pages:
        nbgrader_runs.feedback(course, assignment)
        print(f"Feedback   {course.feedback}/<student>/{assignment}/<lesson>.html")
    print(f"Report     {page}")
    print(f"Gradebook  {course.db_url.removeprefix('sqlite:///')}")
    if files := edited(course, lessons):
        print(f"\n{_edited(files)}")


def _edited(files: Sequence[Path]) -> str:
    """Say of files in notebooks/ that they are not what was graded by."""
    differ = "is" if len(files) == 1 else "are"
    return (
        f"{listed([*map(str, files)])} {differ} not what solutions/ gives now: nothing is graded by what stands there; "
        "'autograder build' writes it anew."
    )


class Progress:
    """A progress bar with the time left, and a line for each submission; without a terminal, the lines alone."""

    def __enter__(self) -> Progress:
        from tqdm import tqdm

        self.bar = tqdm(unit=" submissions", desc="judging", file=sys.stderr, disable=None, leave=False)
        return self

    def __exit__(self, *exception: object) -> None:
        self.bar.close()

    def begin(self, of: int) -> None:
        """Set the number of submissions."""
        self.bar.reset(of)

    def advance(self, words: str, done: int, of: int) -> None:
        """Print the line of a finished submission and move the bar.

        Args:
            words: the result of the submission.
            done: how many submissions are finished.
            of: how many there are.
        """
        from tqdm import tqdm

        tqdm.write(f"{done:>{len(str(of))}}/{of}  {words}", file=sys.stderr)
        self.bar.update(1)


def line(row: StudentResult) -> str:
    """Return one line about a submission: the student, the points and their maximum, the seconds, and any oddities."""
    total = sum(verdict.total for lesson in row.verdicts.values() for verdict in lesson.values())
    flags = (
        f"{len(row.flags)} flag{'' if len(row.flags) == 1 else 's'}: {'; '.join(row.flags)}"
        if row.flags
        else ""
    )
    said = printable(row.problem or flags)
    said = said if len(said) <= WIDEST else f"{said[:WIDEST]} ..."
    return f"{row.student:<16} {row.points:>5g} of {total:<5g} {row.seconds:6.1f} s  {said}".rstrip()


def printable(text: str) -> str:
    """Return text on one line without control characters, which a terminal would obey."""
    kept = (c if c.isprintable() else " " if c.isspace() else "" for c in text)
    return " ".join("".join(kept).split())


def changes_table(changes: Sequence[Change]) -> list[str]:
    """Return the grades that changed, as the lines of a table."""

    def points(value: float | None, of: float | None) -> str:
        return "-" if value is None else f"{value:g} of {of:g}"

    rows = [
        (
            c.student,
            f"{c.lesson}/{c.exercise}",
            points(c.before, c.before_max),
            points(c.after, c.after_max),
            c.reason,
        )
        for c in changes[:MANY]
    ]
    head = ("student", "exercise", "before", "after", "why")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
    students = len({change.student for change in changes})
    left = [f"... and {len(changes) - MANY} more"] if len(changes) > MANY else []
    return [f"{len(changes)} grades of {students} students changed:", *lines, *left]


def _replay(course: Course, assignment: str, options: RunOptions) -> int:
    """Judge again, say for each submission whether its grade is the same, and return 1 where one is not."""
    from autograder.classroom.replay import replay_class

    with Progress() as progress:

        def advance(one: Replay, done: int, of: int) -> None:
            progress.advance(line(one.result), done, of)

        found = replay_class(course, assignment, **options, on_begin=progress.begin, on_done=advance)
    for one in found:
        said = one.result.problem or "; ".join(one.differences) or "the same"
        print(f"{one.result.student:<16} {printable(said)}")
    other = sum(not one.same for one in found)
    print(f"\n{len(found) - other} of {len(found)} came out the same; nothing was recorded.")
    return 1 if other else 0
