"""The journal of what was recorded: what its lines say, and that lines of earlier versions are understood."""

from __future__ import annotations

import json

import pytest

from autograder.recording import recorded
from autograder.recording.errors import RecordError
from autograder.recording.recorded import RecordedLesson, RecordedSubmission
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME
from tests.autograder.recording.recording_sample import (
    RIGHT,
    SECOND,
    SECOND_RIGHT,
    WRONG,
    Course,
    hand_in,
    record_fast,
    record_slowly,
)


@pytest.fixture
def course(two_lesson_course: Course) -> Course:
    return two_lesson_course


def test_the_journal_says_what_was_recorded_and_by_what_but_no_secret(course: Course) -> None:
    hand_in(course, "ada", why="Because.")
    record_fast(course, {"ada": {NAME: WRONG, SECOND: SECOND_RIGHT}})
    entry = recorded.journal(course).find(f"{ASSIGNMENT}/ada")
    assert entry and (entry["assignment"], entry["student"], entry["whole"]) == (ASSIGNMENT, "ada", True)
    assert set(entry["versions"]) == {"python", "numpy", "cnnlab", "grader"}
    assert entry["lessons"][NAME]["points"] == {"double": 1.0, "why": None}
    assert len(entry["lessons"][NAME]["judgement"]) == len(entry["submission"]) == len(entry["secret"]) == 64
    assert course.secret().hex() not in (course.work / "recorded.jsonl").read_text()


def test_nbgraders_own_way_is_noted_too(course: Course) -> None:
    hand_in(course, "ada")
    found = {"ada": {NAME: RIGHT, SECOND: SECOND_RIGHT}}
    record_fast(course, found)
    first = recorded.find(course, ASSIGNMENT, "ada")
    record_slowly(course, found)
    assert recorded.find(course, ASSIGNMENT, "ada") == first, "nothing changed, so it is still held"
    hand_in(course, "ada", code="def double(x):\n    return x")
    record_slowly(course, {"ada": {NAME: WRONG, SECOND: SECOND_RIGHT}})
    second = recorded.find(course, ASSIGNMENT, "ada")
    assert second and second.identity == "" and second.lessons[NAME].points["double"] == 1.0


# As the versions before wrote it: `identity` was called `submission`, and at first it was all that a line held.
LINE = (
    '{"key": "1_layers/ada", "assignment": "1_layers", "handed_in": "2026-01-02T12:00:00+00:00", "lessons": '
    '{"01_doubling": {"judgement": "5f1c", "notebook": "9d2e", "points": {"double": 1.0, "why": null}}}, '
    '"secret": "77aa", "student": "ada", "submission": "c0ffee", "time": "2026-01-03T08:30:00+00:00", "versions": '
    '{"cnnlab": "0.1.0", "grader": "ab12", "numpy": "2.1.3", "python": "3.11.7"}, "whole": true}\n'
)
FIRST_LINE = '{"key": "1_layers/bob", "submission": "c0ffee"}\n'


def test_a_line_of_an_earlier_version_is_understood(course: Course) -> None:
    (course.work / "recorded.jsonl").write_text(LINE + FIRST_LINE)
    lessons = {NAME: RecordedLesson("5f1c", "9d2e", {"double": 1.0, "why": None})}
    ada = RecordedSubmission(ASSIGNMENT, "ada", "c0ffee", lessons, "2026-01-02T12:00:00+00:00", whole=True)
    bob = RecordedSubmission(ASSIGNMENT, "bob", "c0ffee")
    assert recorded.find(course, ASSIGNMENT, "ada") == ada
    assert list(recorded.records(course, ASSIGNMENT)) == [ada, bob]


def test_a_line_is_written_as_the_earlier_version_wrote_it(course: Course) -> None:
    hand_in(course, "ada", why="Because.", late="2026-01-02 12:00:00 UTC")
    record_fast(course, {"ada": {NAME: WRONG}})
    written, earlier = (course.work / "recorded.jsonl").read_text().splitlines()[-1], json.loads(LINE)
    assert [*json.loads(written)] == [*earlier], "either version reads what the other wrote"
    assert [*json.loads(written)["lessons"][NAME]] == [*earlier["lessons"][NAME]]


@pytest.mark.parametrize("lessons", ['["01_doubling"]', "3", '{"01_doubling": {"judgement": "5f1c"}}'])
def test_a_line_that_no_version_wrote_is_refused_in_one_sentence(course: Course, lessons: str) -> None:
    (course.work / "recorded.jsonl").write_text(f'{{"key": "1_layers/ada", "lessons": {lessons}}}\n')
    with pytest.raises(RecordError) as refused:
        recorded.find(course, ASSIGNMENT, "ada")
    assert str(refused.value) == (
        "The last line of 1_layers/ada in work/recorded.jsonl cannot be read: "
        "it was changed, or a later version wrote it."
    )
