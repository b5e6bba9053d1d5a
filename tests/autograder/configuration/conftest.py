"""Writes an instructor's files beside an empty class's folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autograder.course import Course

Writer = Callable[[str, str | bytes], None]


@pytest.fixture
def write(course: Course) -> Writer:
    """Write a file beside the class's folder: its name, its content."""

    def write_file(name: str, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode()
        (course.work.parent / name).write_bytes(data)

    return write_file
