"""From the folder that an honest student hands in to work/submitted/, with everything kept in work/raw/."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from autograder import intake
from autograder.intake import submission
from autograder.intake.read_notebook import StudentNotebook, read_notebook_here
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    SHIFT,
    Sample,
    as_bytes,
    by_name,
    file_names,
    solved,
)


def take_in(s: Sample, folder: Path, student: str = "ada") -> list[intake.GraftedNotebook]:
    return intake.take_in(s.course, ASSIGNMENT, student, folder, lessons=LESSONS)


def test_a_folder_from_anywhere_is_copied_and_left_alone(s: Sample, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    data = as_bytes(solved(s.first))
    (inbox / "Copy_of_01_shifting.ipynb").write_bytes(data)
    (taken,) = take_in(s, inbox)
    assert file_names(inbox) == file_names(s.raw()) == ["Copy_of_01_shifting.ipynb"]
    assert (s.raw() / "Copy_of_01_shifting.ipynb").read_bytes() == data
    assert file_names(s.submitted()) == ["01_shifting.ipynb"]
    assert nbformat.read(s.submitted() / "01_shifting.ipynb", as_version=4) == taken.notebook
    record = s.record()
    assert record.lessons["01_shifting"].found == record.found == {"shift", "scale", "why"}
    assert "Copy_of_" in record.flags[0] and record.notes == {}
    assert take_in(s, inbox)[0].notebook == taken.notebook
    assert take_in(s, s.raw())[0].notebook == taken.notebook  # a regrade from what was kept
    assert file_names(s.course.raw / "ada") == [ASSIGNMENT]


def test_the_hook_takes_in_once_and_a_new_file_is_a_new_submission(s: Sample) -> None:
    folder, data = s.submitted(), as_bytes(s.first)
    (folder / "01_shifting.ipynb").write_bytes(data)
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    ours, record = (folder / "01_shifting.ipynb").read_bytes(), s.record()
    assert ours != data and (s.raw() / "01_shifting.ipynb").read_bytes() == data
    before = (folder / "01_shifting.ipynb").stat().st_mtime_ns
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert (folder / "01_shifting.ipynb").stat().st_mtime_ns == before and s.record() == record

    better = as_bytes(solved(s.first))
    (folder / "01_shifting (1).ipynb").write_bytes(better)
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert SHIFT in nbformat.read(folder / "01_shifting.ipynb", as_version=4).cells[3].source
    assert file_names(s.raw()) == ["01_shifting (1).ipynb"]
    assert (s.raw().with_name(f"{ASSIGNMENT}.earlier") / "1" / "01_shifting.ipynb").read_bytes() == data


def test_a_resubmission_under_the_same_name_keeps_the_earlier_one(s: Sample) -> None:
    folder = s.submitted()
    for number in range(3):
        notebook = solved(s.first)
        by_name(notebook, "shift").source += f"# {number}"
        (folder / "01_shifting.ipynb").write_bytes(as_bytes(notebook))
        s.autograde(folder)
    earlier = s.raw().with_name(f"{ASSIGNMENT}.earlier")
    assert file_names(earlier) == ["1", "2"] and b"# 2" in (s.raw() / "01_shifting.ipynb").read_bytes()
    assert b"# 2" in (folder / "01_shifting.ipynb").read_bytes()


def test_lessons_handed_in_one_after_the_other_all_stand(s: Sample, tmp_path: Path) -> None:
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        inbox = tmp_path / name
        inbox.mkdir()
        (inbox / f"{name}.ipynb").write_bytes(as_bytes(solved(notebook)))
        taken = take_in(s, inbox)
    assert [one.lesson.name for one in taken] == ["01_shifting", "02_turning"]
    assert taken[0].written == {"shift", "scale"}
    assert set(s.record().lessons) == {"01_shifting", "02_turning"}
    (s.submitted() / "02_turning.ipynb").write_bytes(as_bytes(s.second))
    assert s.autograde(s.submitted()) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert s.record().lessons["02_turning"].written == frozenset()


def test_other_files_are_kept_in_raw_and_leave_the_submission(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"png")
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"]
    assert (s.raw() / "pictures" / "a.png").read_bytes() == b"png"
    assert (s.raw() / "numpy.py").read_text() == "raise SystemExit"
    assert [flag.split()[0] for flag in s.record().flags] == ["numpy.py", "pictures"]


def test_the_collectors_timestamp_stays(s: Sample, tmp_path: Path) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text("2026-03-01 10:00:00.123 UTC")
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb", "timestamp.txt"] and s.record().flags == ()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (inbox / "timestamp.txt").write_text("1999-01-01")
    take_in(s, inbox)
    assert (folder / "timestamp.txt").read_text() == "2026-03-01T10:00:00.123000+00:00"


def test_what_nbgrader_collected_is_not_lost_when_files_come_from_elsewhere(
    s: Sample, tmp_path: Path
) -> None:
    old, new = as_bytes(s.first), as_bytes(solved(s.first))
    (s.submitted() / "01_shifting.ipynb").write_bytes(old)
    (s.submitted() / "notes.txt").write_text("mine")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "01_shifting.ipynb").write_bytes(new)
    (taken,) = take_in(s, inbox)
    assert taken.written == {"shift", "scale"} and file_names(s.submitted()) == ["01_shifting.ipynb"]
    kept = {path.read_bytes() for path in (s.course.raw / "ada").rglob("*") if path.is_file()}
    assert kept == {old, new, b"mine"}
    assert any("stood in work/submitted/" in flag for flag in s.record().flags)


def test_an_empty_folder_is_said(s: Sample) -> None:
    assert take_in(s, s.submitted()) == []
    assert s.record().flags == ("No notebook was handed in.",)


def test_a_fault_of_our_own_costs_one_submission_and_loses_nothing(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(data)
    monkeypatch.setattr(submission, "inspect_folder", lambda *_: 1 / 0)
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert (s.raw() / "Copy_of_01_shifting.ipynb").read_bytes() == data
    record = s.record()
    assert "ZeroDivisionError" in record.flags[0] and record.found == frozenset()
    assert set(record.notes) == {"shift", "scale", "why"}
    monkeypatch.undo()
    (taken,) = take_in(s, s.raw())
    assert taken.written == {"shift", "scale"}


def test_a_fault_in_one_notebook_leaves_the_others(s: Sample) -> None:
    folder = s.submitted()
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        (folder / f"{name}.ipynb").write_bytes(as_bytes(solved(notebook)))

    def faulty(data: bytes) -> StudentNotebook:
        if b"def shift" in data:
            raise ZeroDivisionError
        return read_notebook_here(data)

    first, second = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS, reader=faulty)
    assert second.written == {"turn"} and first.found == frozenset() and "ZeroDivisionError" in first.flags[0]
