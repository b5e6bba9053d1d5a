"""References that are imported on their first call: torch costs seconds that a grader may not need."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from cnnlab.checking.wire import Value


def lazy_import(module: str, name: str) -> Callable[..., Value]:
    """Return a function that calls the function or class `name` of `module`, which it imports on its first call."""

    def call(*arguments: Value, **given: Value) -> Value:
        return getattr(importlib.import_module(module), name)(*arguments, **given)

    call.__name__ = name
    return call


def lazy_imports(module: str, *names: str) -> list[Callable[..., Value]]:
    """Return `lazy_import` of each name."""
    return [lazy_import(module, name) for name in names]
