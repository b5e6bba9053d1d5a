"""The sample class, graded as a class: each submission earns what it must, and nobody else loses anything."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path

import pytest

from autograder import sample
from autograder.classroom.grade_class import grade_class
from autograder.classroom.results import ClassResult
from autograder.course import Course
from autograder.exercises import all_lessons
from autograder.recording import gradebook, nbgrader_runs
from autograder.reporting.class_report import write_page
from autograder.reporting.table import text_table
from autograder.sample import Sample
from tests.edits import edits_here

LESSON = next(lesson for lesson in all_lessons() if sample.sample_class(lesson))
SAMPLES = [*sample.sample_class(LESSON), *map(sample.wrong_answer, edits_here(LESSON).values())]


@pytest.fixture(scope="module")
def graded(
    tmp_path_factory: pytest.TempPathFactory, checkout: Course, bubblewrap: str, ready_folder: Path
) -> tuple[Course, ClassResult]:
    work = tmp_path_factory.mktemp("sample")
    course = Course(checkout.root, shutil.copytree(ready_folder, work / "work"))
    sample.write_class(course, LESSON, work / "class", SAMPLES)
    return course, grade_class(course, LESSON.assignment, work / "class")


def test_the_class_has_every_kind() -> None:
    assert {s.kind for s in SAMPLES} == {"honest", "unfinished", "wrong", "odd", "hostile"}
    assert len(SAMPLES) >= 24
    assert len({s.student for s in SAMPLES}) == len(SAMPLES)


@pytest.mark.slow
@pytest.mark.parametrize("one", SAMPLES, ids=[s.student for s in SAMPLES])
def test_each_earns_what_it_must(graded: tuple[Course, ClassResult], one: Sample) -> None:
    _, result = graded
    row = next(row for row in result.rows if row.student == one.student)
    assert not row.problem
    verdicts = row.verdicts[LESSON.name]
    assert {name: v.points for name, v in verdicts.items()} == {
        n: one.points(LESSON, n) for n in LESSON.exercises
    }
    for exercise, mistake in one.mistakes.items():
        assert verdicts[exercise].mistake == mistake
    if one.kind in ("honest", "unfinished"):
        assert not [v.mistake for v in verdicts.values() if v.mistake]
    assert bool(row.flags) == one.flagged, row.flags
    assert sample.earned(one, LESSON, result)


def test_the_gradebook_holds_the_same(graded: tuple[Course, ClassResult]) -> None:
    course, result = graded
    recorded: dict[tuple[str, str], float | None] = {}
    for grade in gradebook.grades(course, LESSON.assignment):
        recorded[grade.student, grade.exercise] = grade.auto
    for row in result.rows:
        for exercise, verdict in row.verdicts[LESSON.name].items():
            assert recorded[row.student, exercise] == verdict.points


def test_the_table_and_the_page_name_everybody(graded: tuple[Course, ClassResult], tmp_path: Path) -> None:
    _, result = graded
    text = text_table(result, [LESSON])
    page = write_page(result, [LESSON], tmp_path / "page.html").read_text()
    for one in SAMPLES:
        assert one.student in text and one.student in page
        for exercise, mistake in one.mistakes.items():
            assert f"{mistake} in {exercise}" in text


def test_no_page_of_a_student_runs_a_script_or_names_another(graded: tuple[Course, ClassResult]) -> None:
    course, _ = graded
    pages = nbgrader_runs.feedback(course, LESSON.assignment, ["hal-html", "ada", "flora-flip"])
    hostile = pages["hal-html"][0].read_text()
    assert "<script>document.title" not in hostile and "&lt;script&gt;document.title" in hostile
    assert "<img src=x" not in hostile
    flora = pages["flora-flip"][0].read_text()
    hint = next(m.hint for m in LESSON.exercises["conv2d_naive"].mistakes if m.name == "flipped")
    assert escape(hint, quote=False)[:40] in flora
    assert not [s.student for s in SAMPLES if s.student.startswith("hal-") and s.student in flora]
    assert "most recent call" not in flora
