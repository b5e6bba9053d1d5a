"""What an earlier lesson may do to a later one, and that no two submissions are taken for one."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.exercise import Exercise, Lesson, lesson
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.judging.cells import MAX_LENT
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import judgement_key
from autograder.sandbox import Limits
from cnnlab.checking.way import Way
from tests.autograder.red_team_sample import QUICK, cells, written

pytestmark = pytest.mark.usefixtures("bubblewrap")


def plain(name: str, *exercises: str) -> Lesson:
    cases = rows(
        plain_case,
        "basic",
        public("any", x=2.0),
        secret("any", x=2.0),
    )
    made = [Exercise(e, ("y",), lambda x: 2 * x, cases, {"basic": 1}) for e in exercises]
    return lesson(f"1_layers/{name}", made)


BEFORE, AFTER = plain("80_before", "twice", "other"), plain("81_after", "again", "alone")


LATER = cells(
    ("exercise", "again", "from cnnlab import layers\ndef again(x): return layers.twice(x)"),
    ("check", "again", ""),
    ("exercise", "alone", "def alone(x): return 2 * x"),
    ("check", "alone", ""),
)


def submitted(folder: Path, **notebooks: NotebookNode) -> Submission:
    for name, notebook in notebooks.items():
        (folder / f"{name.removeprefix('n')}.ipynb").write_text(json.dumps(notebook))
    return Submission(folder, [BEFORE, AFTER])


@pytest.mark.parametrize(
    "body",
    [
        "def twice(x):\n    while True: pass",
        "def twice(x):\n    import os; os._exit(0)",
        "import os\nTWO = os._exit(0)\ndef twice(x): return TWO * x",
        "def twice(x): raise type('SECRET_' + str(x), (Exception,), {})('SECRET')",
        "def twice(x):\n    from cnnlab import layers\n    return layers.again(x)",
        "from cnnlab import layers\ntwice = layers.twice",
    ],
)
def test_a_hostile_earlier_lesson_costs_what_leans_on_it(course: Course, tmp_path: Path, body: str) -> None:
    both = submitted(tmp_path, n80_before=written("twice", body))
    limits = Limits(cell_seconds=1.0, probe_seconds=0.5, submission_seconds=30.0)
    judgement = judge_notebook(course, AFTER, LATER, both, limits=limits)
    assert {name: v.points for name, v in judgement.verdicts.items()} == {"again": 0, "alone": 1}
    assert judgement.verdicts["again"].notes == ("depends on twice of 80_before, which fails",)
    assert "SECRET" not in json.dumps(judgement.as_json())


def test_texts_of_any_length_are_run(course: Course, tmp_path: Path) -> None:
    long = "twice = lambda x: 2 * x\n#" + "\u00e9" * 1_000_000
    both = submitted(tmp_path, n80_before=cells(("exercise", "twice", long), *[("extra", "", long)] * 15))
    notebook = cells(*[("extra", "", long)] * 5)
    notebook.cells += LATER.cells
    verdicts = judge_notebook(course, AFTER, notebook, both, limits=QUICK).verdicts
    assert [v.points for v in verdicts.values()] == [1, 1]


def test_much_text_is_read_once_and_lent_in_part(course: Course, tmp_path: Path) -> None:
    lessons = [plain(f"{n}_long", f"name{n}") for n in range(60, 66)]
    every = " ".join(f"name{n}" for n in range(60, 66))
    for one in lessons:
        text = cells(*[("extra", "", f"{every} = 1\n" + "x = 1\n" * 170_000)] * 4)
        (tmp_path / f"{one.name}.ipynb").write_text(json.dumps(text))
    one = Submission(tmp_path, lessons)
    own = cells(("extra", "", every))
    began = time.process_time()
    for _ in range(20):
        needed = one.library(lessons[-1], own)
    assert time.process_time() - began < 3 and len(needed) == 5
    assert all(sum(map(len, texts)) <= MAX_LENT for texts in needed.values())


def test_no_file_and_an_empty_one_are_two_submissions(course: Course, tmp_path: Path) -> None:
    cases = rows(
        plain_case,
        "basic",
        public("any", x=1.0),
        secret("any", x=1.0),
    )
    trained = Exercise("trained", ("weights",), dict, cases, {"basic": 1}, way=Way(file="lenet.safetensors"))
    one = lesson("1_layers/92_weights", [trained])
    before = judgement_key(course, one, cells(), Submission(tmp_path, [one]))
    (tmp_path / "lenet.safetensors").write_bytes(b"")
    assert judgement_key(course, one, cells(), Submission(tmp_path, [one])) != before
    for trick in (os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path)):
        place = tmp_path / "other.safetensors"
        trick(place)
        assert Submission(tmp_path, [one]).file(place.name) is None
        os.rmdir(place) if place.is_dir() and not place.is_symlink() else place.unlink()
