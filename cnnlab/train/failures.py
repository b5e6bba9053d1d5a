"""Errors in plain words where memory runs out, or a network cannot be compiled."""

from __future__ import annotations

import shlex
import traceback
from pathlib import Path

import torch

from cnnlab.train.errors import TrainError

TORCH = Path(torch.__file__).parent

# how torch says it on a CPU: as a plain RuntimeError
ON_CPU = ("can't allocate memory", "not enough memory", "alloc_cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that no memory was left."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    words = str(error)
    return isinstance(error, RuntimeError) and any(sign in words for sign in ON_CPU)


def out_of_memory(error: Exception, device: torch.device, batch: int | None = None) -> Exception:
    """Return a TrainError for an error that means that no memory was left, and any other error as it is.

    Args:
        error: the one that was raised.
        device: whose memory it was.
        batch: images a step; None before the first, where data and network themselves are too large.
    """
    if not is_out_of_memory(error):
        return error
    # The frames of the failed step hold its tensors: they would stay for as long as the error does.
    traceback.clear_frames(error.__traceback__)
    where = "The CPU's memory"
    if device.type == "cuda":
        torch.cuda.empty_cache()
        where = f"The GPU's memory of {torch.cuda.get_device_properties(device).total_memory / 2**30:.0f} GiB"
    if batch is None:
        return TrainError(
            f"{where} is too small for the data and the network: use fewer images or a smaller network."
        )
    return TrainError(
        f"{where} is too small for batches of {batch} images: use batch={max(1, batch // 2)}, or a smaller network. The "
        "network has the weights from before this epoch."
    )


def not_compiled(error: Exception, device: torch.device, batch: int, compiled: bool | str) -> Exception:
    """Return a TrainError for an error of the first step of a compiled network, which is mostly the compiler's.

    Args:
        error: the one that was raised.
        device: the run's.
        batch: images a step.
        compiled: `compile` as `fit` got it; False leaves only errors of memory to be said.
    """
    if isinstance(error, TrainError) or not compiled or is_out_of_memory(error):
        return out_of_memory(error, device, batch)
    first = (str(error).splitlines() or [type(error).__name__])[0]
    if not can_compile_from(TORCH):
        first = f"the path of torch, {TORCH}, holds blanks or quotes, which torch's compiler takes apart"
    return TrainError(f"The network cannot be compiled here ({first}): use compile=False.")


def can_compile_from(folder: Path) -> bool:
    """Return whether torch's compiler can work when torch lies in `folder`: it does not quote where its libraries are."""
    try:
        return shlex.split(folder.as_posix()) == [folder.as_posix()]
    except ValueError:  # a quote that is not closed
        return False
