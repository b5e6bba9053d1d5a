"""The instructor's page of a class: what students wrote shows as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from autograder import report
from autograder.classroom import ClassResult, Row
from autograder.exercise import Lesson, lesson
from autograder.verdict import Verdict


def test_flags_and_ids_are_escaped(tmp_path: Path, convolution: Lesson) -> None:
    row = Row(
        "eve",
        {convolution.name: {"pad2d": Verdict("pad2d", 0, 6, "failed", mistake="<b>x</b>")}},
        ["<script>1</script>"],
    )
    page = report.write_page(
        ClassResult("1_layers", (row,), 1.0), [convolution], tmp_path / "p.html"
    ).read_text()
    assert "<script>" not in page and "<b>x" not in page and "&lt;script&gt;" in page


def test_an_exercise_without_a_verdict_is_a_dash(convolution: Lesson) -> None:
    text = report.text_table(ClassResult("1_layers", (Row("eve"),), 1.0), [convolution])
    assert text.splitlines()[-1].split() == ["eve", *["-"] * 7, "0"]


def test_a_class_with_several_lessons_has_a_column_for_each_and_a_table_of_exercises_below(
    tmp_path: Path, convolution: Lesson
) -> None:
    other = lesson("1_layers/99_other", [replace(convolution.exercises["pad2d"], name="pad_again")])
    full = Verdict("pad2d", 6, 6, "passed")
    rows = (
        Row("ada", {convolution.name: {"pad2d": full}, other.name: {"pad_again": replace(full, points=4)}}),
        Row("ben", {convolution.name: {"pad2d": full}}),
    )
    result = ClassResult("1_layers", rows, 1.0)
    text = report.text_table(result, [convolution, other]).splitlines()
    assert text[0].split() == ["1", convolution.name, f"({total(convolution):g}", "points)"]
    assert [line.split() for line in text[-2:]] == [["ada", "6", "4", "10"], ["ben", "6", "-", "6"]]
    page = report.write_page(result, [convolution, other], tmp_path / "p.html").read_text()
    assert page.count("<table>") == 3
    assert page.count(">ben<") == 2  # in the first table, and in that of the lesson that was handed in
    assert f"../feedback/ada/1_layers/{other.name}.html" in page


def total(declared: Lesson) -> float:
    return sum(e.total for e in declared.exercises.values())
