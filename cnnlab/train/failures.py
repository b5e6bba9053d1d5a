"""Errors in plain words where a network cannot take its images or memory runs out."""

from __future__ import annotations

import re
import traceback

import torch

from cnnlab.train.errors import TrainError

# how torch says it on a CPU: as a plain RuntimeError
ON_CPU = ("can't allocate memory", "not enough memory", "alloc_cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that no memory was left."""
    if isinstance(error, (torch.cuda.OutOfMemoryError, MemoryError)):
        return True
    words = str(error)
    return isinstance(error, RuntimeError) and any(sign in words for sign in ON_CPU)


def explained(error: Exception, device: torch.device, batch: int | None = None) -> Exception:
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
    if batch == 1:
        return TrainError(
            f"{where} is too small for a single image: use a smaller network or smaller images. The network has the "
            "weights from before this epoch."
        )
    return TrainError(
        f"{where} is too small for batches of {batch} images: use batch={batch // 2}, or a smaller network. The "
        "network has the weights from before this epoch."
    )


# what torch says of the commonest slips, and how a reader is told; {0} and {1} are the numbers in torch's sentence
EXPLANATIONS = (
    (r"to have (\d+) channels, but got (\d+) channels", "a convolution takes {0} channels and is given {1}"),
    (
        r"Expected more than 1 value per channel",
        "a batch norm is given one value a channel, of which there is no spread; train on batches of two images or more, "
        "or on larger images",
    ),
    (
        r"does not require grad",
        "no gradient reaches its weights, since forward() detaches them or computes without",
    ),
)


def cannot_take(error: Exception, what: str, shape: tuple[int, ...]) -> TrainError:
    """Return a TrainError for an error that a network raised when it was given images.

    Args:
        error: the one that was raised.
        what: the images, as a reader calls them.
        shape: of the batch.
    """
    cause = first_line(error).rstrip(".")
    for pattern, words in EXPLANATIONS:
        found = re.search(pattern, str(error))
        if found:
            cause = words.format(*found.groups())
    return TrainError(f"The network cannot take {what} of shape {tuple(shape)}: {cause}.")


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its class where it says nothing."""
    return (str(error).splitlines() or [type(error).__name__])[0]
