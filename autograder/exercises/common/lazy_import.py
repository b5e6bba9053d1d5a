"""References and Mistakes that are loaded when they are first asked: torch costs seconds that a grader may not need."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def lazy_import(path: str, **fixed: Any) -> Callable[..., Any]:
    """Return a function that calls the function or class at `path`, "package.module:name", and imports it only then.

    fixed: keyword arguments that each call gets besides its own.
    """
    module, _, name = path.partition(":")

    def call(*arguments: Any, **given: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*arguments, **given, **fixed)

    call.__name__ = name
    return call
