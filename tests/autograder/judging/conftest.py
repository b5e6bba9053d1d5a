"""A class's folder as a process finds it that remembers nothing of it."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import Course


@pytest.fixture
def as_another_process(tmp_path: Path) -> Callable[[Course], Course]:
    """Copy a course's folder to a new place: what this process remembers, it remembers by the place."""
    number = itertools.count()

    def copied(course: Course) -> Course:
        work = tmp_path / f"copy {next(number)}"
        shutil.copytree(course.work, work)
        return Course(course.root, work)

    return copied
