"""Commits: a bad draft costs only itself, and many cost no more queries than few."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from nbgrader.api import Gradebook

from autograder.recording import gradebook, nbgrader_settings
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
    a_class,
    files,
    hand_in,
    held,
    record_fast,
)


@pytest.fixture
def course(two_lesson_course: Course) -> Course:
    return two_lesson_course


def test_one_bad_draft_costs_only_itself(course: Course) -> None:
    judgements = a_class(course)
    with Recorder(course, ASSIGNMENT) as recorder:
        drafts = {s: draft(course, ASSIGNMENT, s, found) for s, found in judgements.items()}
        shutil.rmtree(drafts["ada"].folder)
        odd = {NAME: replace(drafts["bob"].scores[NAME], auto={"gone_check": 1.0})}
        drafts["bob"] = replace(drafts["bob"], scores=odd)
        problems = recorder.commit(list(drafts.values()))
        assert problems == {
            "ada": "its draft is gone from work/drafts: grade again",
            "bob": f"{NAME} has changed while it was graded: grade again",
        }
        assert {g.student for g in gradebook.grades(course, ASSIGNMENT)} == {"eve", "ida", "joe"}
        assert not recorder.recorded_whole("ada") and recorder.recorded_whole("eve")


def test_files_that_cannot_be_written_cost_only_that_submission(course: Course) -> None:
    hand_in(course, "ada")
    hand_in(course, "bob", both=False)
    record_fast(course, {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}})
    (course.work / "autograded" / "bob").write_text("in the way")
    before = files(course)
    problems = record_fast(course, {"ada": {NAME: WRONG}, "bob": {NAME: WRONG}})
    assert list(problems) == ["bob"] and "its files could not be written" in problems["bob"]
    assert files(course) != before
    with Recorder(course, ASSIGNMENT) as recorder:
        assert recorder.recorded_whole("ada") and not recorder.recorded_whole("bob")


def test_a_failing_plugin_for_late_submissions_costs_only_the_late(course: Course) -> None:
    ours = ROOT / nbgrader_settings.CONFIG
    source = ours.read_text().replace("__file__", repr(str(ours)))
    added = (
        "from nbgrader.plugins import LateSubmissionPlugin\n"
        "class Broken(LateSubmissionPlugin):\n"
        "    def late_submission_penalty(self, student_id, score, total_seconds_late):\n"
        "        return 1 / 0\n"
        "c.AssignLatePenalties.plugin_class = Broken\n"
    )
    (course.root / nbgrader_settings.CONFIG).write_text(source + added)
    with Gradebook(course.db_url) as made:
        made.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
    problems = record_fast(course, a_class(course))
    assert list(problems) == ["ida"] and "ZeroDivisionError" in problems["ida"]
    assert {g.student for g in gradebook.grades(course, ASSIGNMENT)} == {"ada", "bob", "eve", "joe"}


def test_a_submission_is_held_only_where_all_of_it_is_there(course: Course) -> None:
    hand_in(course, "ada")
    with Recorder(course, ASSIGNMENT) as recorder:
        recorder.commit([draft(course, ASSIGNMENT, "ada", {NAME: RIGHT}, identity="abc")])
        assert held(recorder, "ada", "abc") and not held(recorder, "ada", "def")
        assert not held(recorder, "bob", "") and not held(recorder, "bob", "abc")
    with Recorder(course, ASSIGNMENT) as recorder:
        assert held(recorder, "ada", "abc")
        (course.work / "autograded/ada" / ASSIGNMENT / f"{NAME}.ipynb").unlink()
        assert not held(recorder, "ada", "abc")


def test_the_number_of_queries_does_not_grow_with_the_class(course: Course) -> None:
    from sqlalchemy import event

    counts = []
    for size in (2, 20):
        students = [f"s{number}" for number in range(size)]
        for student in students:
            hand_in(course, student, both=False)
        with Recorder(course, ASSIGNMENT) as recorder:
            asked: list[str] = []
            event.listen(
                recorder.engine, "before_cursor_execute", lambda *said, asked=asked: asked.append(said[2])
            )
            recorder.commit([draft(course, ASSIGNMENT, s, {NAME: RIGHT}) for s in students])
        counts.append(len(asked))
    assert counts[0] == counts[1], counts
