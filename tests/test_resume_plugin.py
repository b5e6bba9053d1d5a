"""`make proof` goes on where it was stopped, and begins anew where the tree changed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT, resume

TESTS = """
import os, pytest
@pytest.mark.parametrize("n", range(4))
def test_one(n):
    with open("ran", "a") as file:
        file.write(f"{n} ")
    assert n != int(os.environ.get("FAILS", -1))
"""


def run(folder: Path, *arguments: str, fails: int = -1) -> tuple[str, str]:
    """Run the tests above and return which were run, and what was printed."""
    (folder / "test_some.py").write_text(TESTS)
    (folder / "ran").write_text("")
    command = [sys.executable, "-m", "pytest", "-p", "tests.resume", "--resume", "notes", "-p", "no:randomly"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", ".", *arguments, "test_some.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "FAILS": str(fails), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return " ".join(sorted((folder / "ran").read_text().split())), done.stdout


@pytest.mark.parametrize(
    "arguments", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["in one process", "in workers"]
)
def test_what_passed_is_not_run_again_and_what_failed_is(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run(tmp_path, *arguments, fails=2)[0] == "0 1 2 3"
    assert run(tmp_path, *arguments)[0] == "2"
    assert run(tmp_path, *arguments)[0] == ""


def test_of_another_tree_and_of_a_torn_line_all_is_run(tmp_path: Path) -> None:
    run(tmp_path)
    notes = tmp_path / "notes"
    notes.write_text(notes.read_text().replace(resume.tree(), "0" * 64, 3)[:-20])
    assert run(tmp_path)[0] == "0 1 2 3"
