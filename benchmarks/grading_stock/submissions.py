"""A class of the convolution lesson: solved, wrong and unfinished notebooks, no two with the same text."""

from __future__ import annotations

from pathlib import Path

from autograder.exercise import Lesson
from autograder.sample import Solved, convolution, save
from autograder.sample.edit import Edit, read_edits
from benchmarks.grading_stock.course import ROOT, OneLesson

SKIPPED = ("show", "setup")  # tags of the cells that neither grader runs
PATTERN = ("solved", "wrong", "solved", "unfinished", "solved", "wrong", "solved", "wrong", "solved", "half")
FIRST_HALF = ("conv_output_size", "same_padding", "pad2d", "conv2d_naive")
FIRST = ("conv_output_size",)


def write_class(of: OneLesson, count: int, folder: Path, *, cheap: bool = False) -> list[str]:
    """Write `count` submissions to folder/<student>/<lesson>.ipynb and return the students' ids.

    The first n submissions of a class are the same in a larger class. Half are solved, three in ten have one of the lesson's
    wrong answers, and the others are unfinished.

    Args:
        of: the course.
        count: the number of submissions.
        folder: the folder to write to.
        cheap: whether the submissions answer the first exercise only.
    """
    solved, wrong = Solved(of.course, of.lesson), wrong_answers(of.lesson)
    students = [f"student-{number:04}" for number in range(count)]
    for number, student in enumerate(students):
        kind = "unfinished" if cheap else PATTERN[number % len(PATTERN)]
        written = _answers(solved, wrong[number % len(wrong)] if kind == "wrong" else None, kind)
        texts = {name: _own(source, student) for name, source in written.items()}
        notebook = solved.notebook(texts)
        for cell in notebook.cells:
            tags = cell.metadata.get("tags", [])
            if set(tags) & set(SKIPPED):
                cell.metadata["tags"] = [*tags, "skip-execution"]  # as stock nbgrader's execution knows it
        save(notebook, folder / student / f"{of.lesson.name}.ipynb")
    return students


def wrong_answers(lesson: Lesson) -> list[Edit]:
    """Return the wrong answers of the sample class and of the tests, in the order of their students' ids."""
    tested = read_edits(lesson, ROOT / "tests" / "edits" / f"{lesson.name}.py")
    return sorted([*convolution.edits(lesson).values(), *tested.values()], key=lambda edit: edit.student)


def _answers(solved: Solved, wrong: Edit | None, kind: str) -> dict[str, str]:
    """Return exercise -> the cell's text for one submission."""
    answers = {name: solved.answers[name] for name in solved.lesson.exercises}
    if wrong:
        answers[wrong.exercise] = wrong.source
    written = {"unfinished": FIRST, "half": FIRST_HALF}.get(kind, tuple(answers))
    return {name: source if name in written else solved.stub(name) for name, source in answers.items()}


def _own(source: str, student: str) -> str:
    """Make a cell's text unique to the student, so that no grader can have seen it before."""
    return f"{source.rstrip()}\n# {student}\n"
