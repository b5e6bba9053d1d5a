"""The Markdown tables of the training benchmark: they show whatever is measured, and of how many seeds it is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.training_parts.record import Measured, digest
from cnnlab import models
from cnnlab.train import recipes
from cnnlab.train.recipes import Setting

BACKWARD = 3  # times the forward's work, with it: one product for the inputs' gradients, one for the weights'
NONE = "-"


@dataclass(frozen=True)
class Results:
    """The measurements that one device made with one torch.

    Args:
        settings: the settings of the tables, in the order of their rows.
        device: the device's name.
        torch: torch's version.
        lines: all measurements, those of other devices among them.
    """

    settings: tuple[Setting, ...]
    device: str
    torch: str
    lines: Sequence[Measured]

    def found(self, kind: str, setting: Setting) -> list[Measured]:
        """Return the measurements of a setting by seed, the last one of each seed."""
        wanted = {"kind": kind, "setting": digest(setting), "device": self.device, "torch": self.torch}
        by_seed = {m["seed"]: m for m in self.lines if all(m.get(key) == wanted[key] for key in wanted)}
        return [by_seed[seed] for seed in sorted(by_seed)]

    def every(self, kind: str) -> list[Measured]:
        """Return the measurements of all settings."""
        return [m for setting in self.settings for m in self.found(kind, setting)]


def macs(setting: Setting) -> int:
    """Count the multiply-adds of the forward pass for one image."""
    of = recipes.DATASETS[setting.dataset]
    return sum(row["macs"] for row in models.costs(setting.network(), (of.channels, of.image, of.image)))


def parameters(setting: Setting) -> int:
    """Count a network's parameters."""
    return sum(p.numel() for p in setting.network().parameters())


def header(results: Results) -> str:
    """Return a sentence on the machine and the software of the measurements."""
    speeds = results.every("speed")
    every = [*results.every("trial"), *speeds]
    seeds = max((len(results.found("trial", setting)) for setting in results.settings), default=0)
    passes = max((len(m["ours"]) for m in speeds), default=0)
    numbers = sorted({m["precision"] for m in every})
    if speeds:
        numbers.append(f"matrix peak {max(m['peak'] for m in speeds) / 1e12:.3g} TFLOP/s")
    about = [
        results.device,
        ", ".join([f"torch {results.torch}", *sorted({m["software"] for m in every if "software" in m})]),
        ", ".join(numbers),
        f"{seeds} seeds, {passes} passes of each loop",
        ", ".join(sorted({f"{setting.budget} size on {setting.dataset}" for setting in results.settings})),
    ]
    return "; ".join(part for part in about if part)


def accuracy_table(results: Results) -> str:
    """Return the table of accuracies, with a row for each network that was trained."""
    head = (
        "network",
        "parameters",
        "images x epochs",
        "seeds",
        "test accuracy, mean and spread",
        "bar",
        "seconds of training",
        "seconds to the bar",
        "images/s",
        "of the matrix peak",
    )
    rows = []
    for setting in results.settings:
        trials, speeds = results.found("trial", setting), results.found("speed", setting)
        if not trials:
            continue
        accuracies = [t["accuracy"] for t in trials]
        spread = max(accuracies) - min(accuracies)
        rate = statistics.median(t["images_per_second"] for t in trials)
        work = 2 * BACKWARD * macs(setting) * rate
        rows.append(
            (
                setting.name + (f" (width {setting.width})" if setting.width else ""),
                f"{parameters(setting):,}",
                f"{trials[0]['images']:,} x {trials[0]['epochs']}",
                str(len(trials)),
                f"{statistics.mean(accuracies):.2%}, {100 * spread:.2f} points",
                f"{setting.bar:.1%}" if setting.bar else NONE,
                f"{statistics.median(t['seconds'] for t in trials):.1f}",
                _seconds_to_bar(setting, trials),
                f"{rate:,.0f}",
                f"{work / speeds[0]['peak']:.0%}" if speeds else NONE,
            )
        )
    return _markdown(head, rows)


def _seconds_to_bar(setting: Setting, trials: Sequence[Measured]) -> str:
    if not setting.bar:
        return NONE
    seconds = [t["seconds_to_bar"] for t in trials]
    return "not reached by all" if None in seconds else f"{statistics.median(seconds):.1f}"


def speed_table(results: Results) -> str:
    """Return the table that compares the two loops, with a row for each network."""
    rows = []
    for setting in results.settings:
        for measured in results.found("speed", setting):
            ours, theirs = (statistics.median(measured[which]) for which in ("ours", "plain"))
            rows.append((setting.name, f"{theirs:,.0f}", f"{ours:,.0f}", f"{ours / theirs:.2f}"))
    return _markdown(("network", "plain loop, images/s", "cnnlab.train, images/s", "times"), rows)


def every_setting(networks: Sequence[str]) -> list[Setting]:
    """Return the settings that networks have today, in every size and on every data set."""
    return [
        recipes.get(name, budget, dataset)
        for budget in ("small", "full")
        for dataset in recipes.DATASETS
        for name in networks
    ]


def grouped(lines: Sequence[Measured], settings: Sequence[Setting]) -> list[Results]:
    """Return the measurements apart by device, torch, size and data set, for a pair of tables each."""
    digests = {digest(setting): setting for setting in settings}
    groups: dict[tuple[str, str, str, str], set[str]] = {}
    for line in lines:
        setting = digests.get(line["setting"])
        if setting is not None:
            key = line["device"], line["torch"], setting.budget, setting.dataset
            groups.setdefault(key, set()).add(line["setting"])
    return [
        Results(tuple(s for s in settings if digest(s) in there), device, torch, lines)
        for (device, torch, _, _), there in groups.items()
    ]


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
