"""The order of the measurements, and how long each is expected to take."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.training_parts.bars import seconds_allowed
from benchmarks.training_parts.record import Measured, digest
from benchmarks.training_parts.tables import macs
from cnnlab.train.recipes import Setting

FIRST = "resnet18"  # the network whose seconds to 94 % others publish
START = 5.0  # seconds before the warm-up: images are read, counted and moved to the device
TESTS = 1.3  # times the seconds of training, at least: tests and checkpoints come on top of them
UNKNOWN = 120.0  # seconds of a training of which nothing is known
COMPARISON = 60.0  # seconds of a comparison with the plain loop, before the first is measured


@dataclass(frozen=True)
class Task:
    """One measurement.

    Args:
        kind: "trial", a whole training, or "speed", a comparison with the plain loop.
        setting: the network, its data and its recipe.
        seed: the seed of the training, 0 for a comparison.
    """

    kind: str
    setting: Setting
    seed: int = 0

    def __str__(self) -> str:
        """Return the task in words."""
        return f"{self.setting.name}, " + (f"seed {self.seed}" if self.kind == "trial" else "images a second")


def order(settings: Sequence[Setting], seeds: int) -> list[Task]:
    """Return all measurements, the most telling first.

    The order is: every seed of ResNet-18, the comparisons with the plain loop, then the first seed of each other network,
    and only then further seeds.
    """
    first = [s for s in settings if s.name == FIRST]
    others = [s for s in settings if s.name != FIRST]
    return [
        *(Task("trial", setting, seed) for setting in first for seed in range(seeds)),
        *(Task("speed", setting) for setting in [*first, *others]),
        *(Task("trial", setting, seed) for seed in range(seeds) for setting in others),
    ]


def expected_seconds(task: Task, known: Sequence[Measured], passes: int, trained: int = 0) -> float:
    """Estimate the seconds of a measurement from those that the same device has made.

    Args:
        task: the measurement.
        known: the measurements made so far, of the same size of training.
        passes: passes of each loop in a comparison.
        trained: epochs that a checkpoint holds already.
    """
    if task.kind == "speed":
        return passes * _pass_seconds(task.setting, known) or COMPARISON
    setting = task.setting
    rate = _images_per_second(setting, known)
    training = setting.recipe.epochs * setting.images / rate if rate else seconds_allowed(setting) or UNKNOWN
    left = 1 - trained / setting.recipe.epochs
    warm_up = max((m["warm_up_seconds"] for m in known), default=0.0)
    return START + warm_up + _with_tests(known) * training * left


def _with_tests(known: Sequence[Measured]) -> float:
    """Return the seconds of a whole run as a multiple of those of its training.

    A training that was resumed counts too: its run was shorter, so it can only tell too little.
    """
    runs = [m for m in known if m["kind"] == "trial"]
    beside = ((m["wall_seconds"] - START - m["warm_up_seconds"]) / m["seconds"] for m in runs)
    return max([TESTS, *beside])


def _pass_seconds(setting: Setting, known: Sequence[Measured]) -> float:
    """Return the seconds of a pass of both loops, 0 where none is known.

    A network with more work takes longer by as much. One with less may not be faster, because the plain loop waits for
    images.
    """
    work = macs(setting)
    compared = [m for m in known if m["kind"] == "speed"]
    return max((m["wall_seconds"] / len(m["ours"]) * max(1, work / m["macs"]) for m in compared), default=0.0)


def _images_per_second(setting: Setting, known: Sequence[Measured]) -> float | None:
    """Return a network's measured images a second: in trainings if there are any, else in the comparison."""
    same = [m for m in known if m["setting"] == digest(setting)]
    rates = [m["images_per_second"] for m in same if m["kind"] == "trial"]
    rates = rates or [rate for m in same if m["kind"] == "speed" for rate in m["ours"]]
    return statistics.median(rates) if rates else None
