"""What lies beside a notebook in a submission: the student's other lessons, and the files they handed in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder import files, notebook_io
from autograder.course import Course
from autograder.exercise import Lesson
from cnnlab.checking import handin

WORD = re.compile(r"[A-Za-z_]\w*")
MAX_LENT = 2 << 20  # characters of one notebook; an honest one has some ten thousand
RUN_ROLES = ("given", "exercise", "extra")  # of the cells that are run when a notebook is judged


class Submission:
    """One student's submission to an assignment, as intake wrote it to work/submitted/; read when asked for.

    folder: where it lies; None for a notebook that comes alone; lessons: those of the assignment, in order.
    """

    def __init__(self, folder: Path | None, lessons: Sequence[Lesson] = ()) -> None:
        self.folder, self.lessons = folder, list(lessons)
        self._notebooks: dict[str, tuple[NotebookNode, str]] = {}  # with the hash of the file
        self._lent: dict[str, tuple[tuple[str, ...], set[str]]] = {}

    @classmethod
    def of_student(cls, course: Course, assignment: str, student: str) -> Submission:
        """The submission of a student to an assignment."""
        return cls(course.submitted / student / assignment, course.lessons(assignment))

    def notebook(self, lesson: Lesson) -> NotebookNode | None:
        """Return another lesson's notebook, or None where it was not handed in."""
        found = self._read(lesson)
        return found[0] if found else None

    def digest(self, lesson: Lesson) -> str:
        """Return the hash of that notebook's file, "" where it was not handed in."""
        found = self._read(lesson)
        return found[1] if found else ""

    def pop_notebook(self, lesson: Lesson) -> tuple[NotebookNode, str] | None:
        """Return that notebook and its file's hash to be written into: whoever asks for it next has it read anew."""
        found = self._read(lesson)
        self._notebooks.pop(lesson.name, None)
        return found

    def _read(self, lesson: Lesson) -> tuple[NotebookNode, str] | None:
        if lesson.name not in self._notebooks:
            path = self.folder / f"{lesson.name}.ipynb" if self.folder else None
            if path is None or not path.exists():
                return None
            data = path.read_bytes()
            self._notebooks[lesson.name] = notebook_io.reads(data), files.sha256(data)
        return self._notebooks[lesson.name]

    def file(self, name: str) -> bytes | None:
        """Return the bytes of a file that the lesson asks for, or None where it was not handed in."""
        try:
            data = files.read(self.folder / name, handin.MAX_BYTES) if self.folder else None
        except OSError:
            return None
        return data if data is None or len(data) <= handin.MAX_BYTES else None

    def earlier(self, lesson: Lesson) -> list[Lesson]:
        """Return the assignment's lessons before this one."""
        return [other for other in self.lessons if other.name < lesson.name]

    def library(self, lesson: Lesson, notebook: NotebookNode) -> dict[str, tuple[str, ...]]:
        """Return the lessons whose Answers a notebook names, and those that theirs name: lesson -> cells' sources.

        Its own lesson is among them; one that was not handed in is not.
        """
        own = sources(notebook)
        words = _words(own)
        needed = {lesson.name: own} if "layers" in words else {}
        for other in reversed(self.earlier(lesson)):  # what an earlier Answer names lies earlier still
            if words & set(other.exercises):
                theirs = self.notebook(other)
                if theirs:
                    if other.name not in self._lent:
                        texts = sources(theirs)
                        self._lent[other.name] = texts, _words(texts)
                    needed[other.name], more = self._lent[other.name]
                    words |= more
        return dict(reversed(needed.items()))


def sources(notebook: NotebookNode) -> tuple[str, ...]:
    """Return the text of the cells that are run when a notebook is judged, in order, as far as they can be lent."""
    texts, room = [], MAX_LENT
    for cell in notebook.cells:
        if cell["cell_type"] == "code" and role(cell) in RUN_ROLES and len(cell["source"]) <= room:
            texts.append(cell["source"])
            room -= len(cell["source"]) + 1
    return tuple(texts)


def role(cell: NotebookNode) -> str:
    """Return what intake says that a cell is."""
    return cell["metadata"].get("cnnlab", {}).get("role", "")  # an attribute takes ten times as long


def _words(texts: Sequence[str]) -> set[str]:
    return {word for text in texts for word in WORD.findall(text)}


ALONE = Submission(None)
