"""Load a lesson's notebook as it was released to students, with the role of each of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring.notebooks import SETUP_LINE, TITLE_LINE
from autograder.authoring.released_lessons import ReleasedLesson, released
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.intake.reader.cell_facts import CellFacts, parse_facts

MAX_LESSONS = 64  # that are kept in memory; the course has fewer


@dataclass(frozen=True)
class LessonCell:
    """A cell of the pristine lesson.

    index: its place, counted from 0.
    role: "given", "setup", "show", "exercise", "check" or "question".
    name: the Exercise's or question's, else "".
    grade_id: "" where nbgrader does not know the cell.
    text: as `comparable_text` returns it.
    facts: what its source defines and imports.
    """

    index: int
    node: NotebookNode
    role: str
    name: str
    grade_id: str
    text: str
    facts: CellFacts

    @property
    def defines(self) -> Mapping[str, str]:
        """The names that the cell defines at its top level, each with the digest of its definition."""
        return self.facts["defines"]

    @property
    def known_facts(self) -> tuple[bool, str, CellFacts]:
        """The cell's facts, which need not be parsed again where a student left the cell as it is."""
        return self.node.cell_type == "code", self.node.source, self.facts


@dataclass(frozen=True)
class PristineLesson:
    """A lesson's student notebook as it was released; digest: the SHA-256 of its bytes."""

    lesson: Lesson
    notebook: NotebookNode
    cells: tuple[LessonCell, ...]
    digest: str

    def cells_of(self, role: str) -> dict[str, LessonCell]:
        """Return the cells of a role by the name of their Exercise or question."""
        return {cell.name: cell for cell in self.cells if cell.role == role}


def load_pristine_lesson(course: Course, lesson: Lesson) -> PristineLesson:
    """Load a lesson's student notebook, as it is released now; raise CourseError where it cannot be built."""
    found = released(course, lesson)
    notebook, cells = _load(found)
    return PristineLesson(lesson, notebook, cells, found.digest)


def comparable_text(source: str) -> str:
    """Return a cell's source without trailing blanks, the title of a folded cell and the release that it installs."""
    source = TITLE_LINE.sub("", SETUP_LINE.sub("CNNLAB", source))
    return "\n".join(line.rstrip() for line in source.split("\n")).strip("\n")


@lru_cache(maxsize=MAX_LESSONS)
def _load(found: ReleasedLesson) -> tuple[NotebookNode, tuple[LessonCell, ...]]:
    notebook = nbformat.read(found.path, as_version=nbformat.NO_CONVERT)
    return notebook, tuple(_lesson_cell(index, node) for index, node in enumerate(notebook.cells))


def _lesson_cell(index: int, node: NotebookNode) -> LessonCell:
    grade_id = node.metadata.get("nbgrader", {}).get("grade_id", "")
    role, name = _role_and_name(node)
    facts = parse_facts(node.source, code=node.cell_type == "code", use_ast=True)
    return LessonCell(index, node, role, name, grade_id, comparable_text(node.source), facts)


def _role_and_name(node: NotebookNode) -> tuple[str, str]:
    about = node.metadata.get("nbgrader", {})
    if about.get("solution"):
        return ("exercise" if node.cell_type == "code" else "question"), about["grade_id"]
    if about.get("grade"):
        return "check", about["grade_id"].removesuffix("_check")
    tags = node.metadata.get("tags", [])
    return next((tag for tag in ("setup", "show") if tag in tags), "given"), ""
