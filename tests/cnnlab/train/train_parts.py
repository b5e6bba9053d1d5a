"""What the tests of cnnlab.train share: small networks and a few drawn images."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from cnnlab import data
from cnnlab.train.rehearsal import IMAGES

CLASSES = len(data.SHAPE_NAMES)
Pair = tuple[np.ndarray, np.ndarray]


@cache
def drawn(count: int = 600, seed: int = 1) -> Pair:
    """Images of one shape each, 24 pixels a side."""
    return data.shape_images(count, seed=seed, size=24)


def convolutional(seed: int = 0, norm: bool = True, dropout: float = 0.0) -> nn.Sequential:
    """Three convolutions of 8, 16 and 32 filters, with batch norm or with none."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs, filters in ((3, 8), (8, 16), (16, 32)):
        layers += [nn.Conv2d(inputs, filters, 3, padding=1, bias=not norm)]
        layers += [nn.BatchNorm2d(filters)] if norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Dropout(dropout), nn.Flatten(), nn.Linear(32 * 9, CLASSES))


def linear(seed: int = 0, inputs: int = 3 * 24 * 24) -> nn.Sequential:
    """One linear layer."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, CLASSES))


def rehearsed(inputs: tuple[torch.Tensor, ...]) -> bool:
    """Say whether a hook sees the two images that go through a network before the first step."""
    return len(inputs[0]) == IMAGES


def same(a: nn.Module, b: nn.Module) -> bool:
    """Say whether two networks have the same parameters and buffers, bit for bit."""
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)
