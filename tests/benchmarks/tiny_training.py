"""The training benchmark on so few images that it takes seconds, for tests; also as a program that is killed on the way.

    python -m tests.benchmarks.tiny_training EPOCHS ARGUMENT ...

runs the benchmark with those arguments, on a machine that seems to have no package but torch, NumPy and safetensors, and
ends by SIGKILL as soon as a checkpoint holds that many epochs.
"""

from __future__ import annotations

import importlib.abc
import os
import signal
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

PLAIN_BATCH = 32  # of the plain loop, which needs two of them
NETWORKS = ("resnet18", "resnet20")
CIFAR = {"train": 96, "test": 32}  # images of a CIFAR-10 made up
ABSENT = ("IPython", "PIL", "accelerate", "matplotlib", "pooch", "pydantic", "requests", "tqdm")


def make_tiny(setitem: Callable[..., Any], setattr: Callable[..., Any]) -> None:
    """Give the benchmark few images, the plain loop small batches without processes, the peak small matrices.

    Args:
        setitem: as of pytest's MonkeyPatch, to set an entry of a dictionary.
        setattr: as of pytest's MonkeyPatch, to set an attribute.
    """
    from benchmarks import training
    from benchmarks.training_parts import peak, plain
    from cnnlab.train import recipes
    from tests.smoke import smoke

    for name in NETWORKS:
        setitem(recipes.SETTINGS, name, (smoke(name), recipes.get(name, "full")))
    setitem(training.SPEED_IMAGES, "small", 3 * PLAIN_BATCH)
    setattr(plain, "BATCH", PLAIN_BATCH)
    setattr(plain, "WORKERS", 0)
    setitem(peak.SIZES, "cpu", (128, 256))


def make_cifar_small(setitem: Callable[..., Any]) -> None:
    """Let CIFAR-10 have the few images of `CIFAR`."""
    from cnnlab.data import cifar

    for split, count in CIFAR.items():
        setitem(cifar.COUNTS, split, count)


def run(results: Path, *more: str, networks: tuple[str, ...] = ("resnet18",)) -> int:
    """Run the benchmark with one pass of each loop and return its exit code."""
    from benchmarks import training

    given = ["--budget", "small", "--networks", *networks, "--passes", "1", "--results", str(results)]
    return training.main([*given, *more])


class _Installed(importlib.abc.MetaPathFinder):
    """The finder of installed packages, for which some are not there."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if fullname.split(".")[0] in ABSENT:
            return None
        return PathFinder.find_spec(fullname, path, target)


def _kill_after(epochs: int) -> None:
    replace, written = os.replace, []

    def counted(source: Any, target: Any) -> None:
        replace(source, target)
        written.extend([target] if str(target).endswith(".checkpoint") else [])
        if len(written) == epochs:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = counted


def main(epochs: str, results: str, *more: str) -> int:
    """Run the tiny benchmark in this process."""
    sys.meta_path[sys.meta_path.index(PathFinder)] = _Installed()
    import torch

    torch.set_num_threads(1)
    make_tiny(dict.__setitem__, setattr)
    make_cifar_small(dict.__setitem__)
    _kill_after(int(epochs))
    return run(Path(results), *more)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
