"""From what honest students hand in to notebooks that we wrote: nothing of theirs is lost."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import nbformat
import pytest

from autograder import intake
from autograder.authoring.build import TEXT_STUB
from autograder.course import Course
from autograder.intake import IntakeError, submission
from autograder.intake.match_questions import fence
from autograder.intake.read_notebook import StudentNotebook, read_notebook, read_notebook_here
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    SCALE,
    SHIFT,
    Sample,
    answers,
    as_bytes,
    by_name,
    checks,
    code,
    extras,
    file_names,
    lesson_of,
    markdown,
    order,
    our_bytes,
    put_in,
    solved,
)

SCALED = SCALE.strip()
WHOLE = ["setup", "given", "shift", "shift?", "given", "scale", "scale?", "show"]


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook as an editor leaves it that knows neither our metadata nor cell ids."""
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()
        del cell["id"]
    return notebook


# One notebook


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
    notebook = strip(solved(s.first))
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
    assert any("answer" in flag for flag in taken.flags)
    assert extras(taken) == []


def test_of_two_written_copies_with_the_same_id_the_last_one_counts(s: Sample) -> None:
    notebook = solved(s.first)
    newer = copy.deepcopy(by_name(notebook, "shift"))
    newer.source = newer.source.replace("x + by", "by + x")
    put_in(notebook, "shift", newer)
    taken = s.take(notebook)
    assert "by + x" in answers(taken)["shift"]
    assert "hold an answer" in taken.notes["shift"] and extras(taken) == []


def test_a_written_answer_with_the_id_beats_a_scratch_copy_below_it(s: Sample) -> None:
    notebook = solved(s.first)
    put_in(notebook, "shift", code("def shift(x, by=1):\n    return 0"))
    taken = s.take(notebook)
    assert answers(taken)["shift"] == SHIFT and extras(taken) == []


def test_helpers_beside_an_older_definition_are_kept_before_the_answer(s: Sample) -> None:
    notebook = solved(s.first)
    old = "import math\n\ndef helper(x):\n    return x\n\ndef shift(x, by=1):\n    return 0"
    put_in(notebook, "shift", code(old))
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
    notebook = strip(solved(s.first))
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


# Questions


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
    notebook = strip(solved(s.first))
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


# Which lesson


@pytest.mark.parametrize("name", ["02_turning.ipynb", "Copy_of_01_shifting.ipynb", "x.ipynb", ""])
def test_the_lesson_is_recognised_by_content(s: Sample, name: str) -> None:
    taken = s.take(solved(s.first), name=name)
    assert taken.lesson.name == "01_shifting" and taken.written == {"shift", "scale"}
    assert bool(taken.flags) == bool(name)


def test_the_file_name_breaks_ties_only(s: Sample) -> None:
    notebook = {"cells": [code(SHIFT), code("def turn(x):\n    return -x")]}
    assert s.take(notebook, name="02_turning (1).ipynb").lesson.name == "02_turning"
    assert s.take(notebook, name="01_shifting.ipynb").lesson.name == "01_shifting"


def test_a_foreign_notebook_is_refused_in_one_sentence(s: Sample) -> None:
    notebook = {"cells": [code("print(1)")]}
    with pytest.raises(IntakeError, match=r"^x\.ipynb is not a notebook of 1_layers: .*\.$"):
        s.take(notebook, name="x.ipynb")


def test_a_notebook_of_nbformat_3_is_read(s: Sample) -> None:
    cells = [
        {"cell_type": "code", "input": [SHIFT], "outputs": []},
        {"cell_type": "heading", "source": "x", "level": 1},
    ]
    taken = s.take({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]})
    assert answers(taken)["shift"] == SHIFT


# A folder


def take_in(s: Sample, folder: Path, student: str = "ada") -> list[intake.GraftedNotebook]:
    return intake.take_in(s.course, ASSIGNMENT, student, folder, lessons=LESSONS)


def test_a_folder_from_anywhere_is_copied_and_left_alone(s: Sample, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    data = as_bytes(solved(s.first))
    (inbox / "Copy_of_01_shifting.ipynb").write_bytes(data)
    (taken,) = take_in(s, inbox)
    assert file_names(inbox) == file_names(s.raw()) == ["Copy_of_01_shifting.ipynb"]
    assert (s.raw() / "Copy_of_01_shifting.ipynb").read_bytes() == data
    assert file_names(s.submitted()) == ["01_shifting.ipynb"]
    assert nbformat.read(s.submitted() / "01_shifting.ipynb", as_version=4) == taken.notebook
    record = s.record()
    assert record.lessons["01_shifting"].found == record.found == {"shift", "scale", "why"}
    assert "Copy_of_" in record.flags[0] and record.notes == {}
    assert take_in(s, inbox)[0].notebook == taken.notebook
    assert take_in(s, s.raw())[0].notebook == taken.notebook  # a regrade from what was kept
    assert file_names(s.course.raw / "ada") == [ASSIGNMENT]


def test_the_hook_takes_in_once_and_a_new_file_is_a_new_submission(s: Sample) -> None:
    folder, data = s.submitted(), as_bytes(s.first)
    (folder / "01_shifting.ipynb").write_bytes(data)
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    ours, record = (folder / "01_shifting.ipynb").read_bytes(), s.record()
    assert ours != data and (s.raw() / "01_shifting.ipynb").read_bytes() == data
    before = (folder / "01_shifting.ipynb").stat().st_mtime_ns
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert (folder / "01_shifting.ipynb").stat().st_mtime_ns == before and s.record() == record

    better = as_bytes(solved(s.first))
    (folder / "01_shifting (1).ipynb").write_bytes(better)
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert SHIFT in nbformat.read(folder / "01_shifting.ipynb", as_version=4).cells[3].source
    assert file_names(s.raw()) == ["01_shifting (1).ipynb"]
    assert (s.raw().with_name(f"{ASSIGNMENT}.earlier") / "1" / "01_shifting.ipynb").read_bytes() == data


def test_a_resubmission_under_the_same_name_keeps_the_earlier_one(s: Sample) -> None:
    folder = s.submitted()
    for number in range(3):
        notebook = solved(s.first)
        by_name(notebook, "shift").source += f"# {number}"
        (folder / "01_shifting.ipynb").write_bytes(as_bytes(notebook))
        s.autograde(folder)
    earlier = s.raw().with_name(f"{ASSIGNMENT}.earlier")
    assert file_names(earlier) == ["1", "2"] and b"# 2" in (s.raw() / "01_shifting.ipynb").read_bytes()
    assert b"# 2" in (folder / "01_shifting.ipynb").read_bytes()


def test_lessons_handed_in_one_after_the_other_all_stand(s: Sample, tmp_path: Path) -> None:
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        inbox = tmp_path / name
        inbox.mkdir()
        (inbox / f"{name}.ipynb").write_bytes(as_bytes(solved(notebook)))
        taken = take_in(s, inbox)
    assert [one.lesson.name for one in taken] == ["01_shifting", "02_turning"]
    assert taken[0].written == {"shift", "scale"}
    assert set(s.record().lessons) == {"01_shifting", "02_turning"}
    (s.submitted() / "02_turning.ipynb").write_bytes(as_bytes(s.second))
    assert s.autograde(s.submitted()) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert s.record().lessons["02_turning"].written == frozenset()


def test_of_two_files_of_a_lesson_the_one_with_more_answers_counts(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(s.first))
    (folder / "mine.ipynb").write_bytes(as_bytes(solved(s.first)))
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    record = s.record()
    assert record.lessons["01_shifting"].source == "mine.ipynb"
    assert any(flag.startswith("01_shifting: 01_shifting.ipynb is the same lesson") for flag in record.flags)
    assert file_names(s.raw()) == ["01_shifting.ipynb", "mine.ipynb"]


def test_of_equal_files_the_lessons_own_name_counts_and_then_the_newer(s: Sample) -> None:
    folder = s.submitted()
    for at, name in enumerate(["01_shifting.ipynb", "a.ipynb", "b.ipynb"]):
        (folder / name).write_bytes(as_bytes(solved(s.first)) + b" " * at)
        os.utime(folder / name, (at, at))
    s.autograde(folder)
    assert s.record().lessons["01_shifting"].source == "01_shifting.ipynb"
    for at, name in enumerate(["b.ipynb", "a.ipynb"]):
        (folder / name).write_bytes(as_bytes(solved(s.first)) + b"\n" * (at + 1))
        os.utime(folder / name, (at, at))
    s.autograde(folder)
    assert s.record().lessons["01_shifting"].source == "a.ipynb"


def test_the_hook_hands_on_only_what_nbgrader_was_asked_for(s: Sample) -> None:
    folder = s.submitted()
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        (folder / f"{name}.ipynb").write_bytes(as_bytes(notebook))
    notebooks = [str(folder / "02_turning.ipynb")]
    intake.take_in_submitted(s.course, notebooks, lessons=LESSONS)
    assert notebooks == [str(folder / "02_turning.ipynb")]
    assert file_names(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]


def test_other_files_are_kept_in_raw_and_leave_the_submission(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "numpy.py").write_text("raise SystemExit")
    (folder / ".DS_Store").write_bytes(b"\0")
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "x.ipynb").write_text("{}")
    (folder / "pictures").mkdir()
    (folder / "pictures" / "a.png").write_bytes(b"png")
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb"]
    assert (s.raw() / "pictures" / "a.png").read_bytes() == b"png"
    assert (s.raw() / "numpy.py").read_text() == "raise SystemExit"
    assert [flag.split()[0] for flag in s.record().flags] == ["numpy.py", "pictures"]


def test_the_collectors_timestamp_stays(s: Sample, tmp_path: Path) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "timestamp.txt").write_text("2026-03-01 10:00:00.123 UTC")
    s.autograde(folder)
    assert file_names(folder) == ["01_shifting.ipynb", "timestamp.txt"] and s.record().flags == ()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (inbox / "timestamp.txt").write_text("1999-01-01")
    take_in(s, inbox)
    assert (folder / "timestamp.txt").read_text() == "2026-03-01 10:00:00.123 UTC"


def test_what_nbgrader_collected_is_not_lost_when_files_come_from_elsewhere(
    s: Sample, tmp_path: Path
) -> None:
    old, new = as_bytes(s.first), as_bytes(solved(s.first))
    (s.submitted() / "01_shifting.ipynb").write_bytes(old)
    (s.submitted() / "notes.txt").write_text("mine")
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "01_shifting.ipynb").write_bytes(new)
    (taken,) = take_in(s, inbox)
    assert taken.written == {"shift", "scale"} and file_names(s.submitted()) == ["01_shifting.ipynb"]
    kept = {path.read_bytes() for path in (s.course.raw / "ada").rglob("*") if path.is_file()}
    assert kept == {old, new, b"mine"}
    assert any("stood in work/submitted/" in flag for flag in s.record().flags)


def test_an_empty_folder_is_said(s: Sample) -> None:
    assert take_in(s, s.submitted()) == []
    assert s.record().flags == ("No notebook was handed in.",)


def test_a_fault_of_our_own_costs_one_submission_and_loses_nothing(
    s: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(data)
    monkeypatch.setattr(submission, "inspect_folder", lambda *_: 1 / 0)
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    assert (s.raw() / "Copy_of_01_shifting.ipynb").read_bytes() == data
    record = s.record()
    assert "ZeroDivisionError" in record.flags[0] and record.found == frozenset()
    assert set(record.notes) == {"shift", "scale", "why"}
    monkeypatch.undo()
    (taken,) = take_in(s, s.raw())
    assert taken.written == {"shift", "scale"}


def test_a_fault_in_one_notebook_leaves_the_others(s: Sample) -> None:
    folder = s.submitted()
    for name, notebook in (("01_shifting", s.first), ("02_turning", s.second)):
        (folder / f"{name}.ipynb").write_bytes(as_bytes(solved(notebook)))

    def faulty(data: bytes) -> StudentNotebook:
        if b"def shift" in data:
            raise ZeroDivisionError
        return read_notebook_here(data)

    first, second = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS, reader=faulty)
    assert second.written == {"turn"} and first.found == frozenset() and "ZeroDivisionError" in first.flags[0]


def test_nbgraders_hook_finds_the_course_itself(s: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Course, "here", classmethod(lambda cls: s.course))
    monkeypatch.setattr(Course, "lessons", lambda self, assignment: LESSONS)
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    notebooks = [str(folder / "01_shifting.ipynb")]
    intake.pre_convert_hook(assignment="*", student="*", notebooks=notebooks)
    assert notebooks == [str(folder / "01_shifting.ipynb")] and s.record().found == {"shift", "scale", "why"}
    assert lesson_of("01_shifting").name in s.record().lessons
