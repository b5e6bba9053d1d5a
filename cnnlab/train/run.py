"""The state of a training run: what it trains, with what, and how far it is."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from cnnlab.train import checkpoint as checkpoints
from cnnlab.train.average import Average
from cnnlab.train.batches import Batches
from cnnlab.train.compiling import compiled
from cnnlab.train.data import Data, on_device
from cnnlab.train.device import Precision
from cnnlab.train.failures import explained
from cnnlab.train.history import History
from cnnlab.train.layout import lay_out
from cnnlab.train.optim import Schedule, make_optimiser
from cnnlab.train.processes import Processes
from cnnlab.train.recipe import Recipe


class Run:
    """One training run.

    network: what the caller gave; fast: the same, compiled where that is wished; model: what a step calls, which shares
    gradients among processes; epoch: how many are finished; best: an epoch, from 0, and its weights; before: the weights
    before the epoch that runs.
    """

    def __init__(
        self,
        network: nn.Module,
        train: Data,
        test: Data | None,
        recipe: Recipe,
        seed: int,
        precision: Precision,
        processes: Processes,
        compile: bool | str,
    ) -> None:
        self.network, self.recipe, self.seed = network, recipe, seed
        self.precision, self.processes, self.compile = precision, processes, compile
        self.device = precision.device
        try:
            self.train = on_device(train, self.device)
            self.test = None if test is None else on_device(test, self.device, like=self.train)
            self.batches = Batches(self.train, recipe, seed, processes)
            network.to(self.device)
            lay_out(network, self.batches.layout)
        except Exception as error:
            raise explained(error, self.device) from None
        self.fast = compiled(network, compile)
        self.model = processes.wrap(self.fast)
        self.optimiser = make_optimiser(network, recipe)
        self.schedule = Schedule(self.optimiser, recipe, self.batches.steps * recipe.epochs)
        self.scaler = precision.scaler()
        self.average = Average(network, recipe.average) if recipe.average else None
        self.history = History(
            images=self.batches.steps * self.batches.size,
            device=_name(self.device),
            precision=precision.name,
            processes=processes.count,
        )
        self.epoch = 0
        self.best: tuple[int, checkpoints.Tensors] | None = None
        self.before: checkpoints.Tensors = {}
        self.first_loss = math.nan  # of two images, before any step

    def weights(self) -> checkpoints.Tensors:
        """Return copies of the network's parameters and buffers as they are now."""
        return {name: tensor.clone() for name, tensor in checkpoints.tensors_of(self.network).items()}

    def put_weights(self, weights: checkpoints.Tensors, what: str) -> None:
        """Put back what `weights` returned; what: whose they are, for an error's message."""
        checkpoints.put(checkpoints.tensors_of(self.network), weights, what)

    def restore_weights(self) -> None:
        """Put the weights back that were there before the epoch that failed."""
        if self.before:
            self.put_weights(self.before, "the last epoch")

    def identity(self) -> dict[str, Any]:
        """Return what must be the same for a run to go on from a checkpoint."""
        return {
            **asdict(self.recipe),
            "seed": self.seed,
            "precision": self.precision.name,
            "processes": self.processes.count,
            "training images": self.train.digest,
            "test images": self.test.digest if self.test is not None else None,
        }


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
