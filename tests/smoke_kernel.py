"""The budget "smoke" in a notebook's kernel: neither the package nor the lessons know of it.

IPython runs a startup file before the first cell. It cuts the small settings down, and what a lesson trains by a recipe of
its own. Exercises whose trained weights are handed in still train at the small budget: their check asks what was learnt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from IPython import get_ipython

from cnnlab import train
from cnnlab.train import recipes
from tests import ROOT
from tests.smoke import EPOCHS, IMAGES, smoke

STARTUP = "from tests.smoke_kernel import begin\nbegin({small!r}, {log!r})\n"


class SmokeKernel:
    """A folder of IPython's settings with which a kernel trains at the smoke budget.

    folder: a new one; small: exercises whose trainings stay at the small budget, when a cell calls them.
    """

    def __init__(self, folder: Path, small: Sequence[str] = ()) -> None:
        self.log = folder / "trainings.jsonl"
        self.environment = {
            "IPYTHONDIR": str(folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }
        startup = folder / "profile_default" / "startup" / "smoke.py"
        startup.parent.mkdir(parents=True)
        startup.write_text(STARTUP.format(small=tuple(small), log=str(self.log)))

    def trainings(self) -> list[dict[str, Any]]:
        """Return the trainings of the kernel in their order: whether each was small, its images and its epochs.

        Raises:
            FileNotFoundError: where the kernel never began at the smoke budget.
        """
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def begin(small: Sequence[str], log: str) -> None:
    """Train at the smoke budget from here on, in this kernel.

    Args:
        small: exercises that train at the small budget in the cells that call them.
        log: a file, made here, that gets a line for each training.
    """
    whole_fit, whole_evaluate, whole_recipe = train.fit, train.evaluate, train.Recipe
    is_small = False

    def look(info: Any) -> None:
        nonlocal is_small
        is_small = any(f"{name}(" in info.raw_cell for name in small)

    def recipe(*choices: Any, **named: Any) -> train.Recipe:
        made = whole_recipe(*choices, **named)
        return made if is_small else replace(made, epochs=min(made.epochs, EPOCHS))

    def fit(
        network: Any, images: Any, test: Any = None, recipe: train.Recipe | None = None, **how: Any
    ) -> train.History:
        if not is_small:
            images, test = few(images), few(test)
        history = whole_fit(network, images, test, recipe, **how)
        line = {"small": is_small, "images": history.images, "epochs": history.epochs}
        with open(log, "a") as file:
            file.write(json.dumps(line) + "\n")
        return history

    def evaluate(network: Any, images: Any, **how: Any) -> train.Score:
        return whole_evaluate(network, images if is_small else few(images), **how)

    for name, (_, full) in list(recipes.SETTINGS.items()):
        recipes.SETTINGS[name] = smoke(name), full
    recipes.TEST_SHAPES = IMAGES
    train.Recipe, train.evaluate = recipe, evaluate  # type: ignore[misc,assignment]
    train.fit = recipes.fit = fit  # type: ignore[assignment]
    Path(log).touch()
    get_ipython().events.register("pre_run_cell", look)


def few(data: Any) -> Any:
    """Return the first labelled images of a pair or of DeviceData; what is None stays so."""
    if isinstance(data, train.DeviceData):
        cut = copy(data)
        cut.pixels, cut.labels = data.pixels[:IMAGES], data.labels[:IMAGES]
        return cut
    return data and tuple(array[:IMAGES] for array in data)
