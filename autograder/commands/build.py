"""`autograder build`: derive what students open from the lessons."""

from __future__ import annotations

import argparse

from autograder.commands import Subparsers, command
from autograder.course import Course, CourseError


def add(commands: Subparsers) -> None:
    """Declare the command and its options."""
    parser = command(
        commands, "build", run, "derive notebooks, solved notebooks and public cases from the lessons"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where a derived file is stale"
    )
    parser.add_argument(
        "--repo", metavar="OWNER/NAME", help="the public repository that students install from"
    )
    parser.add_argument("--ref", metavar="TAG", help="its tag or branch")


def run(course: Course, options: argparse.Namespace) -> int:
    """Write every derived file that changed and name it; with --check, raise CourseError naming those that are stale."""
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
