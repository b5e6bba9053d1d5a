"""Keeping Answers: where they lie, what is written, what is proven, what is said."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from cnnlab import check, layers
from cnnlab.checking import cases
from cnnlab.checking.check import CheckFailed
from cnnlab.checking.keeping import keep
from cnnlab.library import home, kept, load, shelf
from tests import ROOT

COUNT = len(cases.load("pad2d").questions)

PAIR = "def both(padding):\n    return padding if isinstance(padding, tuple) else (padding, padding)"
PAD2D = """@answer
def pad2d(x, padding, value=0.0):
    h, w = both(padding)
    return np.pad(x, ((0, 0), (0, 0), both(h), both(w)), constant_values=value)"""
IMPORTS = "import numpy as np\nfrom cnnlab import answer, check"
CELLS = [IMPORTS, PAIR, PAD2D, "check(pad2d)"]


def keep_pad2d(cells: list[str]) -> str:
    """Keep `pad2d` as these cells define it."""
    return keep(None, cases.load("pad2d"), cells)


def test_an_answer_is_kept_as_a_plain_file_that_stands_alone(library):
    assert keep_pad2d(CELLS) == f"Kept in {shelf.shown(library / 'pad2d.py')}."
    text = (library / "pad2d.py").read_text()
    assert text == (
        "# pad2d: your Answer to an exercise of lesson 02 (02_convolution), kept by cnnlab after its check passed.\n"
        "# cnnlab.layers.pad2d is this file's function. Change it in the notebook and run its check again:\n"
        "# then this file is written anew.\n\n"
        f"import numpy as np\nfrom cnnlab import answer\n\n\n{PAIR}\n\n\n{PAD2D}\n"
    )
    assert kept() == {"pad2d": library / "pad2d.py"} and sorted(os.listdir(library)) == ["pad2d.py"]
    assert load("pad2d")(np.ones((1, 1, 2, 2)), 1).sum() == 4
    assert load("pad2d") is load("pad2d")


def test_what_is_kept_already_is_not_mentioned_and_what_changed_is():
    assert keep_pad2d(CELLS) and keep_pad2d([*CELLS, "%time 3", "check(pad2d)"]) == ""
    assert keep_pad2d([*CELLS, PAD2D + "  # better"]).startswith("Kept in")
    assert "# better" in kept()["pad2d"].read_text()


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ([IMPORTS, PAD2D], "uses `both`, which no cell defines"),
        ([IMPORTS, PAIR], "no cell defines pad2d"),
        ([IMPORTS, PAIR, PAD2D, "del both\nfrom os.path import *", "def both(p): return both2(p)"], "uses `both2`"),
        ([IMPORTS, PAIR.replace("(padding, padding)", "(padding, 7)"), PAD2D],
         f"not by itself ({COUNT - 3} of {COUNT} cases fail)"),
        ([IMPORTS, "from math import *", PAD2D], "uses `both`, which no cell defines"),
        ([IMPORTS, PAIR, "N = 1 / 0", PAD2D.replace("value=0.0", "value=0.0 * N")], "not by itself (ZeroDivisionError"),
        ([IMPORTS, PAIR, "import sys; N = sys.exit(3)", PAD2D.replace("0.0", "0.0 * N")], "not by itself (SystemExit"),
        (["from cnnlab import layers", IMPORTS, "def pad2d(x, padding, value=0.0):\n    return layers.pad2d(x, padding)"],
         f"not by itself ({COUNT} of {COUNT} cases fail: SelfCallError"),
    ],
)  # fmt: skip
def test_what_does_not_stand_alone_is_not_kept(library, cells, why):
    said = keep_pad2d(cells)
    assert said.startswith("pad2d passes, but ") and why in said and said.endswith(": it is not kept.")
    assert not library.exists()


def test_an_earlier_answer_survives_a_later_one_that_does_not_stand(library):
    keep_pad2d(CELLS)
    before = (library / "pad2d.py").read_bytes()
    assert "not kept" in keep_pad2d([IMPORTS, PAD2D])
    assert (library / "pad2d.py").read_bytes() == before


def test_the_proof_leaves_no_trace(capfd):
    loud = "print('loud')\nimport sys\nprint('louder', file=sys.stderr)\nN = 0"
    assert keep_pad2d(
        [IMPORTS, PAIR, "N = print('loud') or 0", PAD2D.replace("0.0", "0.0 * N"), loud]
    ).startswith("Kept")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder that nobody may write in")
def test_a_folder_that_cannot_be_written(monkeypatch):
    monkeypatch.setenv("CNNLAB_HOME", "/proc/mine")
    assert keep_pad2d(CELLS).startswith("pad2d passes, but /proc/mine/pad2d.py cannot be written: ")


def test_a_full_disk_and_a_file_in_the_way(library, monkeypatch):
    def full(self, *args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        assert (
            keep_pad2d(CELLS)
            == f"pad2d passes, but {shelf.shown(library / 'pad2d.py')} cannot be written: No space left on device."
        )
    assert list(library.iterdir()) == []
    library.rmdir()
    library.write_text("not a folder")
    assert "cannot be written: " in keep_pad2d(CELLS)
    assert kept() == {} and layers.pad2d(np.ones((1, 1, 1, 1)), 1).shape == (1, 1, 3, 3)


def test_many_writers_leave_one_whole_file(library):
    texts = [f"def pad2d():\n    return {n}\n" * 200 for n in range(8)]
    seen, stop = set(), threading.Event()

    def read():
        while not stop.is_set():
            try:
                seen.add((library / "pad2d.py").read_text())
            except FileNotFoundError:
                pass

    reader = threading.Thread(target=read)
    reader.start()
    writers = [
        threading.Thread(target=lambda t=t: [shelf.write("pad2d", t) for _ in range(30)]) for t in texts
    ]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert seen <= set(texts) and os.listdir(library) == ["pad2d.py"]


@pytest.mark.parametrize(
    ("working", "existing", "expected"),
    [
        ("course", None, "course/my_cnnlab"),
        ("course/1_layers", None, "course/my_cnnlab"),
        ("course/layers", None, "course/layers/my_cnnlab"),
        ("course/1_layers", "course/1_layers/my_cnnlab", "course/1_layers/my_cnnlab"),
        ("course/a/b", "course/my_cnnlab", "course/my_cnnlab"),
        ("course/a/b/c", "course/my_cnnlab", "course/a/b/c/my_cnnlab"),
    ],
)
def test_where_the_library_is(tmp_path, monkeypatch, working, existing, expected):
    monkeypatch.delenv("CNNLAB_HOME")
    (tmp_path / working).mkdir(parents=True)
    if existing:
        (tmp_path / existing).mkdir()
    monkeypatch.chdir(tmp_path / working)
    assert home() == tmp_path / expected and (existing or not home().exists())


def test_the_library_of_somebody_else_is_not_taken(tmp_path, monkeypatch):
    monkeypatch.delenv("CNNLAB_HOME")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_cnnlab").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert home() == tmp_path / "work" / "my_cnnlab"


def test_a_home_of_one_s_own_and_files_that_are_no_answers(library, monkeypatch):
    monkeypatch.setenv("CNNLAB_HOME", "~/cnn")
    assert home() == Path.home() / "cnn"
    monkeypatch.setenv("CNNLAB_HOME", str(library))
    library.mkdir(parents=True)
    for name in ("a-b.py", "_x.py", ".pad2d.py.12", "notes.txt", "mine.py"):
        (library / name).write_text("")
    assert list(kept()) == ["mine"]
    with pytest.raises(LookupError, match=r"^pad2d is not in your library$"):
        load("pad2d")


# Through `check`, in a script


SCRIPT = "\n\n".join(CELLS)


def run(folder: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "homework.py").write_text(script)
    env = {"PYTHONPATH": str(ROOT), "PATH": "", **environment}
    return subprocess.run(
        [sys.executable, "homework.py"], cwd=folder, env=env, capture_output=True, text=True, timeout=60
    )


def test_a_plain_script_keeps_nothing(tmp_path):
    done = run(tmp_path, SCRIPT)
    assert done.returncode == 0 and "Kept" not in done.stdout
    assert os.listdir(tmp_path) == ["homework.py"]


def test_a_script_keeps_where_it_is_told_to(tmp_path):
    done = run(tmp_path, SCRIPT, CNNLAB_HOME="mine")
    assert done.stdout.endswith("Kept in mine/pad2d.py.\n"), done.stderr
    assert PAD2D in (tmp_path / "mine" / "pad2d.py").read_text()
    assert "Kept" not in run(tmp_path, SCRIPT, CNNLAB_HOME="mine").stdout
    failing = run(tmp_path, SCRIPT.replace("h, w =", "w, h ="), CNNLAB_HOME="mine")
    assert failing.returncode == 1 and PAD2D in (tmp_path / "mine" / "pad2d.py").read_text()


def test_code_without_a_text_is_not_kept_and_passes(tmp_path):
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "CNNLAB_HOME": "mine"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0 and os.listdir(tmp_path) == []
    assert done.stdout.endswith("pad2d passes, but no cell defines pad2d: it is not kept.\n")


def test_a_check_inside_an_answer_keeps_nothing(library):
    def pad2d(x, padding, value=0.0):
        h, w = (padding,) * 2 if isinstance(padding, int) else padding
        h, w = ((side,) * 2 if isinstance(side, int) else side for side in (h, w))
        return np.pad(x, ((0, 0), (0, 0), h, w), constant_values=value)

    def same_padding(size, kernel, stride=1, dilation=1):
        check(pad2d)
        return 0

    with pytest.raises(CheckFailed):
        check(same_padding)
    assert not library.exists()


def test_whatever_goes_wrong_while_keeping_the_check_passes(monkeypatch, capsys):
    from cnnlab.checking import keeping

    def broken(*args):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(keeping, "extract", broken)

    def conv_output_size(size, kernel, stride=1, padding=0, dilation=1):
        before, after = padding if isinstance(padding, tuple) else (padding, padding)
        room = size + before + after - dilation * (kernel - 1) - 1
        if room < 0:
            raise ValueError
        return room // stride + 1

    check(conv_output_size)
    assert capsys.readouterr().out.endswith("It is not kept (RuntimeError: a bug of ours).\n")
