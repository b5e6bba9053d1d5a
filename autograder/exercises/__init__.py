"""One file per lesson: the reference, Cases, Mistakes and points of each of its Exercises."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from autograder.exercise import Lesson


@cache
def all_lessons() -> tuple[Lesson, ...]:
    """Return every lesson that is declared here, in the order of the course."""
    modules = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    lessons = [module.LESSON for module in modules if hasattr(module, "LESSON")]
    return tuple(sorted(lessons, key=lambda lesson: (lesson.assignment, lesson.name)))
