"""Each lesson as its readers meet it: as a script, as the solved notebook, as the notebook handed out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.exercises import all_lessons
from tests.smoke import EPOCHS, IMAGES
from tests.smoke_kernel import SmokeKernel

# Their notebooks train for minutes, so `make slow` runs them.
TRAINING = {"07_lenet", "08_alexnet", "09_vgg", "10_googlenet", "11_resnet", "12_beyond", "13_training"}
SECONDS = 1200  # for a lesson, on a busy machine
SMOKE = "2_architectures"  # the assignment whose networks train by recipes of `cnnlab.train`

each_lesson = pytest.mark.parametrize(
    "lesson",
    [
        pytest.param(one, id=one.name, marks=[pytest.mark.slow] if one.name in TRAINING else [])
        for one in all_lessons()
    ],
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small size, whatever this machine has, on one thread: two on a busy machine wait for each other."""
    monkeypatch.setenv("CNNLAB_BUDGET", "small")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def executed(path: Path, folder: Path, environment: dict[str, str] | None = None) -> NotebookNode:
    """Run All in a folder, as JupyterLab does: it stops at an error but in cells that may raise one."""
    notebook = nbformat.read(str(path), as_version=nbformat.NO_CONVERT)
    client = nbclient.NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, **(environment or {})})
    return notebook


def executed_at_smoke(lesson: Lesson, path: Path, folder: Path, small: Sequence[str] = ()) -> NotebookNode:
    """Run All at the smoke budget where the lesson trains by recipes, and see that every training was at its budget.

    small: exercises whose weights are handed in, which train at the small budget, once each.
    """
    if lesson.assignment != SMOKE:
        return executed(path, folder)
    kernel = SmokeKernel(folder.parent / f"{folder.name}.ipython", small)
    notebook = executed(path, folder, kernel.environment)
    trainings = kernel.trainings()
    assert sum(one["small"] for one in trainings) == len(small)
    for one in trainings:
        assert one["small"] or (one["epochs"] <= EPOCHS and one["images"] <= IMAGES)
    return notebook


def text(cell: NotebookNode) -> str:
    shown = [o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell.outputs]
    return "".join(shown)


@pytest.mark.slow  # the solved notebook has the same cells, and is run by `make test`
@pytest.mark.parametrize(
    "lesson", [pytest.param(one, id=one.name) for one in all_lessons() if one.name not in TRAINING]
)
def test_the_script_runs_from_top_to_bottom(checkout: Course, lesson: Lesson, tmp_path: Path) -> None:
    command = [sys.executable, str(checkout.script(lesson))]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    for name in lesson.exercises:
        assert f"{name}: all " in done.stdout
    handed_in = {exercise.way.file for exercise in lesson.exercises.values() if exercise.way.file}
    assert {path.name for path in tmp_path.iterdir()} == handed_in


@each_lesson
def test_the_solved_notebook_passes_all_its_checks(checkout: Course, lesson: Lesson, tmp_path: Path) -> None:
    trained = [name for name, exercise in lesson.exercises.items() if exercise.way.file]
    notebook = executed_at_smoke(lesson, checkout.script(lesson).with_suffix(".ipynb"), tmp_path, trained)
    checks = [c for c in notebook.cells if c.cell_type == "code" and c.source.startswith("check(")]
    assert len(checks) == len(lesson.exercises)
    assert all("cases pass" in text(check) for check in checks)
    shown = [c for c in notebook.cells if "show" in c.metadata.get("tags", [])]
    pictures = [o for c in shown for o in c.outputs if "image/png" in o.get("data", {})]
    assert shown and pictures
    assert not [o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"]


@pytest.mark.slow  # the solved notebook has the same cells but for the answers
@each_lesson
def test_the_notebook_as_handed_out_runs_to_the_end_calmly(
    checkout: Course, lesson: Lesson, tmp_path: Path
) -> None:
    notebook = executed_at_smoke(lesson, checkout.student_notebook(lesson), tmp_path)
    errors = {c.id: o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"}
    assert len(errors) == len(lesson.exercises)
    for error in errors.values():
        assert error.ename == "CheckFailed" and "is not attempted yet" in "".join(error.traceback)
        assert len("".join(error.traceback).splitlines()) == 1
