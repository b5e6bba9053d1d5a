"""From authored lessons to notebooks: what must be in them, what must not, and what stops the builder."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from autograder.authoring import build
from autograder.authoring.build import BADGE
from autograder.authoring.notebooks import TEXT_STUB
from autograder.authoring.release import Release, release
from autograder.authoring.script import read
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from cnnlab.checking import cases

LESSONS = all_lessons()
IDS = [lesson.name for lesson in LESSONS]
FEW = [lesson for lesson in LESSONS if lesson.name in ("01_why_convolution", "02_convolution", "08_alexnet")]


@pytest.fixture
def copy(tmp_path: Path, checkout: Course) -> Course:
    """A checkout of its own to build in."""
    root = tmp_path / "checkout"
    for folder in ("solutions", "notebooks", "cnnlab/checking/cases"):
        shutil.copytree(checkout.root / folder, root / folder)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(checkout.root / name, root / name)
    return Course(root, root / "work")


def released(course: Course, lesson: Lesson) -> nbformat.NotebookNode:
    return nbformat.read(str(course.student_notebook(lesson)), as_version=nbformat.NO_CONVERT)


@pytest.mark.slow
def test_the_derived_files_are_those_of_the_lessons(checkout: Course) -> None:
    assert build.drift(checkout, LESSONS) == []


def test_the_notebooks_are_those_of_the_lessons(checkout: Course) -> None:
    assert build.drift(checkout, LESSONS, public_cases=False) == []


@pytest.mark.parametrize("lesson", FEW, ids=[lesson.name for lesson in FEW])
def test_the_public_cases_and_pictures_of_some_lessons_are_the_declared_ones(
    checkout: Course, lesson: Lesson
) -> None:
    assert build.drift(checkout, [lesson]) == []


def test_a_rebuild_from_nothing_is_byte_identical(copy: Course) -> None:
    names = {lesson.name for lesson in FEW}
    paths = [
        p.relative_to(copy.root) for p in copy.root.rglob("*.*") if p.stem in names and p.suffix != ".py"
    ]
    wanted = {path: (copy.root / path).read_bytes() for path in paths}
    assert len(wanted) == 4 * len(FEW)  # two notebooks, a picture, public Cases
    for path in wanted:
        if (
            path.suffix == ".ipynb"
        ):  # the last bits of Cases differ between processors, and those that stand are kept
            (copy.root / path).unlink()
    build.build(copy, FEW)
    assert {p: (copy.root / p).read_bytes() for p in wanted} == wanted
    assert build.build(copy, FEW) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_a_student_notebook_holds_no_solution_and_is_valid(checkout: Course, lesson: Lesson) -> None:
    notebook = released(checkout, lesson)
    nbformat.validate(notebook)
    text = json.dumps(notebook)
    assert "SOLUTION" not in text
    script = read(lesson, checkout.script(lesson))
    for cell in script.cells:
        if cell.role in ("exercise", "question"):
            inside = cell.source.split("BEGIN SOLUTION")[1].split("END SOLUTION")[0]
            lines = [line.strip() for line in inside.splitlines() if len(line.strip()) > 20]
            given = "\n".join(c.source for c in script.cells if c.role in ("given", "show"))
            assert lines
            assert not [line for line in lines if json.dumps(line)[1:-1] in text and line not in given]
    for cell in notebook.cells:
        assert not cell.get("outputs") and not cell.get("execution_count") and not cell.get("attachments")
        assert not set(cell.metadata) & {
            "jupytext",
            "formats",
            "lines_to_next_cell",
            "hide_input",
            "collapsed",
        }
        assert not set(cell.metadata.get("tags", [])) & {"hide-input", "remove-input", "hide_input"}
    assert "jupytext" not in notebook.metadata


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_cells_carry_what_grading_needs(checkout: Course, lesson: Lesson) -> None:
    notebook = released(checkout, lesson)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids) and all(i.startswith(lesson.name.replace("_", "-")) for i in ids)
    marked = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}
    wanted = {n for e in lesson.exercises for n in (e, f"{e}_check")} | set(lesson.questions)
    assert set(marked) == wanted
    for name, exercise in lesson.exercises.items():
        answer, check = marked[name], marked[f"{name}_check"]
        assert "raise NotImplementedError" in answer.source
        assert re.search(rf"^(def|class) {name}[(:]", answer.source, re.MULTILINE)
        assert check.source == f"check({name})"
        assert check.metadata.nbgrader.points == exercise.total and check.metadata.nbgrader.locked
        assert check.metadata.tags == ["raises-exception"]
        between = 1 if exercise.way.file else 0  # the cell that trains and writes the file
        assert notebook.cells.index(check) == notebook.cells.index(answer) + 1 + between
    for name, points in lesson.questions.items():
        assert marked[name].source.endswith(TEXT_STUB) and marked[name].metadata.nbgrader.points == points


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_every_exercise_shows_its_points_and_minutes(checkout: Course, lesson: Lesson) -> None:
    text = "\n".join(cell.source for cell in released(checkout, lesson).cells if cell.cell_type == "markdown")
    for exercise in lesson.exercises.values():
        assert f"({exercise.total:g} points, " in text
    total = sum(e.total for e in lesson.exercises.values()) + sum(lesson.questions.values())
    assert f"{total:g} points" in text and "minutes" in text
    assert not re.search(r"\{(points|badge|cover|built|next)\b", text)


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_the_solved_notebook_holds_the_solutions_and_no_output(checkout: Course, lesson: Lesson) -> None:
    path = checkout.script(lesson).with_suffix(".ipynb")
    notebook = nbformat.read(str(path), as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    text = json.dumps(notebook)
    assert "NotImplementedError" not in text and "SOLUTION" not in text and "nbgrader" not in text
    assert all(not cell.get("outputs") for cell in notebook.cells)


def test_public_cases_are_read_without_pickles_and_are_small(checkout: Course) -> None:
    for lesson in LESSONS:
        path = cases.FOLDER / f"{lesson.name}.npz"
        assert path.stat().st_size < 2_000_000  # the gradients of many blocks; the numbers do not compress
        for name, exercise in lesson.exercises.items():
            questionnaire = cases.load(name)
            assert [q.words for q in questionnaire.questions] == [c.words for c in exercise.public]
            assert set(questionnaire.hints) == {m.name for m in exercise.mistakes}


BROKEN = {
    "unclosed region": (
        "    # END SOLUTION\n",
        "",
        r"02_convolution\.py:\d+: a solution region is not closed",
    ),
    "second region": (
        "# BEGIN SOLUTION",
        "# BEGIN SOLUTION\n    # END SOLUTION\n    # BEGIN SOLUTION",
        r":\d+: .* 2 solution",
    ),
    "region elsewhere": (
        "import numpy as np\n",
        "# BEGIN SOLUTION\nimport numpy as np\n# END SOLUTION\n",
        r":\d+: .*no exercise",
    ),
    "unknown key": ('exercise="im2col"', 'excercise="im2col"', r":\d+: unknown cell key excercise"),
    "old tag": ('# %% show="', '# %% tags=["show"] show="', r":\d+: unknown cell key tags"),
    "no title": ('# %% setup="', '# %% setup="" points="', r":\d+: setup takes a line"),
    "no cover": ("# {cover}\n", "# \n", r":\d+: .*\{cover\} where its picture goes"),
    "two covers": ('# %% setup="', '# %% cover="', r"has one cell that draws its \{cover\}; this one has 2"),
    "no summary": (' part="summary"', "", r"ends with three cells of text"),
    "summary of nothing": ("# {built}\n", "# \n", r":\d+: the summary lacks \{built\}"),
    "nothing to read": ("](https://", "](http:", r":\d+: the reading lacks a link"),
    "no next lesson": ("{next}", "", r":\d+: the next lacks \{next\}"),
    "no such exercise": ('check="im2col"', 'check="im2row"', "im2col, im2row"),
    "other name": ("def im2col(", "def im2cols(", r":\d+: the cell of im2col does not define im2col"),
    "syntax": ("def im2col(x, kernel", "def im2col(x kernel", r":\d+: "),
    "syntax of a picture": ("images, labels = ", "images, labels = = ", r":\d+: "),
    "points": ("points=2", "points=3", r":\d+: the points of why_not_invariant"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_lesson_stops_the_builder_and_loses_nothing(
    what: str, copy: Course, convolution: Lesson
) -> None:
    old, new, message = BROKEN[what]
    script = copy.script(convolution)
    text = script.read_text()
    assert old in text
    script.write_text(text.replace(old, new, 1))
    before = {p: p.read_bytes() for p in copy.root.rglob("*") if p.is_file()}
    with pytest.raises(CourseError, match=message):
        build.build(copy, LESSONS)
    assert {p: p.read_bytes() for p in copy.root.rglob("*") if p.is_file()} == before


def test_a_missing_lesson_is_one_sentence(copy: Course, convolution: Lesson) -> None:
    copy.script(convolution).unlink()
    with pytest.raises(CourseError, match="cannot be read: No such file"):
        build.build(copy, LESSONS)


def test_a_release_is_stamped_everywhere_and_stays(copy: Course, convolution: Lesson) -> None:
    new = Release("somebody/a-course", "v2.1")
    build.build(copy, FEW, new)
    assert release(copy.root / "pyproject.toml") == new
    text = copy.student_notebook(convolution).read_text()
    assert "git+https://github.com/somebody/a-course@v2.1" in text
    assert new.colab(f"notebooks/1_layers/{convolution.name}.ipynb") in text
    for match in BADGE.finditer((copy.root / "README.md").read_text()):
        assert "/somebody/a-course/blob/v2.1/" in match[0]
    assert build.drift(copy, FEW) == []
    tomllib.loads((copy.root / "pyproject.toml").read_text())
    build.build(copy, FEW, release(copy.root / "pyproject.toml"))
    assert build.drift(copy, FEW) == []


@pytest.mark.parametrize(
    ("repo", "ref"), [("no-slash", "main"), ("a/b/c", "main"), ("a/b", "x y"), ("a/b", "../up"), ("a/b", "")]
)
def test_a_release_must_be_one(repo: str, ref: str) -> None:
    with pytest.raises(CourseError, match="--re"):
        Release(repo, ref)


def test_the_setup_cell_does_nothing_outside_colab_and_installs_there(
    checkout: Course, convolution: Lesson
) -> None:
    source = next(
        c.source for c in released(checkout, convolution).cells if c.metadata.get("tags") == ["setup"]
    )
    # An interpreter of its own, where -m pip is ours: it prints what it was asked for.
    record = "import subprocess; subprocess.run = lambda c, **k: print(c[1:])\n"
    outside = subprocess.run(
        [sys.executable, "-c", record + source], capture_output=True, text=True, check=True
    )
    colab = "import sys, types; sys.modules['google.colab'] = types.ModuleType('colab')\n"
    inside = subprocess.run(
        [sys.executable, "-c", colab + record + source], capture_output=True, text=True, check=True
    )
    assert outside.stdout == ""
    where = release(checkout.root / "pyproject.toml").requirement
    assert inside.stdout.strip() == str(["-m", "pip", "install", "--quiet", f"cnnlab @ {where}"])
