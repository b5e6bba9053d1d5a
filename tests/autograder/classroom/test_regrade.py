"""Grading again after an exercise, its points or a submission changed, and the list of whose grade that changed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import intake
from autograder.classroom import changes
from autograder.classroom.changes import Change, read_changes, write_changes
from autograder.classroom.grade_class import grade_class
from autograder.course import Course
from autograder.recording import gradebook
from tests.autograder.class_sample import ASSIGNMENT, NAME, cheap_class, one_more

pytestmark = pytest.mark.usefixtures("bubblewrap")

PARTS = (
    "autograder",
    "cnnlab",
    "solutions",
    "notebooks",
    "pyproject.toml",
    "nbgrader_config.py",
    "README.md",
)


@pytest.fixture
def copy(checkout: Course, ready: Course, tmp_path: Path) -> Course:
    """A checkout of its own, whose exercises may be changed, as compiled as this one."""
    root = tmp_path / "checkout"
    root.mkdir()
    for name in PARTS:
        source = checkout.root / name
        if source.is_dir():
            shutil.copytree(source, root / name)
        else:
            shutil.copyfile(source, root / name)
    return Course(root, ready.work)


def run(course: Course, *arguments: str) -> tuple[int, str, str]:
    """Run the commands of a checkout of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=course.root,
        env={**os.environ, "CNNLAB_WORK": str(course.work)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


def edit(course: Course, old: str, new: str) -> None:
    """Change the one place below autograder/exercises that holds `old`."""
    found = [p for p in (course.root / "autograder" / "exercises").rglob("*.py") if old in p.read_text()]
    (path,) = found
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))


def scores(course: Course) -> dict[tuple[str, str], tuple[float, float]]:
    return {
        (g.student, g.exercise): (g.score, g.max)
        for g in gradebook.grades(course, ASSIGNMENT)
        if g.auto is not None
    }


@pytest.mark.slow
def test_it_says_whose_grade_changed_and_why(copy: Course, tmp_path: Path) -> None:
    folder = cheap_class(copy, tmp_path / "class", 3)  # the third has dense_parameters wrong
    (folder / "s0002" / "notes.ipynb").symlink_to("/etc/passwd")
    status, out, err = run(copy, "grade", ASSIGNMENT, str(folder))
    assert status == 0, err
    assert "changed" not in out and not read_changes(copy, ASSIGNMENT)
    first = scores(copy)
    flags = intake.load_record(copy, ASSIGNMENT, "s0002")
    assert flags and any("link" in flag for flag in flags.flags)

    # Other points, with the notebooks built anew; and one student hands in again.
    edit(copy, '"bias": 1, "groups": 2}', '"bias": 1, "groups": 4}')
    assert run(copy, "build", NAME)[0] == 0
    one_more(copy, tmp_path / "late", "s0001", "dense_parameters", "return 7")
    status, out, err = run(copy, "grade", ASSIGNMENT, str(tmp_path / "late"))
    assert status == 0, err
    points, submission = "the points of the exercise changed", "the submission changed"
    expected = [
        Change("s0000", NAME, "conv_parameters", 4, 4, 6, 6, points),
        Change("s0001", NAME, "conv_parameters", 4, 4, 6, 6, f"{submission}, and {points}"),
        Change("s0001", NAME, "dense_parameters", 3, 3, 0, 3, submission),
        Change("s0002", NAME, "conv_parameters", 4, 4, 6, 6, points),
    ]
    found = read_changes(copy, ASSIGNMENT)
    assert [tuple(line.values()) for line in found] == [
        (
            c.student,
            c.lesson,
            c.exercise,
            *(f"{n:g}" for n in (c.before, c.before_max, c.after, c.after_max)),
            c.reason,
        )
        for c in expected
    ]
    assert "4 grades of 3 students changed:" in out and "4 of 4  6 of 6" in out
    changed = {(c.student, c.exercise): (c.after, c.after_max) for c in expected}
    assert scores(copy) == {**first, **changed}
    # It was taken in anew from what was handed in, and nothing that was said of that is forgotten.
    standing = (copy.submitted / "s0000" / ASSIGNMENT / f"{NAME}.ipynb").read_text()
    assert '"points": 6' in standing
    again = intake.load_record(copy, ASSIGNMENT, "s0002")
    assert again and again.flags == flags.flags

    # Another reference: the exercise is judged otherwise, and nothing else is.
    edit(
        copy,
        "+ size(out_shape) * bias\n\n\ndef conv_count",
        "+ size(out_shape) * bias + 1\n\n\ndef conv_count",
    )
    status, out, err = run(copy, "grade", ASSIGNMENT)
    assert status == 0, err
    assert [
        (c["student"], c["exercise"], c["before"], c["after"], c["reason"])
        for c in read_changes(copy, ASSIGNMENT)
    ] == [("s0000", "dense_parameters", "3", "0", "the exercise or the grader changed")]
    # And once more: nothing is left to change.
    status, out, err = run(copy, "grade", ASSIGNMENT)
    assert status == 0 and "changed" not in out, err


@pytest.mark.slow
def test_where_the_bytes_are_gone_it_is_graded_as_it_was_taken_in(copy: Course, tmp_path: Path) -> None:
    folder = cheap_class(copy, tmp_path / "class", 1)
    assert run(copy, "grade", ASSIGNMENT, str(folder))[0] == 0
    shutil.rmtree(copy.raw)
    edit(copy, '"bias": 1, "groups": 2}', '"bias": 1, "groups": 4}')
    assert run(copy, "build", NAME)[0] == 0
    status, _, err = run(copy, "grade", ASSIGNMENT)
    assert status == 0, err
    assert "1 flag: It was taken in before the lesson changed" in err
    assert scores(copy)["s0000", "conv_parameters"] == (6, 6)


def test_a_run_that_is_killed_compares_with_what_stood_before_it(ready: Course, tmp_path: Path) -> None:
    course = ready
    folder = cheap_class(course, tmp_path / "class", 2)
    grade_class(course, ASSIGNMENT, folder)
    one_more(course, tmp_path / "late", "s0000", "dense_parameters", "return 7")
    one_more(course, tmp_path / "late", "s0001", "dense_parameters", "return 8")

    class Killed(BaseException):
        pass

    def kill(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):  # when the first is recorded
        grade_class(course, ASSIGNMENT, tmp_path / "late", workers=1, students=("s0000",), on_done=kill)
    assert scores(course)["s0000", "dense_parameters"] == (0, 3)
    result = grade_class(course, ASSIGNMENT, tmp_path / "late")
    assert [(c.student, c.exercise, c.before, c.after) for c in result.changes] == [
        ("s0000", "dense_parameters", 3, 0),
        ("s0001", "dense_parameters", 3, 0),
    ]
    assert {c.reason for c in result.changes} == {"the submission changed"}
    assert not list((course.work / "before").iterdir())
    assert not grade_class(course, ASSIGNMENT).changes


def test_the_list_evaluates_nothing_in_a_spreadsheet(course: Course) -> None:
    hostile = Change("=HYPERLINK(1)", "@a", "+b", None, None, -1.5, 2.0, "-c\r\n=d")
    text = write_changes(course, ASSIGNMENT, [hostile]).read_text(encoding="utf-8-sig")
    assert text.splitlines() == [
        "student,lesson,exercise,before,before_max,after,after_max,reason",
        "'=HYPERLINK(1),'@a,'+b,,,-1.5,2,'-c =d",
    ]


def test_an_answer_that_now_waits_for_a_person_is_said_to_wait() -> None:
    before = {"handed in": {"a": "1"}, "grades": {"a/why": [0.0, 2.0], "a/gone": [1.0, 1.0]}}
    after = {"handed in": {"a": "2"}, "grades": {}, "waiting": ["a/why"]}
    reasons = {change.exercise: change.reason for change in changes._compared("ada", before, after)}
    assert reasons == {"why": changes.WAITS, "gone": changes.GONE}


@pytest.mark.slow
def test_answers_saved_in_notebooks_change_no_grade_and_are_said(copy: Course, tmp_path: Path) -> None:
    folder = cheap_class(copy, tmp_path / "class", 1)
    edited = copy.root / "notebooks" / ASSIGNMENT / f"{NAME}.ipynb"
    notebook = folder / "s0000" / f"{NAME}.ipynb"
    answered, cut = (
        notebook.read_text(),
        copy.student_notebook(copy.lesson(ASSIGNMENT, NAME)).read_text()[:-60],
    )
    edited.write_text(answered)
    notebook.write_text(cut)
    status, out, err = run(copy, "grade", ASSIGNMENT, str(folder))
    assert status == 0, err
    assert set(scores(copy).values()) and all(points == 0 for points, _ in scores(copy).values())
    assert f"notebooks/{ASSIGNMENT}/{NAME}.ipynb is not what solutions/ gives now" in out
    assert run(copy, "build", NAME)[0] == 0
    status, out, err = run(copy, "grade", ASSIGNMENT)
    assert status == 0 and "not what solutions/ gives" not in out and "changed" not in out, err
