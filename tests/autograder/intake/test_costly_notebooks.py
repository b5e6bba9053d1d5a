"""Notebooks written to take much time or to crash a parser cost little, and the answers in them count."""

from __future__ import annotations

import copy
import resource
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder import intake
from autograder.course import Course
from autograder.intake import inspect_folder
from autograder.intake.read_notebook import read_notebook, read_notebook_here
from autograder.intake.reader import notebook as reader_notebook
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    SHIFT,
    Sample,
    as_bytes,
    by_name,
    code,
    extras,
    put_in,
    solved,
    sound,
    taken_in_is_sound,
)

DEEP = 100_000


@pytest.mark.parametrize(("cells", "functions"), [(1, 3_000), (300, 10)])
def test_functions_in_a_checks_cell_cost_no_time_however_many(s: Sample, cells: int, functions: int) -> None:
    notebook = solved(s.first)
    by_name(notebook, "shift").source = SHIFT + "# n1 n2x x_n3 n0.n4" + " ab" * 100_000
    check = by_name(notebook, "shift_check")
    check.source = "\n".join(f"def n{at}(): 0" for at in range(functions))
    put_in(notebook, "shift_check", *(copy.deepcopy(check) for _ in range(1, cells)))
    student = read_notebook_here(as_bytes(notebook))
    began = time.process_time()
    taken = s.take(notebook, reader=lambda _: student)
    assert time.process_time() - began < 2
    assert taken.notes["shift"].endswith(
        "It uses n0, n1, n4 from the cell of shift's check, which is not taken; put that into a cell of its own."
    )


def test_blank_lines_in_cells_that_define_every_exercise_are_looked_at_once(checkout: Course) -> None:
    lesson = max(checkout.lessons(ASSIGNMENT), key=lambda one: len(one.exercises))
    notebook: NotebookNode = nbformat.read(checkout.student_notebook(lesson), as_version=4)
    every = "".join(f"def {name}(): 0\n" for name in lesson.exercises)
    notebook.cells += [code(every)] * 9
    read = read_notebook_here(as_bytes(notebook))
    # As the reader says of cells that are too long to be parsed; reading so many lines takes it seconds.
    blank = "\n" * 900_000 + "0"
    long = [
        replace(cell, source=every + blank, defines=dict.fromkeys(cell.defines, ""))
        for cell in read.cells[-9:]
    ]
    student = replace(read, cells=(*read.cells[:-9], *long))
    began = time.process_time()
    taken = intake.take_in_notebook(checkout, [lesson], b"", reader=lambda _: student)
    assert time.process_time() - began < 1.5
    assert taken.written == set(lesson.exercises) and len(lesson.exercises) >= 10


DEEP_SOURCE = {
    "parentheses": "(" * DEEP,
    "closed parentheses": "(" * DEEP + ")" * DEEP,
    "brackets": "[" * 2 * DEEP,
    "signs": "-" * DEEP + "1",
    "short signs": "x = " + "-" * 20_000 + "1",
    "attributes": "x" + ".x" * 40_000,
    "sums": "x" + "+x" * 40_000,
    "lambdas": "lambda:" * 12_000 + "0",
    "blocks": "".join(" " * at + "if x:\n" for at in range(400)),
    "digits": "9" * 99_000,
    "backslashes": "x = \\" + "\n\\" * 40_000,
    "spaces": "x" + " " * 99_000 + "y?",
    "equals": "x =" + " =" * 49_000 + " %",
    "f-strings": "f'{" * 400,
}


@pytest.mark.parametrize("which", DEEP_SOURCE)
def test_source_that_breaks_parsers_costs_nothing(s: Sample, which: str) -> None:
    notebook = solved(s.first)
    put_in(notebook, "shift", code(DEEP_SOURCE[which]))
    by_name(notebook, "shift").source += "\n" + DEEP_SOURCE[which]
    taken = s.take(notebook, reader=read_notebook)
    sound(s, taken)
    assert taken.written == {"shift", "scale"} and len(extras(taken)) == 1


DENSE = "x = [1+2*3-4, (a.b.c(d,e=f)[g:h]), {1:2}]\n" * 2_000


def test_much_code_takes_little_time_and_the_answers_before_it_stand(s: Sample) -> None:
    notebook = solved(s.first)
    notebook.cells += [code(DENSE)] * 160
    data = as_bytes(notebook)
    assert len(data) < reader_notebook.MAX_BYTES
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = s.take(data, reader=read_notebook)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    sound(s, taken)
    assert taken.written == {"shift", "scale"}
    # Without a limit on what is parsed it takes more than all the time that the reader has.
    assert after.ru_utime - before.ru_utime < 0.8 * reader_notebook.CPU_SECONDS


def test_more_notebooks_than_anybody_hands_in_are_not_all_read(
    s: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_in = tmp_path / "handed in"
    handed_in.mkdir()
    data = as_bytes(solved(s.first))
    monkeypatch.setattr(inspect_folder, "MAX_NOTEBOOKS", 3 * len(data) + 10)
    for number in range(6):
        (handed_in / f"{number}.ipynb").write_bytes(data)
    (taken,) = taken_in_is_sound(s, handed_in, tmp_path)
    assert taken.written == {"shift", "scale"}
    record = intake.load_record(s.course, ASSIGNMENT, "ada")
    assert record is not None and sum("it was not read" in flag for flag in record.flags) == 3
