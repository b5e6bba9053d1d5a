"""A class of the convolution lesson: solved, wrong and unfinished notebooks, no two with the same text."""

from __future__ import annotations

from pathlib import Path

from autograder.sample import Solved, save
from autograder.sample.convolution_edits import EDITS
from benchmarks.grading_stock.course import OneLesson

SKIPPED = ("show", "setup")  # tags of the cells that neither grader runs
PATTERN = ("solved", "wrong", "solved", "unfinished", "solved", "wrong", "solved", "wrong", "solved", "half")
FIRST_HALF = ("conv_output_size", "same_padding", "pad2d", "conv2d_naive")
FIRST = ("conv_output_size",)


def write_class(of: OneLesson, count: int, folder: Path, *, cheap: bool = False) -> list[str]:
    """Write `count` submissions to folder/<student>/<lesson>.ipynb and return the students' ids.

    The first n of a class are the same in a larger one. Half are solved, three in ten have one wrong answer of those
    that autograder.sample holds, the others are unfinished. cheap: all have the first exercise only.
    """
    solved = Solved(of.course, of.lesson)
    students = [f"student-{number:04}" for number in range(count)]
    for number, student in enumerate(students):
        kind = "unfinished" if cheap else PATTERN[number % len(PATTERN)]
        written = _answers(solved, kind, number)
        texts = {name: _own(source, student) for name, source in written.items()}
        notebook = solved.notebook(texts)
        for cell in notebook.cells:
            tags = cell.metadata.get("tags", [])
            if set(tags) & set(SKIPPED):
                cell.metadata["tags"] = [*tags, "skip-execution"]  # as stock nbgrader's execution knows it
        save(notebook, folder / student / f"{of.lesson.name}.ipynb")
    return students


def _answers(solved: Solved, kind: str, number: int) -> dict[str, str]:
    """Return exercise -> the cell's text for one submission."""
    answers = {name: solved.answers[name] for name in solved.lesson.exercises}
    if kind == "wrong":
        edits = sorted(EDITS.values())
        edit = edits[number % len(edits)]
        answers[edit.exercise] = edit.source
    written = {"unfinished": FIRST, "half": FIRST_HALF}.get(kind, tuple(answers))
    return {name: source if name in written else solved.stub(name) for name, source in answers.items()}


def _own(source: str, student: str) -> str:
    """Make a cell's text the student's own, so that no grader can have seen it before."""
    return f"{source.rstrip()}\n# {student}\n"
