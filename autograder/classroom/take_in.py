"""The first stage: takes a submission in, again where the lesson has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nbformat.notebooknode import NotebookNode

from autograder import intake
from autograder.classroom.results import StudentResult
from autograder.classroom.tasks import Task
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.files import is_real_folder

OUTDATED = (
    "It was taken in before the lesson changed, and what was handed in is no longer in work/raw/: "
    "it was graded as it was taken in."
)
STUDENTS_WRITE = ("exercise", "question")  # roles of the cells whose text is the student's


def take_in(task: Task, result: StudentResult) -> None:
    """Take a submission in; what lies in work/submitted/ may be as a student wrote it.

    Args:
        task: whose submission it is, and where it lies.
        result: what intake found odd is added to its flags.
    """
    course, assignment, student = task.course, task.assignment, task.student
    taken = intake.take_in_safely(course, assignment, student, task.folder)
    if _is_outdated(course, taken) and _is_still_outdated(course, assignment, student):
        result.flags.append(OUTDATED)
    record = intake.load_record(course, assignment, student)
    result.flags += dict.fromkeys(record.flags if record else ())


def _is_outdated(course: Course, taken: Sequence[intake.GraftedNotebook]) -> bool:
    """Say whether a notebook of a submission holds cells of its lesson as they no longer are."""
    return any(_lesson_cells(one.notebook) != _pristine_cells(course, one.lesson) for one in taken)


def _is_still_outdated(course: Course, assignment: str, student: str) -> bool:
    """Take a submission in from the bytes in work/raw/, and say whether it is still outdated then.

    What intake had to say of the folder that was handed in stays: its links, say, never came to work/raw/.
    """
    raw = course.raw / student / assignment
    if not is_real_folder(raw):
        return True
    before = intake.load_record(course, assignment, student)
    taken = intake.take_in_safely(course, assignment, student, raw)
    after = intake.load_record(course, assignment, student)
    if before and after:
        flags = tuple(dict.fromkeys((*before.folder_flags, *after.folder_flags)))
        if flags != after.folder_flags:
            intake.save_record(course, replace(after, folder_flags=flags))
    return _is_outdated(course, taken)


def _lesson_cells(notebook: NotebookNode) -> list[tuple[object, ...]]:
    """Return what a notebook that intake wrote holds of its lesson: all but what students write."""
    cells = []
    for cell in notebook["cells"]:
        about = cell["metadata"].get("cnnlab", {})
        role = about.get("role", "extra")
        if role != "extra":
            metadata = {key: value for key, value in cell["metadata"].items() if key != "cnnlab"}
            source = "" if role in STUDENTS_WRITE else cell["source"]
            cells.append((role, about.get("name", ""), cell["cell_type"], source, metadata))
    return cells


def _pristine_cells(course: Course, lesson: Lesson) -> list[tuple[object, ...]]:
    return [
        (
            cell.role,
            cell.name,
            cell.node["cell_type"],
            "" if cell.role in STUDENTS_WRITE else cell.node["source"],
            dict(cell.node["metadata"]),
        )
        for cell in intake.load_pristine_lesson(course, lesson).cells
    ]
