"""Recognise the lesson that a student's notebook answers."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.exercise import Lesson
from autograder.intake.errors import UnusableFile
from autograder.intake.pristine_lesson import PristineLesson
from autograder.intake.read_notebook import StudentNotebook


def recognise_lesson(
    lessons: Sequence[PristineLesson], student: StudentNotebook, file_name: str, assignment: str
) -> PristineLesson:
    """Return the lesson whose ids and names the student's cells carry most of.

    Args:
        lessons: the lessons that may be meant; of equals the first is taken.
        student: the notebook handed in.
        file_name: the file's name, which only breaks ties.
        assignment: the assignment's name, for the error's sentence.

    Raises:
        UnusableFile: where the cells have nothing of any lesson.
    """

    def likeness(lesson: PristineLesson) -> tuple[int, int, bool]:
        grade_ids = {cell.grade_id for cell in lesson.cells if cell.grade_id}
        exercises = set(lesson.lesson.exercises)
        marks = {("id", cell.grade_id) for cell in student.cells if cell.grade_id in grade_ids}
        marks |= {("name", name) for cell in student.cells for name in exercises & cell.defines.keys()}
        cell_ids = {cell.node.id for cell in lesson.cells} & {cell.cell_id for cell in student.cells}
        return len(marks), len(cell_ids), names_lesson(file_name, lesson.lesson)

    best = max(lessons, key=likeness, default=None)
    if best is None or likeness(best)[:2] == (0, 0):
        raise UnusableFile(
            f"is not a notebook of {assignment}: none of its cells has an id or a name of its exercises"
        )
    return best


def names_lesson(file_name: str, lesson: Lesson) -> bool:
    """Say whether a file's name holds the lesson's, as in "Copy_of_02_convolution (1).ipynb"."""
    return lesson.name.lower() in file_name.lower()
