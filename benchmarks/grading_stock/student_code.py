"""The CPU time of the students' code by itself: the least that any grader has to run.

For each submission, that is the cells and the calls that the grader made, in a fork of a warm process: no start, no
import, no sandbox, no channel, no comparison. The share that is left for the grader is therefore rather too large than
too small.
"""

from __future__ import annotations

import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from autograder.judging.plan import plan
from autograder.judging.secret_cases import secret_questionnaires
from autograder.sandbox import RunCell
from benchmarks.grading_stock.course import OneLesson
from benchmarks.grading_stock.graders import SECRET, Failed

ALONE = Path(__file__).with_name("alone.py")


def cpu_seconds(
    of: OneLesson, submitted: Path, students: Sequence[str], repetitions: int = 3
) -> dict[str, float]:
    """Return the median CPU seconds of each submission's code: student -> seconds.

    Args:
        of: the course.
        submitted: the folder of the notebooks that intake wrote.
        students: the students' ids.
        repetitions: the number of runs.
    """
    found: dict[str, list[float]] = {student: [] for student in students}
    with tempfile.TemporaryDirectory(prefix="cnnlab-") as folder:
        path = Path(folder) / "steps.pickle"
        path.write_bytes(pickle.dumps({student: _steps(of, submitted, student) for student in students}))
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        for _ in range(repetitions):
            done = subprocess.run(
                [sys.executable, str(ALONE), str(path)],
                env={**os.environ, **threads, "MPLBACKEND": "Agg"},
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise Failed(f"The students' code could not be run by itself:\n{done.stderr.strip()[-2000:]}")
            for student, seconds in json.loads(done.stdout.splitlines()[-1]).items():
                found[student].append(seconds)
    return {student: statistics.median(seconds) for student, seconds in found.items()}


def _steps(of: OneLesson, submitted: Path, student: str) -> list[Any]:
    """Return the steps of a notebook: a cell's source, or (name, returns, way, Cases) where an Answer is asked."""
    path = submitted / student / of.lesson.assignment / f"{of.lesson.name}.ipynb"
    questionnaires = secret_questionnaires(of.lesson, SECRET)
    steps: list[Any] = []
    for step in plan(of.lesson, nbformat.read(str(path), as_version=4)):
        if isinstance(step, RunCell):
            steps.append(step.source)
        else:
            asked = questionnaires[step]
            cases = [dict(question.inputs) for question in asked.questions]
            steps.append((step, asked.returns, asked.way, cases))
    return steps
