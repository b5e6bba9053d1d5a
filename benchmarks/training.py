"""Trains the course's networks and times the training, against the plain loop of the tutorials.

    .venv/bin/python -m benchmarks.training [--budget small|full] [--networks NAME ...] [--seeds 3] [--results FILE]

The small budget (shapes, a CPU) is the default without a GPU, the full one (CIFAR-10) with one. Each run is written to the
results file, as a JSON line, as soon as it is over. When the benchmark is started again, it measures only what is missing,
and any recipe that has changed.

Prints two Markdown tables. The first has accuracy (mean and spread over the seeds), seconds of training, seconds to the
bar, images a second, and the share of the device's measured matrix peak. The second compares images a second with the
plain loop's.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.layers import processor
from benchmarks.training_parts import plain
from benchmarks.training_parts.peak import matrix_peak
from benchmarks.training_parts.record import Measured, Record
from cnnlab import models
from cnnlab.data import DataError
from cnnlab.train import TrainError, fit, recipes
from cnnlab.train.device import choose_device, choose_precision
from cnnlab.train.recipes import Setting

NETWORKS = ("alexnet", "vgg16_bn", "resnet18", "resnet20", "resnet56")
FASTER = 8.0  # times the plain loop's images a second, on a GPU
# Seconds of training to the bar on one H100.
WITHIN = {"resnet18": 20, "vgg16_bn": 120, "resnet20": 120, "alexnet": 120, "resnet56": 240}
SMALL_WITHIN = 120  # seconds of the whole small setting on two cores of a CPU
SPEED_IMAGES = {"small": 640, "full": 25_600}  # of one timed pass
PASSES = 5  # of each loop, in turns
BACKWARD = 3  # times the forward's work, with it: one product for the inputs' gradients, one for the weights'


@dataclass(frozen=True)
class Bench:
    """The settings to measure, and the measurements that are known already.

    Args:
        settings: the settings to measure.
        seeds: the number of seeds for each.
        device: the device to train on.
        record: the known measurements.
        passes: the number of passes that are timed for the speed.
    """

    settings: tuple[Setting, ...]
    seeds: int
    device: torch.device
    record: Record
    passes: int = PASSES

    def run(self) -> None:
        """Measure what is missing, and report each result in a line."""
        for setting in self.settings:
            for seed in range(self.seeds):
                self._once("trial", setting, seed, trial)
            self._once("speed", setting, 0, self._speed)

    def _once(self, kind: str, setting: Setting, seed: int, measure: Any) -> None:
        about = {
            "kind": kind,
            "network": setting.name,
            "setting": digest(setting),
            "seed": seed,
            "device": device_name(self.device),
            "torch": torch.__version__,
        }
        if self.record.find(**about):
            return
        measured = {**about, **measure(setting, seed, self.device)}
        self.record.add(measured)
        print(line(measured), file=sys.stderr, flush=True)

    def _speed(self, setting: Setting, seed: int, device: torch.device) -> Measured:
        return speed(setting, device, self.passes)

    def found(self, kind: str, setting: Setting) -> list[Measured]:
        """Return the known measurements of a setting on this device, one for each seed."""
        common = {"kind": kind, "network": setting.name, "setting": digest(setting)}
        here = {"device": device_name(self.device), "torch": torch.__version__}
        seeds = range(self.seeds if kind == "trial" else 1)
        return [m for seed in seeds if (m := self.record.find(**common, seed=seed, **here))]


def digest(setting: Setting) -> str:
    """Return a short hash of a setting, which changes with anything in it."""
    return hashlib.sha256(repr(setting).encode()).hexdigest()[:12]


def device_name(device: torch.device) -> str:
    """Return the name of the chip."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor()}, {torch.get_num_threads()} threads"


def trial(setting: Setting, seed: int, device: torch.device) -> Measured:
    """Train a network by its setting and return the measurement.

    Args:
        setting: the network, its data and its recipe.
        seed: the seed of the training.
        device: the device to train on.
    """
    _, history = setting.run(seed, device=str(device), show=sys.stderr.isatty())
    reached = [epoch for epoch, a in enumerate(history.test_accuracy, 1) if a >= setting.bar]
    return {
        "budget": setting.budget,
        "dataset": setting.dataset,
        "images": history.images,
        "epochs": history.epochs,
        "precision": history.precision,
        "accuracies": history.test_accuracy,
        "accuracy": history.test_accuracy[-1],
        "seconds": sum(history.seconds),
        "seconds_to_bar": sum(history.seconds[: reached[0]]) if reached and setting.bar else None,
        "warm_up_seconds": history.warm_up_seconds,
        "images_per_second": history.images_per_second,
    }


def speed(setting: Setting, device: torch.device, passes: int) -> Measured:
    """Measure images a second in the course's loop and in the plain one, in turns on the same images.

    Args:
        setting: the network, its data and its recipe.
        device: the device to train on.
        passes: the number of passes of each loop.
    """
    (images, labels), _ = setting.data()
    count = min(len(images), SPEED_IMAGES[setting.budget])
    images, labels = images[:count], labels[:count]
    recipe = replace(setting.recipe, epochs=1)
    ours, theirs = [], []
    for number in range(passes):
        history = fit(
            setting.network(), (images, labels), None, recipe, seed=number, device=device, show=False
        )
        ours.append(history.images_per_second)
        theirs.append(plain.images_per_second(setting.network(), images, labels, device))
    precision = choose_precision("auto", device).name
    return {
        "budget": setting.budget,
        "precision": precision,
        "ours": ours,
        "plain": theirs,
        "macs": macs(setting),
        "parameters": sum(p.numel() for p in setting.network().parameters()),
        "peak": matrix_peak(device, precision),
    }


def macs(setting: Setting) -> int:
    """Count the multiply-adds of the forward pass for one image."""
    of = recipes.DATASETS[setting.dataset]
    return sum(row["macs"] for row in models.costs(setting.network(), (of.channels, of.image, of.image)))


def line(measured: Measured) -> str:
    """Return one measurement as a line of text."""
    if measured["kind"] == "speed":
        ratio = statistics.median(measured["ours"]) / statistics.median(measured["plain"])
        return f"{measured['network']}: {ratio:.2f} times the plain loop's images a second"
    return f"{measured['network']}, seed {measured['seed']}: {measured['accuracy']:.2%} in {measured['seconds']:.1f} s"


def accuracy_table(bench: Bench) -> str:
    """Return the table of accuracies, with a row for each network over all its seeds."""
    head = (
        "network",
        "parameters",
        "images x epochs",
        "test accuracy, mean and spread",
        "bar",
        "seconds of training",
        "seconds to the bar",
        "images/s",
        "of the matrix peak",
    )
    rows = []
    for setting in bench.settings:
        trials, speeds = bench.found("trial", setting), bench.found("speed", setting)
        if len(trials) < bench.seeds or not speeds:
            continue
        accuracies = [t["accuracy"] for t in trials]
        spread = max(accuracies) - min(accuracies)
        rate = statistics.median(t["images_per_second"] for t in trials)
        to_bar = [t["seconds_to_bar"] for t in trials]
        rows.append(
            (
                setting.name + (f" (width {setting.width})" if setting.width else ""),
                f"{speeds[0]['parameters']:,}",
                f"{trials[0]['images']:,} x {trials[0]['epochs']}",
                f"{statistics.mean(accuracies):.2%}, {100 * spread:.2f} points",
                f"{setting.bar:.1%}",
                f"{statistics.median(t['seconds'] for t in trials):.1f}",
                "not reached by all" if None in to_bar else f"{statistics.median(to_bar):.1f}",
                f"{rate:,.0f}",
                f"{2 * BACKWARD * speeds[0]['macs'] * rate / speeds[0]['peak']:.0%}",
            )
        )
    return _markdown(head, rows)


def speed_table(bench: Bench) -> str:
    """Return the table that compares the two loops, with a row for each network."""
    rows = []
    for setting in bench.settings:
        for measured in bench.found("speed", setting):
            ours, theirs = (statistics.median(measured[which]) for which in ("ours", "plain"))
            rows.append((setting.name, f"{theirs:,.0f}", f"{ours:,.0f}", f"{ours / theirs:.2f}"))
    return _markdown(("network", "plain loop, images/s", "cnnlab.train, images/s", "times"), rows)


def header(bench: Bench) -> str:
    """Return a sentence on the machine and the software of the measurements."""
    speeds = [m for s in bench.settings for m in bench.found("speed", s)]
    peak = max((m["peak"] for m in speeds), default=0.0)
    precision = speeds[0]["precision"] if speeds else "?"
    where = f"CUDA {torch.version.cuda}" if bench.device.type == "cuda" else platform.python_implementation()
    return (
        f"{device_name(bench.device)}; torch {torch.__version__}, {where}, Python {platform.python_version()}; "
        f"{precision}, matrix peak {peak / 1e12:.3g} TFLOP/s; {bench.seeds} seeds, {bench.passes} passes of each loop"
    )


def missed(bench: Bench) -> list[str]:
    """Return a sentence for each bar that was missed."""
    sentences = []
    for setting in bench.settings:
        trials = bench.found("trial", setting)
        low = [t for t in trials if t["accuracy"] < setting.bar]
        if low:
            sentences.append(
                f"{setting.name}: {len(low)} of {len(trials)} seeds stay below {setting.bar:.1%}."
            )
        limit = WITHIN.get(setting.name, 0) if setting.budget == "full" else SMALL_WITHIN
        slow = [t for t in trials if t["seconds"] >= limit]
        if slow:
            sentences.append(f"{setting.name}: {len(slow)} of {len(trials)} seeds take {limit} s or more.")
        if setting.budget == "full":
            for m in bench.found("speed", setting):
                ratio = statistics.median(m["ours"]) / statistics.median(m["plain"])
                if ratio < FASTER:
                    sentences.append(
                        f"{setting.name}: {ratio:.1f} times the plain loop, at least {FASTER:g} wanted."
                    )
    return sentences


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 1 where a bar is missed, 2 where it cannot run, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Train the course's networks and time it."
    )
    parser.add_argument("--budget", choices=("small", "full"), help="default: full where there is a GPU")
    parser.add_argument("--networks", nargs="+", choices=recipes.names(), default=NETWORKS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=PASSES, help="of each loop, in turns")
    parser.add_argument("--dataset", choices=tuple(recipes.DATASETS), help="another one than the budget's")
    parser.add_argument("--results", type=Path, default=Path("work/benchmarks/training.jsonl"))
    parsed = parser.parse_args(arguments)
    if parsed.seeds < 1 or parsed.passes < 1:
        parser.error("at least one seed and one pass are needed")
    try:
        settings = tuple(recipes.get(name, parsed.budget, parsed.dataset) for name in parsed.networks)
        device = choose_device(settings[0].device)
        bench = Bench(settings, parsed.seeds, device, Record(parsed.results), parsed.passes)
        bench.run()
    except KeyboardInterrupt:
        print(f"Stopped; what is measured is in {parsed.results}: start again to go on.", file=sys.stderr)
        return 130
    except (TrainError, DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(header(bench), accuracy_table(bench), speed_table(bench), sep="\n\n")
    for sentence in missed(bench):
        print(f"missed: {sentence}", file=sys.stderr)
    return 1 if missed(bench) else 0


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.exit(main())
