"""Notebooks with something wrong in them: the answers in them still count."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from nbformat.notebooknode import NotebookNode

from autograder.intake.read_notebook import read_notebook, read_notebook_here
from autograder.intake.reader import notebook as reader_notebook
from autograder.intake.reader.limits import MIB
from tests.autograder.intake.intake_sample import (
    SCALE,
    SHIFT,
    Sample,
    answers,
    as_bytes,
    by_name,
    code,
    extras,
    huge_output,
    put_in,
    solved,
    sound,
)

READERS = {"here": read_notebook_here, "process": read_notebook}


def each_cell(**fields: Any) -> Callable[[NotebookNode], None]:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            cell.update(copy.deepcopy(fields))

    return edit


def bad_metadata(notebook: NotebookNode) -> None:
    for number, cell in enumerate(notebook.cells):
        if not cell.metadata.get("nbgrader"):
            odd = [
                None,
                3,
                [],
                {"nbgrader": None},
                {"nbgrader": []},
                {"nbgrader": {"grade_id": [1]}},
                {"tags": 3},
            ]
            cell["metadata"] = odd[number % len(odd)]


def schema_99(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata.nbgrader.update(schema_version=99, points=1e9, task=True)


def flipped_flags(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader", {})
        about.update({k: not about[k] for k in ("grade", "solution", "locked") if k in about})


def copied_check(notebook: NotebookNode) -> None:
    check = copy.deepcopy(by_name(notebook, "shift_check"))
    check.source = "points = 100"
    put_in(notebook, "shift", check)
    put_in(notebook, "scale_check", copy.deepcopy(check), copy.deepcopy(check))


def odd_cells(notebook: NotebookNode) -> None:
    notebook.cells += [
        None,
        3,
        "x",
        [],
        {},
        {"cell_type": "evil"},
        {"cell_type": ["code"]},
        {"cell_type": "code"},
    ]
    notebook.cells += [
        {"cell_type": "code", "source": source} for source in (3, None, {"a": 1}, ["a", 1], [["a"]])
    ]


def skip_tags(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "remove-cell", "setup", "show"]


def reversed_cells(notebook: NotebookNode) -> None:
    notebook.cells.reverse()


def stripped(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell["metadata"] = {}
        cell.pop("id")


def as_lists(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.source = cell.source.splitlines(keepends=True)


ODD: dict[str, Callable[[NotebookNode], None]] = {
    "19 MiB of output": lambda n: huge_output(n, 19 * MIB),
    "attachments": each_cell(attachments={"a.png": {"image/png": "AAAA"}}),
    "unknown kernelspec": lambda n: n.metadata.update(kernelspec={"name": "; rm -rf /", "display_name": 3}),
    "metadata of other types": bad_metadata,
    "notebook metadata is a list": lambda n: n.update(metadata=[]),
    "nbformat 99": lambda n: n.update(nbformat=99, nbformat_minor="x"),
    "schema version 99": schema_99,
    "flipped flags": flipped_flags,
    "copied check": copied_check,
    "odd cells": odd_cells,
    "tags": skip_tags,
    "reversed": reversed_cells,
    "all metadata stripped": stripped,
    "source as lists": as_lists,
    "a cell id of 10 MB": lambda n: n.cells[0].update(id="x" * 10_000_000),
    "cell ids of other types": each_cell(id={"a": [1]}),
    "one cell id for all": each_cell(id="01-shifting-01"),
    "execution counts": each_cell(execution_count=float("nan"), outputs="none"),
    "a number of 10,000 digits": each_cell(execution_count=10**4000),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("which", ODD)
def test_answers_survive_what_is_odd_around_them(s: Sample, which: str, reader: Any) -> None:
    notebook = solved(s.first)
    ODD[which](notebook)
    taken = s.take(json.loads(json.dumps(notebook)), reader=reader)
    sound(s, taken)
    assert taken.written >= {"shift", "scale"}
    assert answers(taken)["shift"] == SHIFT and answers(taken)["scale"] == SCALE
    assert extras(taken) == []


def test_a_copied_check_and_odd_cells_are_flagged(s: Sample) -> None:
    notebook = solved(s.first)
    copied_check(notebook)
    odd_cells(notebook)
    flags = s.take(notebook).flags
    assert "shift: 4 cells carry the id of its check; the lesson's own was used." in flags
    assert sum("was left out" in flag for flag in flags) == 13


def test_a_duplicated_grade_id_on_other_code_does_not_displace_the_answer(s: Sample) -> None:
    notebook = solved(s.first)
    about = copy.deepcopy(by_name(notebook, "shift").metadata)
    put_in(notebook, "shift", code("print('no answer')", metadata=about))
    taken = s.take(notebook)
    sound(s, taken)
    assert answers(taken)["shift"] == SHIFT


def test_a_duplicate_key_is_read_as_jupyter_reads_it(s: Sample) -> None:
    text = json.dumps(solved(s.first)).replace('"source"', '"source": "first", "source"')
    assert answers(s.take(text.encode(), reader=read_notebook))["shift"] == SHIFT


def test_a_byte_order_mark_and_windows_lines_are_tolerated(s: Sample) -> None:
    notebook = solved(s.first)
    for cell in notebook.cells:
        cell.source = cell.source.replace("\n", "\r\n")
    taken = s.take(b"\xef\xbb\xbf" + json.dumps(notebook, indent=1).replace("\n", "\r\n").encode())
    sound(s, taken)
    assert answers(taken)["shift"] == SHIFT and extras(taken) == [] and taken.flags == ()


@pytest.mark.parametrize(
    ("bad", "words"), [("\0", "NUL"), ("\ud800", "surrogate"), ("#" * (MIB + 1), "longer than")]
)
def test_a_cell_whose_text_cannot_be_used_costs_that_cell_only(s: Sample, bad: str, words: str) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source += bad
    put_in(notebook, "shift", code(f"'{bad}'"))
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert answers(taken)["scale"] == SCALE and taken.found == {"scale", "why"}
    assert words in taken.notes["shift"] and any(flag.startswith("Cell 4 ") for flag in taken.flags)


def test_thousands_of_cells_and_flags_are_cut(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("\0")] * 3_000
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert len(taken.flags) == 41 and any("3,011 cells" in flag for flag in taken.flags)
    assert taken.written == {"shift", "scale"}


def test_more_text_than_any_notebook_holds_is_cut(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("#" * (MIB - 1))] * 18
    taken = s.take(notebook, reader=read_notebook)
    assert len(extras(taken)) < 18 and taken.written == {"shift", "scale"}


def test_only_so_many_definitions_are_noted(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code("\n".join(f"a{cell}_{at} = 1" for at in range(9_000))) for cell in range(5)]
    student = read_notebook(as_bytes(notebook))
    assert sum(len(cell.defines) for cell in student.cells) <= reader_notebook.MAX_NAMES
    assert sum("definitions" in sentence for sentence in student.odd) == 3
    assert s.take(notebook, reader=read_notebook).written == {"shift", "scale"}
