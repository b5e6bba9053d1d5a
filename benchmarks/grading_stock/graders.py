"""Runs each grader on a class as its user would, in its own folder, and reads the points that it gave."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from autograder.authoring import build, notebooks
from autograder.authoring.release import release
from autograder.authoring.script import read
from benchmarks.grading_stock.checks import tests
from benchmarks.grading_stock.course import OneLesson

SECRET = bytes(range(32))  # of every course here, so that all ask the same Cases
CHECK = "_check"
LAUNCH = Path(__file__).with_name("launch.py")

Points = dict[str, dict[str, float | None]]  # student -> check cell -> points


class Failed(Exception):
    """A grader did not grade the class."""


@dataclass(frozen=True)
class Use:
    """The resources that a run used, over all its processes.

    Args:
        seconds: wall seconds.
        cpu: CPU seconds.
        peaks: role -> the largest memory in bytes.
    """

    seconds: float
    cpu: float
    peaks: dict[str, int]


@dataclass(frozen=True)
class Run:
    """A prepared run of a grader.

    Args:
        command: the command, in which {scheduler} stands for a Dask scheduler's address.
        folder: the folder where it runs and where its log goes.
        environment: its environment variables.
        database: its gradebook.
    """

    command: list[str]
    folder: Path
    environment: dict[str, str]
    database: Path

    def measure(self, *, watch: bool = False, cluster: int = 0) -> Use:
        """Run the command and return the resources that it used.

        Args:
            watch: whether memory is measured too.
            cluster: the number of Dask workers that run beside it.

        Raises:
            Failed: where the command fails, leaves processes behind, or cannot be measured.
        """
        request, log = self.folder / "request.json", self.folder / "log.txt"
        asked = {"command": self.command, "watch": watch, "workers": cluster, "log": str(log)}
        request.write_text(json.dumps(asked), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(LAUNCH), str(request)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise Failed(f"The run in {self.folder} could not be measured.")
        result = json.loads(done.stdout.splitlines()[-1])
        if result["status"] or result["left"]:
            end = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise Failed(
                f"{' '.join(self.command)} ended with {result['status']} and left {result['left']} processes:\n{end}"
            )
        return Use(result["seconds"], result["cpu"], result["peaks"])

    def points(self) -> Points:
        """Return the points that the gradebook holds."""
        with Gradebook(f"sqlite:///{self.database}") as book:
            assignment: Any = book.assignments[0].name
            submissions: Any = book.assignment_submissions(assignment)
            return {
                submission.student_id: {
                    grade.name: grade.auto_score
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                    if grade.name.endswith(CHECK)
                }
                for submission in submissions
            }


def ours(of: OneLesson, submissions: Path, folder: Path, options: Sequence[str] = ()) -> Run:
    """Prepare `autograder grade` on a class, with sandbox and judge on.

    `autograder sync` has run before, because stock's course has been through `generate_assignment`. No feedback pages are
    written, because stock's autograde writes none.

    Args:
        of: the course.
        submissions: the folder of the class.
        folder: the folder of the run, which gets a new work folder.
        options: further options of the command.
    """
    work = folder / "work"
    work.mkdir(parents=True)
    (work / "secret").write_bytes(SECRET)
    (work / "secret").chmod(0o600)
    command = [sys.executable, "-m", "autograder.cli", "grade", of.lesson.assignment, str(submissions)]
    environment = {**_environment(folder), "PYTHONPATH": str(of.course.root), "CNNLAB_WORK": str(work)}
    synced = [sys.executable, "-m", "autograder.cli", "sync", "--work-out"]
    done = subprocess.run(synced, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"autograder sync failed:\n{done.stderr.strip()[-2000:]}")
    return Run([*command, "--no-feedback", *options], folder, environment, work / "gradebook.db")


class Stock:
    """A course of stock nbgrader, as its `generate_assignment` leaves it: default settings, SQLite."""

    def __init__(self, of: OneLesson, folder: Path) -> None:
        self.of, self.folder = of, folder
        assignment = of.lesson.assignment
        source = folder / "source" / assignment
        source.mkdir(parents=True)
        script = read(of.lesson, of.course.script(of.lesson))
        notebook = notebooks.source_notebook(script, release(of.course.root / "pyproject.toml"))
        checks = tests(of, SECRET, source)
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            if grade_id.endswith(CHECK):
                cell.source = checks[grade_id.removesuffix(CHECK)]
        build.write_notebook(notebook, source / f"{of.lesson.name}.ipynb")
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", "generate_assignment", assignment],
            cwd=folder,
            env=_environment(folder),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise Failed(f"nbgrader generate_assignment failed:\n{done.stderr.strip()[-2000:]}")

    def run(self, submissions: Path, folder: Path) -> Run:
        """Prepare `nbgrader autograde` on a class, in a copy of the course."""
        assignment = self.of.lesson.assignment
        shutil.copytree(self.folder / "source", folder / "source")
        shutil.copyfile(self.folder / "gradebook.db", folder / "gradebook.db")
        for student in submissions.iterdir():
            shutil.copytree(student, folder / "submitted" / student.name / assignment)
        command = [sys.executable, "-m", "nbgrader", "autograde", assignment]
        return Run(command, folder, _environment(folder), folder / "gradebook.db")


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment without the settings of this machine's user and of any other course."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CNNLAB_", "JUPYTER", "PYTHON"))}
    tools = os.path.dirname(sys.executable)  # nbgrader starts `alembic` by its bare name
    return {
        **kept,
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", "")]),
        "CNNLAB_HOME": str(folder / "library"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
    }
