"""Measures a network on images: its scores, its loss and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from cnnlab.train.data import Data, DeviceData, on_device
from cnnlab.train.device import Precision, choose_precision
from cnnlab.train.errors import TrainError
from cnnlab.train.processes import Processes

PIXELS = 1 << 20  # at a time: 1,024 images of 32 x 32, which fills a large GPU and fits a small one


@dataclass(frozen=True)
class Score:
    """loss: the mean cross-entropy; accuracy: the share of images given their label, in [0, 1]."""

    loss: float
    accuracy: float


def evaluate(network: nn.Module, data: Data, *, like: DeviceData | None = None, flip: bool = False) -> Score:
    """Measure a network, where it is, on labelled images.

    The network is left in the mode in which it was.

    Args:
        network: gives a score for each class.
        data: images and labels, or DeviceData.
        like: the training data, whose mean and spread normalise these images.
        flip: whether each image is also seen flipped.
    """
    device = _device(network)
    return measure(network, on_device(data, device, like), choose_precision("auto", device), flip)


def predict(
    network: nn.Module, data: Data, *, like: DeviceData | None = None, flip: bool = False
) -> torch.Tensor:
    """Return the probability of each class for each image: (N, classes) float32, on the CPU.

    Args:
        network: gives a score for each class.
        data: images and labels, or DeviceData; labels are not looked at.
        like: the training data, whose mean and spread normalise these images.
        flip: whether each image is also seen flipped.
    """
    device = _device(network)
    there, precision = on_device(data, device, like), choose_precision("auto", device)
    batch = _batch(there)
    with _testing(network), torch.no_grad(), precision.autocast():
        scores = [_scores(network, there.range(i, i + batch), flip) for i in range(0, len(there), batch)]
    return torch.cat(scores).float().softmax(1).cpu()


@torch.no_grad()
def measure(
    network: nn.Module,
    data: DeviceData,
    precision: Precision,
    flip: bool,
    processes: Processes | None = None,
) -> Score:
    """Measure a network on data that are on its device; each process takes its share, and all get the whole result.

    Args:
        network: gives a score for each class.
        data: labelled images, on the network's device.
        precision: the numbers that layers compute with.
        flip: whether each image is also seen flipped.
        processes: of the run, by default this one alone.
    """
    processes, batch = processes or Processes(), _batch(data)
    sums = torch.zeros(
        2, dtype=torch.float64 if data.device.type != "mps" else torch.float32, device=data.device
    )
    with _testing(network), precision.autocast():
        for first in range(processes.rank * batch, len(data), processes.count * batch):
            scores = _scores(network, data.range(first, first + batch), flip)
            labels = data.labels[first : first + batch]
            loss = functional.cross_entropy(scores.float(), labels, reduction="sum")
            sums += torch.stack([loss, (scores.argmax(1) == labels).sum()])
    # The one wait for the device.
    loss, right = processes.total(sums).tolist()
    return Score(loss / len(data), right / len(data))


def check_classes(scores: torch.Tensor, classes: int) -> None:
    """Raise TrainError where a network has fewer outputs than there are classes; a GPU would only stop with an assertion."""
    if scores.ndim != 2 or scores.shape[1] < classes:
        raise TrainError(
            f"The network gives scores of shape {tuple(scores.shape)} and there are {classes} classes: let its last layer "
            f"have {classes} outputs."
        )


def _scores(network: nn.Module, x: torch.Tensor, flip: bool) -> torch.Tensor:
    scores = network(x)
    return (scores + network(x.flip(3))) / 2 if flip else scores


def _batch(data: DeviceData) -> int:
    """Return how many images to look at at a time."""
    return max(1, PIXELS // (data.size[0] * data.size[1]))


class _testing:
    """A network in eval mode for a while."""

    def __init__(self, network: nn.Module) -> None:
        self.network, self.before = network, network.training

    def __enter__(self) -> None:
        self.network.eval()

    def __exit__(self, *_: object) -> None:
        self.network.train(self.before)


def _device(network: nn.Module) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))
