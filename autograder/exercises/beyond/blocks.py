"""What the Exercises of this lesson share: each asks for a torch module, built, filled, run and differentiated."""

from __future__ import annotations

from typing import Any

from autograder.exercise import Case, Mistake, normal
from autograder.exercises.common.lazy_import import lazy_import
from cnnlab.checking.way import Way

RETURNS = ("parameters", "shapes", "y_eval", "y", "dx", "gradients")
WAY = Way(module="x")


def case(key: str, group: str, x: tuple[int, int, int, int], **arguments: Any) -> Case:
    """A Case of a block: the shape of its images, and what it is built with."""
    return Case(key, group=group, x=normal(*x), **arguments)


def reference(block: str) -> Any:
    """The reference of that name, imported when it is first asked."""
    return lazy_import(f"autograder.exercises.beyond.networks:{block}")


def mistake(block: str, name: str, slip: str, hint: str) -> Mistake:
    """A Mistake: the reference with one slip."""
    return Mistake(name, hint, lazy_import(f"autograder.exercises.beyond.networks:{block}", slips=(slip,)))
