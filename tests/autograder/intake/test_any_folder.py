"""Any folder and any student id, drawn at random: sound notebooks, and nothing is written elsewhere."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from autograder import intake
from autograder.course import CourseError
from tests.autograder.intake.intake_sample import (
    Sample,
    as_bytes,
    solved,
    steady,
    taken_in_is_sound,
)

FILE_NAMES = st.sampled_from(
    [
        "01_shifting.ipynb",
        "Copy_of_01_shifting.ipynb",
        "02_turning.ipynb",
        "x.IPYNB",
        "work.zip",
        "numpy.py",
        "timestamp.txt",
        "-rf.ipynb",
        "a b\n\u202e.ipynb",
        "\udcff\udcfe.ipynb",  # bytes that are no UTF-8
        "n" * 240 + ".ipynb",
        ".ipynb_checkpoints",
    ]
)


KINDS = st.sampled_from(
    ["notebook", "other", "stub", "junk", "empty", "link", "dangling", "pipe", "folder", "hard link"]
)


def put(folder: Path, name: str, kind: str, s: Sample) -> None:
    path = folder / name
    if os.path.lexists(path):
        return
    contents = {"notebook": solved(s.first), "other": solved(s.second), "stub": s.first}
    if kind in contents:
        path.write_bytes(as_bytes(contents[kind]))
    elif kind in ("junk", "empty"):
        path.write_bytes(b"\x00\xff{" if kind == "junk" else b"")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
        (path / "inside.ipynb").write_bytes(b"{}")
    elif kind == "hard link":
        files = [one for one in folder.iterdir() if one.is_file() and not one.is_symlink()]
        os.link(files[0], path) if files else path.write_bytes(b"")
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else "/nowhere/at/all")


@steady(40)
@given(entries=st.lists(st.tuples(FILE_NAMES, KINDS), max_size=6))
def test_any_folder_leaves_sound_notebooks_and_nothing_elsewhere(
    s: Sample, tmp_path: Path, entries: list[tuple[str, str]]
) -> None:
    handed_in = tmp_path / "handed in"
    shutil.rmtree(s.course.work, ignore_errors=True)
    shutil.rmtree(handed_in, ignore_errors=True)
    handed_in.mkdir()
    for name, kind in entries:
        put(handed_in, name, kind, s)
    taken_in_is_sound(s, handed_in, tmp_path)


@steady(60)
@given(student=st.text(max_size=12) | st.sampled_from(["..", "a/../b", "=1+1", "*", "a\0b", "-rf", "a" * 65]))
def test_any_student_id_is_refused_or_a_plain_name(student: str) -> None:
    try:
        assert intake.verify_student(student) == student
    except CourseError as error:
        assert str(error).isprintable()
    else:
        assert student.isascii() and student[0].isalnum() and not set(student) & set("/\\*?[]=+\0\n ")
