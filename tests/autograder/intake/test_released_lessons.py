"""What is graded is put into the lesson as it was released to work/, whatever lies in notebooks/."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import files, intake
from autograder.authoring.released_lessons import edited, released
from autograder.intake.current import OUTDATED
from tests.autograder.intake.intake_sample import ASSIGNMENT, LESSONS, NAMES, Sample, as_bytes, sample, solved


@pytest.fixture
def own(root: Path, tmp_path: Path) -> Sample:
    """The tiny course in a checkout of its own, which may be changed."""
    shutil.copytree(root, tmp_path / "checkout", ignore=shutil.ignore_patterns("work"))
    return sample(tmp_path / "checkout", tmp_path / "work")


def save_answers_in_notebooks(s: Sample) -> Path:
    """Save a solved notebook over the one that JupyterLab opens."""
    path = s.course.student_notebook(LESSONS[0])
    path.write_bytes(as_bytes(solved(s.first)))
    return path


def hand_in(s: Sample, folder: Path, data: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "01_shifting.ipynb").write_bytes(data)
    return folder


def test_answers_saved_in_notebooks_are_nobodys(own: Sample, tmp_path: Path) -> None:
    untouched = as_bytes(own.first)
    save_answers_in_notebooks(own)
    for data in (untouched, as_bytes(solved(own.first))[:-40], b"{}"):
        intake.take_in_current(
            own.course, ASSIGNMENT, "ada", hand_in(own, tmp_path / "in", data), lessons=LESSONS
        )
        assert not own.record().lessons["01_shifting"].written
        taken = (own.course.submitted / "ada" / ASSIGNMENT / "01_shifting.ipynb").read_text()
        assert "x + by" not in taken and "raise NotImplementedError" in taken


def test_an_edited_notebook_is_named_and_one_that_is_missing_is_not(own: Sample) -> None:
    assert edited(own.course, LESSONS) == []
    path = save_answers_in_notebooks(own)
    assert edited(own.course, LESSONS) == [path.relative_to(own.course.root)]
    path.unlink()
    assert edited(own.course, LESSONS) == []


@pytest.mark.parametrize("damage", ["changed", "half written", "gone", "note gone", "note damaged"])
def test_a_release_that_was_changed_is_written_anew(own: Sample, damage: str) -> None:
    before = released(own.course, LESSONS[0])
    data, note = before.path.read_bytes(), before.path.with_suffix(".json")
    if damage == "changed":
        save_answers_in_notebooks(own).rename(before.path)
    elif damage == "half written":
        before.path.write_bytes(data[:100])
    elif damage == "note damaged":
        note.write_text('["stamp"]')
    else:
        (before.path if damage == "gone" else note).unlink()
    assert released(own.course, LESSONS[0]) == before
    assert before.path.read_bytes() == data and json.loads(note.read_text())["sha256"] == before.digest


def test_a_lesson_that_changed_is_released_and_what_was_taken_in_is_taken_in_again(
    own: Sample, tmp_path: Path
) -> None:
    folder = hand_in(own, tmp_path / "in", as_bytes(solved(own.first)))
    intake.take_in_current(own.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    before, home = own.record(), own.course.submitted / "ada" / ASSIGNMENT
    script = own.course.script(LESSONS[0])
    script.write_text(script.read_text().replace("## Scaling", "## Scaling, a day later"))
    for _ in range(2):
        intake.take_in_current(own.course, ASSIGNMENT, "ada", home, lessons=LESSONS)
        after = own.record()
        assert "a day later" in (home / "01_shifting.ipynb").read_text()
        one, other = before.lessons["01_shifting"], after.lessons["01_shifting"]
        assert other.base == released(own.course, LESSONS[0]).digest != one.base
        assert replace(other, base=one.base, sha256=one.sha256) == one
    assert {path.name for path in home.iterdir()} == {"01_shifting.ipynb"}


@pytest.mark.parametrize("by", ["grade", "nbgrader"])
def test_what_was_taken_in_before_lessons_were_released_is_taken_in_again(
    own: Sample, tmp_path: Path, by: str
) -> None:
    """The class of an earlier version, whose notebook holds an answer that nobody of the class wrote."""
    folder = hand_in(own, tmp_path / "in", as_bytes(own.first))
    intake.take_in_current(own.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    home = own.course.submitted / "ada" / ASSIGNMENT
    path, record = home / "01_shifting.ipynb", own.record()
    path.write_text(path.read_text().replace("raise NotImplementedError", "return x + by"))
    earlier = replace(record.lessons["01_shifting"], base="", sha256=files.sha256(path.read_bytes()))
    intake.save_record(own.course, replace(record, lessons={"01_shifting": earlier}))
    if by == "grade":
        intake.take_in_current(own.course, ASSIGNMENT, "ada", home, lessons=LESSONS)
    else:
        assert own.autograde(home) == ["01_shifting.ipynb"]
    assert "return x + by" not in path.read_text() and own.record().flags == record.flags


def test_where_the_bytes_are_gone_that_is_said_as_long_as_it_is_so(own: Sample, tmp_path: Path) -> None:
    folder = hand_in(own, tmp_path / "in", as_bytes(solved(own.first)))
    intake.take_in_current(own.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    home, script = own.course.submitted / "ada" / ASSIGNMENT, own.course.script(LESSONS[0])
    shutil.rmtree(own.raw())
    script.write_text(script.read_text().replace("## Scaling", "## Scaling, a day later"))
    for _ in range(2):
        intake.take_in_current(own.course, ASSIGNMENT, "ada", home, lessons=LESSONS)
        assert own.record().flags == (OUTDATED,) and "x + by" in (home / "01_shifting.ipynb").read_text()
    intake.take_in_current(own.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    assert own.record().flags == () and set(own.record().lessons) == {NAMES[0]}
