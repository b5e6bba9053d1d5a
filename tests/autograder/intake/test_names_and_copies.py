"""Notebooks under the names that browsers give them, and two files of one lesson: the later one counts."""

from __future__ import annotations

import os
import zipfile

import pytest

from autograder import intake
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    Sample,
    as_bytes,
    by_name,
    file_names,
    solved,
)

NAMES_OF_BROWSERS = [
    "01_shifting.ipynb.json",
    "01_shifting.ipynb.txt",
    "01_SHIFTING.IPYNB",
    "01_shifting.ipynb (1)",
    "01_shifting.ipynb.json (1)",
    "01_shifting.json",
    "homework.txt",
    "homework",
    "my answers.jsn",
]


@pytest.mark.parametrize("name", NAMES_OF_BROWSERS)
@pytest.mark.parametrize("packed", [False, True], ids=["file", "zip"])
def test_a_notebook_is_known_by_its_content_whatever_its_name(s: Sample, name: str, packed: bool) -> None:
    folder, data = s.submitted(), as_bytes(solved(s.first))
    if packed:
        with zipfile.ZipFile(folder / "mine.zip", "w") as archive:
            archive.writestr(f"folder/{name}", data)
    else:
        (folder / name).write_bytes(data)
    intake.take_in(s.course, ASSIGNMENT, "ada", folder, lessons=LESSONS)
    assert s.record().lessons["01_shifting"].written == {"shift", "scale"}
    assert file_names(folder) == ["01_shifting.ipynb"]


@pytest.mark.parametrize(
    "data", [b'{"a": 1}', b"{}", b"[1, 2]", b"cells", b'text {"cells": []}', b'{"cells": 3}']
)
def test_other_texts_are_no_notebooks(s: Sample, data: bytes) -> None:
    folder = s.submitted()
    (folder / "01_shifting.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "settings.json").write_bytes(data)
    s.autograde(folder)
    assert s.record().flags == ("settings.json is not a file that the lesson asks for; it was left out.",)


def test_a_file_without_an_answer_does_not_count_beside_one_with_an_answer(s: Sample) -> None:
    folder = s.submitted()
    (folder / "mine.ipynb").write_bytes(as_bytes(solved(s.first)))
    (folder / "01_shifting (1).ipynb").write_bytes(as_bytes(s.first))
    os.utime(folder / "mine.ipynb", (0, 0))
    assert s.autograde(folder) == ["01_shifting.ipynb"] == file_names(folder)
    record = s.record()
    assert record.lessons["01_shifting"].source == "mine.ipynb"
    assert any("mine.ipynb was taken, as the only one with an answer" in flag for flag in record.flags)
    assert file_names(s.raw()) == ["01_shifting (1).ipynb", "mine.ipynb"]


DAY = 86_400.0  # seconds
LATER = [  # the earlier file and the later one, with their times in seconds
    (("01_shifting.ipynb", 0.0), ("01_shifting (1).ipynb", 0.0)),
    (("01_shifting.ipynb", 30.0), ("01_shifting (1).ipynb", 0.0)),  # written by one unpacking
    (("01_shifting (2).ipynb", 0.0), ("01_shifting (10).ipynb", 0.0)),
    (("01_shifting.ipynb", 0.0), ("01_shifting-1.ipynb", 0.0)),
    (("01_shifting-1.ipynb", 0.0), ("01_shifting-2.ipynb", 0.0)),
    (("01_shifting.ipynb", 0.0), ("Copy_of_01_shifting.ipynb", 0.0)),
    (("01_shifting.ipynb", 0.0), ("01_shifting copy.ipynb", 0.0)),
    (("01_shifting copy.ipynb", 0.0), ("01_shifting copy 2.ipynb", 0.0)),
    (("01_shifting (1).ipynb", 0.0), ("01_shifting.ipynb", DAY)),
    (("lovelaceada_21_9999_01_shifting.ipynb", DAY), ("lovelaceada_21_10000_01_shifting.ipynb", 0.0)),
    (("lovelaceada_21_9001_01_shifting-1.ipynb", 0.0), ("lovelaceada_LATE_21_9002_01_shifting.ipynb", 0.0)),
    (("a.ipynb", 0.0), ("b.ipynb", 0.0)),
]


@pytest.mark.parametrize(("earlier", "later"), LATER, ids=[later[0] for _, later in LATER])
def test_of_two_files_of_a_lesson_the_later_one_counts(
    s: Sample, earlier: tuple[str, float], later: tuple[str, float]
) -> None:
    folder = s.submitted()
    for (name, time), text in ((earlier, ""), (later, "# mine")):
        notebook = solved(s.first)
        by_name(notebook, "shift").source += text
        (folder / name).write_bytes(as_bytes(notebook))
        os.utime(folder / name, (time, time))
    s.autograde(folder)
    record = s.record()
    assert record.lessons["01_shifting"].source == later[0]
    (flag,) = [flag for flag in record.flags if "as the later file" in flag]
    assert earlier[0] in flag and later[0] in flag
