"""The graded class that is exported."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.recording import nbgrader_runs
from tests.autograder.exports.exports_sample import HINT
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> sample.SampleCourse:
    """A class of three: ada wrote no text, ben has a known mistake, eve is late and a person graded her text."""
    course = sample.make_course(tmp_path_factory.mktemp("class"))
    for student in ("ada", "ben", "eve"):
        submit(course, student, why="" if student == "ada" else "Because 2(x + y) = 2x + 2y.")
    right = judges(verdict(3.0))
    wrong = judges(verdict(1.0, mistake="small only", hint=HINT))
    for student, judge in (("ada", right), ("ben", wrong), ("eve", right)):
        problems = nbgrader_runs.autograde(
            course, ASSIGNMENT, [student], take_in=sample.as_it_is, judge=judge
        )
        assert not problems
    with Gradebook(course.db_url) as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace", email="ada@example.org")
        answer = book.find_grade("why", NAME, ASSIGNMENT, "eve")
        answer.manual_score, answer.extra_credit, answer.needs_manual_grade = 2.5, 1.0, False
        book.find_submission_notebook(NAME, ASSIGNMENT, "eve").late_submission_penalty = 2.0
        book.db.commit()
    return course


@pytest.fixture
def course(graded: sample.SampleCourse, tmp_path: Path) -> sample.SampleCourse:
    """The graded class, in a copy of its own."""
    shutil.copytree(graded.root, tmp_path / "class")
    return sample.SampleCourse(tmp_path / "class", tmp_path / "class" / "work", graded.declared)
