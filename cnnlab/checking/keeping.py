"""Keeps Answers that pass: one that was just checked, and those of a library from another machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cnnlab.checking import cases, proof
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.wire import Value
from cnnlab.library import shelf
from cnnlab.library.cells import cells_of, in_notebook
from cnnlab.library.errors import MissingHelper
from cnnlab.library.onefile import count, read_library
from cnnlab.library.source import extract


def keeps() -> bool:
    """Say whether passed Answers are kept here: in a notebook, or where $CNNLAB_HOME says so."""
    return in_notebook() or bool(os.environ.get("CNNLAB_HOME"))


def keep(
    function: Callable[..., Value], questionnaire: Questionnaire, cells: Sequence[str] | None = None
) -> str:
    """Keep an Answer that has passed its Cases, and return a sentence about it; "" where nothing changed.

    It is kept only where its source passes by itself; else, and where the folder cannot be written, the sentence says so.

    Args:
        function: the Answer.
        questionnaire: the Cases that it has passed.
        cells: the texts that define it, by default those of this kernel or of its file.
    """
    name = questionnaire.exercise
    try:
        source = extract(name, cells_of(function, name) if cells is None else cells)
    except MissingHelper as error:
        return _not_kept(name, str(error).removeprefix(f"{name} "))
    text = shelf.headed(name, source)
    path = shelf.home() / f"{name}.py"
    if shelf.holds(name, text):  # this very text was proven before
        return ""
    if why := proof.problem(name, text, questionnaire):
        return _not_kept(name, why)
    try:
        shelf.write(name, text)
    except OSError as error:
        return f"{name} passes, but {shelf.shown(path)} cannot be written: {error.strerror or error}."
    return f"Kept in {shelf.shown(path)}."


def import_library(path: str | Path = "my_cnnlab.py") -> list[str]:
    """Keep the Answers of a file that export_library wrote; say and return which were taken.

    On Colab, a file that is not there is asked for. Each Answer is run on the public Cases of its Exercise and taken where
    it passes, in place of one kept before. This runs the code in the file: import your own, not somebody else's.

    Raises:
        NotALibrary: where it is any other file; the message says what is wrong.
        FileNotFoundError: where it is not there.
    """
    taken, refused = [], []
    for name, text in read_library(Path(path)).items():
        try:
            why = proof.problem(name, text, cases.load(name))
        except cases.NoSuchExercise:
            why = "no lesson has it"
        if not why:
            shelf.write(name, text)
            taken.append(name)
        else:
            refused.append(f"{name} ({why})")
    print(f"{count(len(taken))} taken{': ' if taken else ''}{', '.join(taken)}.")
    if refused:
        print(f"Not taken: {'; '.join(refused)}.")
    return taken


def _not_kept(name: str, why: str) -> str:
    return f"{name} passes, but {why}: it is not kept."
