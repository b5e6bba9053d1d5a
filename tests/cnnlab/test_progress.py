"""What is done and what is next."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cnnlab import check, progress
from cnnlab.checking import tries
from cnnlab.checking.check import CheckFailed
from cnnlab.library import catalogue, shelf
from cnnlab.progress import ExerciseProgress, html, table, text
from tests import ROOT

ROWS = [
    ExerciseProgress("02_convolution", "pad2d", True, 0),
    ExerciseProgress("02_convolution", "im2col", False, 2),
    ExerciseProgress("02_convolution", "conv2d_naive", False, 1),
    ExerciseProgress("03_backward", "col2im", False, 0),
]


@pytest.fixture(autouse=True)
def no_tries_yet():
    tries.forget()


def test_the_table_in_words():
    assert text(ROWS) == (
        "02_convolution           1 of 3\n"
        "  done    pad2d\n"
        "  failed  im2col (2 tries), conv2d_naive (1 try)\n"
        "03_backward              0 of 1\n"
        "  to do   col2im\n"
        "\n"
        "1 of 4 exercises done. Next: im2col in lesson 02 (02_convolution.ipynb)."
    )


def test_the_table_in_html():
    tree = ET.fromstring(html(ROWS))
    words = " ".join("".join(tree.itertext()).split())
    assert words.startswith("1 of 4 exercises done. Next: im2col in lesson 02")
    assert "im2col (2 tries)" in words and len(list(tree.iter("tr"))) == 2
    assert [t.text for t in tree.iter("title")] == ["passes", "fails", "fails", "is not attempted"]


def test_all_done():
    done = [ExerciseProgress("02_convolution", "pad2d", True, 0)]
    assert text(done).endswith("1 of 1 exercises done. That is all of them.")
    assert "That is all of them." in html(done)


def test_every_exercise_has_a_row_and_no_line_is_too_wide(capsys):
    expected = [(lesson, name) for lesson, names in catalogue.lessons().items() for name in names]
    assert [(row.lesson, row.exercise) for row in table()] == expected
    progress()
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 88


def test_kept_passed_and_failed_answers():
    def states():
        return {row.exercise: (row.state, row.failed) for row in table()}

    assert set(states().values()) == {("to do", 0)}
    shelf.write("pad2d", "")
    assert states()["pad2d"] == ("done", 0)

    def same_padding(size, kernel, stride=1, dilation=1):
        return np.zeros(3)

    for _ in range(2):  # the same code twice is one try
        with pytest.raises(CheckFailed):
            check(same_padding)
    assert states()["same_padding"] == ("failed", 1)


def test_it_is_cheap(tmp_path):
    code = """
import sys, time
from cnnlab import progress
start = time.perf_counter()
progress()
print(time.perf_counter() - start)
print([name for name in ("torch", "matplotlib", "PIL", "IPython") if name in sys.modules])
"""
    env = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    *_, seconds, imported = done.stdout.splitlines()
    assert float(seconds) < 0.3 and imported == "[]"
