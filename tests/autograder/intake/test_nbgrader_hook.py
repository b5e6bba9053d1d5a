"""nbgrader's hook leaves nothing but notebooks that we wrote in the list that nbgrader reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder import intake
from autograder.course import Course
from autograder.intake import IntakeError
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    Sample,
    as_bytes,
    file_names,
    lesson_of,
    solved,
)


def test_the_hook_hands_on_only_what_nbgrader_was_asked_for(s: Sample) -> None:
    folder = s.submitted()
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        (folder / f"{name}.ipynb").write_bytes(as_bytes(notebook))
    notebooks = [str(folder / "02_turning.ipynb")]
    intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
    assert notebooks == [str(folder / "02_turning.ipynb")]
    assert file_names(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]


def test_nbgraders_hook_finds_the_course_itself(s: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Course, "here", classmethod(lambda cls: s.course))
    monkeypatch.setattr(Course, "lessons", lambda self, assignment: LESSONS)
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    notebooks = [str(folder / "01_shifting.ipynb")]
    intake.pre_convert_hook(assignment="*", student="*", notebooks=notebooks)
    assert notebooks == [str(folder / "01_shifting.ipynb")] and s.record().found == {"shift", "scale", "why"}
    assert lesson_of("01_shifting").name in s.record().lessons


def test_the_hook_hands_on_nothing_from_a_folder_with_a_bad_name_or_elsewhere(
    s: Sample, tmp_path: Path
) -> None:
    for folder in (s.submitted("a b"), tmp_path / "other" / "ada" / ASSIGNMENT):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
        notebooks = [str(folder / "01_shifting.ipynb")]
        with pytest.raises(IntakeError):
            intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
        assert notebooks == []


def test_the_hook_leaves_nothing_in_the_list_whatever_happens(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Course, "lessons", fail)
    monkeypatch.setattr(Course, "here", classmethod(lambda cls: s.course))
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(b"{}")
    notebooks = [str(folder / "01_shifting.ipynb")]
    with pytest.raises(KeyboardInterrupt):
        intake.pre_convert_hook(assignment=ASSIGNMENT, student="ada", notebooks=notebooks)
    assert notebooks == []
