"""The lesson's checks as ordinary nbgrader tests: plain asserts on the same Cases, partial credit by group."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.judging.secret_cases import secret_questionnaires
from benchmarks.grading_stock.course import OneLesson
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.way import CALL

# It compares what the judge compares: type, shape, kind of dtype, values. Each check reads one small pickle of ours.
CHECK = """\
import pickle
import numpy as np

def agree(got, expected, tolerance):
    assert type(got) is type(expected)
    if isinstance(expected, (tuple, list)):
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            agree(one, other, tolerance)
    elif isinstance(expected, np.ndarray):
        assert got.shape == expected.shape and got.dtype.kind == expected.dtype.kind
        scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=0.1 * tolerance * scale)
    else:
        assert got == expected

points = 0.0
for worth, cases in pickle.load(open("{name}.pickle", "rb")):
    try:
        for inputs, expected, tolerance in cases:
            with np.errstate(all="ignore"):
                got = {name}(**inputs)
            agree(got, expected, tolerance)
        points += worth
    except Exception:
        pass
points
"""

Group = tuple[float, list[tuple[Mapping[str, Any], Any, float]]]


def tests(of: OneLesson, secret: bytes, folder: Path) -> dict[str, str]:
    """Write each Exercise's Cases to a folder and return the check cells: exercise -> source.

    Args:
        of: the course.
        secret: the secret from which the Cases are drawn.
        folder: the folder of the notebook, which gets the Cases.
    """
    sources = {}
    for name, questionnaire in secret_questionnaires(of.lesson, secret).items():
        (folder / f"{name}.pickle").write_bytes(pickle.dumps(_groups(of, questionnaire)))
        sources[name] = CHECK.replace("{name}", name)
    return sources


def _groups(of: OneLesson, questionnaire: Questionnaire) -> list[Group]:
    name = questionnaire.exercise
    if questionnaire.way != CALL:
        raise ValueError(f"{name} is asked by more than a call, which the stock check cannot do")
    groups: dict[str, list[Any]] = {group: [] for group in of.lesson.exercises[name].points}
    for question in questionnaire.questions:
        values = [question.expected[output] for output in questionnaire.returns]
        expected = tuple(values) if len(values) > 1 else values[0]
        groups[question.group].append((dict(question.inputs), expected, question.tolerance))
    return [(float(of.lesson.exercises[name].points[group]), cases) for group, cases in groups.items()]
