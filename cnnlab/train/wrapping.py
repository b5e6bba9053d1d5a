"""A network within what wraps it: compiled by torch, or spread over devices."""

from __future__ import annotations

import torch
from torch import nn

COMPILED = "_orig_mod"  # the attribute in which torch.compile keeps what it wraps, and a part of its parameters' names


def unwrapped(network: nn.Module) -> nn.Module:
    """Return the network itself, without torch.compile, DataParallel or DistributedDataParallel around it."""
    while True:
        if isinstance(network, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            network = network.module
        elif isinstance(inner := getattr(network, COMPILED, None), nn.Module):
            network = inner
        else:
            return network


def parameters_by_name(network: nn.Module) -> dict[str, nn.Parameter]:
    """Return a network's parameters by the names that they have where nothing is wrapped or compiled."""
    return {_plain(name): parameter for name, parameter in unwrapped(network).named_parameters()}


def buffers_by_name(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return a network's buffers by the names that they have where nothing is wrapped or compiled."""
    return {_plain(name): buffer for name, buffer in unwrapped(network).named_buffers()}


def _plain(name: str) -> str:
    return name.replace(f"{COMPILED}.", "")
