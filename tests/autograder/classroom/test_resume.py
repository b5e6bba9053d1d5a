"""A run that is killed at any point and started again comes to what an undisturbed one comes to."""

from __future__ import annotations

import os
import random
import shutil
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("submissions", "kills"), [(3, 1), pytest.param(8, 4, marks=pytest.mark.slow)], ids=["once", "often"]
)
def test_killed_at_random_points_it_comes_to_the_same(
    submissions: int, kills: int, course: Course, ready_folder: Path, tmp_path: Path
) -> None:
    folder = cheap_class(course, tmp_path / "class", submissions)
    calm, killed, temporary = tmp_path / "calm", tmp_path / "killed", tmp_path / "temporary"
    for work in (calm, killed):  # with one secret
        shutil.copytree(ready_folder, work)
    process = start(calm, temporary, str(folder))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err

    chance = random.Random(SEED)
    # After so many submissions were judged, and a moment more: ever later, and first while it starts where they are several.
    points = [0, *sorted(chance.sample(range(1, submissions), kills - 1))] if kills > 1 else [1]
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
    assert other["grades"] == one["grades"] and len(one["grades"]) > submissions
    assert other["verdicts"] == one["verdicts"] and len(one["verdicts"]) == submissions
    assert other["files"] == one["files"] and len(one["files"]) >= submissions
    assert not list(temporary.iterdir())
    assert not (killed / "started").exists() and not list((killed / "drafts").glob("*/*/*"))
    assert not read_changes(Course(ROOT, killed), ASSIGNMENT)


def test_interrupted_it_ends_at_once_and_keeps_what_was_judged(ready: Course, tmp_path: Path) -> None:
    folder = cheap_class(ready, tmp_path / "class", 4)
    one_more(ready, folder, "zoe", "dense_parameters", "", top="import time; time.sleep(4)")
    work, temporary = ready.work, tmp_path / "temporary"
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
