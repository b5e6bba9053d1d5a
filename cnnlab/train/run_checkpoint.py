"""A run's checkpoint: written at the end of epochs, and taken up again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from cnnlab.train import checkpoint
from cnnlab.train.errors import TrainError
from cnnlab.train.history import History
from cnnlab.train.optim import remembered
from cnnlab.train.run import Run


class RunCheckpoint:
    """Keeps a run in one file, from which it goes on to the bit as if it had never stopped.

    Random numbers are not kept: an epoch's are seeded from the run's seed and the epoch's number.
    """

    def __init__(self, path: Path, every: int) -> None:
        """path: of the file; every: epochs between two writings; the last epoch is always written."""
        self.path = path = path.expanduser()
        self.every = every
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainError(
                f"The folder {path.parent} cannot be made ({error.strerror}): give another name for the checkpoint."
            ) from error
        if path.is_dir():
            raise TrainError(f"{path} is a folder: give the name of a file for the checkpoint.")

    def resume(self, run: Run) -> None:
        """Put a run where the checkpoint was written; without one, leave it at its beginning.

        Raises TrainError, changing nothing, where the checkpoint is of another run.
        """
        if not self.path.exists():
            return
        tensors, state = checkpoint.read(self.path, "delete it to start anew")
        try:
            self._same(run.identity(), state["about"])
            history, best = History.from_json(state["history"]), state["best"]
            targets = _tensors(run)
            kept = checkpoint.of_group(tensors, "optimiser")
            targets |= _grouped("optimiser", remembered(run.optimiser, run.recipe, make=kept))
            weights = run.weights() if best is not None else {}
            checkpoint.put(targets | _grouped("best", weights), tensors, str(self.path))
            run.best = None if best is None else (best, weights)
            run.schedule.load(state["schedule"])
            run.scaler.load_state_dict(state["scaler"])
            if run.average is not None:
                run.average.count = state["averaged"]
            run.history, run.epoch = history, state["epoch"]
        except (KeyError, TypeError, ValueError) as error:
            raise TrainError(
                f"The checkpoint {self.path} cannot be read ({error}): delete it to start anew."
            ) from error

    def save(self, run: Run) -> None:
        """Write the run as it is after an epoch; where that fails, say so and let the training go on."""
        last = run.epoch == run.recipe.epochs
        if run.processes.main and (last or run.epoch % self.every == 0):
            try:
                checkpoint.write(self.path, _all(run), _state(run))
            except (OSError, SafetensorError, RuntimeError, TypeError, ValueError) as error:
                print(
                    f"The checkpoint {self.path} cannot be written ({error}): training goes on without.",
                    file=sys.stderr,
                )
        run.processes.wait()

    def _same(self, now: dict[str, Any], then: dict[str, Any]) -> None:
        for name in now:
            if now[name] != then.get(name):
                raise TrainError(
                    f"The checkpoint {self.path} is of another run: {name} was {then.get(name)} and is now {now[name]}. "
                    "Give the same again, or another name for the checkpoint."
                )


def _state(run: Run) -> dict[str, Any]:
    return {
        "about": run.identity(),
        "epoch": run.epoch,
        "history": run.history.to_json(),
        "best": run.best[0] if run.best else None,
        "schedule": run.schedule.state(),
        "scaler": run.scaler.state_dict(),
        "averaged": run.average.count if run.average else 0,
    }


def _tensors(run: Run) -> checkpoint.Tensors:
    average = _grouped("average", run.average.named()) if run.average else {}
    return _grouped("network", checkpoint.tensors_of(run.network)) | average


def _all(run: Run) -> checkpoint.Tensors:
    best = _grouped("best", run.best[1]) if run.best else {}
    return _tensors(run) | _grouped("optimiser", remembered(run.optimiser, run.recipe)) | best


def _grouped(group: str, tensors: checkpoint.Tensors) -> checkpoint.Tensors:
    return {f"{group}/{name}": tensor for name, tensor in tensors.items()}
