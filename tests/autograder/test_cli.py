"""The commands: what they print, how they end, and that bad input loses nothing."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.sample import Solved, save
from tests import ROOT


def start(*arguments: str, work: Path, **environment: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "autograder", *arguments]
    everything = {**os.environ, "CNNLAB_WORK": str(work), **environment}
    return subprocess.Popen(
        command, cwd=ROOT, env=everything, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(*arguments: str, work: Path, **environment: str) -> tuple[int, str, str]:
    process = start(*arguments, work=work, **environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def hand_in(folder: Path, course: Course, lesson: Lesson) -> Path:
    solved = Solved(course, lesson)
    for student in ("ann", "ben"):
        save(solved.notebook(), folder / student / f"{lesson.name}.ipynb")
    return folder


class Graded(NamedTuple):
    """A class folder, and how the command ended that graded it."""

    work: Path
    status: int
    out: str
    err: str


@pytest.fixture
def small_class(tmp_path: Path, course: Course, convolution: Lesson) -> Path:
    """Two honest students' folders."""
    return hand_in(tmp_path / "class", course, convolution)


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, checkout: Course, convolution: Lesson, bubblewrap: str
) -> Graded:
    """Two honest students, graded in a class folder that was not there before."""
    base = tmp_path_factory.mktemp("graded")
    hand_in(base / "class", checkout, convolution)
    return Graded(base / "work", *run("grade", "1_layers", str(base / "class"), work=base / "work"))


@pytest.fixture
def graded_work(graded: Graded, tmp_path: Path) -> Path:
    """A copy of the class folder in which two honest students are graded."""
    return shutil.copytree(graded.work, tmp_path / "work")


def test_grading_a_folder_prints_the_table_and_where_all_is(
    graded: Graded, graded_work: Path, tmp_path: Path
) -> None:
    status, out, err = graded.status, graded.out, graded.err
    assert status == 0, err
    rows = [line.split() for line in out.splitlines() if line.startswith(("ann", "ben"))]
    assert [(row[0], row[-1]) for row in rows] == [("ann", "60"), ("ben", "60")]
    for label in ("Feedback", "Report", "Gradebook"):
        assert any(line.startswith(label) for line in out.splitlines())
    assert (tmp_path / "work" / "gradebook.db").exists()
    assert (tmp_path / "work" / "report" / "1_layers.html").exists()
    assert (tmp_path / "work" / "feedback" / "ann" / "1_layers" / "02_convolution.html").exists()
    # The same again, from what was handed in before.
    status, again, err = run("grade", "1_layers", work=tmp_path / "work")
    assert status == 0, err
    assert [line for line in again.splitlines() if line.startswith(("ann", "ben"))] == [
        line for line in out.splitlines() if line.startswith(("ann", "ben"))
    ]


BAD = {
    "no such assignment": (
        ("grade", "9_none"),
        "There is no assignment '9_none'; the assignments are 1_layers",
    ),
    "no such folder": (("grade", "1_layers", "/nonexistent"), "/nonexistent is not a folder"),
    "nothing handed in": (("grade", "1_layers"), "Nobody has handed in 1_layers"),
    "no workers": (("grade", "1_layers", "--workers", "0"), "--workers takes a number from 1"),
    "workers and a scheduler": (
        ("grade", "1_layers", "--workers", "2", "--scheduler", "tcp://x:1"),
        "--workers is for this machine",
    ),
    "a folder to replay": (("grade", "1_layers", "/tmp", "--replay"), "leave the folder out"),
    "a student who is not there": (("grade", "1_layers", "--student", "eve"), "'eve' has not handed in"),
    "no such lesson": (("grade", "1_layers", "--lesson", "none"), "1_layers has no lesson 'none'"),
    "nothing to replay": (("grade", "1_layers", "--replay"), "Nobody has handed in 1_layers"),
    "no such lesson to build": (("build", "none"), "There is no lesson none; the lessons are 01_why_conv"),
    "a release of one lesson": (("build", "02_convolution", "--ref", "v2"), "leave their names out"),
    "not a repository": (("build", "--repo", "x"), "--repo takes OWNER/NAME"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_sentence(what: str, tmp_path: Path) -> None:
    arguments, sentence = BAD[what]
    status, out, err = run(*arguments, work=tmp_path / "work")
    assert status == 1
    assert err.startswith("autograder: ") and sentence in err and len(err.splitlines()) == 1
    assert "Traceback" not in out + err


def test_who_reads_only_the_first_lines_hears_of_no_error(tmp_path: Path) -> None:
    process = start("doctor", work=tmp_path / "work")
    assert process.stdout and process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 1


def test_a_table_is_not_written_over_a_folder(graded_work: Path, tmp_path: Path) -> None:
    for product, place in (("canvas", tmp_path), ("gradescope", Path(__file__))):
        status, _, err = run("export", product, "1_layers", "--out", str(place), work=graded_work)
        assert status == 1 and f"{place} is there already and is no" in err and len(err.splitlines()) == 1


def test_an_odd_name_costs_a_line_and_not_the_class(small_class: Path, tmp_path: Path) -> None:
    (small_class / "not a student").mkdir()
    status, out, err = run("grade", "1_layers", str(small_class), work=tmp_path / "work")
    assert status == 0, err
    assert "Left out: 'not a student' is no student's id" in out
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("ann", "ben"))] == ["ann", "ben"]
    assert not (tmp_path / "work" / "submitted" / "not a student").exists()


def test_without_bubblewrap_nothing_is_recorded(small_class: Path, tmp_path: Path) -> None:
    status, _, err = run("grade", "1_layers", str(small_class), work=tmp_path / "work", PATH="/nonexistent")
    assert status == 1 and "sudo apt-get install bubblewrap" in err and len(err.splitlines()) == 1
    assert not (tmp_path / "work" / "journal.jsonl").exists()
    assert (small_class / "ann" / "02_convolution.ipynb").exists()


def test_without_a_sandbox_only_aloud(small_class: Path, tmp_path: Path, ready: Course) -> None:
    status, out, err = run(
        "grade", "1_layers", str(small_class), "--no-sandbox", work=tmp_path / "work", PATH="/usr/bin:/bin"
    )
    assert status == 0, err
    assert "WARNING: no sandbox" in err
    assert [line.split()[8] for line in out.splitlines() if line.startswith(("ann", "ben"))] == ["60", "60"]


@pytest.mark.slow
def test_who_comes_later_joins_the_class_and_nobody_is_recorded_anew(
    small_class: Path, tmp_path: Path, bubblewrap: str, ready: Course
) -> None:
    work = tmp_path / "work"
    (small_class / "ben").rename(tmp_path / "ben")
    assert run("grade", "1_layers", str(small_class), work=work)[0] == 0
    (tmp_path / "late").mkdir()
    (tmp_path / "ben").rename(tmp_path / "late" / "ben")
    before = (work / "autograded" / "ann" / "1_layers" / "02_convolution.ipynb").stat().st_mtime_ns
    status, out, err = run("grade", "1_layers", str(tmp_path / "late"), work=work)
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines() if line.endswith("60")] == ["ann", "ben"]
    assert (work / "autograded" / "ann" / "1_layers" / "02_convolution.ipynb").stat().st_mtime_ns == before
    page = (work / "report" / "1_layers.html").read_text()
    assert ">ann<" in page and ">ben<" in page


def test_two_runs_at_once_do_not_mix(small_class: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with (work / "grading.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        status, _, err = run("grade", "1_layers", str(small_class), work=work)
    assert status == 1 and "is being graded by another run" in err and len(err.splitlines()) == 1
    assert not (work / "submitted").exists()


@pytest.mark.slow
def test_a_cell_that_does_not_parse_is_named(
    small_class: Path, tmp_path: Path, bubblewrap: str, ready: Course
) -> None:
    path = small_class / "ben" / "02_convolution.ipynb"
    path.write_text(path.read_text().replace("return np.pad(x, (", "return np.pad(x, (("))
    status, out, err = run("grade", "1_layers", str(small_class), work=tmp_path / "work")
    assert status == 0, err
    (row,) = [line for line in out.splitlines() if line.startswith("ben")]
    assert "pad2d: its cell raised SyntaxError" in row
    feedback = (tmp_path / "work" / "feedback" / "ben" / "1_layers" / "02_convolution.html").read_text()
    assert "its cell raised SyntaxError" in feedback.lower() or "Its cell raised SyntaxError" in feedback


def test_what_was_put_into_submitted_by_hand_is_taken_in_first(
    small_class: Path, tmp_path: Path, convolution: Lesson, bubblewrap: str, ready: Course
) -> None:
    place = tmp_path / "work" / "submitted" / "ann" / "1_layers"
    place.mkdir(parents=True)
    text = (small_class / "ann" / f"{convolution.name}.ipynb").read_text()
    (place / f"{convolution.name}.ipynb").write_text(
        text.replace('"schema_version": 3', '"schema_version": 99')
    )
    (tmp_path / "work" / "submitted" / "eve").mkdir()
    (tmp_path / "work" / "submitted" / "eve" / "1_layers").symlink_to("/etc")
    status, out, err = run("grade", "1_layers", work=tmp_path / "work")
    rows = {line.split()[0]: line.split()[8] for line in out.splitlines() if line.startswith(("ann", "eve"))}
    assert rows["ann"] == "60" and rows["eve"] == "0", err
    assert status == 1 and "Traceback" not in err
    assert "schema_version" not in (place / f"{convolution.name}.ipynb").read_text().replace(
        '"schema_version": 3', ""
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(small_class: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run("grade", "1_layers", str(small_class), work=tmp_path / "file" / "work")
    assert status == 1 and "Traceback" not in err and len(err.splitlines()) == 1


@pytest.mark.slow
def test_a_lesson_file_that_is_no_json_is_said_and_the_class_goes_on(
    small_class: Path, tmp_path: Path, bubblewrap: str, ready: Course
) -> None:
    (small_class / "cut").mkdir()
    (small_class / "cut" / "02_convolution.ipynb").write_text('{"cells": [')
    status, out, _ = run("grade", "1_layers", str(small_class), work=tmp_path / "work")
    rows = {
        line.split()[0]: line.split()[8]
        for line in out.splitlines()
        if line.startswith(("ann", "ben", "cut"))
    }
    assert status == 0 and rows == {"ann": "60", "ben": "60", "cut": "0"}
    page = (tmp_path / "work" / "report" / "1_layers.html").read_text()
    assert "not JSON" in page or "unreadable" in page


def test_stopping_loses_nothing(
    small_class: Path, tmp_path: Path, course: Course, convolution: Lesson, bubblewrap: str, ready: Course
) -> None:
    solved = Solved(course, convolution)
    sleeps = f"import time; time.sleep(4)\n{solved.answers['pad2d']}"
    wrong = solved.with_body(
        "conv2d_forward", "return x"
    )  # so it is not timed, for which its cells would run again
    slow = solved.notebook({"pad2d": sleeps, "conv2d_forward": wrong})
    save(slow, small_class / "zoe" / f"{convolution.name}.ipynb")
    process = start("grade", "1_layers", str(small_class), "--workers", "1", work=tmp_path / "work")
    journal = tmp_path / "work" / "journal.jsonl"
    deadline = time.monotonic() + 60
    while not journal.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 20  # it does not wait for what is running
    assert process.returncode == 130 and "what was judged so far is kept" in err and "Traceback" not in err
    assert json.loads(journal.read_text().splitlines()[0])["verdicts"]["pad2d"]["points"] == 6
    status, out, err = run("grade", "1_layers", str(small_class), work=tmp_path / "work")
    assert status == 0, err
    assert {line.split()[0] for line in out.splitlines() if line.startswith(("ann", "ben", "zoe"))} == {
        "ann",
        "ben",
        "zoe",
    }


def test_each_submission_has_a_line_that_a_terminal_need_not_fear(
    small_class: Path, tmp_path: Path, bubblewrap: str, ready: Course
) -> None:
    (small_class / "ben" / "evil\x1b[2J\nname.txt").write_text("")
    status, out, err = run("grade", "1_layers", str(small_class), work=tmp_path / "work")
    assert status == 0, err
    lines = sorted(line.split("  ", 1)[1] for line in err.splitlines())
    assert len(lines) == 2 and lines[0].split()[:4] == ["ann", "60", "of", "60"]
    assert "1 flag" in lines[1] and "\x1b" not in out + err
    assert {line.split()[0] for line in err.splitlines()} == {"1/2", "2/2"}


@pytest.mark.slow
def test_a_bar_with_the_time_left_where_somebody_watches(
    small_class: Path, tmp_path: Path, course: Course, convolution: Lesson, bubblewrap: str, ready: Course
) -> None:
    solved = Solved(course, convolution)
    sleeps = f"import time; time.sleep(4)\n{solved.answers['pad2d']}"
    wrong = solved.with_body(
        "conv2d_forward", "return x"
    )  # so it is not timed, for which its cells would run again
    slow = solved.notebook({"pad2d": sleeps, "conv2d_forward": wrong})
    save(slow, small_class / "zoe" / f"{convolution.name}.ipynb")
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", "1_layers", str(small_class)],
        cwd=ROOT,
        env={**os.environ, "CNNLAB_WORK": str(tmp_path / "work")},
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # how a terminal ends
            break
        said += piece
    os.close(ours)
    assert process.wait(120) == 0
    said = said.decode()
    assert re.search(r"judging: +67%.* 2/3 \[\d\d:\d\d<\d\d:\d\d", said), said  # with the time that is left
    assert re.search(r"\r1/3  ann +60 of 60 ", said) or re.search(r"1/3  ben +60 of 60", said)


@pytest.mark.slow
def test_replaying_says_for_each_whether_it_is_the_same(
    graded_work: Path,
) -> None:
    work = graded_work
    status, out, err = run("grade", "1_layers", "--replay", work=work)
    assert status == 0, err
    assert out.splitlines()[0].split(maxsplit=1) == ["ann", "the same"]
    assert "2 of 2 came out the same; nothing was recorded." in out
    journal = work / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"status": "passed"', '"status": "failed"', 1))
    status, out, err = run("grade", "1_layers", "--replay", "--student", "ann", work=work)
    assert status == 1 and "0 of 1 came out the same" in out, err


def test_help_needs_nothing_and_is_quick(tmp_path: Path) -> None:
    status, out, _ = run("--help", work=tmp_path / "work")
    assert status == 0 and all(command in out for command in ("build", "grade", "sync", "demo"))
    assert not (tmp_path / "work").exists()


DAMAGED = b"not a database at all, although it lies where one should lie" * 4


@pytest.mark.parametrize("command", [("grade", "1_layers"), ("verify",), ("export", "canvas", "1_layers")])
def test_a_damaged_gradebook_is_one_sentence(
    command: tuple[str, ...], small_class: Path, tmp_path: Path, bubblewrap: str
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "gradebook.db").write_bytes(DAMAGED)
    more = [str(small_class)] if command[0] == "grade" else []
    status, _, err = run(*command, *more, work=work)
    assert status == 1 and err.count("\n") == 1
    assert "is damaged" in err and "autograder verify --rebuild" in err
    assert (work / "gradebook.db").read_bytes() == DAMAGED


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("foo", "is no scheduler's address"),
        ("tls://127.0.0.1:1", "asks for certificates"),
        ("tcp://127.0.0.1:1", "No Dask scheduler answers"),
    ],
)
def test_a_scheduler_that_is_not_there_is_one_sentence(
    address: str, words: str, small_class: Path, tmp_path: Path
) -> None:
    status, _, err = run(
        "grade", "1_layers", str(small_class), "--scheduler", address, work=tmp_path / "work"
    )
    assert status == 1 and words in err and err.count("\n") == 1


def test_a_work_folder_that_is_none_is_one_sentence(small_class: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run("grade", "1_layers", str(small_class), work=tmp_path / "file")
    assert status == 1 and "name a folder by CNNLAB_WORK" in err and err.count("\n") == 1
    assert run("doctor", work=tmp_path / "file")[0] == 1


@pytest.mark.slow
def test_what_could_not_be_read_is_flagged_once_however_often_it_is_graded(
    tmp_path: Path, bubblewrap: str, ready: Course
) -> None:
    broken = tmp_path / "class" / "cleo" / "02_convolution.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text('{"cells": [')
    for _ in range(2):
        status, _, err = run("grade", "1_layers", str(broken.parents[1]), work=tmp_path / "work")
        assert status == 0 and "1 flag: 02_convolution: unreadable" in err
