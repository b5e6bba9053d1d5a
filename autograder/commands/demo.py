"""`autograder demo`: grade a sample class."""

from __future__ import annotations

import argparse
import shutil
from typing import TYPE_CHECKING

from autograder.commands import Subparsers, command
from autograder.commands.grade import grade_and_show
from autograder.course import Course, CourseError, private_files

if TYPE_CHECKING:
    from autograder.exercise import Lesson


def add(commands: Subparsers) -> None:
    """Declare the command."""
    command(commands, "demo", run, "grade a sample class in work/demo and show what came out")


def run(course: Course, options: argparse.Namespace) -> int:
    """Build the course and grade the sample class.

    Raises:
        CourseError: where a submission did not earn the points that it must.
    """
    # Imported here, so that other commands start sooner.
    from autograder import sample
    from autograder.authoring import build
    from autograder.exercises import all_lessons

    lesson = next(one for one in all_lessons() if sample.sample_class(one))
    print("Building the student notebooks ...")
    for path in build.build(course, all_lessons()):
        print(f"  {path}")
    with private_files():  # only now, because students must be able to read the built files
        return _grade_sample(Course(course.root, course.root / "work" / "demo"), lesson)


def _grade_sample(demo: Course, lesson: Lesson) -> int:
    from autograder import sample
    from autograder.recording import registration

    shutil.rmtree(demo.work, ignore_errors=True)
    print("Making a gradebook ...")
    registration.sync(demo, lesson.assignment)
    samples = sample.sample_class(lesson)
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
