"""What of a course is registered in the gradebook, and what happens where it has changed since."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, LockCells, SaveCells

from autograder.authoring import notebooks
from autograder.course import CourseError
from autograder.exercise import lesson
from autograder.recording import gradebook, nbgrader_runs, nbgrader_steps, registration, released_cells
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.gradebook_sample import Course, book, points, record
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict

# nbgrader's; autograder.recording.gradebook says why they are harmless, and pytest shows them all the same
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


@pytest.fixture
def course(sample_course: Course) -> Course:
    return sample_course


def test_sync_registers_what_nbgrader_itself_would(
    course: Course, tmp_path: Path, empty_gradebook: Path
) -> None:
    assert registration.sync(course, ASSIGNMENT)
    theirs = sample.SampleCourse(course.root, tmp_path / "theirs", course.declared)
    theirs.work.mkdir()
    shutil.copy(empty_gradebook, theirs.work / "gradebook.db")
    with book(theirs) as made:
        made.add_assignment(ASSIGNMENT)
    notebook = nbformat.read(course.source / ASSIGNMENT / f"{NAME}.ipynb", as_version=4)
    about = {"notebook": NAME, "assignment": ASSIGNMENT, "db_url": theirs.db_url}
    clear = ClearSolutions(code_stub={"python": notebooks.STUB}, text_stub=notebooks.TEXT_STUB)
    for step in (LockCells(), clear, ComputeChecksums(), SaveCells()):
        notebook, _ = step.preprocess(notebook, {"nbgrader": about})
    registered = registration.registered_rows(course, ASSIGNMENT)
    assert registered == registration.registered_rows(theirs, ASSIGNMENT)
    assert registered["grade"] == {(NAME, "double_check"): (3.0, "code"), (NAME, "why"): (4.0, "markdown")}
    assert "BEGIN SOLUTION" not in str(registered)


def test_sync_again_changes_nothing(course: Course) -> None:
    registration.sync(course, ASSIGNMENT)
    source = course.source / ASSIGNMENT / f"{NAME}.ipynb"
    before = source.stat().st_mtime_ns, source.read_bytes()
    assert not registration.sync(course, ASSIGNMENT)
    assert (source.stat().st_mtime_ns, source.read_bytes()) == before
    assert sorted(path.name for path in source.parent.iterdir()) == [source.name]


def test_sync_repairs_a_gradebook_that_was_replaced(course: Course, empty_gradebook: Path) -> None:
    registration.sync(course, ASSIGNMENT)
    shutil.copy(empty_gradebook, course.work / "gradebook.db")
    assert registration.sync(course, ASSIGNMENT)
    with book(course) as made:
        assert made.find_assignment(ASSIGNMENT).max_score == 7


def test_sync_makes_the_gradebook_of_a_fresh_clone_where_the_environment_is_not_active(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    course = sample.make_course(tmp_path)
    answers: list[object] = []

    def sync() -> None:
        try:
            answers.append(registration.sync(course, ASSIGNMENT))
        except Exception as error:
            answers.append(error)

    threads = [threading.Thread(target=sync) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, answers)) == ["False", "False", "False", "True"], answers
    assert os.environ["PATH"] == "/usr/bin:/bin"
    with book(course) as made:
        assert [notebook.name for notebook in made.find_assignment(ASSIGNMENT).notebooks] == [NAME]


def test_the_gradebook_that_is_made_is_the_one_that_nbgrader_makes(
    tmp_path: Path, empty_gradebook: Path
) -> None:
    course = sample.make_course(tmp_path)
    registration.sync(course, ASSIGNMENT)
    made = []
    for path in (course.work / "gradebook.db", empty_gradebook):
        connection = sqlite3.connect(path)
        schema = connection.execute(
            "select type, name, tbl_name, sql from sqlite_master order by name"
        ).fetchall()
        head = connection.execute("select * from alembic_version").fetchall()
        courses = connection.execute("select * from course").fetchall()
        connection.close()
        made.append((schema, head, courses))
    assert made[0] == made[1]


def test_registering_again_needs_no_building(
    two_lesson_course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = two_lesson_course
    rows = released_cells.released(course, ASSIGNMENT)
    monkeypatch.setattr(released_cells, "built", lambda *_: pytest.fail("it was built again"))
    assert not registration.sync(course, ASSIGNMENT)
    assert released_cells.released(course, ASSIGNMENT) == rows
    monkeypatch.undo()
    (course.source / ASSIGNMENT / f"{NAME}.ipynb").unlink()
    assert not registration.sync(course, ASSIGNMENT)
    assert (course.source / ASSIGNMENT / f"{NAME}.ipynb").exists(), "but what is gone is written again"
    (course.work / "registered" / f"{ASSIGNMENT}.json").write_text("{cut")
    assert not registration.sync(course, ASSIGNMENT)
    assert released_cells.released(course, ASSIGNMENT) == rows


def test_a_lesson_added_after_submissions_can_be_graded(course: Course) -> None:
    submit(course, "ada")
    record(course, verdict(3.0))
    again = lesson(
        f"{ASSIGNMENT}/02_again", [sample.exercise("double", {"all": 2.0})], questions={"why": 4.0}
    )
    larger = replace(course, declared=(*course.declared, again))
    larger.script(again).write_text(sample.SCRIPT)
    assert registration.sync(larger, ASSIGNMENT)
    folder = course.submitted / "ada" / ASSIGNMENT
    shutil.copy(folder / f"{NAME}.ipynb", folder / "02_again.ipynb")

    def judge(course, lesson, notebook, submission):
        found = verdict(2.0, 2.0) if lesson.name == "02_again" else verdict(3.0)
        return judges(found)(course, lesson, notebook, submission)

    assert nbgrader_runs.autograde(larger, ASSIGNMENT, take_in=sample.as_it_is, judge=judge) == {}
    found = {(g.lesson, g.exercise): g.auto for g in gradebook.grades(larger, ASSIGNMENT)}
    assert found == {
        (NAME, "double"): 3.0,
        (NAME, "why"): 0.0,
        ("02_again", "double"): 2.0,
        ("02_again", "why"): 0.0,
    }
    assert registration.sync(course, ASSIGNMENT), "a lesson that is gone again takes its grades along"
    assert {grade.lesson for grade in gradebook.grades(course, ASSIGNMENT)} == {NAME}


def test_points_that_change_after_submissions_reach_the_gradebook(course: Course) -> None:
    submit(course, "ada")
    assert record(course, verdict(3.0)) == {}
    changed = sample.make_course(course.root, {"small": 1.0, "large": 9.0})
    assert registration.sync(changed, ASSIGNMENT)
    assert (points(changed).auto, points(changed).max) == (3.0, 10.0)
    submit(changed, "ada")
    assert record(changed, verdict(10.0, 10.0)) == {}
    assert points(changed).auto == 10.0


def test_an_exercise_added_after_submissions_can_be_graded(course: Course) -> None:
    submit(course, "ada")
    record(course, verdict(3.0))
    larger = sample.make_course(course.root, halve=True)
    registration.sync(larger, ASSIGNMENT)
    assert (points(larger).auto, points(larger, exercise="halve").auto) == (3.0, None)
    submit(larger, "ada")
    halve = verdict(5.0, 5.0, exercise="halve")
    assert record(larger, verdict(3.0), halve) == {}
    assert points(larger, exercise="halve").score == 5.0


def test_an_exercise_that_is_gone_leaves_the_gradebook_with_its_grades(course: Course) -> None:
    larger = sample.make_course(course.root, halve=True)
    submit(larger, "ada")
    record(larger, verdict(3.0), verdict(5.0, 5.0, exercise="halve"))
    smaller = sample.make_course(course.root, question=False)
    registration.sync(smaller, ASSIGNMENT)
    assert [grade.exercise for grade in gradebook.grades(smaller, ASSIGNMENT)] == ["double"]
    with book(smaller) as made:
        assert made.find_assignment(ASSIGNMENT).max_score == 3
        found = made.find_notebook(NAME, ASSIGNMENT)
        assert sorted(cell.name for cell in found.source_cells) == ["double", "double_check"]


@pytest.mark.parametrize("by_hand", ["points", "comment"])
def test_what_a_person_graded_is_not_removed(course: Course, by_hand: str) -> None:
    submit(course, "ada", why="because")
    record(course, verdict(3.0))
    with book(course) as made:
        if by_hand == "points":
            made.find_grade("why", NAME, ASSIGNMENT, "ada").manual_score = 2.0
        else:
            made.find_comment("why", NAME, ASSIGNMENT, "ada").manual_comment = "Good."
        made.db.commit()
    smaller = sample.make_course(course.root, question=False)
    with pytest.raises(
        CourseError, match=r"why was graded by hand, but 1_layers/01_doubling no longer has it"
    ):
        registration.sync(smaller, ASSIGNMENT)
    assert points(course, exercise="why").max == 4


def test_a_course_that_cannot_be_registered_ends_the_run(course: Course) -> None:
    submit(course, "ada")
    lesson = course.lessons(ASSIGNMENT)[0]
    course.script(lesson).write_text("no cell marker\n")
    with pytest.raises(SystemExit, match=r"^1_layers cannot be graded: .*a script begins with a cell marker"):
        nbgrader_steps.pre_convert(ASSIGNMENT, "*", ["/nowhere/ada/1_layers/x.ipynb"], course=course)
