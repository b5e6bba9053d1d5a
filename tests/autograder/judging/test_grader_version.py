"""The grader's version changes with what decides a grade, and with nothing else."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.course import CHECKOUT
from autograder.judging import grader_version
from autograder.judging.grader_version import hash_of

Change = Callable[[str, str, str], None]  # file, pattern, what is put in the place of its first match


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout in which anything may be changed."""
    for package in grader_version.PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=ignored)
    hash_of(CHECKOUT)
    (tmp_path / grader_version.KEPT).parent.mkdir()
    shutil.copy(CHECKOUT / grader_version.KEPT, tmp_path / grader_version.KEPT)
    return tmp_path


@pytest.fixture
def change(copy: Path) -> Change:
    def change(name: str, pattern: str, by: str) -> None:
        path = copy / name
        before = path.read_text(encoding="utf-8")
        after = re.sub(pattern, lambda _: by, before, count=1, flags=re.M)
        assert after != before
        path.write_text(after, encoding="utf-8")

    return change


def test_it_is_the_same_in_every_copy_of_a_checkout(copy: Path) -> None:
    assert hash_of(copy) == hash_of(CHECKOUT) == grader_version.grader()
    (copy / grader_version.KEPT).write_text("cut sho")
    assert hash_of(copy) == hash_of(CHECKOUT)


@pytest.mark.parametrize(
    ("name", "pattern", "by"),
    [
        ("autograder/judging/points.py", r'^""".*?"""', '"""Points, said otherwise."""'),
        ("autograder/judging/points.py", r'"""Give no points [^"]*"""', '"""Say it otherwise."""'),
        ("autograder/sandbox/inside/worker.py", r"\Z", "\n\n# A remark.\n"),
        ("cnnlab/checking/compare.py", r"^import numpy as np\n", "import numpy as np  # arrays\n\n"),
        ("autograder/exercises/pooling/__init__.py", r"\Z", "\n# A remark.\n"),
        ("autograder/recording/tables.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/reporting/class_report.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/commands/grade.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/words.py", r"\Z", "\nUNUSED = 1\n"),
    ],
)
def test_what_decides_no_grade_changes_nothing(
    copy: Path, change: Change, name: str, pattern: str, by: str
) -> None:
    before = hash_of(copy)
    change(name, pattern, by)
    assert hash_of(copy) == before


@pytest.mark.parametrize(
    ("name", "pattern", "by"),
    [
        ("autograder/exercise.py", r"1e-6", "1e-5"),
        ("autograder/exercises/pooling/__init__.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/sandbox/inside/worker.py", r"\b1 << \d+", "1 << 3"),
        ("autograder/sandbox/inside/server.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/sandbox/limits.py", r"cell_seconds: float = 5.0", "cell_seconds: float = 6.0"),
        ("autograder/intake/reader/server.py", r"\Z", "\nUNUSED = 1\n"),
        ("autograder/judging/sentences.py", r"has wrong values", "has values that are wrong"),
        ("cnnlab/checking/compare.py", r"1e-12", "1e-11"),
        ("cnnlab/checking/cases.py", r"\Z", "\nUNUSED = 1\n"),
        ("cnnlab/library/standins/convolution.py", r"\Z", "\nUNUSED = 1\n"),
    ],
)
def test_what_decides_a_grade_changes_it(
    copy: Path, change: Change, name: str, pattern: str, by: str
) -> None:
    before = hash_of(copy)
    change(name, pattern, by)
    assert hash_of(copy) != before


def test_the_text_of_a_hint_and_of_a_case_changes_it(copy: Path) -> None:
    """They are in the Verdict, and a Case is drawn from its words."""
    before = hash_of(copy)
    for path in sorted((copy / "autograder" / "exercises" / "pooling").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "overlapping" in text:
            path.write_text(text.replace("overlapping", "overlapped", 1), encoding="utf-8")
            assert hash_of(copy) != before
            return
    pytest.fail("no Case of pooling speaks of overlapping windows")


@pytest.mark.parametrize("name", ["lenet/lenet", "resnet/resnet20", "training/hard_shapes"])
def test_the_weights_of_a_reference_change_it(copy: Path, name: str) -> None:
    before = hash_of(copy)
    with (copy / "autograder" / "exercises" / f"{name}.safetensors").open("ab") as file:
        file.write(b"\0")
    assert hash_of(copy) != before


def test_a_new_module_that_judging_imports_is_covered_by_itself(copy: Path, change: Change) -> None:
    for name in ("kindness", "later"):
        (copy / "autograder" / "judging" / f"{name}.py").write_text("EXTRA = 1\n")
    before = hash_of(copy)
    change("autograder/judging/kindness.py", "1", "2")
    assert hash_of(copy) == before  # nobody imports it
    change(
        "autograder/judging/points.py",
        r"^def decide",
        "from autograder.judging import kindness\n\n\ndef decide",
    )
    assert (imported := hash_of(copy)) != before
    change("autograder/judging/kindness.py", "2", "3")
    assert (changed := hash_of(copy)) != imported
    change("autograder/judging/kindness.py", "^", "def more():\n    from .later import EXTRA\n")
    assert (within := hash_of(copy)) != changed
    change("autograder/judging/later.py", "1", "2")
    assert hash_of(copy) != within
    for name in ("one", "two"):  # a lesson is found by lying there
        before = hash_of(copy)
        (copy / "autograder" / "exercises" / name).mkdir()
        (copy / "autograder" / "exercises" / name / "__init__.py").write_text("LESSON = None\n")
        assert hash_of(copy) != before


def test_it_takes_little_time_at_a_start() -> None:
    hash_of(CHECKOUT)
    times = []
    for _ in range(5):
        began = time.process_time()
        hash_of(CHECKOUT)
        times.append(time.process_time() - began)
    assert min(times) < 0.05
