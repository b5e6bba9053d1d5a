"""`autograder verify` finds where gradebook and journals differ, and rebuilds a lost gradebook without running code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbgrader.api import Gradebook

from autograder import sandbox
from autograder.commands import verify as command
from autograder.course import CourseError
from autograder.judging.journal import Journal
from autograder.recording import gradebook, recorded, verify
from autograder.recording.rebuild import rebuild
from autograder.recording.verify import Difference
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, verdict
from tests.autograder.recording.recording_sample import (
    RIGHT,
    SECOND,
    SECOND_RIGHT,
    WRONG,
    copy_of,
    files,
    hand_in,
    judgement,
    record_fast,
    tables,
    two_lessons,
)

Course = sample.SampleCourse


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class of three, graded, whose journals hold it."""
    course = two_lessons(tmp_path_factory.mktemp("course"))
    hand_in(course, "ada", why="Because.", late="2026-01-02 12:00:00 UTC")
    hand_in(course, "bob", both=False, code="def double(x):\n    return 3 * x")
    hand_in(course, "eve", code="import os; os._exit(1)")
    found = {
        "ada": {NAME: RIGHT, SECOND: SECOND_RIGHT},
        "bob": {NAME: WRONG},
        "eve": {NAME: judgement(verdict(0.0)), SECOND: SECOND_RIGHT},
    }
    assert record_fast(course, found) == {}
    journal = Journal(course.work / "journal.jsonl")  # as the judge writes it
    for one in recorded.records(course, ASSIGNMENT):
        for name, lesson in one.lessons.items():
            journal.add(lesson.judgement, found[one.student][name].as_json())
    return course


@pytest.fixture
def course(graded: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A copy of that class, in which no student's code can be run."""
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: pytest.fail("a student's code was run"))
    return copy_of(graded.root, tmp_path / "course")


def run(course: Course, **options: object) -> int:
    return command.run(course, SimpleNamespace(**{"assignment": ASSIGNMENT, "rebuild": False, **options}))  # type: ignore[arg-type]


def change(course: Course, student: str, name: str, **columns: object) -> None:
    with Gradebook(course.db_url) as book:
        grade = book.find_grade(name, NAME, ASSIGNMENT, student)
        for column, value in columns.items():
            setattr(grade, column, value)
        book.db.commit()


def test_where_both_agree_one_sentence_says_so(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.differences(course, ASSIGNMENT) == []
    assert run(course) == 0
    assert capsys.readouterr().out == f"The gradebook and the journals agree on {ASSIGNMENT}.\n"


def test_points_that_were_changed_are_listed(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    change(course, "bob", "double_check", auto_score=3.0)
    assert verify.differences(course, ASSIGNMENT) == [
        Difference("bob", NAME, "double", "the points differ", 1.0, 3.0)
    ]
    assert run(course) == 1
    out = capsys.readouterr().out
    assert f"bob {NAME} double: the points differ: journal 1, gradebook 3\n" in out
    assert "differ in 1 place; 'autograder verify --rebuild'" in out


def test_what_a_person_gave_is_no_difference(course: Course) -> None:
    change(course, "bob", "double_check", manual_score=3.0, extra_credit=1.0, needs_manual_grade=False)
    assert verify.differences(course, ASSIGNMENT) == []


def test_submissions_in_one_only_and_missing_files_are_listed(course: Course) -> None:
    with Gradebook(course.db_url) as book:
        book.remove_submission(ASSIGNMENT, "ada")
    lines = (course.work / "recorded.jsonl").read_text().splitlines(keepends=True)
    (course.work / "recorded.jsonl").write_text("".join(x for x in lines if '"student": "eve"' not in x))
    (course.work / "autograded" / "bob" / ASSIGNMENT / f"{NAME}.ipynb").unlink()
    assert verify.differences(course, ASSIGNMENT) == [
        Difference("ada", "", "", "it is in the journal only"),
        Difference("bob", NAME, "", "its graded notebook is missing"),
        Difference("eve", "", "", "it is in the gradebook only"),
    ]


def test_a_recording_that_was_begun_and_not_ended_is_listed_and_then_ended(course: Course) -> None:
    known = recorded.find(course, ASSIGNMENT, "bob")
    assert known
    recorded.begin(course, [known])
    assert [one.words for one in verify.differences(course, ASSIGNMENT)] == [
        "recording it was begun and not ended"
    ]
    rebuild(course, [ASSIGNMENT])
    assert verify.differences(course, ASSIGNMENT) == []


def test_journals_that_contradict_each_other_are_listed(course: Course) -> None:
    known = recorded.find(course, ASSIGNMENT, "bob")
    assert known
    path = course.work / "journal.jsonl"
    path.write_text(path.read_text().replace(known.lessons[NAME].judgement, "0" * 64))
    assert [one.words for one in verify.differences(course, ASSIGNMENT)] == [
        "its Judgement is not in the journal"
    ]
    forged = json.dumps({"key": known.lessons[NAME].judgement, **RIGHT.as_json()})
    path.write_text(path.read_text() + forged + "\n")
    assert verify.differences(course, ASSIGNMENT) == [
        Difference("bob", NAME, "double", "it was recorded with 1 points and judged with others", 3.0, 1.0)
    ]


@pytest.mark.parametrize("how", ["lost", "damaged", "cut"])
def test_a_gradebook_that_is_gone_is_rebuilt_as_it_was(
    course: Course, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, written = tables(course.db_url), files(course)
    path = course.work / "gradebook.db"
    if how == "lost":
        path.unlink()
        shutil.rmtree(course.work / "autograded")
    elif how == "damaged":
        path.write_bytes(b"not a database, but long enough to be taken for one " * 100)
    else:
        path.write_bytes(path.read_bytes()[:20_000])
    assert run(course, rebuild=True) == 0
    out = capsys.readouterr().out
    assert "The automatic grades of 3 submissions were written again.\n" in out
    assert ("was damaged and now lies in" in out) == (how != "lost")
    assert (course.work / "gradebook.db.damaged.1").exists() == (how != "lost")
    assert tables(course.db_url) == rows
    assert files(course) == written


def test_rebuilding_leaves_alone_what_is_right_and_what_a_person_gave(course: Course) -> None:
    change(course, "bob", "double_check", auto_score=3.0, manual_score=2.0, needs_manual_grade=False)
    change(course, "ada", "why", manual_score=4.0, needs_manual_grade=False)
    (course.work / "autograded" / "ada" / ASSIGNMENT / f"{NAME}.ipynb").unlink()
    result = rebuild(course, [ASSIGNMENT])
    assert (result.students, result.problems, result.set_aside) == (["ada", "bob"], {}, None)
    grades = {(g.student, g.lesson, g.exercise): g for g in gradebook.grades(course, ASSIGNMENT)}
    bob, ada = grades["bob", NAME, "double"], grades["ada", NAME, "why"]
    assert (bob.auto, bob.manual, bob.score, bob.needs_manual) == (1.0, 2.0, 2.0, True)
    assert (ada.manual, ada.needs_manual) == (4.0, False), "only its file was missing"
    assert verify.differences(course, ASSIGNMENT) == []


def test_points_come_back_without_the_notebook_or_its_judgement(course: Course) -> None:
    shutil.rmtree(course.submitted / "ada")
    (course.work / "journal.jsonl").unlink()
    hand_in(course, "bob", both=False, code="def double(x):\n    return 'another'")
    before = {(g.student, g.lesson, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    (course.work / "gradebook.db").unlink()
    result = rebuild(course, [ASSIGNMENT])
    assert not result.problems
    assert len(result.points_only) == 5
    after = {(g.student, g.lesson, g.exercise): g.auto for g in gradebook.grades(course, ASSIGNMENT)}
    assert after == before
    with Gradebook(course.db_url) as book:
        assert str(book.find_submission(ASSIGNMENT, "ada").timestamp) == "2026-01-02 12:00:00"


def test_what_the_journal_does_not_hold_is_said_and_left_alone(
    course: Course, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (course.work / "recorded.jsonl").read_text().splitlines(keepends=True)
    (course.work / "recorded.jsonl").write_text("".join(x for x in lines if '"student": "eve"' not in x))
    rows = tables(course.db_url)
    assert run(course, rebuild=True) == 1
    out = capsys.readouterr().out
    assert "eve: the journal does not say what was recorded of eve: grade again\n" in out
    assert tables(course.db_url) == rows


def test_hostile_names_are_shown_as_text(course: Course, capsys: pytest.CaptureFixture[str]) -> None:
    with Gradebook(course.db_url) as book:
        book.add_student("x\x1b[2J\nada agrees")
        book.add_submission(ASSIGNMENT, "x\x1b[2J\nada agrees")
    change(course, "x\x1b[2J\nada agrees", "double_check", auto_score=3.0)
    assert run(course) == 1
    assert "x ada agrees: it is in the gradebook only\n" in capsys.readouterr().out


def test_a_class_that_is_being_graded_is_not_rebuilt(course: Course) -> None:
    from autograder.recording.class_lock import class_lock

    with class_lock(course), pytest.raises(CourseError, match="is being graded by another run"):
        rebuild(course, [ASSIGNMENT])


def test_the_command_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from autograder import cli

    monkeypatch.setenv("CNNLAB_WORK", str(tmp_path / "work"))
    assert cli.main(["verify", "nothing"]) == 1
    assert "There is no assignment 'nothing'" in capsys.readouterr().err
    assert cli.main(["verify"]) == 0
    assert capsys.readouterr().out.startswith("The gradebook and the journals agree on 1_layers")
