"""Match a student's cells with the cells of the lesson, by id and by text."""

from __future__ import annotations

from collections import Counter

from autograder.intake.pristine_lesson import LessonCell, PristineLesson, comparable_text
from autograder.intake.read_notebook import StudentCell, StudentNotebook


class CellMatcher:
    """Knows which of the lesson's cells each cell of one student's notebook is."""

    def __init__(self, lesson: PristineLesson, student: StudentNotebook) -> None:
        self.lesson, self.cells = lesson, student.cells
        counts = Counter(cell.cell_id for cell in self.cells)  # an id that several cells have says nothing
        self._by_cell_id = {cell.node["id"]: cell for cell in lesson.cells if counts[cell.node["id"]] == 1}
        self._by_grade_id = {cell.grade_id: cell for cell in lesson.cells if cell.grade_id}
        # Of equal cells the first one counts.
        self._by_text = {
            (cell.node["cell_type"], cell.text): cell for cell in reversed(lesson.cells) if cell.text
        }
        # Once for each cell: many may define each of the Exercises.
        self._texts = {cell.number: comparable_text(cell.source) for cell in self.cells}

    def claimed(self, cell: StudentCell) -> LessonCell | None:
        """Return the lesson's cell that a cell's ids name: by its grade_id, else by its cell id."""
        return self._by_grade_id.get(cell.grade_id) or self._by_cell_id.get(cell.cell_id)

    def counterpart(self, cell: StudentCell) -> LessonCell | None:
        """Return the lesson's cell whose place a cell takes: the one that its ids name, or the one with the same text."""
        claimed, text = self.claimed(cell), self._texts[cell.number]
        if claimed is not None and (cell.grade_id or claimed.text == text):
            return claimed
        return self._by_text.get((cell.kind, text)) or claimed

    def has_same_text(self, cell: StudentCell, lesson_cell: LessonCell) -> bool:
        """Say whether a cell's text is the lesson's, but for trailing blanks and the release."""
        return self._texts[cell.number] == lesson_cell.text

    def copies(self, lesson_cell: LessonCell) -> int:
        """Count the cells that carry the grade_id of the lesson's cell."""
        return sum(self._by_grade_id.get(cell.grade_id) is lesson_cell for cell in self.cells)
