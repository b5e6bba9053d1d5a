"""Killed at any point, recording leaves nothing half done, and the next run ends as an undisturbed one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.recording import gradebook, recorded
from autograder.recording.drafting import draft
from autograder.recording.recorder import Recorder
from tests import ROOT
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME
from tests.autograder.recording.recording_sample import (
    RIGHT,
    SECOND,
    SECOND_RIGHT,
    WRONG,
    Course,
    copy_of,
    files,
    hand_in,
    held,
    record_fast,
    regrade,
    tables,
)


@pytest.fixture
def course(two_lesson_course: Course) -> Course:
    return two_lesson_course


# Regrades the classes named, each in a process of its own that ends at the next point, and says how each ended.
KILL = """
import os, sys
sys.path[:0] = [{here!r}]
import autograder.recording.recorder, autograder.recording.tables as tables
from autograder.recording import recorded
from tests.autograder.recording import recording_sample as t
from pathlib import Path

count = point = 0

def step():
    global count
    count += 1
    if count == point:
        os._exit(9)

def counted(function):
    def wrapper(*args, **kwargs):
        step()
        result = function(*args, **kwargs)
        step()
        return result
    return wrapper

tables.Session.commit = counted(tables.Session.commit)
recorded.begin = counted(recorded.begin)
recorded.end = counted(recorded.end)
Path.rename = counted(Path.rename)
for point, root in enumerate(sys.argv[1:], 1):
    child = os.fork()
    if child == 0:
        t.regrade(t.copy_as(root))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


POINTS = 14  # before and after each step of a batch of two: begin, commit, two renames each, end


@pytest.mark.slow
def test_killed_at_any_point_the_next_run_comes_to_the_same_end(course: Course, tmp_path: Path) -> None:
    hand_in(course, "ada")
    hand_in(course, "bob", both=False)
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}, "bob": {NAME: WRONG}})
    old = gradebook.grades(course, ASSIGNMENT)
    undisturbed = copy_of(course.root, tmp_path / "undisturbed")
    regrade(undisturbed)
    new = gradebook.grades(undisturbed, ASSIGNMENT)
    assert new != old
    killed = [copy_of(course.root, tmp_path / f"killed {point}") for point in range(POINTS + 1)]
    script = [sys.executable, "-c", KILL.format(here=str(ROOT))]
    done = subprocess.run([*script, *(str(one.root) for one in killed)], capture_output=True, text=True)
    assert done.stdout.split() == ["9"] * POINTS + ["0"], done.stdout + done.stderr
    for one in killed:
        assert gradebook.grades(one, ASSIGNMENT) in (old, new), "all scores of a batch, or none"
        regrade(one)
        assert tables(one.db_url) == tables(undisturbed.db_url)
        assert files(one) == files(undisturbed)
        with Recorder(one, ASSIGNMENT) as recorder:
            assert held(recorder, "ada", "new ada") and held(recorder, "bob", "new bob")


def test_an_earlier_submission_handed_in_again_after_a_kill_is_not_taken_for_recorded(course: Course) -> None:
    hand_in(course, "ada")
    with Recorder(course, ASSIGNMENT) as recorder:
        recorder.commit([draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}, identity="first")])
        second = draft(course, ASSIGNMENT, "ada", {NAME: WRONG}, identity="second")
        recorded.begin(course, [second.record])  # and here it is killed
        assert not held(recorder, "ada", "first") and not held(recorder, "ada", "second")


def test_what_a_killed_run_left_of_its_drafts_is_swept_away_later(course: Course) -> None:
    hand_in(course, "ada")
    left = Path(draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}).folder)
    Recorder(course, ASSIGNMENT).close()
    assert left.exists(), "it may be a run's that goes on"
    os.utime(left, (time.time() - 86400,) * 2)
    Recorder(course, ASSIGNMENT).close()
    assert not left.exists()
