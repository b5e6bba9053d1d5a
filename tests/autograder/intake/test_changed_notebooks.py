"""A good notebook with anything changed at random is refused or becomes a sound one."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nbformat.notebooknode import NotebookNode

from autograder.intake import IntakeError
from autograder.intake.read_notebook import read_notebook, read_notebook_here
from tests.autograder.intake.intake_sample import (
    SCALE,
    SHIFT,
    Sample,
    as_bytes,
    solved,
    sound,
    steady,
)


def nested(levels: int) -> Any:
    value: Any = "x"
    for level in range(levels):
        value = [value] if level % 2 else {"cells": value}
    return value


ODD_TEXT = st.sampled_from(
    [
        "",
        "\0",
        "\ud800",
        "\udcff\ud800",
        "\u202e\u2066evil\u2069",
        "\ufeff",
        "\r\n\r",
        "\x1b[2J\x07",
        "x" * 200_000,
        "\U0001f600" * 5_000,
        "../../etc/passwd",
        "</script>",
        "shift",
        "shift_check",
        "scale",
        SHIFT,
        SCALE,
        "def shift(:",
        "def shift(x): pass\n" * 50,
        "(" * 500,
        "%%bash\nrm -rf /",
        "code",
        "markdown",
    ]
)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, -1, 4, 10**400, 1e308, float("nan"), float("inf")]),
    ODD_TEXT,
    st.text(max_size=10),
    st.sampled_from([10, 60, 70, 300]).map(nested),
    st.lists(ODD_TEXT, max_size=3),
    st.just([[]]),
    st.just({}),
    st.dictionaries(
        st.sampled_from(["nbgrader", "grade_id", "source", "cell_type", "", "\0"]), ODD_TEXT, max_size=3
    ),
)


STEP = st.tuples(
    st.sampled_from(["drop", "double", "retype", "rename", "swap", "wrap", "deepen"]),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    JUNK,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with every key in it."""
    found: list[tuple[Any, Any]] = []
    todo = [value]
    while todo and len(found) < 5_000:
        one = todo.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            todo.append(one[key])
    return found


def mutated(notebook: NotebookNode, steps: list[tuple[str, int, int, Any]]) -> Any:
    """Return a notebook to which all of this has happened."""
    tree = {"notebook": json.loads(json.dumps(notebook))}
    for how, first, second, junk in steps:
        all_places = places(tree)
        at, key = all_places[first % len(all_places)]
        other, other_key = all_places[second % len(all_places)]
        if how == "drop":
            del at[key]
        elif how == "double" and isinstance(at, list):
            at[key:key] = copy.deepcopy(at[key : key + 1]) * (1 + second % 3)
        elif how == "retype":
            at[key] = copy.deepcopy(junk)
        elif how == "rename" and isinstance(at, dict):
            at[junk if isinstance(junk, str) else str(second)] = at.pop(key)
        elif how == "swap":
            one, two = copy.deepcopy(at[key]), copy.deepcopy(other[other_key])
            at[key], other[other_key] = two, one
        elif how == "wrap":
            at[key] = [at[key]] if second % 2 else {"cells": at[key]}
        elif how == "deepen" and isinstance(at[key], dict):
            at[key]["more"] = copy.deepcopy(junk)
        if not places(tree):
            break
    return tree.get("notebook")


def refused_or_sound(s: Sample, data: bytes, reader: Callable[[bytes], Any] = read_notebook_here) -> None:
    began = time.process_time()
    try:
        taken = s.take(data, name="01_shifting.ipynb", reader=reader)
    except IntakeError as error:
        words = str(error)
        assert "\n" not in words and words.isprintable() and words.endswith(".") and len(words) < 400
    else:
        sound(s, taken)
    assert time.process_time() - began < 10


@steady(200)
@given(steps=st.lists(STEP, min_size=1, max_size=6), second=st.booleans())
def test_a_notebook_with_anything_changed_is_refused_or_becomes_a_sound_one(
    s: Sample, steps: list[Any], second: bool
) -> None:
    base = solved(s.second if second else s.first)
    refused_or_sound(s, json.dumps(mutated(base, steps)).encode())


@steady(20)
@given(steps=st.lists(STEP, min_size=1, max_size=6))
def test_the_reader_process_says_the_same_as_reading_here(s: Sample, steps: list[Any]) -> None:
    data = json.dumps(mutated(solved(s.first), steps)).encode()
    answers = []
    for reader in (read_notebook_here, read_notebook):
        try:
            answers.append(reader(data))
        except IntakeError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]
    refused_or_sound(s, data, read_notebook)


@steady(100)
@given(data=st.data())
def test_a_notebook_with_any_bytes_changed_is_refused_or_becomes_a_sound_one(
    s: Sample, data: st.DataObject
) -> None:
    whole = bytearray(as_bytes(solved(s.first)))
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(whole) - 1))
        how = data.draw(st.sampled_from(["flip", "cut", "put in", "repeat"]))
        if how == "flip":
            whole[at] = data.draw(st.integers(0, 255))
        elif how == "cut":
            del whole[at : at + data.draw(st.integers(1, 200))]
        elif how == "put in":
            whole[at:at] = data.draw(
                st.binary(max_size=8) | st.sampled_from([b"[" * 99, b"\xff\xfe", b'","'])
            )
        else:
            whole[at:at] = whole[at : at + 300]
        if not whole:
            break
    refused_or_sound(s, bytes(whole))
