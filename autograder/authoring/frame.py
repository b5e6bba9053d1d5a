"""What every lesson begins and ends with: a picture on the first screen; what was built, what to read, what comes next."""

from __future__ import annotations

import ast
import re

from autograder.authoring.release import Release
from autograder.authoring.script import PARTS, Cell, Script
from autograder.course import CourseError
from autograder.exercise import Lesson
from autograder.exercises import all_lessons

COVER, BUILT, NEXT = "{cover}", "{built}", "{next}"
HEADING = re.compile(r"^# # (.+)$", re.MULTILINE)  # of a lesson, in its script


def verify(script: Script) -> None:
    """Raise CourseError where a lesson's first screen, its pause or its end are not as readers find them in every lesson."""
    path, cells = script.path, script.cells
    first = cells[0]
    if first.kind != "markdown" or not first.source.startswith("# ") or COVER not in first.source:
        raise CourseError(
            f"{path}:{first.line}: a lesson begins with text: a '# ' heading, and {COVER} where its picture goes."
        )
    covers = sum(cell.role == "cover" for cell in cells)
    if covers != 1:
        raise CourseError(f"{path}: a lesson has one cell that draws its {COVER}; this one has {covers}.")
    pauses = [number for number, cell in enumerate(cells) if "pause" in cell.options]
    exercises = [number for number, cell in enumerate(cells) if cell.role == "exercise"]
    if len(pauses) > 1 or not all(exercises[0] < number < exercises[-1] for number in pauses):
        raise CourseError(f"{path}: a lesson has at most one pause, with exercises before and after it.")
    _verify_end(script, cells)


def _verify_end(script: Script, cells: tuple[Cell, ...]) -> None:
    before, end = cells[: -len(PARTS)], cells[-len(PARTS) :]
    if tuple(cell.part for cell in end) != PARTS or any(cell.part for cell in before):
        listed = ", ".join(f'part="{part}"' for part in PARTS)
        raise CourseError(f"{script.path}: a lesson ends with three cells of text: {listed}.")
    needed = [BUILT, "](https://", NEXT if following(script.lesson) else ""]
    for cell, words in zip(end, needed, strict=True):
        if words not in cell.source:
            what = "a link" if words.startswith("]") else words
            raise CourseError(f"{script.path}:{cell.line}: the {cell.part} lacks {what}.")


def built(script: Script) -> str:
    """Return the lesson's Exercises as a list, each with the first line of its docstring."""
    lines = []
    for cell in script.cells:
        if cell.role == "exercise":
            words = " ".join((_docstring(cell) or "").split("\n\n")[0].split())
            lines.append(f"- `{cell.name}`: {words}")
    return "\n".join(lines)


def next_lesson(script: Script, where: Release, folder: str) -> str:
    """Return a link to the lesson that follows, beside this one and on Colab.

    Args:
        script: the lesson.
        where: the release that Colab opens.
        folder: "notebooks" or "solutions", where this lesson's notebook lies.
    """
    lesson = following(script.lesson)
    if lesson is None:
        return ""
    path = script.path.parents[1] / lesson.assignment / f"{lesson.name}.py"
    try:
        heading = HEADING.search(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    title = heading[1] if heading else lesson.name
    beside = "" if lesson.assignment == script.lesson.assignment else f"../{lesson.assignment}/"
    colab = where.colab(f"{folder}/{lesson.assignment}/{lesson.name}.ipynb")
    return f"[{lesson.name[:2]} {title}]({beside}{lesson.name}.ipynb) ([on Colab]({colab}))"


def following(lesson: Lesson) -> Lesson | None:
    """Return the lesson that comes next in the course, None after the last."""
    lessons = all_lessons()
    place = lessons.index(lesson) + 1 if lesson in lessons else len(lessons)
    return lessons[place] if place < len(lessons) else None


def _docstring(cell: Cell) -> str | None:
    for node in ast.parse(cell.source).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == cell.name:
            return ast.get_docstring(node)
    return None
