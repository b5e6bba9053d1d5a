"""Shared by the tests of the sandbox: short limits, two Cases, and runs of one cell."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from autograder import sandbox
from autograder.sandbox import Limits, Probe, RunCell, Transcript

QUICK = Limits(cell_seconds=1.0, probe_seconds=1.0, submission_seconds=30.0)
TWO = ({"x": np.arange(3.0)}, {"x": np.ones(2)})
NO_TORCH = ("torch",)  # most tests do without, since a sandbox with torch takes seconds to start


def steps_run(steps: list[RunCell | Probe], limits: Limits = QUICK, **options: Any) -> Transcript:
    """Run the steps, without torch unless the options say otherwise."""
    return sandbox.run(steps, limits=limits, **{"without": NO_TORCH, **options})


def run(source: str, *exercises: str, limits: Limits = QUICK, **options: Any) -> Transcript:
    """Run a cell, then ask each of these exercises two Cases."""
    steps: list[RunCell | Probe] = [RunCell(0, textwrap.dedent(source))]
    return steps_run(steps + [Probe(name, ("out",), TWO) for name in exercises], limits, **options)


def kinds(transcript: Transcript, exercise: str) -> list[str]:
    """Return the kinds of an exercise's Outcomes."""
    return [outcome.kind for outcome in transcript.outcomes[exercise]]


def look(expression: str, setup: str = "", **options: Any) -> str:
    """Evaluate an expression inside and return what it is, as the sandbox printed it."""
    return run(f"{setup}\nprint({expression})", **options).printed[0].strip()
