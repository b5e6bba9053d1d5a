"""What all tests of intake share: the course of two lessons, and readers that misbehave."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.intake import reader_process
from tests.autograder.intake.intake_sample import Sample, sample, write_course


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout of the tiny course, which no test changes."""
    folder = tmp_path_factory.mktemp("course")
    write_course(folder)
    return folder


@pytest.fixture
def s(root: Path, tmp_path: Path) -> Sample:
    return sample(root, tmp_path / "work")


@pytest.fixture
def replace_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str, str], None]]:
    """Have students' files read by another module of the reader, for this test."""
    package = tmp_path / "reader"

    def replace(module: str, source: str) -> None:
        shutil.copytree(reader_process.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / f"{module}.py").write_text(source)
        reader_process.stop_server()
        monkeypatch.setattr(reader_process, "PACKAGE", package)

    yield replace
    reader_process.stop_server()
