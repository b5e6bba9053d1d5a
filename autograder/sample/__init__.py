"""A sample class: submissions of every kind with what each must earn, for `autograder demo` and for the tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.authoring.script import BEGIN, END, read
from autograder.classroom.results import ClassResult
from autograder.course import Course
from autograder.exercise import SPEED, Lesson

Write = Callable[[Path, "Solved"], None]


@dataclass(frozen=True)
class Sample:
    """One submission and what it must earn.

    student: the id; kind: "honest", "unfinished", "wrong", "odd" or "hostile"; words: what it is, in one sentence;
    write: puts its files into a folder; lost: exercise -> the groups of points that it loses, or "all"; mistakes:
    exercise -> the Mistake that must be recognised; flagged: whether the instructor must be told.
    """

    student: str
    kind: str
    words: str
    write: Write
    lost: Mapping[str, tuple[str, ...] | str] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)
    flagged: bool = False

    def points(self, lesson: Lesson, exercise: str) -> float:
        """The points that `exercise` must get."""
        lost = self.lost.get(exercise, ())
        if lost == "all":
            return 0.0
        asked = lesson.exercises[exercise]
        if lost and asked.way.speed:
            lost = (*lost, SPEED)  # only what is right is timed
        return float(sum(points for group, points in asked.points.items() if group not in lost))


class Solved:
    """The solved student notebook of a lesson, to be edited into submissions."""

    def __init__(self, course: Course, lesson: Lesson) -> None:
        self.course, self.lesson = course, lesson
        script = read(lesson, course.script(lesson))
        self.name = lesson.name
        self.answers = {
            c.name: _without_marks(c.source) for c in script.cells if c.role in ("exercise", "question")
        }
        self._released = nbformat.read(str(course.released(lesson)), as_version=4)

    def notebook(self, answers: Mapping[str, str] | None = None) -> NotebookNode:
        """Return a filled-in notebook as a student would save it; answers: exercise -> the cell's text, where it differs."""
        filled = {**self.answers, **(answers or {})}
        notebook: Any = nbformat.from_dict(json.loads(nbformat.writes(self._released)))
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id in filled:
                cell.source = filled[grade_id]
        return notebook

    def stub(self, exercise: str) -> str:
        """Return the cell as it was handed out."""
        return str(find(self._released, exercise).source)

    def with_body(self, exercise: str, body: str) -> str:
        """Return the exercise's cell with `body` in place of what a student writes."""
        lines = []
        for line in self.stub(exercise).split("\n"):
            if line.strip() == "raise NotImplementedError":
                lines += ["    " + inner if inner else "" for inner in body.strip("\n").split("\n")]
            elif not line.strip().startswith("# Write your code here"):
                lines.append(line)
        return "\n".join(lines)


def find(notebook: Any, grade_id: str) -> Any:
    """Return the cell of a notebook that has a grade_id; raise LookupError where there is none."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
            return cell
    raise LookupError(grade_id)


def save(notebook: Any, path: Path) -> None:
    """Write a notebook as it is, valid or not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1) + "\n", encoding="utf-8")


def answers(filled: Mapping[str, str]) -> Write:
    """A submission that is the solved notebook with some cells written otherwise."""
    return lambda folder, solved: save(solved.notebook(filled), folder / f"{solved.name}.ipynb")


def bodies(written: Mapping[str, str]) -> Write:
    """A submission that is the solved notebook with the bodies of some functions written otherwise."""
    return lambda folder, solved: answers({name: solved.with_body(name, b) for name, b in written.items()})(
        folder, solved
    )


def sample_class(lesson: Lesson) -> list[Sample]:
    """Return the whole sample class of a lesson, in the order of the student ids; empty where none was written."""
    from autograder.sample import convolution

    return sorted(convolution.SAMPLES, key=lambda s: s.student) if lesson.name == convolution.LESSON else []


def demo_class(lesson: Lesson) -> list[Sample]:
    """Return the sample class with one wrong submission for each exercise, and those that no Mistake explains."""
    shown: set[str] = set()
    chosen = []
    for sample in sample_class(lesson):
        exercise = next(iter(sample.lost), "")
        if sample.kind != "wrong" or not sample.mistakes or exercise not in shown:
            chosen.append(sample)
            shown |= {exercise} if sample.kind == "wrong" else set()
    return chosen


def write_class(course: Course, lesson: Lesson, folder: Path, samples: Sequence[Sample]) -> None:
    """Write each of the submissions into folder/<student>/."""
    solved = Solved(course, lesson)
    for sample in samples:
        target = folder / sample.student
        target.mkdir(parents=True, exist_ok=True)
        sample.write(target, solved)


def earned(sample: Sample, lesson: Lesson, result: ClassResult) -> bool:
    """Say whether a graded class gave a submission the points that it must get, named its Mistakes, and flagged it."""
    row = next(row for row in result.rows if row.student == sample.student)
    verdicts = row.verdicts.get(lesson.name, {})
    points = all(
        name in verdicts and verdicts[name].points == sample.points(lesson, name) for name in lesson.exercises
    )
    named = points and all(verdicts[name].mistake == mistake for name, mistake in sample.mistakes.items())
    return named and not row.problem and bool(row.flags) == sample.flagged


def _without_marks(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if BEGIN not in line and END not in line)
