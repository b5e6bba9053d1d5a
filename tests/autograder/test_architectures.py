"""The whole second assignment: a class hands in all its lessons, and plain nbgrader grades them."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.classroom.grade_class import grade_class
from autograder.classroom.results import ClassResult
from autograder.course import Course
from autograder.sample import Solved
from tests.autograder.assignment_sample import by_plain_nbgrader, hand_in, lessons_of, points, trained
from tests.edits import all_edits

ASSIGNMENT = "2_architectures"
LESSONS = lessons_of(ASSIGNMENT)
STUDENTS = ("ada", "ben", "eve")
CHEAT = """\
@answer
class {name}(nn.Module):
    def __new__(cls, *arguments, **given):
        from cnnlab.models import get
        return get("resnet18")
"""

pytestmark = [pytest.mark.usefixtures("bubblewrap"), pytest.mark.slow]


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, checkout: Course, bubblewrap: str
) -> tuple[Course, ClassResult]:
    """All done; in each lesson one wrong answer; networks of the package in place of the student's own, no weights."""
    folder = tmp_path_factory.mktemp("architectures")
    course = Course(checkout.root, folder / "work")
    solved = {lesson.name: Solved(course, lesson) for lesson in LESSONS}
    edits = {name: next(iter(all_edits()[name].values())) for name in solved}
    borrowed = {
        name: one.notebook({exercise: CHEAT.format(name=exercise) for exercise in lesson_classes(one)})
        for name, one in solved.items()
    }
    everything = trained(LESSONS)
    hand_in(folder / "class", "ada", {name: one.notebook() for name, one in solved.items()}, everything)
    wrong = {name: one.notebook({edits[name].exercise: edits[name].source}) for name, one in solved.items()}
    hand_in(folder / "class", "ben", wrong, everything)
    hand_in(folder / "class", "eve", borrowed)
    return course, grade_class(course, ASSIGNMENT, folder / "class")


def lesson_classes(solved: Solved) -> list[str]:
    """The exercises of a lesson that are classes."""
    return [name for name, source in solved.answers.items() if f"class {name}(nn.Module)" in source]


def test_all_six_lessons_are_there() -> None:
    assert [lesson.name.split("_")[0] for lesson in LESSONS] == ["08", "09", "10", "11", "12", "13"]
    assert all({"cnnlab.models", "cnnlab.train", "torchvision"} <= set(lesson.without) for lesson in LESSONS)


def test_who_did_all_has_all_points_and_no_flag(graded: tuple[Course, ClassResult]) -> None:
    row = next(row for row in graded[1].rows if row.student == "ada")
    assert not row.problem and not row.flags
    lost = {
        (name, v.exercise): [c.sentence for c in v.cases if not c.passed] or v.notes
        for name, found in row.verdicts.items()
        for v in found.values()
        if v.status != "passed"
    }
    assert not lost and set(row.verdicts) == {lesson.name for lesson in LESSONS}
    assert row.points == sum(e.total for lesson in LESSONS for e in lesson.exercises.values())


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_a_wrong_answer_loses_its_points_and_is_named(graded: tuple[Course, ClassResult], lesson) -> None:
    edit = next(iter(all_edits()[lesson.name].values()))
    row = next(row for row in graded[1].rows if row.student == "ben")
    found = row.verdicts[lesson.name]
    exercise = lesson.exercises[edit.exercise]
    assert found[edit.exercise].points == sum(
        points for group, points in exercise.points.items() if group not in edit.lost
    )
    assert found[edit.exercise].mistake == edit.mistake
    untouched = lesson.exercises.keys() - {edit.exercise} - edit.follows.keys()
    assert all(found[name].status == "passed" for name in untouched)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_the_packages_own_networks_are_not_there_to_be_handed_in(
    graded: tuple[Course, ClassResult], lesson
) -> None:
    row = next(row for row in graded[1].rows if row.student == "eve")
    found = row.verdicts[lesson.name]
    borrowed = lesson_classes(Solved(graded[0], lesson))
    for name in borrowed:
        assert found[name].points == 0
        sentences = [case.sentence for case in found[name].cases]
        assert set(sentences) == {"it raised ImportError"}
    for name, exercise in lesson.exercises.items():
        if exercise.way.file:
            assert found[name].status == "not found" and found[name].points == 0


def test_plain_nbgrader_gives_the_same_grades(graded: tuple[Course, ClassResult], tmp_path: Path) -> None:
    mine = points(graded[0], ASSIGNMENT, STUDENTS)
    assert by_plain_nbgrader(graded[0], ASSIGNMENT, STUDENTS, tmp_path) == mine and len(mine) > 60
