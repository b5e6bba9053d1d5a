"""Shared by the tests of the networks: sizes of networks and of maps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def without_memory(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make().eval()
