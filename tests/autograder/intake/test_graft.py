"""Answers and other code of honest students are grafted onto the lesson: nothing of theirs is lost."""

from __future__ import annotations

import copy
import json

import nbformat
import pytest

from autograder.intake.read_notebook import read_notebook
from tests.autograder.intake.intake_sample import (
    LESSONS,
    SCALE,
    SHIFT,
    Sample,
    answers,
    by_name,
    checks,
    code,
    extras,
    markdown,
    order,
    our_bytes,
    put_in,
    solved,
    without_metadata,
)

SCALED = SCALE.strip()


WHOLE = ["setup", "given", "shift", "shift?", "given", "scale", "scale?", "show"]


def test_a_solved_notebook_becomes_the_pristine_one_with_the_answers_in_it(s: Sample) -> None:
    taken = s.take(solved(s.first), reader=read_notebook)
    nbformat.validate(taken.notebook)
    assert taken.lesson is LESSONS[0]
    assert order(taken) == WHOLE
    assert answers(taken)["shift"] == SHIFT and answers(taken)["scale"] == SCALE
    assert taken.flags == () and taken.notes == {}
    assert taken.found == {"shift", "scale", "why"} and taken.written == {"shift", "scale"}


def test_but_for_answers_and_our_own_mark_the_result_is_what_was_handed_out(s: Sample) -> None:
    taken = s.take(solved(s.first))
    for cell, mine in zip(s.first.cells, taken.notebook.cells, strict=True):
        assert mine.id == cell.id and mine.cell_type == cell.cell_type
        assert {k: v for k, v in mine.metadata.items() if k != "cnnlab"} == cell.metadata
        if mine.metadata.cnnlab.role not in ("exercise",):
            assert mine.source == cell.source


def test_an_untouched_notebook_is_found_and_not_written(s: Sample) -> None:
    taken = s.take(s.first)
    assert taken.found == {"shift", "scale", "why"} and taken.written == frozenset()
    assert [c.source for c in taken.notebook.cells] == [c.source for c in s.first.cells]
    assert taken.flags == () and taken.notes == {}


def test_the_result_is_deterministic_and_taking_it_in_again_changes_nothing(s: Sample) -> None:
    notebook = solved(s.first)
    put_in(notebook, "shift", code("helper = 3"))
    once = our_bytes(s.take(notebook))
    assert our_bytes(s.take(notebook)) == once
    again = s.take(once)
    assert our_bytes(again) == once and again.flags == ()


def test_other_code_is_kept_in_its_order_after_the_cell_that_preceded_it(s: Sample) -> None:
    notebook = solved(s.first)
    put_in(notebook, "shift", code("a = 1"), markdown("my notes"), code("b = 2"))
    put_in(notebook, "scale_check", code("c = 3"))
    notebook.cells.insert(0, code("first = 0"))
    taken = s.take(notebook)
    middle = ["shift", "a = 1", "b = 2", "shift?", "given", "scale", "scale?", "c = 3"]
    assert order(taken) == ["first = 0", "setup", "given", *middle, "show"]
    ids = [cell.id for cell in taken.notebook.cells if cell.metadata.cnnlab.role == "extra"]
    assert ids == ["extra-01", "extra-02", "extra-03", "extra-04"]
    assert "my notes" not in json.dumps(taken.notebook)


def test_a_deleted_given_cell_and_a_deleted_check_are_supplied(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells = [c for c in notebook.cells if "import" not in c.source and "check(" not in c.source]
    taken = s.take(notebook)
    assert order(taken) == WHOLE and checks(taken.notebook) == checks(s.first)


def test_an_edited_given_cell_runs_right_after_the_pristine_one(s: Sample) -> None:
    notebook = solved(s.first)
    given = next(cell for cell in notebook.cells if cell.source.startswith("import numpy"))
    given.source += "\nimport math"
    taken = s.take(notebook)
    assert order(taken) == ["setup", "given", given.source, *WHOLE[2:]]


def test_edited_show_setup_and_check_cells_are_dropped_without_a_word(s: Sample) -> None:
    notebook = solved(s.first)
    for cell in notebook.cells:
        if cell.metadata.get("tags"):
            cell.source += "\nprint(1)"
    taken = s.take(notebook)
    assert order(taken) == WHOLE and taken.flags == ()
    assert checks(taken.notebook) == checks(s.first)


def test_a_helper_written_into_a_check_is_not_taken_and_the_student_is_told(s: Sample) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source = "def shift(x, by=1):\n    return my_sum(x, by)"
    by_name(notebook, "shift_check").source = "def my_sum(a, b):\n    return a + b\ncheck(shift)"
    taken = s.take(notebook)
    assert "my_sum" in taken.notes["shift"] and extras(taken) == []


def test_stripped_metadata_is_matched_by_name_and_said(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    put = notebook.cells.index(next(c for c in notebook.cells if c.source == SHIFT))
    notebook.cells.insert(put + 1, code("mine = 1"))
    taken = s.take(notebook, name="Untitled.ipynb")
    assert order(taken) == ["setup", "given", "shift", "mine = 1", *WHOLE[3:]]
    assert answers(taken)["scale"] == SCALE
    assert taken.notes["shift"] == "It was matched by its name: its cell had lost its id."
    assert taken.found == {"shift", "scale", "why"}


def test_grade_ids_stripped_and_cell_ids_kept_need_no_word(s: Sample) -> None:
    notebook = solved(s.first)
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()
    taken = s.take(notebook)
    assert order(taken) == WHOLE and taken.notes == {} and taken.written == {"shift", "scale"}


def test_a_written_copy_beats_the_old_stub_with_the_id(s: Sample) -> None:
    notebook = copy.deepcopy(s.first)
    put_in(notebook, "shift", code(SHIFT))
    taken = s.take(notebook)
    assert answers(taken)["shift"] == SHIFT and taken.written == {"shift"}
    assert any("matched by its name" in flag for flag in taken.flags)
    assert extras(taken) == []


def test_of_two_written_copies_with_the_same_id_the_last_one_counts(s: Sample) -> None:
    notebook = solved(s.first)
    newer = copy.deepcopy(by_name(notebook, "shift"))
    newer.source = newer.source.replace("x + by", "by + x")
    put_in(notebook, "shift", newer)
    taken = s.take(notebook)
    assert "by + x" in answers(taken)["shift"]
    assert "hold an answer" in taken.notes["shift"] and extras(taken) == []


SCRATCH = "def shift(x, by=1):\n    return 0"


def test_of_two_written_answers_the_one_in_force_at_the_check_is_taken(s: Sample) -> None:
    above, below = solved(s.first), solved(s.first)
    put_in(above, "shift", code(SCRATCH))
    taken = s.take(above)
    assert answers(taken)["shift"] == SCRATCH and extras(taken) == []
    put_in(below, "shift_check", code(SCRATCH))
    taken = s.take(below)
    assert answers(taken)["shift"] == SHIFT and extras(taken) == [SCRATCH]
    (again,) = [cell.metadata.cnnlab for cell in taken.notebook.cells if "answers" in cell.metadata.cnnlab]
    assert again["answers"] == ["shift"] and again["number"] == 6
    assert taken.notes["shift"].endswith("the one in cell 6, below the check, was asked as well.")


def test_helpers_beside_an_older_definition_are_kept_before_the_answer(s: Sample) -> None:
    notebook = solved(s.first)
    old = f"import math\n\ndef helper(x):\n    return x\n\n{SCRATCH}"
    notebook.cells.insert(notebook.cells.index(by_name(notebook, "shift")), code(old))
    assert order(s.take(notebook)) == ["setup", "given", old, "shift", *WHOLE[3:]]


def test_an_answer_split_into_two_cells_keeps_both(s: Sample) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source = "def plus(a, b):\n    return a + b"
    put_in(notebook, "shift", code("def shift(x, by=1):\n    return plus(x, by)"))
    taken = s.take(notebook)
    assert order(taken) == ["setup", "given", "def plus(a, b):\n    return a + b", "shift", *WHOLE[3:]]
    assert taken.written >= {"shift"}


def test_a_comment_in_the_stub_is_not_an_answer_and_a_merged_cell_is_two(s: Sample) -> None:
    notebook = copy.deepcopy(s.first)
    stub = by_name(notebook, "shift")
    stub.source += "\n    # I do not know"
    assert s.take(notebook).written == frozenset()
    stub.source = SHIFT + "\n\n" + SCALED
    notebook.cells.remove(by_name(notebook, "scale"))
    taken = s.take(notebook)
    assert taken.written == {"shift", "scale"}
    assert answers(taken)["scale"] == answers(taken)["shift"] == stub.source


def test_a_cell_with_the_id_of_one_exercise_and_the_answer_of_another_goes_by_its_name(s: Sample) -> None:
    notebook = copy.deepcopy(s.first)
    by_name(notebook, "scale").source = SHIFT
    notebook.cells.remove(by_name(notebook, "shift"))
    taken = s.take(notebook)
    assert answers(taken)["shift"] == SHIFT and taken.found == {"shift", "why"}
    assert "id of scale" in taken.notes["shift"]
    assert taken.notes["scale"] == "No cell of yours defines scale; its cell defines shift."
    assert answers(taken)["scale"] == by_name(s.first, "scale").source


def test_a_missing_answer_leaves_the_stub_and_is_said(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells.remove(by_name(notebook, "shift"))
    taken = s.take(notebook)
    assert answers(taken)["shift"] == by_name(s.first, "shift").source
    assert taken.notes == {"shift": "No cell of yours defines shift."} and "shift" not in taken.found


def test_a_cell_with_the_id_that_does_not_define_the_name_is_taken_and_said(s: Sample) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source = "def shft(x, by=1):\n    return x + by"
    taken = s.take(notebook)
    assert "does not define shift" in taken.notes["shift"] and "shft" in answers(taken)["shift"]


@pytest.mark.parametrize("kind", ["markdown", "raw"])
def test_an_answer_whose_cell_became_text_is_read_as_code(s: Sample, kind: str) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").cell_type = kind
    taken = s.take(notebook)
    assert answers(taken)["shift"] == SHIFT and kind in taken.notes["shift"]
    assert next(c for c in taken.notebook.cells if c.source == SHIFT).cell_type == "code"


def test_an_answer_with_a_syntax_error_or_magics_is_still_matched_by_its_name(s: Sample) -> None:
    notebook = without_metadata(solved(s.first))
    for cell in notebook.cells:
        if cell.source == SHIFT:
            cell.source = "@answer\ndef shift(x, by=1)\n    return x + by"
        elif cell.source == SCALE:
            cell.source = "%matplotlib inline\n!pip list\n" + SCALE + "scale?\nx = %time scale(3)\n"
    taken = s.take(notebook)
    assert taken.written == {"shift", "scale"}
    assert answers(taken)["scale"].startswith("%matplotlib")


def test_answers_written_at_the_end_take_their_helpers_along(s: Sample) -> None:
    notebook = copy.deepcopy(s.first)
    shift, scale = "shift = lambda x, by=1: plus(x, by)", "def scale(x, by=2):\n    return times(x, by)"
    notebook.cells += [code("plus = sum"), code(shift), code("times = max"), code(scale), code("after = 1")]
    taken = s.take(notebook)
    first, second = ["plus = sum", "shift", "shift?"], ["times = max", "scale", "after = 1", "scale?"]
    assert order(taken) == ["setup", "given", *first, "given", *second, "show"]
    assert answers(taken)["shift"] == shift


def test_an_overwritten_answer_is_said_once_of_the_first_exercise_below(s: Sample) -> None:
    for source, said in (
        ("answer = 3", True),
        ("answer: int = 3", True),
        ("answers = 3", False),
        ("answer == 3", False),
        ("def answer(f):\n    return f", False),
    ):
        notebook = solved(s.first)
        at = notebook.cells.index(by_name(notebook, "scale"))
        notebook.cells.insert(at, code(source))
        taken = s.take(notebook)
        assert ("overwrites `answer`" in taken.notes.get("scale", "")) == said, source
        assert "shift" not in taken.notes
