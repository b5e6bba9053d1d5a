"""The instructor's page of a class: what students wrote shows as text."""

from __future__ import annotations

from pathlib import Path

from autograder import report
from autograder.classroom import ClassResult, Row
from autograder.exercise import Lesson
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
