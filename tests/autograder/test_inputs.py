"""Whole hand-ins that once went wrong, in tests/inputs/, each with what it must earn and what must be said of it."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

import pytest

from autograder import intake
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.points import is_right
from tests import ROOT

pytestmark = pytest.mark.usefixtures("bubblewrap")

INPUTS = ROOT / "tests" / "inputs"
ASSIGNMENT = "1_layers"
# folder -> words that the record's flags or notes hold
SAID = {
    "answer-shadow": ["Cell 34 overwrites `answer`"],
    "name-ipynb-json": ["handed in as 02_convolution.ipynb.json"],
    "zip-txt": ["handin.zip is an archive", "handed in as 02_convolution.ipynb.txt"],
    "two-attempts": [
        "02_convolution (1).ipynb was taken, as the later file; 02_convolution.ipynb was left out"
    ],
    "tz-la": [],
    "second-try-new-cell-before-check": ["Cells 34 and 35 hold an answer; the one in cell 35 was taken"],
    "helper-below-check": [],
    "ndarray-return": [],
    "pdb-in-answer": [],
}
# folder -> exercise that fails -> words about it on the page; all others earn their points, or depend on one of these
FAILS = {
    "helper-below-check": {
        "im2col": "my_pad is defined only below the check: move it above, for the check fails without it"
    },
    "ndarray-return": {
        "same_padding": "it returned a numpy.ndarray; return before, after as a tuple",
    },
    "pdb-in-answer": {
        "im2col": "it stopped in a debugger in line 21 of the cell; take out breakpoint() or pdb.set_trace()"
    },
}


def test_each_folder_is_tried() -> None:
    assert sorted(path.name for path in INPUTS.iterdir()) == sorted(SAID)


@pytest.mark.parametrize("name", SAID)
def test_it_earns_what_it_must_and_what_is_odd_is_said(
    course: Course, convolution: Lesson, name: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(INPUTS / name, tmp_path / "handed in")
    for path in folder.iterdir():
        os.utime(path, (0, 0))  # downloaded together, whenever the checkout wrote them
    intake.take_in_current(course, ASSIGNMENT, "ada", folder)
    record = intake.load_record(course, ASSIGNMENT, "ada")
    assert record is not None
    said = " ".join([*record.flags, *record.notes.values()])
    assert all(words in said for words in SAID[name]), said
    submission = Submission.of_student(course, ASSIGNMENT, "ada")
    notebook = submission.notebook(convolution)
    assert notebook is not None
    found = judge_notebook(course, convolution, notebook, submission)
    lost = {name: verdict for name, verdict in found.verdicts.items() if not is_right(verdict)}
    fails = FAILS.get(name, {})
    assert fails.keys() <= lost.keys()
    for exercise, verdict in lost.items():
        sentences = [*verdict.notes, *(case.sentence for case in verdict.cases)]
        if exercise in fails:
            assert fails[exercise] in sentences
        else:
            assert any(f"depends on {other}, which fails" in sentences for other in lost)


def test_the_time_in_a_named_zone_is_known(course: Course) -> None:
    intake.take_in_current(course, ASSIGNMENT, "ada", INPUTS / "tz-la")
    text = Path(course.submitted, "ada", ASSIGNMENT, "timestamp.txt").read_text()
    assert datetime.fromisoformat(text) == datetime.fromisoformat("2015-02-02T23:58:23.948203+00:00")
