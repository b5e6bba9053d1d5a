"""Public functions that Cases hand to an Answer as an argument, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cnnlab.checking.functions import maps, scalars, stacks

FUNCTIONS: dict[str, Callable[..., Any]] = {**scalars.FUNCTIONS, **maps.FUNCTIONS, **stacks.FUNCTIONS}


def named(name: str) -> Callable[..., Any]:
    """Return the public function of that name; raise LookupError naming those that exist."""
    if name not in FUNCTIONS:
        raise LookupError(f"there is no public function {name!r}; there are {', '.join(sorted(FUNCTIONS))}")
    return FUNCTIONS[name]
