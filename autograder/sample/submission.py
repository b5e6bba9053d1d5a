"""One submission of a sample class: the files that are written, and the points that it must earn."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring.script import BEGIN, END, read
from autograder.classroom.results import ClassResult
from autograder.course import Course
from autograder.exercise import SPEED, Lesson
from autograder.sample.edit import Edit

Write = Callable[[Path, "Solved"], None]


@dataclass(frozen=True)
class Sample:
    """One submission and the points that it must earn.

    Args:
        student: the student's id.
        kind: "honest", "unfinished", "wrong", "odd" or "hostile".
        words: a description, in one sentence.
        write: writes its files to a folder.
        lost: exercise -> the groups of points that it loses, or "all".
        mistakes: exercise -> the Mistake that must be recognised.
        flagged: whether the instructor must be told.
    """

    student: str
    kind: str
    words: str
    write: Write
    lost: Mapping[str, tuple[str, ...] | str] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)
    flagged: bool = False

    def points(self, lesson: Lesson, exercise: str) -> float:
        """Return the points that the submission must get for `exercise`."""
        lost = self.lost.get(exercise, ())
        if lost == "all":
            return 0.0
        asked = lesson.exercises[exercise]
        if lost and asked.way.speed:
            lost = (*lost, SPEED)  # only right answers are timed
        return float(sum(points for group, points in asked.points.items() if group not in lost))


class Solved:
    """The solved student notebook of a lesson, from which submissions are made."""

    def __init__(self, course: Course, lesson: Lesson) -> None:
        self.course, self.lesson = course, lesson
        script = read(lesson, course.script(lesson))
        self.name = lesson.name
        self.answers = {
            c.name: _without_marks(c.source) for c in script.cells if c.role in ("exercise", "question")
        }
        self._released = nbformat.read(str(course.student_notebook(lesson)), as_version=4)

    def notebook(self, answers: Mapping[str, str] | None = None) -> NotebookNode:
        """Return a filled-in notebook as a student would save it.

        Args:
            answers: exercise -> the cell's text, where it differs from the solution.
        """
        filled = {**self.answers, **(answers or {})}
        notebook = cast(NotebookNode, nbformat.from_dict(json.loads(nbformat.writes(self._released))))
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in filled:
                cell.source = filled[grade_id]
        return notebook

    def stub(self, exercise: str) -> str:
        """Return an exercise's cell as it was handed out."""
        return str(find(self._released, exercise).source)

    def with_body(self, exercise: str, body: str) -> str:
        """Return an exercise's cell with `body` in place of the part that a student writes."""
        lines = []
        for line in self.stub(exercise).split("\n"):
            if line.strip() == "raise NotImplementedError":
                lines += ["    " + inner if inner else "" for inner in body.strip("\n").split("\n")]
            elif not line.strip().startswith("# Write your code here"):
                lines.append(line)
        return "\n".join(lines)


def find(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    """Return the cell of a notebook that has a grade_id.

    Raises:
        LookupError: where there is none.
    """
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise LookupError(grade_id)


def save(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as it is, valid or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")


def answers(filled: Mapping[str, str]) -> Write:
    """Return a Write that saves the solved notebook with other cells for some exercises.

    Args:
        filled: exercise -> the cell's text.
    """
    return lambda folder, solved: save(solved.notebook(filled), folder / f"{solved.name}.ipynb")


def bodies(written: Mapping[str, str]) -> Write:
    """Return a Write that saves the solved notebook with other bodies in some functions.

    Args:
        written: exercise -> the body's text.
    """
    return lambda folder, solved: answers({name: solved.with_body(name, b) for name, b in written.items()})(
        folder, solved
    )


def write_class(course: Course, lesson: Lesson, folder: Path, samples: Sequence[Sample]) -> None:
    """Write each of the submissions to folder/<student>/.

    Args:
        course: the course that the lesson belongs to.
        lesson: the lesson that the submissions answer.
        folder: the folder to write to.
        samples: the submissions.
    """
    solved = Solved(course, lesson)
    for sample in samples:
        target = folder / sample.student
        target.mkdir(parents=True, exist_ok=True)
        sample.write(target, solved)


def wrong_answer(edit: Edit) -> Sample:
    """Return a submission with one wrong answer in the solved notebook."""
    return Sample(
        edit.student,
        "wrong",
        edit.words,
        answers({edit.exercise: edit.source}),
        {edit.exercise: edit.lost, **edit.follows},
        {edit.exercise: edit.mistake} if edit.mistake else {},
    )


def earned(sample: Sample, lesson: Lesson, result: ClassResult) -> bool:
    """Say whether a graded class gave a submission its points, named its Mistakes, and flagged it as it must.

    Args:
        sample: the submission and the points that it must earn.
        lesson: the lesson that it answers.
        result: the graded class.
    """
    row = next(row for row in result.rows if row.student == sample.student)
    verdicts = row.verdicts.get(lesson.name, {})
    points = all(
        name in verdicts and verdicts[name].points == sample.points(lesson, name) for name in lesson.exercises
    )
    named = points and all(verdicts[name].mistake == mistake for name, mistake in sample.mistakes.items())
    return named and not row.problem and bool(row.flags) == sample.flagged


def _without_marks(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if BEGIN not in line and END not in line)
