"""Take in one notebook: read it, recognise its lesson, graft the student's cells onto that lesson."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.files import printable_name
from autograder.intake.errors import UnusableFile
from autograder.intake.graft import GraftedNotebook, graft
from autograder.intake.pristine_lesson import load_pristine_lesson
from autograder.intake.read_notebook import Reader, read_notebook
from autograder.intake.reader_process import preload_facts
from autograder.intake.recognise_lesson import names_lesson, recognise_lesson


def take_in_notebook(
    course: Course, lessons: Sequence[Lesson], data: bytes, *, name: str = "", reader: Reader = read_notebook
) -> GraftedNotebook:
    """Return the lesson that a student's file holds, written by us.

    Args:
        course: where the lessons lie.
        lessons: those of the assignment.
        data: the file's bytes.
        name: the file's name, which only breaks ties between lessons.
        reader: what reads the hostile bytes.

    Raises:
        UnusableFile: where nothing of the file can be used.
    """
    try:
        student = reader(data)
        known = [load_pristine_lesson(course, lesson) for lesson in lessons]
        assignment = lessons[0].assignment if lessons else "this course"
        lesson = recognise_lesson(known, student, name, assignment)
    except UnusableFile as error:
        raise UnusableFile(error.reason, name or "The notebook") from error
    grafted = graft(lesson, student)
    return replace(grafted, flags=(*_flags_of_name(lesson.lesson, lessons, name), *grafted.flags))


def preload_lessons(course: Course, lessons: Sequence[Lesson]) -> None:
    """Have the readers that are started from now on know the lessons' cells, so that they need not parse them."""
    preload_facts(
        cell.known_facts for lesson in lessons for cell in load_pristine_lesson(course, lesson).cells
    )


def _flags_of_name(lesson: Lesson, lessons: Sequence[Lesson], name: str) -> list[str]:
    if not name or name == f"{lesson.name}.ipynb":
        return []
    others = [other.name for other in lessons if other is not lesson and names_lesson(name, other)]
    if others and not names_lesson(name, lesson):
        return [
            f"It was handed in as {printable_name(name)}, the name of {others[0]}; its content is {lesson.name}."
        ]
    return [f"It was handed in as {printable_name(name)} and recognised by its content."]
