"""The `autograder` command: build the notebooks, grade a class, try it all on a sample class."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.course import Course, CourseError

if TYPE_CHECKING:
    from autograder.classroom import ClassResult


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 1 after one sentence about what is wrong, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    course = Course.here()
    try:
        return options.run(course, options)
    except CourseError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"autograder: {error.filename or course.work}: {error.strerror or error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nautograder: stopped; what was judged so far is kept, and the same command goes on.",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="autograder", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    build = _command(
        commands, "build", _build, "derive notebooks, solved notebooks and public cases from the lessons"
    )
    build.add_argument(
        "--check", action="store_true", help="change nothing; fail where a derived file is stale"
    )
    build.add_argument(
        "--repo", metavar="OWNER/NAME", help="the public repository that students install from"
    )
    build.add_argument("--ref", metavar="TAG", help="its tag or branch")

    grade = _command(commands, "grade", _grade, "grade a class")
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

    _command(commands, "matrix", _matrix, "write the table of what the checks catch to docs/matrix.md")
    _command(commands, "sync", _sync, "register assignments in the gradebook (grading does it by itself)")
    _command(commands, "demo", _demo, "grade a sample class in work/demo and show what came out")
    return parser


def _command(
    commands: argparse._SubParsersAction, name: str, run: Callable, words: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run)
    return parser


def _build(course: Course, options: argparse.Namespace) -> int:
    from autograder import build
    from autograder.exercises import all_lessons
    from autograder.settings import Release, release

    if options.check:
        stale = build.drift(course, all_lessons())
        if stale:
            raise CourseError(
                f"stale: {', '.join(map(str, stale))}; run 'autograder build' and commit what it writes."
            )
        print("Every derived file is what the lessons give.")
        return 0
    new = None
    if options.repo or options.ref:
        now = release(course.root / "pyproject.toml")
        new = Release(options.repo or now.repo, options.ref or now.ref)
    changed = build.build(course, all_lessons(), new)
    for path in changed:
        print(path)
    print(f"{len(changed)} files changed." if changed else "Nothing changed.")
    return 0


def _sync(course: Course, options: argparse.Namespace) -> int:
    from autograder import gradebook

    for assignment in course.assignments():
        gradebook.sync(course, assignment)
        print(f"{assignment} is in the gradebook.")
    return 0


def _grade(course: Course, options: argparse.Namespace) -> int:
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


def _matrix(course: Course, options: argparse.Namespace) -> int:
    from autograder import matrix
    from autograder.exercises import all_lessons

    path = course.root / matrix.PAGE
    path.parent.mkdir(exist_ok=True)
    path.write_text(matrix.page(all_lessons()), encoding="utf-8")
    print(f"{matrix.PAGE} is written.")
    return 0


def _demo(course: Course, options: argparse.Namespace) -> int:
    from autograder import build, gradebook, sample
    from autograder.exercises import all_lessons

    lesson = next(one for one in all_lessons() if sample.demo_class(one))
    print("Building the student notebooks ...")
    for path in build.build(course, all_lessons()):
        print(f"  {path}")
    demo = Course(course.root, course.root / "work" / "demo")
    shutil.rmtree(demo.work, ignore_errors=True)
    print("Making a gradebook ...")
    gradebook.sync(demo, lesson.assignment)
    samples = sample.demo_class(lesson)
    sample.write_class(demo, lesson, demo.work / "class", samples)
    print(
        f"Grading a sample class of {len(samples)} for {lesson.assignment}/{lesson.name} in the sandbox ...\n"
    )
    result = grade_and_show(demo, lesson.assignment, demo.work / "class")
    print("\nWhat they handed in:")
    for one in samples:
        print(f"  {one.student:<14} {one.kind:<11} {one.words}")
    wrong = [one.student for one in samples if not sample.earned(one, lesson, result)]
    if wrong:
        raise CourseError(
            f"{', '.join(wrong)} did not earn what they must; please report it with the table above."
        )
    print(f"Each of the {len(samples)} earned exactly what it must.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
