"""Answers that a notebook gives anew below their check: they are asked as well, and count where they earn more."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nbformat.notebooknode import NotebookNode

from autograder.judging import cells
from autograder.judging.plan import LATER
from autograder.verdict import Verdict
from cnnlab.checking.outcome import Outcome

Outcomes = dict[str, Sequence[Outcome]]  # by exercise


def apart(outcomes: Mapping[str, Sequence[Outcome]]) -> tuple[Outcomes, Outcomes]:
    """Return the Outcomes of the Answers at their checks, and of those below."""
    at_check = {name: found for name, found in outcomes.items() if not name.endswith(LATER)}
    below = {name.removesuffix(LATER): found for name, found in outcomes.items() if name.endswith(LATER)}
    return at_check, below


def notebook_of(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook whose Exercises' cells hold the Answers from below their checks, for sentences about their lines."""
    cells_below = {name: cell.source for name, (_, cell) in cells.later_answers(notebook).items()}
    changed = []
    for cell in notebook.cells:
        if cells.role(cell) == "exercise" and cells.exercise(cell) in cells_below:
            cell = copy.copy(cell)
            cell["source"] = cells_below[cells.exercise(cell)]
        changed.append(cell)
    return NotebookNode({**notebook, "cells": changed})


def better(
    notebook: NotebookNode, at_check: Mapping[str, Verdict], below: Mapping[str, Verdict]
) -> tuple[dict[str, Verdict], list[str]]:
    """Choose for each Exercise the Verdict that earns more, that at the check where both earn the same.

    Args:
        notebook: as intake wrote it.
        at_check: the Verdicts on the Answers at their checks.
        below: those on the Answers from below.

    Returns: the Verdicts, and a flag for each Exercise with two Answers.
    """
    chosen, flags = dict(at_check), []
    numbers = {name: number for name, (number, _) in cells.later_answers(notebook).items()}
    for name, again in below.items():
        if again.points > at_check[name].points:
            words = f"the answer in cell {numbers[name]}, below the check, counts, because it earns more"
        else:
            words = f"the answer in force at the check counts; the one in cell {numbers[name]}, below it, earns no more"
        verdict = again if again.points > at_check[name].points else at_check[name]
        chosen[name] = replace(verdict, notes=(*verdict.notes, words))
        flags.append(f"{name}: {words}")
    return chosen, flags
