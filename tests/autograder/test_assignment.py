"""The whole first assignment: a class hands in all its lessons, and plain nbgrader grades them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from autograder.classroom.grade_class import grade_class
from autograder.classroom.results import ClassResult
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.sample import Solved
from autograder.verdict import Verdict
from tests.autograder.assignment_sample import by_plain_nbgrader, hand_in, lessons_of, points, trained

ASSIGNMENT = "1_layers"
LESSONS = lessons_of(ASSIGNMENT)
WEIGHTS = "lenet.safetensors"
HOSTILE = b"\x80\x04\x95cos\nsystem\n(S'touch /tmp/hacked'\ntR."

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("bubblewrap")]


def lesson(name: str) -> Lesson:
    return next(one for one in LESSONS if one.name == name)


def write_class(course: Course, folder: Path) -> None:
    """Five students: all done; one lesson only; a broken helper; no weights; hostile weights."""
    solved = {one.name: Solved(course, one) for one in LESSONS}
    whole = {name: one.notebook() for name, one in solved.items()}
    broken = solved["02_convolution"].with_body("im2col", "return x  # not a column in sight")
    classes = {
        "ada": whole,
        "bob": {"03_backward": whole["03_backward"]},
        "cleo": {**whole, "02_convolution": solved["02_convolution"].notebook({"im2col": broken})},
        "dan": whole,
        "eve": {"07_lenet": whole["07_lenet"]},
    }
    beside = {"ada": trained(LESSONS), "cleo": trained(LESSONS), "eve": {WEIGHTS: HOSTILE}}
    for student, notebooks in classes.items():
        hand_in(folder, student, notebooks, beside.get(student))


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, checkout: Course, bubblewrap: str
) -> tuple[Course, ClassResult]:
    work = tmp_path_factory.mktemp("assignment")
    course = Course(checkout.root, work / "work")
    write_class(course, work / "class")
    return course, grade_class(course, ASSIGNMENT, work / "class")


def verdicts(graded: tuple[Course, ClassResult], student: str, name: str) -> dict[str, Verdict]:
    row = next(row for row in graded[1].rows if row.student == student)
    assert not row.problem, row.problem
    return row.verdicts[name]


def test_who_did_all_has_all_points_and_no_flag(graded: tuple[Course, ClassResult]) -> None:
    row = next(row for row in graded[1].rows if row.student == "ada")
    assert not row.problem and not row.flags
    assert set(row.verdicts) == {one.name for one in LESSONS}
    lost = {
        (name, v.exercise): [c.sentence for c in v.cases if not c.passed]
        for name, found in row.verdicts.items()
        for v in found.values()
        if v.status != "passed"
    }
    assert not lost
    assert row.points == sum(e.total for one in LESSONS for e in one.exercises.values())


def test_an_earlier_lesson_that_is_not_handed_in_is_named(graded: tuple[Course, ClassResult]) -> None:
    found = verdicts(graded, "bob", "03_backward")
    assert found["conv1d_backward"].status == "passed"  # needs no earlier Answer
    failed = found["conv2d_backward"]
    assert failed.points == 0
    assert any(
        "02_convolution, which is not handed in" in note and note.startswith("depends on")
        for note in failed.notes
    )


def test_an_earlier_answer_that_fails_is_named(graded: tuple[Course, ClassResult]) -> None:
    own = verdicts(graded, "cleo", "02_convolution")
    assert own["im2col"].status == "failed" and own["conv2d_naive"].status == "passed"
    failed = verdicts(graded, "cleo", "03_backward")["conv2d_backward"]
    assert failed.status == "failed"
    assert "depends on im2col of 02_convolution, which fails" in failed.notes
    assert all(v.status == "passed" for v in verdicts(graded, "cleo", "04_pooling").values())


def test_weights_that_are_missing_or_hostile_cost_their_exercise_only(
    graded: tuple[Course, ClassResult],
) -> None:
    for student, status in (("dan", "not found"), ("eve", "failed")):
        found = verdicts(graded, student, "07_lenet")
        assert found["trained_lenet"].status == status and found["trained_lenet"].points == 0
        assert found["softmax_cross_entropy"].status == "passed"
    assert verdicts(graded, "dan", "07_lenet")["trained_lenet"].notes == (
        f"{WEIGHTS} was not handed in beside the notebook",
    )
    said = verdicts(graded, "eve", "07_lenet")["trained_lenet"].cases[0].sentence
    assert "not a complete safetensors file" in said
    assert not Path("/tmp/hacked").exists()


def test_what_the_student_hands_in_beside_the_notebooks_is_as_it_was(
    graded: tuple[Course, ClassResult],
) -> None:
    course, _ = graded
    folder = course.submitted / "ada" / ASSIGNMENT
    assert (folder / WEIGHTS).read_bytes() == trained(LESSONS)[WEIGHTS]
    assert {path.name for path in folder.iterdir()} == {WEIGHTS, *(f"{one.name}.ipynb" for one in LESSONS)}


def test_plain_nbgrader_gives_the_same_grades(graded: tuple[Course, ClassResult], tmp_path: Path) -> None:
    course, _ = graded
    students = ("ada", "cleo", "eve")
    mine = points(course, ASSIGNMENT, students)
    assert by_plain_nbgrader(course, ASSIGNMENT, students, tmp_path) == mine and len(mine) > 60


def test_grading_again_changes_nothing_and_runs_nothing(graded: tuple[Course, ClassResult]) -> None:
    course, first = graded
    journal = (course.work / "journal.jsonl").read_bytes()
    again = grade_class(course, ASSIGNMENT)
    assert [(row.student, row.points) for row in again.rows] == [
        (row.student, row.points) for row in first.rows
    ]
    assert (course.work / "journal.jsonl").read_bytes() == journal


def test_a_lesson_handed_in_later_counts_for_those_built_on_it(
    graded: tuple[Course, ClassResult], tmp_path: Path
) -> None:
    course, _ = graded
    late = tmp_path / "late" / "bob"
    late.mkdir(parents=True)
    notebook = Solved(course, lesson("02_convolution")).notebook()
    (late / "02_convolution.ipynb").write_text(json.dumps(notebook))
    result = grade_class(course, ASSIGNMENT, late.parent)
    row = next(row for row in result.rows if row.student == "bob")
    assert row.verdicts["03_backward"]["conv2d_backward"].status == "passed"
    assert os.path.exists(course.submitted / "bob" / ASSIGNMENT / "03_backward.ipynb")
