"""Free-text answers are found and quoted, wherever they were written."""

from __future__ import annotations

import pytest

from autograder.authoring.notebooks import TEXT_STUB
from autograder.intake.match_questions import fence
from tests.autograder.intake.intake_sample import (
    Sample,
    answers,
    by_name,
    code,
    markdown,
    solved,
    without_metadata,
)


def test_a_free_text_answer_is_fenced_under_the_question(s: Sample) -> None:
    notebook = solved(s.first)
    cell = by_name(notebook, "why")
    head = cell.source.partition(TEXT_STUB)[0]
    cell.source = head + "Because.\n```\n<script>alert(1)</script> **bold**\n````"
    taken = s.take(notebook)
    assert answers(taken)["why"] == (
        "Why does the order of shifting and scaling matter?\n\n"
        "`````\nBecause.\n```\n<script>alert(1)</script> **bold**\n````\n`````"
    )
    assert taken.written == {"shift", "scale", "why"} and taken.notes == {}


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "$$\n<b>\n$$",
        "~~~\n<b>",
        "```\n<b>\n```\n<b>",
        "<!--",
        "\\begin{x}<b>",
    ],
)
def test_nothing_of_a_fenced_text_is_markup(text: str) -> None:
    from nbconvert.filters import markdown2html

    html = markdown2html(f"Why?\n\n{fence(text)}\n\n**after**")
    assert "<img" not in html and "<b>" not in html and "<!--" not in html
    assert "<strong>after</strong>" in html


def test_an_unchanged_question_stays_byte_for_byte(s: Sample) -> None:
    notebook = solved(s.first)
    by_name(notebook, "why").source += "  \n\n"
    taken = s.take(notebook)
    assert answers(taken)["why"] == by_name(s.first, "why").source and "why" not in taken.written


def test_a_question_without_its_id_is_known_by_its_text_and_an_answer_below_it_is_found(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    question = notebook.cells[-1]
    question.source = question.source.replace(TEXT_STUB, "Because it does.")
    taken = s.take(notebook)
    assert "Because it does." in answers(taken)["why"] and "lost its id" in taken.notes["why"]

    notebook = solved(s.first)
    notebook.cells += [
        markdown("Since a (b + c)"),
        markdown("is not a b + c."),
        code("1"),
        markdown("unrelated"),
    ]
    taken = s.take(notebook)
    assert answers(taken)["why"].endswith("```\nSince a (b + c)\n\nis not a b + c.\n```")
    assert "below" in taken.notes["why"] and "why" in taken.written


def test_a_deleted_question_is_said(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells.remove(by_name(notebook, "why"))
    taken = s.take(notebook)
    assert "why" in taken.notes and "why" not in taken.found


def test_an_answer_without_its_id_and_its_question_is_known_by_its_place(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    notebook.cells[-1].source = "Because the scale applies to the shift as well."
    taken = s.take(notebook)
    assert "```\nBecause the scale applies" in answers(taken)["why"] and "why" in taken.written
    assert "the text in its place was taken" in taken.notes["why"]


def test_an_answer_that_stands_elsewhere_waits_for_a_person_with_all_that_was_written(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    notebook.cells.pop()
    notebook.cells.insert(2, markdown("Because the scale applies to the shift as well."))
    notebook.cells.insert(4, markdown("# my notes"))
    taken = s.take(notebook)
    text = answers(taken)["why"]
    assert "Because the scale applies" in text and "# my notes" in text and "why" in taken.written
    assert "a person will look for your answer" in taken.notes["why"]


def test_what_is_only_the_lessons_own_text_is_no_answer(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    notebook.cells.pop()
    assert "why" not in s.take(notebook).found
