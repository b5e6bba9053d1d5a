"""Whose a file is stands in what Moodle or Canvas wrote, and every name can be a file's."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.intake.download_names import match_download, plain_name


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("Ada L_11_assignsubmission_file_/02.ipynb", "11"),
        ("Ada L_11_assignsubmission_file/02.ipynb", "11"),
        ("Ada L_11_assignsubmission_file_02.ipynb", "11"),
        ("Eve_13_assignsubmission_file_Ada_11_assignsubmission_file_02.ipynb", "13"),
        ("eve_13_99_Ada_11_assignsubmission_file_02.ipynb", "13"),
        ("eve_LATE_13_99_ada_11_98_02.ipynb", "13"),
        ("Ada L_11_onlinetext_/onlinetext.html", None),
        ("Ada L_11_onlinetext_/02.ipynb", None),
        ("../../etc/passwd", None),
        ("ada_x_99_02.ipynb", None),
    ],
)
def test_whose_a_file_is_stands_in_what_the_system_wrote(path: str, student: str | None) -> None:
    found = match_download(path)
    assert (found["student_id"] if found else None) == student


@pytest.mark.parametrize(
    "name", ["..", ".hidden", "a" * 400, "\u6f22" * 400 + ".ipynb", "x." + "y" * 400, "\0", ""]
)
def test_a_part_of_a_path_is_always_a_name_that_a_file_can_have(name: str, tmp_path: Path) -> None:
    part = plain_name(name)
    (tmp_path / part).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [part]
