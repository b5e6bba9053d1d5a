"""Shared by all tests: what they need of the machine, and the lesson that they try things on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.exercise import Lesson

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Course:
    """The course of this checkout, to read from."""
    return Course(ROOT, ROOT / "work")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """The course of this checkout with a class folder of its own, empty."""
    return Course(ROOT, tmp_path / "work")


@pytest.fixture(scope="session")
def convolution(checkout: Course) -> Lesson:
    """The convolution lesson."""
    return checkout.lesson("1_layers", "02_convolution")


@pytest.fixture(scope="session")
def bubblewrap() -> str:
    """The path of bubblewrap; skips where it is not installed."""
    path = shutil.which("bwrap")
    if path is None:
        pytest.skip("bubblewrap is not installed: sudo apt-get install bubblewrap")
    return path
