"""Notebooks of cheats, and what a judge says of them."""

from __future__ import annotations

import textwrap

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement
from autograder.sandbox import Limits
from cnnlab.checking.speed import TASKS

NO_TORCH = ("torch",)  # a sandbox with torch takes seconds to start


QUICK = Limits(cell_seconds=1.0, probe_seconds=3.0, submission_seconds=30.0)


TASK = TASKS["conv2d_forward"]


BASE = """
import numpy as np, os, signal, threading, time
from cnnlab.checking.speed import TASKS
product = TASKS["conv2d_forward"].product
def slow(x, w, b, padding):  # far beyond what is allowed: a busy machine may time the product three times too long
    for _ in range(30): y = product(x, w, b, padding)
    return y
"""


def cells(*sources: tuple[str, str, str]) -> NotebookNode:
    """A notebook as intake writes it: (role, name, source) of each cell."""
    return new_notebook(
        cells=[
            new_code_cell(textwrap.dedent(source), metadata={"cnnlab": {"role": role, "name": name}})
            for role, name, source in sources
        ]
    )


def written(exercise: str, source: str, *more: tuple[str, str, str]) -> NotebookNode:
    return cells(("exercise", exercise, source), ("check", exercise, ""), *more)


def judged(course: Course, one: Lesson, notebook: NotebookNode) -> Judgement:
    return judge_notebook(course, one, notebook, limits=QUICK)
