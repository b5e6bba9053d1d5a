"""The library as one file: everything comes back, and nothing else is believed."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from cnnlab import export_library, import_library, layers
from cnnlab.library import NotALibrary, kept, shelf

PAD2D = """import numpy as np

MARK = '''
# ==== pad2d, 3 lines
'''


def pad2d(x, padding, value=0.0):
    h, w = (padding,) * 2 if isinstance(padding, int) else padding
    h, w = ((side,) * 2 if isinstance(side, int) else side for side in (h, w))
    return np.pad(x, ((0, 0), (0, 0), h, w), constant_values=value)
"""
SAME = """def same_padding(size, kernel, stride=1, dilation=1):
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2
"""


@pytest.fixture
def one_file(tmp_path, capsys) -> Path:
    """A library of two Answers, as one file."""
    shelf.write("pad2d", shelf.headed("pad2d", PAD2D))
    shelf.write("same_padding", shelf.headed("same_padding", SAME))
    path = export_library(tmp_path / "my_cnnlab.py")
    assert capsys.readouterr().out == f"2 Answers written to {path}.\n"
    return path


@pytest.fixture
def elsewhere(one_file, tmp_path, monkeypatch) -> Path:
    """The same file, on a machine whose library is empty."""
    monkeypatch.setenv("CNNLAB_HOME", str(tmp_path / "elsewhere"))
    return one_file


def test_what_is_exported_comes_back_as_it_was(one_file, tmp_path, monkeypatch, capsys):
    before = {name: path.read_bytes() for name, path in kept().items()}
    monkeypatch.setenv("CNNLAB_HOME", str(tmp_path / "elsewhere"))
    assert import_library(one_file) == ["pad2d", "same_padding"]
    assert capsys.readouterr().out == "2 Answers taken: pad2d, same_padding.\n"
    assert {name: path.read_bytes() for name, path in kept().items()} == before
    assert layers.pad2d(np.ones((1, 1, 2, 2)), 1).shape == (1, 1, 4, 4)


def test_the_file_says_how_to_use_it_and_survives_other_line_ends(elsewhere):
    text = elsewhere.read_text()
    assert "cnnlab.import_library('my_cnnlab.py')" in text.splitlines()[2]
    elsewhere.write_bytes(text.replace("\n", "\r\n").encode())
    assert import_library(elsewhere) == ["pad2d", "same_padding"]


def test_only_what_passes_is_taken(elsewhere, capsys):
    text = (
        elsewhere.read_text()
        .replace("total // 2, total - total // 2", "0, total")
        .replace("==== pad2d", "==== pad3d", 1)
    )
    elsewhere.write_text(text)
    shelf.write("same_padding", SAME)
    assert import_library(elsewhere) == []
    out = capsys.readouterr().out
    assert out.startswith(
        "0 Answers taken.\nNot taken: pad3d (no lesson has it); same_padding (not by itself ("
    )
    assert kept()["same_padding"].read_text() == SAME


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: "", "is not a library that export_library wrote"),
        (lambda t: "print('hello')\n", "is not a library that export_library wrote"),
        (lambda t: t[: len(t) // 2], "is damaged at line"),
        (lambda t: t.replace("return np.pad", "\n    return np.pad"), "is damaged at line"),
        (lambda t: t.replace("==== pad2d", "==== ../pad2d"), "is damaged at line 5"),
        (lambda t: t.replace("==== pad2d", "==== 2d"), "is damaged at line 5"),
        (lambda t: t.replace("==== same_padding", "==== pad2d"), "is damaged at line"),
        (lambda t: t.replace(" lines\n", "9999999999 lines\n"), "is damaged at line 5"),
        (lambda t: t.replace("# ==== pad2d, ", "# ==== pad2d, 0"), None),
        (lambda t: t + "print('more')\n", "is damaged at line"),
    ],
)
def test_a_damaged_or_hand_made_file_is_refused_whole(elsewhere, change, sentence):
    elsewhere.write_text(change(elsewhere.read_text()))
    if sentence is None:
        assert import_library(elsewhere)
        return
    with pytest.raises(NotALibrary, match=f"^my_cnnlab.py {sentence}"):
        import_library(elsewhere)
    assert kept() == {}


def test_other_files(elsewhere, tmp_path):
    elsewhere.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotALibrary, match="is not a library"):
        import_library(elsewhere)
    elsewhere.write_bytes(b"#" * ((8 << 20) + 1))
    with pytest.raises(NotALibrary, match=r"larger than the 8,388,608 bytes"):
        import_library(elsewhere)
    with pytest.raises(FileNotFoundError):
        import_library(tmp_path / "nowhere.py")


def test_an_empty_library_has_nothing_to_export(tmp_path):
    with pytest.raises(
        LookupError, match=r"^your library is empty: an Answer is kept when its check passes in a notebook$"
    ):
        export_library(tmp_path / "my_cnnlab.py")
    assert list(tmp_path.iterdir()) == []


def test_on_colab_it_is_downloaded_and_asked_for(one_file, tmp_path, monkeypatch):
    offered = []
    files = types.ModuleType("google.colab.files")
    files.download = offered.append  # type: ignore[attr-defined]
    files.upload = lambda: {"my_cnnlab (1).py": one_file.read_bytes()}  # type: ignore[attr-defined]
    colab = types.ModuleType("google.colab")
    colab.files = files  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    monkeypatch.setitem(sys.modules, "google", types.ModuleType("google"))
    path = export_library(tmp_path / "again.py")
    assert offered == [str(path)]
    monkeypatch.setenv("CNNLAB_HOME", str(tmp_path / "elsewhere"))
    assert import_library(tmp_path / "not_there.py") == ["pad2d", "same_padding"]
    files.upload = dict  # type: ignore[attr-defined]
    with pytest.raises(NotALibrary):
        import_library(tmp_path / "not_there.py")
