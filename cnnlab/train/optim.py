"""SGD and AdamW with weights and the rest apart, and their learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Container
from typing import Any

import torch
from torch import nn

from cnnlab.train.recipe import Recipe


def groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Sort the parameters that train: weights (two axes or more) with decay; biases and gains of norms without.

    Decay pulls towards zero. That regularises a weight; a gain of zero silences its channel, and a bias adds no
    complexity (bag of tricks, T. He et al., arXiv 1812.01187, section 3.1).
    """
    trained = [p for p in network.parameters() if p.requires_grad]
    weights = [p for p in trained if p.ndim > 1]
    rest = [p for p in trained if p.ndim <= 1]
    both = [
        {"params": weights, "lr": recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": rest, "lr": recipe.lr * recipe.bias_lr, "weight_decay": 0.0},
    ]
    return [group for group in both if group["params"]]


def make_optimiser(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return torch's SGD or AdamW for a network, in its form of one kernel for all parameters where the device has one."""
    devices = {p.device.type for p in network.parameters()}
    # Fused, it also takes a loss scaler's verdict on the device: no step waits for it.
    fused = devices <= {"cuda", "cpu"}
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(groups(network, recipe), betas=(recipe.momentum, 0.999), fused=fused)
    return torch.optim.SGD(
        groups(network, recipe), momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=fused
    )


# what each optimiser remembers of a parameter
REMEMBERED = {"sgd": ("momentum_buffer",), "adamw": ("exp_avg", "exp_avg_sq", "step")}


def remembered(
    optimiser: torch.optim.Optimizer, recipe: Recipe, make: Container[str] = ()
) -> dict[str, torch.Tensor]:
    """Return what an optimiser remembers: "0/momentum_buffer" of its first parameter, and so on.

    Args:
        optimiser: one of `make_optimiser`.
        recipe: from which it was made.
        make: what is made where it is not there yet, for a checkpoint to be read into. A parameter that never had a
            gradient has nothing that is remembered.
    """
    found = {}
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    for number, parameter in enumerate(parameters):
        state = optimiser.state[parameter]
        for name in REMEMBERED[recipe.optimiser]:
            if f"{number}/{name}" in make:
                state[name] = _nothing_yet(parameter, name)
            if state.get(name) is not None:
                found[f"{number}/{name}"] = state[name]
    return found


def _nothing_yet(parameter: torch.Tensor, name: str) -> torch.Tensor:
    if name == "step":
        return torch.zeros((), device=parameter.device)
    # laid out as the parameter is, so that sums run in the same order
    return torch.zeros_like(parameter, memory_format=torch.preserve_format)


def triangle(step: int, steps: int, rising: float) -> float:
    """Return the share of the highest learning rate that a step takes: up in a line, then down in a line.

    Args:
        step: from 0; a step stands at its middle, so that neither the first nor the last has a rate of zero.
        steps: of the whole run.
        rising: the share of the steps in which the rate rises.
    """
    done = (step + 0.5) / steps
    return done / rising if done < rising else (1 - done) / (1 - rising)


def cosine(step: int, steps: int, rising: float) -> float:
    """Return the share of the highest learning rate that a step takes: up in a line, then down half a cosine.

    Source: I. Loshchilov and F. Hutter, arXiv 1608.03983, without its restarts.

    Args:
        step: from 0.
        steps: of the whole run.
        rising: the share of the steps in which the rate rises.
    """
    done = (step + 0.5) / steps
    if done < rising:
        return done / rising
    return 0.5 * (1 + math.cos(math.pi * (done - rising) / (1 - rising)))


class Schedule:
    """Sets the learning rates of an optimiser's groups before each step, and after each epoch where it is a plateau's."""

    def __init__(self, optimiser: torch.optim.Optimizer, recipe: Recipe, steps: int) -> None:
        """steps: of the whole run."""
        self.optimiser, self.recipe, self.steps = optimiser, recipe, steps
        self.highest = [float(group["lr"]) for group in optimiser.param_groups]
        self.plateau = None
        if recipe.schedule == "plateau":
            self.plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser, factor=recipe.factor, patience=recipe.patience
            )

    @property
    def lr(self) -> float:
        """The learning rate of the weights as it is now."""
        return float(self.optimiser.param_groups[0]["lr"])

    def before_step(self, step: int) -> None:
        """Set the rates for a step of the run, counted from 0."""
        shape = {"triangle": triangle, "cosine": cosine}.get(self.recipe.schedule)
        if shape is not None:
            share = shape(step, self.steps, self.recipe.rising)
            for group, highest in zip(self.optimiser.param_groups, self.highest, strict=True):
                group["lr"] = highest * share

    def after_epoch(self, loss: float) -> None:
        """Tell a plateau's schedule the loss of an epoch: of the test images where there are any."""
        if self.plateau is not None:
            self.plateau.step(loss)

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs, as plain values."""
        rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        return {"lr": rates, "plateau": self.plateau.state_dict() if self.plateau else None}

    def load(self, state: dict[str, Any]) -> None:
        """Take back what `state` returned."""
        for group, rate in zip(self.optimiser.param_groups, state["lr"], strict=True):
            group["lr"] = rate
        if self.plateau is not None:
            self.plateau.load_state_dict(state["plateau"])
