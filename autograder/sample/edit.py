"""A wrong answer written by hand, and where all of them are found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Edit(NamedTuple):
    """One wrong answer in the otherwise solved lesson.

    student: an id; words: what is wrong; exercise: whose cell it is; mistake: the Mistake that must be
    recognised, "" where none explains it; lost: the groups of points that it must lose; source: the cell;
    follows: the exercises that the lesson builds on this one -> the groups that they lose with it.
    """

    student: str
    words: str
    exercise: str
    mistake: str
    lost: tuple[str, ...]
    source: str
    follows: Mapping[str, tuple[str, ...]] = {}


def by_student(edits: Sequence[Edit]) -> dict[str, Edit]:
    """Return the edits by their student's id; raise ValueError where two have the same."""
    found = {edit.student: edit for edit in edits}
    if len(found) != len(edits):
        raise ValueError("two edits have the same student")
    return found


def all_edits() -> dict[str, dict[str, Edit]]:
    """Return lesson -> student -> wrong answer, from every module of this package that ends in _edits."""
    package = importlib.import_module("autograder.sample")
    names = [m.name for m in pkgutil.iter_modules(package.__path__) if m.name.endswith("_edits")]
    modules = [importlib.import_module(f"autograder.sample.{name}") for name in names]
    return {module.LESSON: module.EDITS for module in modules}
