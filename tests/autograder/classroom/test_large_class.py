"""A class of a thousand: every submission is judged by itself, and the grader does not grow with the class."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from autograder.classroom.grade_class import grade_class
from autograder.classroom.results import StudentResult
from autograder.course import Course
from autograder.recording import gradebook
from tests.autograder.class_sample import ASSIGNMENT, adopting, cheap_class, left_after, running_processes

FEW = 16
MANY = 1000
WORKERS = 8  # processes, also on a machine with fewer processors
GROWTH = 48 * 1024  # KiB that the coordinating process may take for the rows of those that come later


def graded(course: Course, folder: Path, count: int) -> None:
    """Grade a class and see that each earned its own, and that the coordinating process did not grow with it."""
    cheap_class(course, folder, count)
    peaks: list[int] = []

    def watch(row: StudentResult, done: int, of: int) -> None:
        assert of == count and done == len(peaks) + 1
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

    before = running_processes()
    with adopting():
        result = grade_class(course, ASSIGNMENT, folder, workers=WORKERS, on_done=watch)
        left = {p: line for p, line in left_after(before, 10).items() if "resource_tracker" not in line}
    assert not left
    assert [row.student for row in result.rows] == [f"s{number:04}" for number in range(count)]
    for number, row in enumerate(result.rows):
        assert not row.problem and not row.flags
        assert row.points == 30 - 3 * (number % 3 == 2) - 4 * (number % 5 == 4), row.student
    recorded: dict[str, float] = {}
    for grade in gradebook.grades(course, ASSIGNMENT):
        recorded[grade.student] = recorded.get(grade.student, 0) + (grade.auto or 0)
    assert recorded == {row.student: row.points for row in result.rows}
    # The first fifth has loaded all there is to load.
    assert peaks[-1] - peaks[len(peaks) // 5] < GROWTH


@pytest.mark.usefixtures("bubblewrap")
def test_a_class_on_more_workers_than_processors(tmp_path: Path, course: Course) -> None:
    graded(course, tmp_path / "class", FEW)


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_a_class_of_a_thousand(tmp_path: Path, course: Course) -> None:
    graded(course, tmp_path / "class", MANY)
