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
        "lessons", nargs="*", metavar="LESSON", help="only these, as 02_convolution (default: all)"
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where a derived file is stale"
    )
    parser.add_argument(
        "--repo", metavar="OWNER/NAME", help="the public repository that students install from"
    )
    parser.add_argument("--ref", metavar="TAG", help="its tag or branch")


def run(course: Course, options: argparse.Namespace) -> int:
    """Write and name every derived file that changed; with --check, only look for stale ones.

    Raises:
        CourseError: with --check, where files are stale; it names them.
    """
    from autograder.authoring import build
    from autograder.authoring.release import Release, release
    from autograder.exercises import all_lessons

    lessons = [lesson for lesson in all_lessons() if not options.lessons or lesson.name in options.lessons]
    if unknown := set(options.lessons) - {lesson.name for lesson in lessons}:
        names = ", ".join(lesson.name for lesson in all_lessons())
        raise CourseError(f"There is no lesson {min(unknown)}; the lessons are {names}.")
    if options.check:
        stale = build.drift(course, lessons)
        if stale:
            raise CourseError(
                f"stale: {', '.join(map(str, stale))}; run 'autograder build' and commit what it writes."
            )
        print(f"Every derived file is what the lesson{'s give' if len(lessons) > 1 else ' gives'}.")
        return 0
    new = None
    if options.repo or options.ref:
        if options.lessons:
            raise CourseError("--repo and --ref are for all lessons: leave their names out.")
        now = release(course.root / "pyproject.toml")
        new = Release(options.repo or now.repo, options.ref or now.ref)
    changed = build.build(course, lessons, new)
    for path in changed:
        print(path)
    print(f"{len(changed)} files changed." if changed else "Nothing changed.")
    return 0
