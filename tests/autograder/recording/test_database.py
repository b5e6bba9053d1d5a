"""A gradebook that is locked, damaged, or being written by somebody else."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from autograder.course import CourseError
from autograder.recording import registration
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.gradebook_sample import Course, points, record
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, submit, verdict

# nbgrader's; autograder.recording.gradebook says why they are harmless, and pytest shows them all the same
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def course(sample_course: Course) -> Course:
    return sample_course


def test_a_locked_gradebook_is_said_in_one_sentence(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    submit(course, "ada")
    registration.sync(course, ASSIGNMENT)
    path = course.work / "gradebook.db"
    monkeypatch.setenv("CNNLAB_DB_URL", f"sqlite:///{path}?timeout=0.1")
    other = sqlite3.connect(path)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CourseError, match=r"gradebook\.db.* is in use by another program; try again"):
            record(course, verdict(3.0))
        changed = sample.make_course(course.root, {"small": 5.0})
        with pytest.raises(CourseError, match="is in use by another program"):
            registration.sync(changed, ASSIGNMENT)
    finally:
        other.close()
    assert record(sample.make_course(course.root), verdict(3.0)) == {}


def test_a_damaged_gradebook_is_said_in_one_sentence(course: Course) -> None:
    (course.work / "gradebook.db").write_text("not a database, but long enough to be taken for one " * 100)
    with pytest.raises(
        CourseError, match=r"^The gradebook .* is damaged \(file is not a database\): .* --rebuild.*"
    ):
        registration.sync(course, ASSIGNMENT)


def test_grading_waits_for_another_writer(course: Course) -> None:
    submit(course, "ada")
    registration.sync(course, ASSIGNMENT)
    other = sqlite3.connect(course.work / "gradebook.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.5, other.rollback)
    timer.start()
    try:
        assert record(course, verdict(3.0)) == {}
    finally:
        timer.join()
        other.close()
    assert points(course).auto == 3.0
