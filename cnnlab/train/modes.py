"""A network's mode, training or evaluation, for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def mode_kept(network: nn.Module) -> Iterator[None]:
    """Leave each module in the mode in which it was, whatever is done within."""
    before = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in before:
            module.training = training


@contextmanager
def in_eval_mode(network: nn.Module) -> Iterator[None]:
    """Put a network into eval mode for a while."""
    with mode_kept(network):
        network.eval()
        yield
