"""Intake under a rain of broken notebooks, archives and folders: one sentence or a sound notebook, and nothing elsewhere."""

from __future__ import annotations

import copy
import io
import json
import os
import resource
import shutil
import stat
import struct
import textwrap
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder import intake
from autograder.course import CourseError
from autograder.intake import IntakeError, inspect_folder, read_archive
from autograder.intake.read_notebook import read_notebook, read_notebook_here
from autograder.intake.reader import archive as reader_archive
from autograder.intake.reader import notebook as reader_notebook
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    SCALE,
    SHIFT,
    Sample,
    as_bytes,
    code,
    solved,
    sound,
)

MIB = 1 << 20
QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.large_base_example]


def steady(examples: int) -> settings:
    return settings(
        derandomize=True,
        deadline=None,
        max_examples=examples,
        database=None,
        suppress_health_check=QUIET,
    )


# Notebooks


def nested(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"cells": value}
    return value


ODD_TEXT = st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\udcff\ud800",
        "\u202e\u2066evil\u2069",
        "\ufeff",
        "\r\n\r",
        "\x1b[2J\x07",
        "x" * 200_000,
        "\U0001f600" * 5_000,
        "../../etc/passwd",
        "</script>",
        "shift",
        "shift_check",
        "scale",
        SHIFT,
        SCALE,
        "def shift(:",
        "def shift(x): pass\n" * 50,
        "(" * 500,
        "%%bash\nrm -rf /",
        "code",
        "markdown",
    ]
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 4, 10**400, 1e308, float("nan"), float("inf")]),
    ODD_TEXT,
    st.text(max_size=10),
    st.sampled_from([10, 60, 70, 300]).map(nested),
    st.lists(ODD_TEXT, max_size=3),
    st.just([[]]),
    st.just({}),
    st.dictionaries(
        st.sampled_from(["nbgrader", "grade_id", "source", "cell_type", "", "\0"]), ODD_TEXT, max_size=3
    ),
)
STEP = st.tuples(
    st.sampled_from(["drop", "double", "retype", "rename", "swap", "wrap", "deepen"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    JUNK,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with every key in it."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo and len(found) < 5_000:
        one = todo.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            todo.append(one[key])
    return found


def mutated(notebook: Any, steps: list[tuple[str, int, int, Any]]) -> Any:
    """Return a notebook to which all of this has happened."""
    tree = {"notebook": json.loads(json.dumps(notebook))}
    for how, first, second, junk in steps:
        all_places = places(tree)
        at, key = all_places[first % len(all_places)]
        other, other_key = all_places[second % len(all_places)]
        if how == "drop":
            del at[key]
        elif how == "double" and isinstance(at, list):
            at[key:key] = copy.deepcopy(at[key : key + 1]) * (1 + second % 3)
        elif how == "retype":
            at[key] = copy.deepcopy(junk)
        elif how == "rename" and isinstance(at, dict):
            at[junk if isinstance(junk, str) else str(second)] = at.pop(key)
        elif how == "swap":
            one, two = copy.deepcopy(at[key]), copy.deepcopy(other[other_key])
            at[key], other[other_key] = two, one
        elif how == "wrap":
            at[key] = [at[key]] if second % 2 else {"cells": at[key]}
        elif how == "deepen" and isinstance(at[key], dict):
            at[key]["more"] = copy.deepcopy(junk)
        if not places(tree):
            break
    return tree.get("notebook")


def refused_or_sound(s: Sample, data: bytes, reader: Callable[[bytes], Any] = read_notebook_here) -> None:
    began = time.process_time()
    try:
        taken = s.take(data, name="01_shifting.ipynb", reader=reader)
    except IntakeError as error:
        words = str(error)
        assert "\n" not in words and words.isprintable() and words.endswith(".") and len(words) < 400
    else:
        sound(s, taken)
    assert time.process_time() - began < 10


@steady(200)
@given(steps=st.lists(STEP, min_size=1, max_size=6), second=st.booleans())
def test_a_notebook_with_anything_changed_is_refused_or_becomes_a_sound_one(
    s: Sample, steps: list[Any], second: bool
) -> None:
    base = solved(s.second if second else s.first)
    refused_or_sound(s, json.dumps(mutated(base, steps)).encode())


@steady(20)
@given(steps=st.lists(STEP, min_size=1, max_size=6))
def test_the_child_says_the_same_as_the_reader_here(s: Sample, steps: list[Any]) -> None:
    data = json.dumps(mutated(solved(s.first), steps)).encode()
    answers = []
    for reader in (read_notebook_here, read_notebook):
        try:
            answers.append(reader(data))
        except IntakeError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]
    refused_or_sound(s, data, read_notebook)


@steady(100)
@given(data=st.data())
def test_a_notebook_with_any_bytes_changed_is_refused_or_becomes_a_sound_one(
    s: Sample, data: st.DataObject
) -> None:
    whole = bytearray(as_bytes(solved(s.first)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "put in", "repeat"]))
        if how == "flip":
            whole[at] = data.draw(st.integers(0, 255))
        elif how == "cut":
            del whole[at : at + data.draw(st.integers(1, 200))]
        elif how == "put in":
            whole[at:at] = data.draw(
                st.binary(max_size=8) | st.sampled_from([b"[" * 99, b"\xff\xfe", b'","'])
            )
        else:
            whole[at:at] = whole[at : at + 300]
        if not whole:
            break
    refused_or_sound(s, bytes(whole))


DENSE = "x = [1+2*3-4, (a.b.c(d,e=f)[g:h]), {1:2}]\n" * 2_000


def test_much_code_takes_little_time_and_the_answers_before_it_stand(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code(DENSE)] * 160
    data = as_bytes(notebook)
    assert len(data) < reader_notebook.MAX_BYTES
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = s.take(data, reader=read_notebook)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    sound(s, taken)
    assert taken.written == {"shift", "scale"}
    # Without a limit on what is parsed it takes more than all the time that the child has.
    assert after.ru_utime - before.ru_utime < 0.8 * reader_notebook.CPU_SECONDS


def test_more_notebooks_than_anybody_hands_in_are_not_all_read(
    s: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    data = as_bytes(solved(s.first))
    monkeypatch.setattr(inspect_folder, "MAX_NOTEBOOKS", 3 * len(data) + 10)
    for number in range(6):
        (handed_in / f"{number}.ipynb").write_bytes(data)
    (taken,) = taken_in_is_sound(s, handed_in, tmp_path)
    assert taken.written == {"shift", "scale"}
    record = intake.load_record(s.course, ASSIGNMENT, "ada")
    assert record is not None and sum("it was not read" in flag for flag in record.flags) == 3


# Archives


def zipped(files: list[tuple[str, bytes, int, int]]) -> bytes:
    """A zip archive of (name, content, mode, method); names may come twice."""
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as one:
        warnings.simplefilter("ignore")
        for name, content, mode, method in files:
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name
            info.create_system, info.external_attr, info.compress_type = 3, mode << 16, method
            one.writestr(info, content)
    return out.getvalue()


NAMES = st.one_of(
    st.sampled_from(
        [
            "01_shifting.ipynb",
            "01_SHIFTING.IPYNB",
            "a/b/01_shifting.ipynb",
            "../../../../evil.ipynb",
            "/etc/evil.ipynb",
            "C:\\windows\\evil.ipynb",
            "..\\..\\evil.ipynb",
            "//host/share/evil.ipynb",
            "a/../../evil.ipynb",
            "evil.ipynb/",
            ".ipynb",
            "...ipynb",
            "__MACOSX/._01_shifting.ipynb",
            "work.zip",
            "\u202egpj.ipynb",
            "new\nline.ipynb",
            "nul\0.ipynb",
            "n" * 3_000 + ".ipynb",
            "d/" * 500 + "x.ipynb",
            "*?[!a]{b}.ipynb",
            "con.ipynb",
            "timestamp.txt",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(
        lambda name: name + ".ipynb"
    ),
)
PLAIN = stat.S_IFREG | 0o644
MODES = st.sampled_from(
    [0, PLAIN, PLAIN, PLAIN, stat.S_IFREG | 0o6777, stat.S_IFLNK | 0o777, stat.S_IFDIR, stat.S_IFCHR]
)
STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
METHODS = st.sampled_from([DEFLATED, DEFLATED, STORED, DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
# At which byte of a directory's entry, and of a local header, a field lies, and its size in bytes.
FIELDS = st.sampled_from(
    [
        (b"PK\1\2", 8, 2),  # flags: encrypted, names as UTF-8
        (b"PK\3\4", 6, 2),
        (b"PK\1\2", 10, 2),  # method
        (b"PK\1\2", 16, 4),  # checksum
        (b"PK\1\2", 20, 4),  # size packed
        (b"PK\1\2", 24, 4),  # size unpacked
        (b"PK\1\2", 28, 2),  # length of the name
        (b"PK\1\2", 30, 2),  # of what else is said
        (b"PK\1\2", 42, 4),  # where the local header lies
        (b"PK\5\6", 10, 2),  # how many there are
        (b"PK\5\6", 12, 4),  # size of the directory
        (b"PK\5\6", 16, 4),  # where it lies
    ]
)
NUMBERS = st.sampled_from([0, 1, 7, 9, 0x800, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]) | st.integers(0, 0xFFFFFFFF)


@st.composite
def archives(draw: st.DrawFn, good: bytes) -> bytes:
    contents = st.sampled_from(
        [good, b"", b"{}", b"\0" * 100_000, good[:200], zipped([("x.ipynb", good, 0, 8)])]
    )
    data = bytearray(zipped(draw(st.lists(st.tuples(NAMES, contents, MODES, METHODS), max_size=6))))
    for (signature, offset, size), number in draw(st.lists(st.tuples(FIELDS, NUMBERS), max_size=3)):
        start = data.find(signature)
        if start >= 0 and start + offset + size <= len(data):
            data[start + offset : start + offset + size] = struct.pack("<Q", number)[:size]
    if draw(st.booleans()) and data:
        data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    how = draw(st.sampled_from(["whole", "whole", "cut off", "behind", "twice"]))
    if how == "cut off":
        return bytes(data[: draw(st.integers(0, len(data)))])
    if how == "behind":
        return b"#!/bin/sh\n" * 50 + bytes(data)
    return bytes(data) * (2 if how == "twice" else 1)


def verified(found: read_archive.Archive, most: int) -> None:
    assert len(found.members) <= most and found.more >= 0
    assert sum(len(member.data) for member in found.members) <= reader_archive.MAX_UNPACKED
    for member in found.members:
        assert "/" not in member.name and "\\" not in member.name
        assert not (member.refused and member.data) and len(member.data) <= reader_archive.MAX_FILE


@steady(250)
@given(data=st.data())
def test_any_archive_is_refused_or_yields_files(s: Sample, data: st.DataObject) -> None:
    given_one = data.draw(archives(as_bytes(solved(s.first))))
    try:
        one = reader_archive.open_archive(io.BytesIO(given_one))
    except reader_archive.UnreadableArchive as error:
        assert str(error).isprintable()
        return
    for path, content, refused in reader_archive.wanted_files(one, ["ipynb"]):
        assert refused == "" or (refused in reader_archive.REFUSALS and content == b"")
        assert path.lower().endswith(".ipynb")
        assert not {"", ".", ".."} & set(path.split("/")) and len(path) <= reader_archive.MAX_PATH


@steady(25)
@given(data=st.data())
def test_any_archive_in_a_folder_leaves_sound_notebooks_and_nothing_elsewhere(
    s: Sample, tmp_path: Path, data: st.DataObject
) -> None:
    handed_in = tmp_path / "handed in"
    shutil.rmtree(s.course.work, ignore_errors=True)
    shutil.rmtree(handed_in, ignore_errors=True)
    handed_in.mkdir()
    given_one = data.draw(archives(as_bytes(solved(s.first))))
    (handed_in / data.draw(st.sampled_from(["work.zip", "01_shifting.zip", "X.ZIP"]))).write_bytes(given_one)
    if data.draw(st.booleans()):
        (handed_in / "02_turning.ipynb").write_bytes(as_bytes(solved(s.second)))
    try:
        verified(read_archive.read_archive(given_one, ["ipynb"], 40), 40)
    except IntakeError as error:
        assert str(error).isprintable()
    taken_in_is_sound(s, handed_in, tmp_path)


def taken_in_is_sound(s: Sample, handed_in: Path, tmp_path: Path) -> list[intake.GraftedNotebook]:
    """Take a folder in twice, and verify what then lies where."""
    before = sorted(tmp_path.iterdir())
    there = sorted(path.name for path in handed_in.iterdir())
    taken = intake.take_in(s.course, ASSIGNMENT, "ada", handed_in, lessons=LESSONS, reader=read_notebook_here)
    assert sorted(path.name for path in handed_in.iterdir()) == there, "another's folder is left alone"
    assert sorted(tmp_path.iterdir()) == sorted({*before, s.course.work}), "nothing is written elsewhere"
    for one in taken:
        sound(s, one)
    home = s.course.submitted / "ada" / ASSIGNMENT
    assert {path.name for path in home.iterdir()} - {"timestamp.txt"} == {
        f"{t.lesson.name}.ipynb" for t in taken
    }
    for path in s.course.work.rglob("*"):
        assert path.is_dir() or stat.S_ISREG(path.lstat().st_mode), path
    for one in taken:
        nbformat.read(home / f"{one.lesson.name}.ipynb", as_version=4)
    record = intake.load_record(s.course, ASSIGNMENT, "ada")
    assert record is not None and record.flags == tuple(flag for flag in record.flags if flag.isprintable())
    again = intake.take_in(s.course, ASSIGNMENT, "ada", home, lessons=LESSONS, reader=read_notebook_here)
    assert [one.notebook for one in again] == [one.notebook for one in taken]
    return taken


def refusals(data: bytes) -> list[str]:
    return [member.refused for member in read_archive.read_archive(data, ["ipynb"], 40).members]


def encrypted(data: bytes) -> bytes:
    out = bytearray(data)
    for signature, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        out[out.index(signature) + offset] |= 1
    return bytes(out)


REFUSED = {
    reader_archive.ENCRYPTED: encrypted(zipped([("a.ipynb", b"{}", PLAIN, 8)])),
    reader_archive.LINK: zipped([("a.ipynb", b"/etc/passwd", stat.S_IFLNK | 0o777, 0)]),
    reader_archive.PACKED: zipped([("a.ipynb", b"{}" * 99, PLAIN, zipfile.ZIP_LZMA)]),
    reader_archive.LARGE: zipped([("a.ipynb", bytes(200 * MIB), PLAIN, 8)]),
    reader_archive.DAMAGED: zipped([("a.ipynb", b"abcd" * 99, PLAIN, 0)]).replace(b"abcd", b"abce", 1),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_taken_out_says_why(s: Sample, tmp_path: Path, words: str) -> None:
    assert refusals(REFUSED[words]) == [words]
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    (handed_in / "01_shifting.zip").write_bytes(REFUSED[words])
    (taken, *_) = taken_in_is_sound(s, handed_in, tmp_path)
    assert taken.found == frozenset() and words in taken.flags[0] and words in taken.notes["shift"]


def overlapping(content: bytes, count: int) -> bytes:
    """An archive whose directory names the same packed bytes many times over."""
    one = zipped([("a.ipynb", content, PLAIN, 8)])
    start, end = one.index(b"PK\1\2"), one.rindex(b"PK\5\6")
    entry = one[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, count * len(entry), start, 0)
    return one[:start] + entry * count + tail


def test_archives_that_grow_end_at_their_caps() -> None:
    found = read_archive.read_archive(overlapping(bytes(19 * MIB), 1_000), ["ipynb"], 40)
    verified(found, 40)
    assert [member.refused for member in found.members].count(
        reader_archive.LARGE
    ) >= reader_archive.MAX_FILES - 3
    began = time.monotonic()
    try:
        verified(read_archive.read_archive(overlapping(b"{}", 60_000), ["ipynb"], 3), 3)
    except IntakeError as error:
        assert "memory" in str(error)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "script",
    [
        "print('{}')",
        "print('x' * 100_000)",
        "print('[1]')",
        """print('{"error": 3}')""",
        """print('{"files": [], "more": "x"}')""",
        """print('{"files": [["a", 3, ""]], "more": 0}')""",
        """print('{"files": [["a", -1, ""]], "more": 0}\\nx')""",
        """print('{"files": [["a", 1, "<b>"]], "more": 0}\\nx', end='')""",
        """print('{"files": [["a"]], "more": 0}')""",
        """print('{"files": ' + '[' * 30_000)""",
        "import os; os.abort()",
    ],
)
def test_the_word_of_the_process_that_opens_archives_is_checked(
    replace_reader: Callable[[str, str], None], script: str
) -> None:
    replace_reader("archive", "def main(suffixes):\n" + textwrap.indent(script, "    "))
    with pytest.raises(IntakeError, match=r"makes no sense|time or memory") as caught:
        read_archive.read_archive(b"", ["ipynb"], 40)
    assert str(caught.value).isprintable()


def test_a_zipped_notebook_is_taken_in_like_any_other(s: Sample, tmp_path: Path) -> None:
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    good = as_bytes(solved(s.first))
    members = [("work/01_shifting.ipynb", good, PLAIN, 8), ("work/data.csv", b"1", PLAIN, 8)]
    (handed_in / "my work.zip").write_bytes(
        zipped([*members, ("__MACOSX/work/._01_shifting.ipynb", b"\5", PLAIN, 8)])
    )
    (taken,) = taken_in_is_sound(s, handed_in, tmp_path)
    assert taken.written == {"shift", "scale"} and taken.flags == ()
    assert (s.raw() / "my work.zip").read_bytes() == (handed_in / "my work.zip").read_bytes()
    record = intake.load_record(s.course, ASSIGNMENT, "ada")
    assert record is not None and record.lessons["01_shifting"].source == "my work.zip"
    assert record.folder_flags == ("my work.zip is an archive; 1 file of it was looked at, 1 more left out.",)


def test_a_later_archive_replaces_an_earlier_notebook_and_both_are_kept(s: Sample, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    (first / "01_shifting.ipynb").write_bytes(as_bytes(s.first))
    (second / "01_shifting.zip").write_bytes(
        zipped([("01_shifting.ipynb", as_bytes(solved(s.first)), PLAIN, 8)])
    )
    intake.take_in(s.course, ASSIGNMENT, "ada", first, lessons=LESSONS, reader=read_notebook_here)
    (taken,) = intake.take_in(s.course, ASSIGNMENT, "ada", second, lessons=LESSONS, reader=read_notebook_here)
    assert taken.written == {"shift", "scale"}
    kept = {path.name for path in (s.course.raw / "ada").rglob("*") if path.is_file()}
    assert kept == {"01_shifting.ipynb", "01_shifting.zip"}


# Folders


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
