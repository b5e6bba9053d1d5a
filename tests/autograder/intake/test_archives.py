"""Zip archives that students hand in, honest and hostile: their files are taken in, and nothing is written elsewhere."""

from __future__ import annotations

import io
import shutil
import stat
import struct
import textwrap
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import intake
from autograder.intake import IntakeError, read_archive
from autograder.intake.read_notebook import read_notebook_here
from autograder.intake.reader import archive as reader_archive
from autograder.intake.reader.limits import MIB
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    Sample,
    as_bytes,
    solved,
    steady,
    taken_in_is_sound,
)


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
