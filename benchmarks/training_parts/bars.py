"""The bars that a measurement must reach: seconds of training, and times the plain loop's images a second."""

from __future__ import annotations

import statistics

from benchmarks.training_parts.record import Measured
from benchmarks.training_parts.tables import Results
from cnnlab.train.recipes import Setting

FASTER = 8.0  # times the plain loop's images a second, on a GPU
# Seconds of training on one H100; networks that are not here have no bar.
WITHIN = {"resnet18": 20, "vgg16_bn": 120, "resnet20": 120, "alexnet": 120, "resnet56": 240}
SMALL_WITHIN = 120  # seconds of the whole small setting on two cores of a CPU


def seconds_allowed(setting: Setting) -> int | None:
    """Return the seconds of training that a setting may take, None for any."""
    return WITHIN.get(setting.name) if setting.budget == "full" else SMALL_WITHIN


def times_plain(measured: Measured) -> float:
    """Return the images a second of a comparison as a multiple of the plain loop's."""
    return statistics.median(measured["ours"]) / statistics.median(measured["plain"])


def missed(results: Results) -> list[str]:
    """Return a sentence for each bar that was missed."""
    sentences = []
    for setting in results.settings:
        trials = results.found("trial", setting)
        low = [t for t in trials if t["accuracy"] < setting.bar]
        if low:
            sentences.append(
                f"{setting.name}: {len(low)} of {len(trials)} seeds stay below {setting.bar:.1%}."
            )
        allowed = seconds_allowed(setting)
        slow = [t for t in trials if allowed is not None and t["seconds"] >= allowed]
        if slow:
            sentences.append(f"{setting.name}: {len(slow)} of {len(trials)} seeds take {allowed} s or more.")
        if setting.budget == "full":
            for measured in results.found("speed", setting):
                if times_plain(measured) < FASTER:
                    sentences.append(
                        f"{setting.name}: {times_plain(measured):.1f} times the plain loop, at least {FASTER:g} wanted."
                    )
    return sentences
