"""The courses in which the tests of recording record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.recording import registration
from tests.autograder.recording import nbgrader_sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, SampleCourse
from tests.autograder.recording.recording_sample import copy_of, two_lessons


@pytest.fixture
def sample_course(tmp_path: Path, empty_gradebook: Path) -> SampleCourse:
    """The sample course, with a gradebook that holds nothing."""
    (tmp_path / "work").mkdir()
    shutil.copy(empty_gradebook, tmp_path / "work" / "gradebook.db")
    return nbgrader_sample.make_course(tmp_path)


@pytest.fixture(scope="session")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course of two lessons whose gradebook is made: to make one takes a second."""
    course = two_lessons(tmp_path_factory.mktemp("course"))
    registration.sync(course, ASSIGNMENT)
    return course.root


@pytest.fixture
def two_lesson_course(registered: Path, tmp_path: Path) -> SampleCourse:
    """That course with a class of its own."""
    return copy_of(registered, tmp_path / "course")
