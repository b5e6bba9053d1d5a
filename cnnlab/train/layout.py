"""The order of an image's numbers in memory: channels_last where a network takes it, else torch's usual one.

In channels_last, (N, H, W, C) in memory, convolutions are faster. A module that reshapes by `view` is right and cannot
take it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from cnnlab.train.errors import TrainError
from cnnlab.train.failures import cannot_take, explained


def working_layout(
    attempt: Callable[[torch.memory_format], object], what: str, shape: tuple[int, ...], device: torch.device
) -> torch.memory_format:
    """Return the layout in which an attempt succeeds.

    Args:
        attempt: puts a few images through a network.
        what: the images, as a reader calls them.
        shape: of their batch.
        device: whose memory may run out.

    Raises:
        TrainError: where it succeeds in none.
    """
    for layout in (torch.channels_last, torch.contiguous_format):
        try:
            attempt(layout)
            return layout
        except TrainError:
            raise
        except (RuntimeError, ValueError) as error:
            last = error
    known = explained(last, device)
    raise (cannot_take(last, what, shape) if known is last else known) from last


def lay_out(network: nn.Module, layout: torch.memory_format) -> None:
    """Bring a network's weights into a layout, in place."""
    network.to(memory_format=layout)  # type: ignore[call-overload]


def lay_out_state(optimiser: torch.optim.Optimizer) -> None:
    """Bring what an optimiser remembers into torch's usual layout: a checkpoint is read before the layout is known."""
    for state in optimiser.state.values():
        for name, tensor in state.items():
            state[name] = tensor.contiguous()


@contextmanager
def usual_layout_after(network: nn.Module) -> Iterator[None]:
    """Bring a network back to torch's usual layout, whatever happens: safetensors, for one, refuses to save the other."""
    try:
        yield
    finally:
        lay_out(network, torch.contiguous_format)
