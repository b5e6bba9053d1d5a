"""Trains the course's networks and times the training, against the plain loop of the tutorials.

    .venv/bin/python -m benchmarks.training [--budget small|full] [--networks NAME ...] [--seeds 3] [--results FILE]
        [--minutes M] [--data FOLDER]
    .venv/bin/python -m benchmarks.training --merge FILE ...
    .venv/bin/python -m benchmarks.training --pack FOLDER

The small budget (shapes, a CPU) is the default without a GPU, the full one (CIFAR-10, a GPU) with one. The most telling
measurements come first. Each is written to the results file, as a JSON line, as soon as it is over, and a training keeps a
checkpoint beside that file: when the benchmark is started again, after whatever ended it, it goes on where it was, and
measures only what is missing and any recipe that has changed. With --minutes it starts nothing that cannot be expected to
end in time.

Prints two Markdown tables. The first has accuracy (mean and spread over the seeds), seconds of training, seconds to the
bar, images a second, and the share of the device's measured matrix peak. The second compares images a second with the
plain loop's. --merge prints them for all measurements in several results files, with a pair of tables for each device.

A machine without network gets CIFAR-10 in the files that --pack writes, and --data names their folder there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import platform
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks.layers import processor
from benchmarks.training_parts import parts, plain, tables
from benchmarks.training_parts.bars import missed, times_plain
from benchmarks.training_parts.peak import matrix_peak
from benchmarks.training_parts.plan import Task, expected_seconds, order
from benchmarks.training_parts.record import Measured, Record, digest, distinct, read
from benchmarks.training_parts.tables import Results
from cnnlab.data import DataError
from cnnlab.data.cache import VARIABLE
from cnnlab.train import DeviceData, TrainError, checkpoint, fit, recipes
from cnnlab.train.device import choose_device, choose_precision
from cnnlab.train.recipes import Setting

NETWORKS = ("alexnet", "vgg16_bn", "resnet18", "resnet20", "resnet56")
SPEED_IMAGES = {"small": 640, "full": 25_600}  # of one timed pass
PASSES = 5  # of each loop, in turns
# Bytes of checkpoints an epoch, on average: on a GPU an epoch takes a second, and a slow disk writes 200 MB in it.
CHECKPOINT_BYTES = 20e6
COPIES = 4  # of each parameter in a checkpoint: the weights, their average, the momentum, the best epoch's


@dataclass(frozen=True)
class Bench:
    """The settings to measure, and the measurements that are known already.

    Args:
        settings: the settings to measure.
        seeds: the number of seeds for each.
        device: the device to train on.
        record: the known measurements.
        passes: the number of passes that are timed for the speed.
        ends: when everything must be over, as `time.perf_counter` counts.
    """

    settings: tuple[Setting, ...]
    seeds: int
    device: torch.device
    record: Record
    passes: int = PASSES
    ends: float = math.inf

    def run(self) -> tuple[list[str], list[str]]:
        """Measure what is missing, and report each result in a line; return what was left out, and what failed."""
        left_out, failed = [], []
        for task in order(self.settings, self.seeds):
            about, kept = self._about(task), self._checkpoint(task)
            if self.record.find(**about):
                kept.unlink(missing_ok=True)  # killed after the measurement was written and before this
                continue
            need = expected_seconds(task, self._known(task), self.passes, _epochs_in(kept))
            left = max(0.0, self.ends - time.perf_counter())
            if need > left:
                left_out.append(f"{task}: it takes about {need:.0f} s, and {left:.0f} s are left")
                continue
            try:
                self._measure(task, about, kept)
            except (DataError, ImportError, OSError):
                raise  # every further measurement would need the same data, packages and disk
            except TrainError as error:
                failed.append(f"{task}: {error}")
            except Exception as error:
                # Whatever is wrong with one network, the machine is rented for the others too.
                traceback.print_exc()
                failed.append(f"{task}: {type(error).__name__}: {error}")
        return left_out, failed

    def results(self) -> Results:
        """Return all measurements of these settings on this device."""
        return Results(self.settings, device_name(self.device), torch.__version__, self.record.lines)

    def _measure(self, task: Task, about: Measured, kept: Path) -> None:
        began = time.perf_counter()
        if task.kind == "trial":
            measured = trial(task.setting, task.seed, self.device, kept)
        else:
            measured = speed(task.setting, self.device, self.passes)
        seconds = time.perf_counter() - began
        measured = {**about, "software": software(self.device), "wall_seconds": seconds, **measured}
        self.record.add(measured)
        kept.unlink(missing_ok=True)
        print(line(measured), file=sys.stderr, flush=True)

    def _about(self, task: Task) -> Measured:
        return {
            "kind": task.kind,
            "network": task.setting.name,
            "setting": digest(task.setting),
            "seed": task.seed,
            "device": device_name(self.device),
            "torch": torch.__version__,
        }

    def _checkpoint(self, task: Task) -> Path:
        """Return the path of a training's checkpoint: another device or recipe does not go on from it."""
        tag = hashlib.sha256(json.dumps(self._about(task)).encode()).hexdigest()[:8]
        name = f"{self.record.path.name}.{task.setting.name}-{task.seed}-{tag}.checkpoint"
        return self.record.path.with_name(name)

    def _known(self, task: Task) -> list[Measured]:
        here = {"device": device_name(self.device), "torch": torch.__version__, "budget": task.setting.budget}
        lines = (m for m in self.record.lines if all(m.get(key) == here[key] for key in here))
        return [m for m in lines if "wall_seconds" in m]


def _epochs_in(kept: Path) -> int:
    """Return the epochs that a checkpoint holds, 0 where there is none that can be read."""
    try:
        return checkpoint.read(kept)[1]["epoch"] if kept.exists() else 0
    except TrainError:
        return 0  # the training itself says what is wrong with it


def device_name(device: torch.device) -> str:
    """Return the name of the chip."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{processor()}, {torch.get_num_threads()} threads"


def software(device: torch.device) -> str:
    """Return the software beside torch, with its versions."""
    where = f"CUDA {torch.version.cuda}" if device.type == "cuda" else platform.python_implementation()
    return f"{where}, Python {platform.python_version()}"


def trial(setting: Setting, seed: int, device: torch.device, kept: Path) -> Measured:
    """Train a network by its setting and return the measurement.

    Args:
        setting: the network, its data and its recipe.
        seed: the seed of the training.
        device: the device to train on.
        kept: the path of the checkpoint; where it exists, the training goes on from it.

    Raises:
        KeyboardInterrupt: where the training was stopped before its end.
    """
    bytes_at_once = COPIES * 4 * tables.parameters(setting)
    _, history = setting.run(
        seed,
        device=str(device),
        checkpoint=kept,
        save_every=math.ceil(bytes_at_once / CHECKPOINT_BYTES),
        show=sys.stderr.isatty() and find_spec("tqdm") is not None,
    )
    if history.interrupted:
        raise KeyboardInterrupt
    reached = [epoch for epoch, a in enumerate(history.test_accuracy, 1) if a >= setting.bar]
    return {
        "budget": setting.budget,
        "dataset": setting.dataset,
        "images": history.images,
        "epochs": history.epochs,
        "precision": history.precision,
        "accuracies": history.test_accuracy,
        "accuracy": history.test_accuracy[-1],
        "epoch_seconds": history.seconds,
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

    Raises:
        KeyboardInterrupt: where a pass was stopped before its end.
    """
    (images, labels), _ = setting.data()
    count = min(len(images), SPEED_IMAGES[setting.budget])
    # Both once for all passes: what is counted and copied for them takes longer than a pass on a GPU.
    moved = DeviceData(images[:count], labels[:count], device)
    read = plain.Images(images[:count], labels[:count])
    recipe = replace(setting.recipe, epochs=1)
    ours, theirs, warm_up = [], [], 0.0
    for number in range(passes):
        history = fit(setting.network(), moved, None, recipe, seed=number, device=device, show=False)
        if history.interrupted:
            raise KeyboardInterrupt
        warm_up = max(warm_up, history.warm_up_seconds)
        ours.append(history.images_per_second)
        theirs.append(plain.images_per_second(setting.network(), read, device))
    precision = choose_precision("auto", device).name
    return {
        "budget": setting.budget,
        "dataset": setting.dataset,
        "precision": precision,
        "ours": ours,
        "plain": theirs,
        "warm_up_seconds": warm_up,
        "macs": tables.macs(setting),
        "peak": matrix_peak(device, precision),
    }


def line(measured: Measured) -> str:
    """Return one measurement as a line of text."""
    if measured["kind"] == "speed":
        return f"{measured['network']}: {times_plain(measured):.2f} times the plain loop's images a second"
    return f"{measured['network']}, seed {measured['seed']}: {measured['accuracy']:.2%} in {measured['seconds']:.1f} s"


def merge(paths: Sequence[Path]) -> int:
    """Print the tables of several results files; return 1 where a bar is missed."""
    lines = distinct(line for path in paths for line in read(path))
    settings = tables.every_setting(recipes.names())
    known = {digest(setting) for setting in settings}
    old = [line for line in lines if line["setting"] not in known]
    if old:
        print(f"Left out: {len(old)} measurements of recipes that have changed since.", file=sys.stderr)
    return max([_report(results) for results in tables.grouped(lines, settings)], default=0)


def _report(results: Results) -> int:
    """Print tables and missed bars; return 1 where there are any."""
    for text in (tables.header(results), tables.accuracy_table(results), tables.speed_table(results)):
        print(text, end="\n\n", flush=True)
    sentences = missed(results)
    for sentence in sentences:
        print(f"missed: {sentence}", file=sys.stderr)
    return 1 if sentences else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns: 1 where a bar is missed, 2 where something cannot run, 130 after Ctrl-C, else 0.
    """
    began = time.perf_counter()
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.seeds < 1 or parsed.passes < 1:
        parser.error("at least one seed and one pass are needed")
    try:
        if parsed.pack:
            for path in parts.split(parsed.pack):
                print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB")
            return 0
        if parsed.merge:
            return merge(parsed.merge)
        if parsed.data:
            os.environ.setdefault(VARIABLE, str(parsed.data))
            parts.join(parsed.data)
        settings = tuple(recipes.get(name, parsed.budget, parsed.dataset) for name in parsed.networks)
        device = choose_device(settings[0].device)
        ends = began + 60 * parsed.minutes
        bench = Bench(settings, parsed.seeds, device, Record(parsed.results), parsed.passes, ends)
        left_out, failed = bench.run()
    except KeyboardInterrupt:
        print(f"Stopped; what is measured is in {parsed.results}: start again to go on.", file=sys.stderr)
        return 130
    except ImportError as error:
        print(
            f"The package {error.name} is not installed here. It finds and downloads data: install it, or give --data the "
            "folder with CIFAR-10's parts.",
            file=sys.stderr,
        )
        return 2
    except (TrainError, DataError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    code = _report(bench.results())
    for word, sentences in (("left out", left_out), ("failed", failed)):
        for sentence in sentences:
            print(f"{word}: {sentence}", file=sys.stderr)
    return 2 if failed else code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.training", description="Train the course's networks and time it."
    )
    parser.add_argument("--budget", choices=("small", "full"), help="default: full where there is a GPU")
    parser.add_argument("--networks", nargs="+", choices=recipes.names(), default=NETWORKS, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--passes", type=int, default=PASSES, help="of each loop, in turns")
    parser.add_argument("--dataset", choices=tuple(recipes.DATASETS), help="another one than the budget's")
    parser.add_argument(
        "--results", type=Path, default=Path("work/benchmarks/training.jsonl"), metavar="FILE"
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=math.inf,
        metavar="M",
        help="start nothing that cannot be expected to end in so many minutes",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help=f"CIFAR-10's parts; also where it is kept, unless {VARIABLE} is set",
    )
    parser.add_argument(
        "--merge", type=Path, nargs="+", metavar="FILE", help="print these results, measure nothing"
    )
    parser.add_argument("--pack", type=Path, metavar="FOLDER", help="write CIFAR-10's parts, measure nothing")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.exit(main())
