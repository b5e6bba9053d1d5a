"""The lesson of a notebook is recognised by its content, and a foreign notebook is refused."""

from __future__ import annotations

import pytest

from autograder.intake import IntakeError
from tests.autograder.intake.intake_sample import (
    SHIFT,
    Sample,
    answers,
    code,
    solved,
)


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
