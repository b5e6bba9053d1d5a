"""Measures what each choice of a recipe is worth, in the small setting: one choice changed at a time, on the same images.

    .venv/bin/python -m benchmarks.choices [--networks resnet20 resnet18] [--seeds 3] [--images 1000]

Fewer images than the setting has, so that there is something left to win. Each run is written to the results file as soon as
it is over; started again, the benchmark measures only what is missing. Prints a Markdown table: test accuracy and test loss,
means over the seeds, and how far they lie from the recipe's own, seed by seed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from benchmarks.training import device_name
from benchmarks.training_parts.record import Measured, Record, digest
from cnnlab.models.initialise import zero_last_gamma
from cnnlab.train import Recipe, fit, recipes
from cnnlab.train.device import choose_device
from cnnlab.train.recipes import Setting

BASE = "as the recipe has it"


@dataclass(frozen=True)
class Choice:
    """One thing done otherwise: to the recipe, or to the network's first weights."""

    title: str
    recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe
    network: Callable[[nn.Module], None] = lambda network: None


CHOICES = (
    Choice(BASE),
    Choice(
        "AdamW, learning rate 0.003", lambda r: replace(r, optimiser="adamw", lr=0.003, weight_decay=0.05)
    ),
    Choice("AdamW, learning rate 0.01", lambda r: replace(r, optimiser="adamw", lr=0.01, weight_decay=0.05)),
    Choice("last gamma of each block 0", network=zero_last_gamma),
    Choice("mixup 0.2", lambda r: replace(r, mixup=0.2)),
    Choice("alternating flips", lambda r: replace(r, flip="alternating")),
    Choice("no flips", lambda r: replace(r, flip="none")),
    Choice("no shift", lambda r: replace(r, shift=0)),
    Choice("no average of weights", lambda r: replace(r, average=0.0)),
    Choice("label smoothing 0.1", lambda r: replace(r, label_smoothing=0.1)),
)


def measure(setting: Setting, choice: Choice, seed: int, device: torch.device) -> Measured:
    """Train a network with one choice changed, and return its score on the test images."""
    network = setting.network(seed)
    choice.network(network)
    train, test = setting.data()
    history = fit(network, train, test, choice.recipe(setting.recipe), seed=seed, device=device, show=False)
    return {
        "accuracy": history.test_accuracy[-1],
        "loss": history.test_loss[-1],
        "seconds": sum(history.seconds),
    }


def run(settings: Sequence[Setting], seeds: int, device: torch.device, record: Record) -> None:
    """Measure what is missing, and report each result in a line."""
    for setting in settings:
        for choice in CHOICES:
            for seed in range(seeds):
                about = _about(setting, choice, seed, device)
                if record.find(**about):
                    continue
                measured = {**about, **measure(setting, choice, seed, device)}
                record.add(measured)
                print(
                    f"{setting.name}, {choice.title}, seed {seed}: {measured['accuracy']:.2%}",
                    file=sys.stderr,
                    flush=True,
                )


def table(settings: Sequence[Setting], seeds: int, device: torch.device, record: Record) -> str:
    """Return the table, with a row for each choice and two columns for each network."""
    heads = [f"{s.name}: {what}" for s in settings for what in ("test accuracy", "test loss")]
    lines = ["| choice | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for choice in CHOICES:
        cells = [choice.title]
        for setting in settings:
            found = [record.find(**_about(setting, choice, seed, device)) for seed in range(seeds)]
            base = [record.find(**_about(setting, CHOICES[0], seed, device)) for seed in range(seeds)]
            pairs = [(f, b) for f, b in zip(found, base, strict=True) if f is not None and b is not None]
            cells += [_cell(pairs, "accuracy", 100), _cell(pairs, "loss", 1)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(pairs: Sequence[tuple[Measured, Measured]], what: str, scale: int) -> str:
    """Return a mean and, in brackets, the lowest and highest difference from the recipe's own, seed by seed."""
    if not pairs:
        return ""
    mean = scale * statistics.mean(found[what] for found, _ in pairs)
    differences = [scale * (found[what] - base[what]) for found, base in pairs]
    digits = 1 if scale == 100 else 3
    text = f"{mean:.{digits}f}" + (" %" if scale == 100 else "")
    if any(differences):
        text += f" ({min(differences):+.{digits}f} to {max(differences):+.{digits}f})"
    return text


def _about(setting: Setting, choice: Choice, seed: int, device: torch.device) -> Measured:
    return {
        "kind": choice.title,
        "network": setting.name,
        "setting": digest(replace(setting, recipe=choice.recipe(setting.recipe))),
        "seed": seed,
        "device": device_name(device),
        "torch": torch.__version__,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; return 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.choices", description="Measure what each choice of a recipe is worth."
    )
    parser.add_argument("--networks", nargs="+", choices=recipes.names(), default=["resnet20", "resnet18"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=Path("work/benchmarks/choices.jsonl"))
    parsed = parser.parse_args(arguments)
    small = [recipes.get(name, "small") for name in parsed.networks]
    settings = [replace(setting, images=parsed.images) for setting in small]
    device, record = choose_device("cpu"), Record(parsed.results)
    try:
        run(settings, parsed.seeds, device, record)
    except KeyboardInterrupt:
        print(f"Stopped; what is measured is in {parsed.results}: start again to go on.", file=sys.stderr)
        return 130
    print(table(settings, parsed.seeds, device, record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
