"""Drafts: they touch nothing that stands, and take nothing that cannot be recorded."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from autograder.course import CourseError
from autograder.recording import gradebook, recorded
from autograder.recording.drafting import Draft, draft
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, submit, verdict
from tests.autograder.recording.recording_sample import (
    RIGHT,
    SECOND,
    SECOND_RIGHT,
    WRONG,
    Course,
    files,
    hand_in,
    judgement,
    record_fast,
    tables,
)


@pytest.fixture
def course(two_lesson_course: Course) -> Course:
    return two_lesson_course


def test_a_draft_touches_nothing_that_stands_and_may_travel(course: Course) -> None:
    hand_in(course, "ada")
    before = tables(course.db_url)
    found = draft(course, ASSIGNMENT, "ada", {NAME: RIGHT, SECOND: SECOND_RIGHT}, identity="abc")
    assert isinstance(found, Draft) and pickle.loads(pickle.dumps(found)) == found
    assert tables(course.db_url) == before and not (course.work / "autograded").exists()
    assert Path(found.folder).is_relative_to(course.work / "drafts")
    assert found.record.identity == "abc"


def test_a_draft_that_cannot_be_leaves_nothing(course: Course) -> None:
    with pytest.raises(CourseError, match="no notebook of 1_layers was handed in by zoe"):
        draft(course, ASSIGNMENT, "zoe", {})
    hand_in(course, "ada", both=False)
    with pytest.raises(CourseError, match="02_again of ada was judged but is not in work/submitted"):
        draft(course, ASSIGNMENT, "ada", {NAME: RIGHT, SECOND: SECOND_RIGHT})
    with pytest.raises(CourseError, match="nan points of 3, which cannot be"):
        draft(course, ASSIGNMENT, "ada", {NAME: judgement(verdict(float("nan")))})
    with pytest.raises(CourseError, match="not a student's id"):
        draft(course, ASSIGNMENT, "../ada", {})
    assert not list((course.work / "drafts").rglob("*.ipynb"))
    assert record_fast(course, {"ada": {NAME: RIGHT}}) == {}
    assert not (course.work / "drafts" / ASSIGNMENT).exists()


def test_points_and_metadata_of_the_notebook_itself_count_for_nothing(course: Course) -> None:
    notebook = submit(course, "eve")
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "double_check":
            cell.metadata.nbgrader.points = 1000.0
            cell.source = "3.0"
    sample.save(course, "eve", notebook)
    assert record_fast(course, {"eve": {NAME: judgement(verdict(0.0))}}) == {}
    (grade,) = [g for g in gradebook.grades(course, ASSIGNMENT) if (g.lesson, g.exercise) == (NAME, "double")]
    assert (grade.auto, grade.max) == (0.0, 3.0)
    assert "check(double)" in (course.work / "autograded/eve" / ASSIGNMENT / f"{NAME}.ipynb").read_text()


def test_a_lesson_that_was_not_judged_keeps_its_grades_and_file(course: Course) -> None:
    hand_in(course, "ada")
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}})
    standing = files(course)[f"ada/{ASSIGNMENT}/{SECOND}.ipynb"]
    record_fast(course, {"ada": {NAME: WRONG}})
    assert files(course)[f"ada/{ASSIGNMENT}/{SECOND}.ipynb"] == standing
    auto = {(g.lesson, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    assert (auto[NAME, "double"], auto[SECOND, "double"]) == (1.0, 2.0)
    found = recorded.find(course, ASSIGNMENT, "ada")
    assert found and {n: one.points["double"] for n, one in found.lessons.items()} == {NAME: 1.0, SECOND: 2.0}
