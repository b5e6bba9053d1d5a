"""The public Cases: written by the builder as .npz files without pickles, read by `check`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.errors import CheckingError
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Clue, Question, Questionnaire
from cnnlab.checking.way import Way

FOLDER = Path(__file__).parent / "cases"


class NoSuchExercise(CheckingError, LookupError):
    """No lesson has an Exercise of that name."""


@cache
def load(exercise: str, folder: Path = FOLDER) -> Questionnaire:
    """Return the public Cases of an Exercise; raise NoSuchExercise naming those that exist."""
    known: list[str] = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as archive:
            if exercise in archive.files:
                return questionnaire_from_value(wire.unpack(archive[exercise].tobytes()))
            known += archive.files
    raise NoSuchExercise(
        f"no lesson has an exercise named {exercise!r}; the exercises are {', '.join(known) or 'none'}"
    )


def save(path: Path, questionnaires: Iterable[Questionnaire]) -> None:
    """Write the public Cases of one lesson; the same Cases give the same bytes."""
    save_values(path, {q.exercise: value_from_questionnaire(q) for q in questionnaires})


def save_values(path: Path, values: Mapping[str, wire.Value]) -> None:
    """Write values, each under its name."""
    frames = {name: np.frombuffer(wire.pack(value), np.uint8) for name, value in values.items()}
    np.savez_compressed(path, allow_pickle=False, **frames)


def load_values(path: Path) -> dict[str, wire.Value]:
    """Read what `save_values` wrote; raise OSError, ValueError, KeyError or zipfile.BadZipFile for anything else."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: wire.unpack(archive[name].tobytes()) for name in archive.files}


def value_from_questionnaire(questionnaire: Questionnaire) -> wire.Value:
    """Return a Questionnaire as a value that `wire.pack` can encode."""
    return {
        "exercise": questionnaire.exercise,
        "returns": list(questionnaire.returns),
        "hints": dict(questionnaire.hints),
        "way": questionnaire.way.as_value(),
        "clues": [[c.words, list(c.mistakes), list(c.arguments)] for c in questionnaire.clues],
        "questions": [
            {
                "words": q.words,
                "group": q.group,
                "inputs": dict(q.inputs),
                "expected": dict(q.expected),
                "tolerance": q.tolerance,
                "mistakes": {name: outcome.as_value() for name, outcome in q.mistakes.items()},
                "varies": q.varies,
            }
            for q in questionnaire.questions
        ],
    }


def questionnaire_from_value(value: wire.Value) -> Questionnaire:
    """Rebuild a Questionnaire from its value."""
    questions = tuple(
        Question(
            q["words"],
            q["group"],
            q["inputs"],
            q["expected"],
            q["tolerance"],
            {name: Outcome.from_value(outcome) for name, outcome in q["mistakes"].items()},
            q["varies"],
        )
        for q in value["questions"]
    )
    return Questionnaire(
        value["exercise"],
        tuple(value["returns"]),
        questions,
        value["hints"],
        Way.from_value(value["way"]),
        tuple(Clue(words, tuple(mistakes), tuple(names)) for words, mistakes, names in value["clues"]),
    )
