"""The learner's own copies: made once, never overwritten, and brought up to date beside what was written."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.authoring.released_lessons import released
from autograder.commands import lab
from autograder.course import Course
from autograder.exercise import Lesson
from autograder.intake.own_copies import bring_lessons, own_copy
from tests.autograder.intake.intake_sample import (
    ASSIGNMENT,
    LESSONS,
    by_name,
    solved,
    write_course,
)

SECOND = "01_shifting (2).ipynb"


@dataclass(frozen=True)
class Tiny(Course):
    """The course of two lessons."""

    def assignments(self) -> list[str]:
        return [ASSIGNMENT]

    def lessons(self, assignment: str) -> list[Lesson]:
        return LESSONS


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "checkout"
    folder.mkdir()
    write_course(folder)
    return folder


@pytest.fixture
def course(written: Path, tmp_path: Path) -> Course:
    shutil.copytree(written, tmp_path / "checkout")
    return Tiny(tmp_path / "checkout", tmp_path / "work")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def solve(path: Path, question: str = "Because $2(x+1)$ is **not** $2x+1$.") -> bytes:
    """Write answers into a copy, with a helper of one's own, and save it as JupyterLab does."""
    notebook = solved(read(path))
    by_name(notebook, "why").source = question
    notebook.cells.insert(4, nbformat.v4.new_code_cell("import math  # mine"))
    notebook.cells[4].outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(notebook, path)
    return path.read_bytes()


def change_the_lesson(course: Course, words: str = "## Scaling, a day later") -> None:
    script = course.script(LESSONS[0])
    script.write_text(script.read_text().replace("## Scaling", words))


def test_copies_are_made_once_and_are_what_was_released(course: Course) -> None:
    assert bring_lessons(course) == [f"my_course/{ASSIGNMENT}/{one.name}.ipynb is new." for one in LESSONS]
    for one in LESSONS:
        assert own_copy(course, one).read_bytes() == released(course, one).path.read_bytes()
    data = solve(own_copy(course, LESSONS[0]))
    assert bring_lessons(course) == [] and own_copy(course, LESSONS[0]).read_bytes() == data


def test_a_newer_lesson_comes_to_lie_beside_the_copy_with_its_answers(course: Course) -> None:
    bring_lessons(course)
    first = own_copy(course, LESSONS[0])
    data = solve(first)
    for number, words in enumerate(("## Scaling, a day later", "## Scaling, two days later"), 2):
        change_the_lesson(course, words)
        (sentence,) = bring_lessons(course)
        name = f"01_shifting ({number}).ipynb"
        assert f"{name} is the new one, with your answers in it" in sentence and "stays as it is" in sentence
        assert bring_lessons(course) == [] and first.read_bytes() == data
        new = read(own_copy(course, LESSONS[0]))
        assert own_copy(course, LESSONS[0]).name == name
        text = "\n".join(cell.source for cell in new.cells)
        assert words in text and "import math  # mine" in text and "raise NotImplementedError" not in text
        assert by_name(new, "why").source == "Because $2(x+1)$ is **not** $2x+1$."
        assert all("cnnlab" not in cell.metadata for cell in new.cells)
        nbformat.validate(new)


def test_a_copy_in_which_nothing_was_written_becomes_the_new_lesson(course: Course) -> None:
    bring_lessons(course)
    change_the_lesson(course)
    (sentence,) = bring_lessons(course)
    assert "nothing was written in it yet" in sentence
    assert own_copy(course, LESSONS[0]).read_bytes() == released(course, LESSONS[0]).path.read_bytes()
    assert not (own_copy(course, LESSONS[0]).parent / SECOND).exists()


def test_answers_that_were_saved_in_notebooks_go_along_with_the_library(course: Course) -> None:
    path = course.student_notebook(LESSONS[0])
    data = solve(path)
    (course.root / "notebooks" / "my_cnnlab").mkdir()
    (course.root / "notebooks" / "my_cnnlab" / "shift.py").write_text("def shift(x): ...\n")
    library, first, second = bring_lessons(course)
    assert (
        "my_cnnlab is a copy" in library
        and "with what was saved in notebooks/" in first
        and second.endswith("is new.")
    )
    assert "import math  # mine" in own_copy(course, LESSONS[0]).read_text() and path.read_bytes() == data
    assert (course.root / "my_course" / "my_cnnlab" / "shift.py").exists()


@pytest.mark.parametrize("noted", [None, "", "[1]", '{"1_layers/01_shifting": 7}'])
def test_without_its_notes_nothing_written_is_lost(course: Course, noted: str | None) -> None:
    bring_lessons(course)
    path = course.root / "my_course" / ".released.json"
    assert set(json.loads(path.read_text())) == {f"{ASSIGNMENT}/{one.name}" for one in LESSONS}
    data = solve(own_copy(course, LESSONS[0]))
    path.unlink() if noted is None else path.write_text(noted)
    first = own_copy(course, LESSONS[0])
    bring_lessons(course)
    assert first.read_bytes() == data and "import math  # mine" in (first.parent / SECOND).read_text()


def test_a_copy_that_is_no_notebook_stays_and_the_new_lesson_is_without_answers(course: Course) -> None:
    bring_lessons(course)
    first = own_copy(course, LESSONS[0])
    first.write_text("{")
    change_the_lesson(course)
    (sentence,) = bring_lessons(course)
    assert "without your answers, which could not be read" in sentence and first.read_text() == "{"


def test_the_command_brings_the_lessons_of_the_course(checkout: Course, tmp_path: Path) -> None:
    for name in ("autograder", "cnnlab", "solutions", "notebooks", "pyproject.toml"):
        (tmp_path / name).symlink_to(checkout.root / name)
    code = (
        "import sys; from pathlib import Path; from autograder import cli; from autograder.course import Course;"
        f"Course.here = classmethod(lambda cls: cls(Path({str(tmp_path)!r}), Path({str(tmp_path / 'work')!r})));"
        "sys.exit(cli.main(['lab', '--only-bring']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout.root, capture_output=True, text=True, env={**os.environ}
    )
    assert done.returncode == 0, done.stderr
    made = sorted(str(path.relative_to(tmp_path)) for path in (tmp_path / "my_course").rglob("*.ipynb"))
    assert len(made) == 13 and made[0] == "my_course/1_layers/01_why_convolution.ipynb"
    assert len(done.stdout.splitlines()) == 13


def test_jupyterlab_is_opened_on_the_first_lesson_of_ones_own(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, arguments: opened.append(arguments))
    monkeypatch.chdir(course.root)
    lab.run(course, argparse.Namespace(only_bring=False))
    (arguments,) = opened
    assert arguments[1:] == [
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={course.root}",
        f"my_course/{ASSIGNMENT}/01_shifting.ipynb",
    ]
    assert (course.root / arguments[-1]).exists()
