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
ROLES = ("exercise", "check", "question", "setup", "show", "cover")
FOLDS = ("optional", "asks")  # of text: a summary line that opens it
KEYS = {*ROLES, *FOLDS, "points", "pause", "part"}
PARTS = ("summary", "reading", "next")  # a lesson's last cells
# Characters: a line of a folded cell on a small screen; what a screen reader says of a picture.
LONGEST = {"setup": 90, "show": 90, "optional": 90, "asks": 200, "cover": 250}


@dataclass(frozen=True)
class Cell:
    """One cell of an authored lesson.

    Args:
        kind: "code" or "markdown".
        role: "exercise", "check", "question", "setup" (installs on Colab), "show" (pictures and timings, not run when
            grading), "cover" (draws the picture of the lesson's first screen when it is built, in no notebook) or
            "given" (text, imports and helpers).
        name: the Exercise's or question's name, the title of a cell that is folded, what a cover shows; "" for the others.
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

    @property
    def part(self) -> str:
        """The part of the lesson's end that the cell is: "summary", "reading", "next", or ""."""
        return str(self.options.get("part", ""))


@dataclass(frozen=True)
class Script:
    """An authored lesson: its declaration, the file, its cells in order, the picture of its first screen."""

    lesson: Lesson
    path: Path
    cells: tuple[Cell, ...]
    picture: Path

    @property
    def shown(self) -> tuple[Cell, ...]:
        """The cells that notebooks have: all but the one that draws the lesson's picture."""
        return tuple(c for c in self.cells if c.role != "cover")

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
    return Script(lesson, path, cells, path.with_suffix(".png"))


def _cell(path: Path, cell: PercentCell) -> Cell:
    options, line = cell.options, cell.line
    if unknown := set(options) - KEYS:
        odd = ", ".join(sorted(unknown))
        raise CourseError(f"{path}:{line}: unknown cell key {odd}; known are {', '.join(sorted(KEYS))}.")
    roles = [role for role in ROLES if role in options]
    if len(roles) > 1:
        raise CourseError(f"{path}:{line}: a cell has one role, this one has {' and '.join(roles)}.")
    role = roles[0] if roles else "given"
    result = Cell(cell.kind, role, str(options.get(role, "")), cell.source, line, options)
    _verify_regions(path, result)
    _verify_keys(path, result)
    return result


def _verify_keys(path: Path, cell: Cell) -> None:
    """Raise CourseError where a key stands at a cell of the wrong kind, or says nothing."""
    for key, longest in LONGEST.items():
        title = cell.options.get(key, key)
        fits = isinstance(title, str) and title.strip() == title and 0 < len(title) <= longest
        if not fits or "\n" in title:
            raise CourseError(f"{path}:{cell.line}: {key} takes a line of at most {longest} characters.")
    text_only = [key for key in (*FOLDS, "pause", "part") if key in cell.options]
    code_only = [key for key in ("setup", "show", "cover") if key in cell.options]
    for keys, kind in ((text_only, "markdown"), (code_only, "code")):
        if keys and cell.kind != kind:
            raise CourseError(f"{path}:{cell.line}: {keys[0]} is a key of {kind} cells.")
    if len(text_only) > 1 or (text_only and cell.role != "given"):
        raise CourseError(f"{path}:{cell.line}: {text_only[0]} goes with no other key.")
    if cell.options.get("part", PARTS[0]) not in PARTS:
        raise CourseError(f"{path}:{cell.line}: part is one of {', '.join(PARTS)}.")
    if cell.options.get("pause", True) is not True or (
        "pause" in cell.options and not cell.source.startswith("## ")
    ):
        raise CourseError(
            f"{path}:{cell.line}: a pause is written pause=true, and its text begins with a '## ' heading."
        )


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
