"""Files that are no notebook yield one clear sentence, soon."""

from __future__ import annotations

import time

import pytest

from autograder import intake
from autograder.intake import IntakeError
from autograder.intake.read_notebook import read_notebook
from autograder.intake.reader.limits import MIB
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    Sample,
    as_bytes,
    file_names,
    solved,
    sound,
)

DEEP = 100_000


def nested(levels: int) -> bytes:
    return b'{"cells": ' + b"[" * levels + b"]" * levels + b"}"


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "blank": (b" \n" * 99, "is empty"),
    "truncated": (b'{"cells": [{"cell_type": "code", "source": "def', "breaks off"),
    "truncated between values": (b'{"cells": [{"cell_type": "code"},', "breaks off"),
    "text": (b"def shift(x): pass", "is not JSON"),
    "a zip": (b"PK\x03\x04" + bytes(range(256)), "is not UTF-8"),
    "latin-1": ('{"cells": ["é"]}'.encode("latin-1"), "is not UTF-8"),
    "utf-16": ('{"cells": []}'.encode("utf-16"), "UTF-16"),
    "nested lists": (nested(DEEP), "levels deep"),
    "nested objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, "levels deep"),
    "nesting after a quote": (rb'{"a": "\"", "cells": ' + b"[" * DEEP, "levels deep"),
    "a list": (b"[]", "not a notebook"),
    "a number": (b"3", "not a notebook"),
    "NaN": (b"NaN", "not a notebook"),
    "no cells": (b'{"nbformat": 4}', "no cells"),
    "cells are a string": (b'{"cells": "abc"}', "no list of cells"),
    "cells are an object": (b'{"cells": {"0": 1}}', "no list of cells"),
    "worksheets of nothing": (b'{"worksheets": [3]}', "worksheet"),
    "no cell of the course": (b'{"cells": []}', "is not a notebook of 1_layers"),
    "21 MiB": (b'{"cells": [' + b" " * 21 * MIB + b"]}", "21.0 MiB"),
}


@pytest.mark.parametrize("which", UNREADABLE)
def test_what_is_no_notebook_yields_one_sentence(s: Sample, which: str) -> None:
    data, words = UNREADABLE[which]
    with pytest.raises(IntakeError) as caught:
        s.take(data, name="x.ipynb", reader=read_notebook)
    message = str(caught.value)
    assert (
        message.startswith("x.ipynb ") and words in message and message.endswith(".") and "\n" not in message
    )


@pytest.mark.parametrize(
    "data", [b"[" * (19 * MIB), b"[]" * (9 * MIB), b'"' * (19 * MIB), b"\\" * (19 * MIB)]
)
def test_large_nonsense_is_refused_soon(data: bytes) -> None:
    began = time.perf_counter()
    with pytest.raises(IntakeError):
        read_notebook(data)
    assert time.perf_counter() - began < 15


def test_what_takes_all_memory_is_refused(s: Sample) -> None:
    data = b'{"cells": [' + b'{"a":{}},' * (2 * MIB) + b"0]}"
    with pytest.raises(IntakeError, match=r"memory|is not a notebook of"):
        s.take(data, reader=read_notebook)


def test_an_unreadable_notebook_becomes_the_pristine_one_with_the_reason(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting (2).ipynb").write_bytes(b'{"cells": [')
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    (taken,) = intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    sound(s, taken)
    assert taken.found == frozenset() and taken.flags[0].startswith(
        "unreadable: 01_shifting (2).ipynb is not"
    )
    assert "breaks off" in taken.notes["shift"] and set(taken.notes) == {"shift", "scale", "why"}
    assert (s.raw() / "01_shifting (2).ipynb").read_bytes() == b'{"cells": ['


def test_an_unreadable_notebook_of_no_known_name_is_said_for_every_lesson_or_beside_a_good_one(
    s: Sample,
) -> None:
    folder = s.submitted()
    (folder / "homework.ipynb").write_bytes(b"{")
    assert s.autograde(folder) == ["01_shifting.ipynb", "02_turning.ipynb"]
    assert all("homework.ipynb" in flag for flag in s.record().flags)
    other = s.submitted("bob")
    (other / "homework.ipynb").write_bytes(b"{")
    (other / "x.ipynb").write_bytes(as_bytes(solved(s.first)))
    assert s.autograde(other) == ["01_shifting.ipynb"]
    assert s.record("bob").folder_flags[0].startswith("unreadable: homework.ipynb")


def test_an_unreadable_resubmission_beside_a_good_one_does_not_replace_it(s: Sample) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    s.autograde(folder)
    (folder / "Copy_of_01_shifting.ipynb").write_bytes(b"{")
    assert s.autograde(folder) == ["01_shifting.ipynb"]
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
    assert any("Copy_of_01" in flag for flag in s.record().flags)
