"""The rest of a submission beside a notebook: the student's other lessons, and the files that the lessons ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder import files, notebook_io
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.intake.records import load_record
from autograder.judging import cells
from cnnlab.checking import handin


class Submission:
    """One student's submission to an assignment, as intake wrote it to work/submitted/; read when asked for."""

    def __init__(
        self,
        folder: Path | None,
        lessons: Sequence[Lesson] = (),
        sets: Callable[[], Mapping[str, int]] = dict,
    ) -> None:
        """Make a Submission; nothing is read yet.

        Args:
            folder: where it lies; None for a notebook that comes alone.
            lessons: those of the assignment, in order.
            sets: reads which set of secret Cases each lesson is asked, by the lesson's name; 0 where it names none.
        """
        self.folder, self.lessons, self._sets = folder, list(lessons), sets
        self._notebooks: dict[str, tuple[NotebookNode, str]] = {}  # with the hash of the file
        self._lent: dict[str, tuple[tuple[str, ...], set[str]]] = {}  # cells' sources, and the names in them

    @classmethod
    def of_student(cls, course: Course, assignment: str, student: str) -> Submission:
        """Return the submission of a student to an assignment.

        Args:
            course: the course.
            assignment: its name.
            student: the id.
        """

        @cache
        def sets() -> Mapping[str, int]:
            record = load_record(course, assignment, student)
            return {name: one.secret_set for name, one in record.lessons.items()} if record else {}

        return cls(course.submitted / student / assignment, course.lessons(assignment), sets)

    def secret_set(self, lesson: Lesson) -> int:
        """Return the set of secret Cases that a lesson is asked, as intake decided."""
        return self._sets().get(lesson.name, 0)

    def notebook(self, lesson: Lesson) -> NotebookNode | None:
        """Return a lesson's notebook, or None where it was not handed in."""
        found = self._read(lesson)
        return found[0] if found else None

    def digest(self, lesson: Lesson) -> str:
        """Return the hash of that notebook's file, "" where it was not handed in."""
        found = self._read(lesson)
        return found[1] if found else ""

    def pop_notebook(self, lesson: Lesson) -> tuple[NotebookNode, str] | None:
        """Return that notebook and the hash of its file, and forget it: the caller may write into it."""
        found = self._read(lesson)
        self._notebooks.pop(lesson.name, None)
        return found

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
        """Return the cells' sources of each lesson whose Answers a notebook names, and of those that these name in turn.

        The notebook's own lesson is among them; one that was not handed in is not.
        """
        own = cells.sources(notebook)
        names = cells.identifiers(own)
        needed = {lesson.name: own} if "layers" in names else {}
        for other in reversed(self.earlier(lesson)):  # what an earlier Answer names lies earlier still
            if names & set(other.exercises):
                theirs = self.notebook(other)
                if theirs:
                    if other.name not in self._lent:
                        texts = cells.sources(theirs)
                        self._lent[other.name] = texts, cells.identifiers(texts)
                    needed[other.name], more = self._lent[other.name]
                    names |= more
        return dict(reversed(needed.items()))

    def _read(self, lesson: Lesson) -> tuple[NotebookNode, str] | None:
        if lesson.name not in self._notebooks:
            path = self.folder / f"{lesson.name}.ipynb" if self.folder else None
            if path is None or not path.exists():
                return None
            data = path.read_bytes()
            self._notebooks[lesson.name] = notebook_io.reads(data), files.sha256(data)
        return self._notebooks[lesson.name]


ALONE = Submission(None)
