"""Links, pipes, forged records and failing disks: a folder is never followed out of, and nothing is lost."""

from __future__ import annotations

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from autograder import files, intake, notebook_io
from autograder.authoring.released_lessons import released
from autograder.intake import IntakeError
from autograder.intake.reader.limits import MIB
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    Sample,
    as_bytes,
    by_name,
    file_names,
    huge_output,
    solved,
    sound,
)


@pytest.mark.parametrize(
    "student", ["", ".", "..", "a/b", "a\\b", "../ada", "a..b", "-x", "*", "a\n", "ü", "a" * 65, "a b"]
)
def test_a_student_id_that_is_no_plain_name_is_refused(s: Sample, student: str, tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="not a student's id"):
        intake.take_in(s.course, ASSIGNMENT, student, tmp_path, lessons=LESSONS)
    with pytest.raises(IntakeError):
        intake.load_record(s.course, ASSIGNMENT, student)


def test_links_are_refused_and_never_followed(s: Sample, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted()
    (folder / "01_shifting.ipynb").symlink_to(secret)
    (folder / "etc").symlink_to("/etc")
    (folder / "timestamp.txt").symlink_to(secret)
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert stat.S_ISREG((folder / "01_shifting.ipynb").lstat().st_mode)
    assert secret.read_bytes() == as_bytes(solved(s.first)) and file_names(s.raw()) == []
    record = s.record()
    assert record.found == frozenset() and str(secret)[:20] in record.lessons["01_shifting"].flags[0]
    assert sum("is a link" in flag for flag in record.flags) == 3


@pytest.mark.parametrize("kind", ["folder", "named pipe", "socket"])
def test_a_notebook_that_is_no_file_is_refused_without_waiting(
    s: Sample, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = s.submitted()
    path = folder / "01_shifting.ipynb"
    if kind == "folder":
        path.mkdir()
        (path / "inside.txt").write_text("x")
    elif kind == "named pipe":
        os.mkfifo(path)
    else:
        monkeypatch.chdir(folder)  # a socket's path may have 107 bytes only
        socket.socket(socket.AF_UNIX).bind("01_shifting.ipynb")
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert kind in s.record().flags[0] and s.record().found == frozenset()
    assert file_names(s.raw()) == (["01_shifting.ipynb"] if kind == "folder" else [])


def test_a_hard_link_is_copied_and_flagged(s: Sample, tmp_path: Path) -> None:
    original = tmp_path / "mine.ipynb"
    original.write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted()
    os.link(original, folder / "01_shifting.ipynb")
    s.autograde(folder)
    original.write_bytes(b"changed afterwards")
    assert (s.raw() / "01_shifting.ipynb").read_bytes() == as_bytes(solved(s.first))
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
    assert any("hard link" in flag for flag in s.record().flags)


def test_a_linked_submission_folder_is_replaced_not_followed(s: Sample, tmp_path: Path) -> None:
    other = s.submitted("bob")
    (other / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    folder = s.submitted("eve")
    folder.rmdir()
    folder.symlink_to(other)
    assert s.autograde(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert not folder.is_symlink() and (other / "01_shifting.ipynb").read_bytes() == as_bytes(solved(s.first))
    assert s.record("eve").found == frozenset() and "link to" in s.record("eve").flags[0]
    with pytest.raises(IntakeError, match="link"):
        (tmp_path / "link").symlink_to(other)
        intake.take_in(s.course, ASSIGNMENT, "eve", tmp_path / "link", lessons=LESSONS)


def test_a_notebook_of_25_mib_is_kept_and_said(s: Sample) -> None:
    folder, notebook = s.submitted(), solved(s.first)
    huge_output(notebook, 25 * MIB)
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(notebook))
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert "25.0 MiB" in s.record().flags[0] and "clear its outputs" in s.record().notes["shift"]
    assert (s.raw() / "01_shifting.ipynb").stat().st_size > 25 * MIB


def test_hundreds_of_files_are_moved_and_counted(s: Sample) -> None:
    folder = s.submitted()
    for number in range(300):
        (folder / f"a{number:03}.txt").write_text(str(number))
    (folder / "z.ipynb").write_bytes(as_bytes(solved(s.first)))
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert len(file_names(s.raw())) == 301 and (s.raw() / "a299.txt").read_text() == "299"
    assert s.record().flags[0] == "It has 301 files; those after the first 40 were not looked at."
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}


def test_odd_file_names_stay_in_sentences_of_one_line(s: Sample) -> None:
    folder = s.submitted()
    odd = [
        b"a\nb.ipynb",
        b"\xff\xfe.ipynb",
        b"<script>.txt",
        "\u202egnp.ipynb".encode(),
        b"x" * 250,
        b"$(id).ipynb",
    ]
    for number, name in enumerate(odd):
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(as_bytes(solved(s.first)) + b" " * number)
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"]
    assert sorted(os.listdir(os.fsencode(s.raw()))) == sorted(odd)
    assert all(flag.isprintable() and len(flag) < 400 for flag in s.record().flags)


FORGED = ["tomorrow or so", "", "x" * 65, "9" * 60, "0001-01-01 00:00 +2359", "\0", "2026-01-01\n" * 9]


@pytest.mark.parametrize("text", FORGED)
def test_a_timestamp_that_is_no_date_is_dropped(s: Sample, text: str) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text(text)
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"] and (s.raw() / "timestamp.txt").read_text() == text
    assert s.record().flags == ("timestamp.txt holds no date; it was left out.",)


def test_a_forged_record_in_the_submission_is_just_another_file(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(s.first))
    record = {"assignment": ASSIGNMENT, "student": "ada", "flags": [], "lessons": {}}
    (folder / "ada.json").write_text(json.dumps(record))
    (folder / "intake").mkdir()
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"] and "ada.json" in s.record().flags[0]


def test_a_notebook_that_wears_our_marks_is_taken_in_like_any_other(s: Sample) -> None:
    notebook = s.take(solved(s.first)).notebook
    by_name(notebook, "shift_check").source = "pass"
    for cell in notebook.cells:
        cell.metadata["cnnlab"] = {"role": "exercise", "name": "shift"}
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(notebook_io.writes(notebook).encode())
    s.autograde(folder)
    (taken,) = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    sound(s, taken)


def test_a_damaged_record_means_taking_in_again(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    s.autograde(folder)
    path = s.course.work / "intake" / ASSIGNMENT / "ada.json"
    for text in (
        "{",
        "[]",
        '{"lessons": 3}',
        '{"lessons": {"a": {}}, "assignment": "", "student": "", "flags": []}',
    ):
        path.write_text(text)
        assert intake.load_record(s.course, ASSIGNMENT, "ada") is None
        assert s.autograde(folder) == ["01_shifting.ipynb"] and s.record().found == {"shift", "scale", "why"}


def release(s: Sample) -> None:
    """Release the lessons, which is done before anything is taken in."""
    for lesson in LESSONS:
        released(s.course, lesson)


def test_where_the_disk_fails_what_was_handed_in_is_still_there(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "01_shifting.ipynb").write_bytes(data)
    release(s)

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    notebooks = [str(folder / "01_shifting.ipynb")]
    with pytest.raises(OSError, match="No space"):
        intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
    assert notebooks == [] and (folder / "01_shifting.ipynb").read_bytes() == data
    monkeypatch.undo()
    assert s.autograde(folder) == ["01_shifting.ipynb"] and s.record().lessons["01_shifting"].written == {
        "shift",
        "scale",
    }


@pytest.mark.parametrize("at", range(1, 6))
def test_whichever_write_fails_nothing_is_lost(s: Sample, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "01_shifting.ipynb").write_bytes(data)
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(data + b" ")
    (folder / "timestamp.txt").write_text("2026-03-01")
    release(s)
    write, count = files.write, [0]

    def failing(path: Path, data: bytes) -> None:
        count[0] += 1
        if count[0] == at:
            raise OSError(5, "Input/output error")
        write(path, data)

    monkeypatch.setattr(files, "write", failing)
    with pytest.raises(OSError, match="Input/output"):
        intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    monkeypatch.undo()
    kept = {path.read_bytes() for path in s.course.work.rglob("*.ipynb")}
    assert data in kept and data + b" " in kept
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
