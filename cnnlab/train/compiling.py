"""Compiling a network, which is worth its minute for long runs only."""

from __future__ import annotations

import shlex
from pathlib import Path

import torch
from torch import nn

from cnnlab.train.errors import TrainError
from cnnlab.train.failures import explained, first_line, is_out_of_memory

TORCH = Path(torch.__file__).parent


def compiled(network: nn.Module, how: bool | str) -> nn.Module:
    """Return the network, compiled where `how` is True or a mode of torch.compile."""
    if not how:
        return network
    return torch.compile(network, mode=None if how is True else how)  # type: ignore[return-value]


def explained_compiling(
    error: Exception, device: torch.device, batch: int, compiled: bool | str
) -> Exception:
    """Return a TrainError for an error of the first step of a compiled network, which is mostly the compiler's.

    Args:
        error: the one that was raised.
        device: the run's.
        batch: images a step.
        compiled: `compile` as `fit` got it; False leaves only errors of memory to be said.
    """
    if isinstance(error, TrainError) or not compiled or is_out_of_memory(error):
        return explained(error, device, batch)
    first = first_line(error)
    if not can_compile_from(TORCH):
        first = f"the path of torch, {TORCH}, holds blanks or quotes, which torch's compiler takes apart"
    return TrainError(f"The network cannot be compiled here ({first}): use compile=False.")


def can_compile_from(folder: Path) -> bool:
    """Return whether torch's compiler can work when torch lies in `folder`: it does not quote where its libraries are."""
    try:
        return shlex.split(folder.as_posix()) == [folder.as_posix()]
    except ValueError:  # a quote that is not closed
        return False
