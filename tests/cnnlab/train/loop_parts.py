"""Shared by the tests of the training loop: a short recipe and a network trained by it."""

from __future__ import annotations

from typing import Any

from torch import nn

from cnnlab.train import Recipe, fit
from tests.cnnlab.train.train_parts import drawn

QUICK = Recipe(epochs=2, batch=50, lr=0.05)
FULL = Recipe(
    epochs=2,
    batch=50,
    lr=0.05,
    label_smoothing=0.1,
    clip=1.0,
    average=0.9,
    shift=2,
    flip="alternating",
    cutout=6,
    flip_test=True,
)


def trained(network: nn.Module, recipe: Recipe = QUICK, **how: Any) -> nn.Module:
    fit(network, drawn(200), None, recipe, show=False, **how)
    return network
