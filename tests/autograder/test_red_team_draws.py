"""What was tried to earn the points of a random draw without drawing."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import pytest

from autograder.course import Course
from autograder.exercise import Exercise, integers, lesson
from autograder.exercises.rows import plain_case, public, rows, secret
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.summaries import SUMMARIES, summarise
from cnnlab.checking.way import Way
from tests.autograder.red_team_sample import judged, written

pytestmark = pytest.mark.usefixtures("bubblewrap")


def dropped(x: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask


BATCHES = [
    row(f"{n} by 50", x=integers(n, 50, low=1, high=9), rate=0.5, rng=n)
    for row in (public, secret)
    for n in (40, 60)
]


DRAWN = lesson(
    "1_layers/91_drawn",
    [
        Exercise(
            "drop",
            ("y", "mask"),
            dropped,
            cases=rows(
                plain_case,
                "basic",
                *BATCHES,
            ),
            points={"basic": 2},
            way=Way(rng="rng", summary="dropout"),
        )
    ],
)


DROP = """
import numpy as np
def drop(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask
"""


FAKED = {
    "one fixed seed": "real = np.random.default_rng\nnp.random.default_rng = lambda seed: real(7)",
    "chance of its own": """
        import cnnlab.checking.probe as probe
        real = np.random.default_rng
        np.random.default_rng = lambda seed: real()
        probe._same = probe.same = lambda *pair: True
    """,
    "an Outcome without outputs": """
        import cnnlab.checking.probe as probe
        probe.ask = lambda *args: probe.Outcome("values", {})
    """,
    "outputs of other kinds": """
        import cnnlab.checking.probe as probe
        probe.ask = lambda *args: probe.Outcome("values", {"y": {"y": None}, "mask": np.zeros((0, 3))})
    """,
}


def test_an_honest_draw_has_its_points(course: Course) -> None:
    assert judged(course, DRAWN, written("drop", DROP)).verdicts["drop"].points == 2


@pytest.mark.parametrize("how", FAKED)
def test_a_faked_draw_has_none(course: Course, how: str) -> None:
    notebook = written("drop", DROP + textwrap.dedent(FAKED[how]))
    verdict = judged(course, DRAWN, notebook).verdicts["drop"]
    assert (verdict.points, verdict.status) == (0, "failed")


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("values", [{}, {"y": None}, {"w": [], "mask": 3, "y": "x", "weights": 2**1000}])
def test_no_summary_fails_on_what_a_worker_may_send(name: str, values: dict[str, Any]) -> None:
    inputs = {"x": np.ones((2, 3)), "rate": 0.5, "shape": (2, 3), "images": np.zeros((1, 32, 32), np.uint8)}
    inputs |= {"labels": np.zeros(1, int), "at_least": 97.0}
    outcome = summarise(name, inputs, Outcome("values", values))
    assert outcome.kind in ("values", "bad output") and "2" * 50 not in outcome.message
