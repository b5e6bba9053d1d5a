"""Mistakes as two tables: what each tells a student, and what makes each.

mistakes=mistakes(
    \"\"\"
    smallest value: You took the smallest value of each window: take the largest.
    average: You averaged each window: take its largest value, which is the one that the gradient goes to in the
        backward pass.
    \"\"\",
    {
        "smallest value": lambda x, **how: -max_pool(-x, **how),
        "average": avg_pool,
    },
)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial

from autograder.exercise import Mistake
from cnnlab.checking.wire import Value

Wrong = Callable[..., Value]


def mistakes(hints: str, functions: Mapping[str, Wrong] | Wrong) -> list[Mistake]:
    """Return a Mistake for each hint, in their order.

    Args:
        hints: lines of "name: sentence for the student"; a line that is indented goes on with the one above.
        functions: what makes each Mistake, by name; or one function of the Answer's arguments and `slip`, the name of
            the Mistake to make.

    Raises:
        ValueError: where a hint has no function, a function no hint, or a name stands twice.
    """
    told = _told(hints)
    if callable(functions):
        return [Mistake(name, hint, partial(functions, slip=name)) for name, hint in told.items()]
    for name in told.keys() ^ functions.keys():
        raise ValueError(f"The Mistake {name!r} needs a hint and a function: it has only one of them.")
    return [Mistake(name, hint, functions[name]) for name, hint in told.items()]


def _told(hints: str) -> dict[str, str]:
    told: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(hints).splitlines():
        if line.startswith(" "):
            told[name] += f" {line.strip()}"
            continue
        name, colon, hint = line.partition(": ")
        if not colon or name in told:
            raise ValueError(f"The hint {line!r} is to begin with a name of its own and a colon.")
        told[name] = hint
    return told
