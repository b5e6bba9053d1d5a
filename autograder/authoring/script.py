"""Reads an authored lesson: turns its solved py:percent script into cells with roles."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.authoring.percent import PercentCell, percent_cells
from autograder.course import CourseError
from autograder.exercise import Lesson

BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
KEYS = {"exercise", "check", "question", "points", "tags"}
TAGS = {"setup", "show"}


@dataclass(frozen=True)
class Cell:
    """One cell of an authored lesson.

    Args:
        kind: "code" or "markdown".
        role: "exercise", "check", "question", "setup" (installs on Colab), "show" (pictures and timings, not run when
            grading) or "given" (text, imports and helpers).
        name: the Exercise's or question's name, "" for the others.
        source: the cell's text.
        line: where the cell begins in the script, counted from 1.
        options: the marker's keys with their values.
    """

    kind: str
    role: str
    name: str
    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Script:
    """An authored lesson: its declaration, the file, its cells in order."""

    lesson: Lesson
    path: Path
    cells: tuple[Cell, ...]

    @property
    def run(self) -> tuple[Cell, ...]:
        """The cells that grading runs: given code and exercises, but no checks, pictures or set-up."""
        return tuple(c for c in self.cells if c.kind == "code" and c.role in ("given", "exercise"))


def read(lesson: Lesson, path: Path) -> Script:
    """Read and verify the script of a lesson.

    Raises:
        CourseError: where the builder cannot use the script; it names file and line.
    """
    cells = tuple(_cell(path, cell) for cell in percent_cells(path))
    _verify(lesson, path, cells)
    return Script(lesson, path, cells)


def _cell(path: Path, cell: PercentCell) -> Cell:
    options, line = cell.options, cell.line
    unknown = set(options) - KEYS
    tags = options.get("tags", [])
    if unknown or not set(tags) <= TAGS:
        odd = ", ".join(sorted(unknown | (set(tags) - TAGS)))
        raise CourseError(
            f"{path}:{line}: unknown cell key or tag {odd}; known are {', '.join(sorted(KEYS | TAGS))}."
        )
    roles = [role for role in ("exercise", "check", "question") if role in options] + list(tags)
    if len(roles) > 1:
        raise CourseError(f"{path}:{line}: a cell has one role, this one has {' and '.join(roles)}.")
    role = roles[0] if roles else "given"
    result = Cell(cell.kind, role, str(options.get(role, "")), cell.source, line, options)
    _verify_regions(path, result)
    return result


def _verify_regions(path: Path, cell: Cell) -> None:
    begins, ends = cell.source.count(BEGIN), cell.source.count(END)
    wanted = 1 if cell.role in ("exercise", "question") else 0
    if begins != ends:
        raise CourseError(
            f"{path}:{cell.line}: a solution region is not closed ({begins} {BEGIN}, {ends} {END})."
        )
    if begins != wanted:
        what = f"the cell of {cell.name}" if wanted else "a cell that is no exercise"
        raise CourseError(f"{path}:{cell.line}: {what} has {begins} solution regions, it needs {wanted}.")
    if wanted and cell.source.index(BEGIN) > cell.source.index(END):
        raise CourseError(f"{path}:{cell.line}: {END} stands before {BEGIN}.")


def _verify(lesson: Lesson, path: Path, cells: tuple[Cell, ...]) -> None:
    def named(role: str) -> list[str]:
        return [cell.name for cell in cells if cell.role == role]

    for cell in cells:
        defined = _defined(cell.source, path, cell.line) if cell.kind == "code" else set()
        if cell.role == "exercise" and cell.name not in defined:
            raise CourseError(f"{path}:{cell.line}: the cell of {cell.name} does not define {cell.name}.")
        if cell.role == "question" and cell.kind != "markdown":
            raise CourseError(f"{path}:{cell.line}: a free-text question is a markdown cell.")
        if cell.role == "question" and cell.options.get("points") != lesson.questions.get(cell.name):
            raise CourseError(
                f"{path}:{cell.line}: the points of {cell.name} are not those that its lesson declares."
            )
    for role, declared in (
        ("exercise", list(lesson.exercises)),
        ("check", list(lesson.exercises)),
        ("question", list(lesson.questions)),
    ):
        if sorted(named(role)) != sorted(declared):
            odd = sorted(set(named(role)) ^ set(declared)) or [
                n for n in declared if named(role).count(n) > 1
            ]
            raise CourseError(
                f"{path}: the {role} cells and the lesson's declaration differ in {', '.join(odd)}."
            )


def _defined(source: str, path: Path, line: int) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CourseError(f"{path}:{line + (error.lineno or 0)}: {error.msg}.") from error
    return {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
