"""Any notebook at all, drawn at random, is refused or becomes a sound one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.intake import IntakeError
from autograder.intake.read_notebook import read_notebook, read_notebook_here
from tests.autograder.intake.intake_sample import (
    LESSONS,
    SCALE,
    SHIFT,
    Sample,
    solved,
    sound,
)

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            SHIFT,
            SCALE,
            "check(shift)",
            "def turn(x): return 1",
            "import numpy as np",
            "",
            "%%bash\nls",
            "(" * 300,
        ]
    ),
)


IDS = st.one_of(
    st.sampled_from(["shift", "scale", "why", "turn", "shift_check", "turn_check", "01-shifting-04", "../x"]),
    TEXT,
)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


GRADING = st.fixed_dictionaries(
    {}, optional={"grade_id": IDS | JUNK, "solution": JUNK, "schema_version": JUNK}
)


CELL = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "code", "markdown", "raw", "heading"]) | JUNK,
        "source": TEXT | st.lists(TEXT, max_size=3) | JUNK,
    },
    optional={
        "metadata": st.fixed_dictionaries({}, optional={"nbgrader": GRADING | JUNK, "tags": JUNK}) | JUNK,
        "id": IDS | JUNK,
        "outputs": JUNK,
        "attachments": JUNK,
    },
)


NOTEBOOK = st.fixed_dictionaries(
    {"cells": st.lists(CELL | JUNK, max_size=8) | JUNK}, optional={"metadata": JUNK, "nbformat": JUNK}
)


QUIET = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]


def either_refused_or_sound(s: Sample, notebook: Any, reader: Any) -> None:
    try:
        taken = s.take(json.dumps(notebook).encode(), name="02_turning.ipynb", reader=reader)
    except IntakeError as error:
        assert "\n" not in str(error)
    else:
        sound(s, taken)


@given(notebook=NOTEBOOK)
@settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=QUIET)
def test_any_notebook_is_refused_or_becomes_a_sound_one(s: Sample, notebook: Any) -> None:
    either_refused_or_sound(s, notebook, read_notebook_here)


@given(notebook=NOTEBOOK)
@settings(derandomize=True, deadline=None, max_examples=15, suppress_health_check=QUIET)
def test_any_notebook_through_the_reader_process_is_refused_or_becomes_a_sound_one(
    s: Sample, notebook: Any
) -> None:
    either_refused_or_sound(s, notebook, read_notebook)


@given(data=st.data())
@settings(derandomize=True, deadline=None, max_examples=60, suppress_health_check=QUIET)
def test_a_good_notebook_with_any_cells_put_in_stays_sound(s: Sample, data: st.DataObject) -> None:
    notebook = solved(s.first)
    for cell in data.draw(st.lists(CELL, max_size=6)):
        notebook.cells.insert(data.draw(st.integers(0, len(notebook.cells))), cell)
    taken = s.take(json.dumps(notebook).encode())
    sound(s, taken)
    assert taken.lesson is LESSONS[0] and taken.found >= {"shift", "scale", "why"}


@given(data=st.binary(max_size=40))
@settings(derandomize=True, deadline=None, max_examples=100, suppress_health_check=QUIET)
def test_any_bytes_are_refused_or_become_a_sound_notebook(s: Sample, data: bytes) -> None:
    with pytest.raises(IntakeError):
        s.take(data)
