"""The lessons and their Exercises, as the files of public Cases name them."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path

CASES = Path(__file__).resolve().parents[1] / "checking" / "cases"


@cache
def lessons(folder: Path = CASES) -> dict[str, tuple[str, ...]]:
    """Return each lesson's name with its Exercises in order, such as "02_convolution": ("pad2d", ...).

    Reads only the files' tables of contents.
    """
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with zipfile.ZipFile(path) as archive:
            found[path.stem] = tuple(name.removesuffix(".npy") for name in archive.namelist())
    return found


def lesson_of(exercise: str, folder: Path = CASES) -> str:
    """Return the name of the lesson that `exercise` belongs to, "" where none has it."""
    return next((lesson for lesson, names in lessons(folder).items() if exercise in names), "")


def lesson_words(exercise: str, folder: Path = CASES) -> str:
    """Return such as "lesson 02" for an Exercise, "" where no lesson is known to have it."""
    from cnnlab.library import standins

    number = lesson_of(exercise, folder).split("_")[0] or standins.lesson_of(exercise)
    return f"lesson {number}" if number else ""
