"""The processes of a run: one, or one for each GPU by Hugging Face Accelerate, with the same loop.

From a shell `accelerate launch script.py`, from a notebook `accelerate.notebook_launcher(function)`; script and function
build the network and call `fit` as on one GPU.
"""

from __future__ import annotations

import atexit
import gc
import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from cnnlab.train.errors import TrainError


class Processes:
    """The work that the processes of a run do together; alone, nothing is to be done.

    rank: this process's number; count: of all; main: whether this one prints and writes.
    """

    rank, count = 0, 1

    @property
    def main(self) -> bool:
        """Whether this process is the one that prints and writes."""
        return self.rank == 0

    def device(self, wish: torch.device) -> torch.device:
        """Return this process's device."""
        return wish

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network in a shell that averages gradients over the processes in `backward`."""
        return network

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of each value over the processes."""
        return values

    def agree(self, tensors: Iterable[torch.Tensor]) -> None:
        """Give every process the main process's values."""

    def wait(self) -> None:
        """Wait until every process is here."""


class Joined(Processes):
    """Several processes, started by Accelerate."""

    def __init__(self, accelerator: Any) -> None:
        self.accelerator = accelerator
        self.rank, self.count = accelerator.process_index, accelerator.num_processes

    def device(self, wish: torch.device) -> torch.device:
        return self.accelerator.device

    def wrap(self, network: nn.Module) -> nn.Module:
        return self.accelerator.prepare_model(network)

    def total(self, values: torch.Tensor) -> torch.Tensor:
        return self.accelerator.reduce(values, reduction="sum")

    def agree(self, tensors: Iterable[torch.Tensor]) -> None:
        from accelerate.utils import broadcast

        for tensor in tensors:
            # made contiguous: broadcasting sends memory as it lies
            tensor.copy_(broadcast(tensor.contiguous()))  # type: ignore[arg-type]

    def wait(self) -> None:
        self.accelerator.wait_for_everyone()


def join(device: torch.device) -> Processes:
    """Return the group of processes in which a launcher started this one, or this process alone."""
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return Processes()
    try:
        from accelerate import Accelerator
    except ImportError:
        raise TrainError(
            "Several processes were started, but Hugging Face Accelerate is not installed: pip install accelerate."
        ) from None
    # Before Accelerate imports it: its functions keep the group of processes that there is then as a default argument, and
    # that reference would keep the group's threads alive when Python ends.
    import torch.distributed.nn.functional  # noqa: F401

    atexit.unregister(_leave)  # so that it is registered once, and last: what is registered last runs first
    atexit.register(_leave)
    # The loop does its own casting, whatever the launcher was told.
    return Joined(Accelerator(cpu=device.type == "cpu", mixed_precision="no"))


def _leave() -> None:
    """Close the group before Python ends: a thread of it that still holds a tensor would abort the process.

    The threads end when nothing refers to the group any more.
    """
    gc.collect()
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
