"""A run that is killed at any point and started again comes to what an undisturbed one comes to."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.classroom.changes import read_changes
from autograder.course import Course
from tests import ROOT
from tests.autograder.class_sample import (
    ASSIGNMENT,
    adopting,
    came_of,
    cheap_class,
    left_after,
    one_more,
    running_processes,
)

SUBMISSIONS = 8
KILLS = 4
SEED = 5

pytestmark = pytest.mark.usefixtures("bubblewrap")


def start(work: Path, temporary: Path, *arguments: str) -> subprocess.Popen[str]:
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, *arguments, "--workers", "2"],
        cwd=ROOT,
        env={**os.environ, "CNNLAB_WORK": str(work), "TMPDIR": str(temporary)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def wait_for(work: Path, judged: int, recorded: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if lines(work / "journal.jsonl") >= judged and lines(work / "recorded.jsonl") >= recorded:
            return
        time.sleep(0.01)


def test_killed_at_random_points_it_comes_to_the_same(course: Course, tmp_path: Path) -> None:
    folder = cheap_class(course, tmp_path / "class", SUBMISSIONS)
    calm, killed, temporary = tmp_path / "calm", tmp_path / "killed", tmp_path / "temporary"
    process = start(calm, temporary, str(folder))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    killed.mkdir()
    (killed / "secret").write_bytes((calm / "secret").read_bytes())

    chance = random.Random(SEED)
    # While it starts, then ever later: after so many submissions were judged, and a moment more.
    points = [0, *sorted(chance.sample(range(1, SUBMISSIONS), KILLS - 1))]
    before = running_processes()
    with adopting():
        for judged in points:
            process = start(killed, temporary, str(folder))
            wait_for(killed, judged, 0, process)
            time.sleep(chance.uniform(0, 0.7))
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)
            assert not left_after(before, 10)
        process = start(killed, temporary, str(folder))
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert not left_after(before, 5)

    one, other = came_of(Course(ROOT, calm)), came_of(Course(ROOT, killed))
    assert other["grades"] == one["grades"] and len(one["grades"]) > SUBMISSIONS
    assert other["verdicts"] == one["verdicts"] and len(one["verdicts"]) == SUBMISSIONS
    assert other["files"] == one["files"] and len(one["files"]) >= SUBMISSIONS
    assert not list(temporary.iterdir())
    assert not (killed / "started").exists() and not list((killed / "drafts").glob("*/*/*"))
    assert not read_changes(Course(ROOT, killed), ASSIGNMENT)


def test_interrupted_it_ends_at_once_and_keeps_what_was_judged(course: Course, tmp_path: Path) -> None:
    folder = cheap_class(course, tmp_path / "class", 4)
    one_more(course, folder, "zoe", "dense_parameters", "", top="import time; time.sleep(4)")
    work, temporary = tmp_path / "work", tmp_path / "temporary"
    before = running_processes()
    with adopting():
        process = start(work, temporary, str(folder))
        wait_for(work, 3, 0, process)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: workers get it too
        _, err = process.communicate(timeout=60)
        assert time.monotonic() - began < 5
        assert not left_after(before, 5)
    assert process.returncode == 130, err
    assert err.rstrip().endswith("and the same command goes on.") and "Traceback" not in err
    assert lines(work / "journal.jsonl") >= 3
    assert not list(temporary.iterdir())
