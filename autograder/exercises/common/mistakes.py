"""Mistakes of one function, whose argument `slip` names the Mistake that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from autograder.exercise import Mistake


def slips(function: Callable[..., Any], hints: Mapping[str, str]) -> list[Mistake]:
    """Return a Mistake for each hint.

    Args:
        function: takes the Answer's arguments and `slip`, the name of the Mistake to make.
        hints: the Mistake's name -> its sentence for the student.
    """
    return [Mistake(name, hint, partial(function, slip=name)) for name, hint in hints.items()]
