"""What a class leaves on disk is its owner's alone, whichever command came first."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.sample import Solved, save
from tests import ROOT

OTHERS = stat.S_IRWXG | stat.S_IRWXO

pytestmark = pytest.mark.usefixtures("bubblewrap")


def run(work: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "autograder", *arguments],
        cwd=ROOT,
        env={**os.environ, "CNNLAB_WORK": str(work)},
        capture_output=True,
        text=True,
        umask=0o022,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr


def open_to_others(folder: Path) -> list[str]:
    """The files and folders, this one included, with any right for another than their owner."""
    return [
        f"{path.relative_to(folder)} {path.lstat().st_mode & 0o777:o}"
        for path in (folder, *folder.rglob("*"))
        if not path.is_symlink() and path.lstat().st_mode & OTHERS
    ]


@pytest.fixture
def notebook(course: Course, tmp_path: Path) -> Path:
    """The notebook that is judged soonest, solved."""
    lesson = course.lesson("1_layers", "01_why_convolution")
    path = tmp_path / "class" / "ann" / f"{lesson.name}.ipynb"
    save(Solved(course, lesson).notebook(), path)
    return path


@pytest.mark.slow
def test_nothing_that_a_class_leaves_is_open_to_others(notebook: Path, tmp_path: Path) -> None:
    work = tmp_path / "above" / "work"
    run(work, "grade", "1_layers", str(notebook.parents[1]))
    run(work, "grade", "1_layers", "--replay")
    for product in ("canvas", "moodle", "gradescope"):
        run(work, "export", product, "1_layers")
    run(work, "verify")
    for made in ("gradebook.db", "raw", "autograded", "feedback", "report", "export", "journal.jsonl"):
        assert (work / made).exists(), made
    assert not open_to_others(work.parent)


@pytest.mark.slow
def test_what_nbgrader_itself_writes_is_not_open_to_others(notebook: Path, course: Course) -> None:
    course.make_work()
    place = course.submitted / "ann" / "1_layers" / notebook.name
    place.parent.mkdir(parents=True)
    notebook.rename(place)
    for command in ("autograde", "generate_feedback"):
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", command, "1_layers"],
            cwd=ROOT,
            env={**os.environ, "CNNLAB_WORK": str(course.work)},
            capture_output=True,
            text=True,
            umask=0o022,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
    # The folder is closed, so nobody comes to what lies in it; the graded notebooks are closed themselves.
    assert not course.work.stat().st_mode & OTHERS
    (graded,) = (course.work / "autograded").rglob("*.ipynb")
    (page,) = course.feedback.rglob("*.html")
    assert not (graded.stat().st_mode | page.stat().st_mode) & OTHERS


def test_a_course_that_is_only_registered_is_not_open_to_others(tmp_path: Path) -> None:
    run(tmp_path / "above" / "work", "sync")
    assert not open_to_others(tmp_path / "above")


@pytest.mark.slow  # a kit is built of all lessons, twice
def test_a_kit_is_for_students_only_where_it_is_put_for_them(tmp_path: Path) -> None:
    work, path = tmp_path / "work", tmp_path / "for_students.zip"
    run(work, "kit", "1_layers")
    assert not open_to_others(work)
    run(work, "kit", "1_layers", "--out", str(path))
    assert path.stat().st_mode & 0o777 == 0o644
