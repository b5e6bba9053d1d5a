"""Measures a network on images: its scores, its loss and its accuracy."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from cnnlab.train.data import Data, DeviceData, on_device
from cnnlab.train.device import Precision, choose_precision
from cnnlab.train.layout import working_layout
from cnnlab.train.loss import check_outputs, each_output
from cnnlab.train.modes import in_eval_mode
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
        like: the training data, whose mean and spread normalise these images; without, the images' own do.
        flip: whether each image is also seen flipped.

    Raises TrainError where network and images do not fit.
    """
    device = _device(network)
    there, precision = on_device(data, device, like), choose_precision("auto", device)
    layout = layout_for(network, there, precision)
    return measure(network, there, precision, flip, layout=layout)


def predict(
    network: nn.Module, data: Data, *, like: DeviceData | None = None, flip: bool = False
) -> torch.Tensor:
    """Return the probability of each class for each image: (N, classes) float32, on the CPU.

    Args:
        network: gives a score for each class.
        data: images and labels, or DeviceData; the labels must be there, and change nothing.
        like: the training data, whose mean and spread normalise these images; without, the images' own do.
        flip: whether each image is also seen flipped.

    Raises TrainError where network and images do not fit.
    """
    device = _device(network)
    there, precision = on_device(data, device, like), choose_precision("auto", device)
    layout = layout_for(network, there, precision, classes=1)
    batch = _batch(there)
    with in_eval_mode(network), torch.no_grad(), precision.autocast():
        scores = [
            _scores(network, there.range(i, i + batch, layout), flip) for i in range(0, len(there), batch)
        ]
    return torch.cat(scores).float().softmax(1).cpu()


@torch.no_grad()
def measure(
    network: nn.Module,
    data: DeviceData,
    precision: Precision,
    flip: bool,
    processes: Processes | None = None,
    layout: torch.memory_format = torch.channels_last,
) -> Score:
    """Measure a network on data that are on its device; each process takes its share, and all get the whole result.

    Args:
        network: gives a score for each class.
        data: labelled images, on the network's device.
        precision: the numbers that layers compute with.
        flip: whether each image is also seen flipped.
        processes: of the run, by default this one alone.
        layout: of the images in memory, one that the network takes.
    """
    processes, batch = processes or Processes(), _batch(data)
    sums = torch.zeros(
        2, dtype=torch.float64 if data.device.type != "mps" else torch.float32, device=data.device
    )
    with in_eval_mode(network), precision.autocast():
        for first in range(processes.rank * batch, len(data), processes.count * batch):
            scores = _scores(network, data.range(first, first + batch, layout), flip)
            labels = data.labels[first : first + batch]
            loss = functional.cross_entropy(scores.float(), labels, reduction="sum")
            sums += torch.stack([loss, (scores.argmax(1) == labels).sum()])
    # The one wait for the device.
    loss, right = processes.total(sums).tolist()
    return Score(loss / len(data), right / len(data))


@torch.no_grad()
def layout_for(
    network: nn.Module, data: DeviceData, precision: Precision, classes: int | None = None
) -> torch.memory_format:
    """Return the layout of images that a network takes in evaluation.

    Args:
        network: where the data are.
        data: of which two images are looked at.
        precision: the numbers that layers compute with.
        classes: the fewest scores an image, by default as many as the labels name.

    Raises:
        TrainError: where it takes neither, or gives no scores.
    """
    x = data.range(0, 2)

    def attempt(layout: torch.memory_format) -> None:
        outputs = network(x.contiguous(memory_format=layout))
        check_outputs(outputs, len(x), data.classes if classes is None else classes)

    with in_eval_mode(network), precision.autocast():
        return working_layout(attempt, "test images", tuple(x.shape), data.device)


def _scores(network: nn.Module, x: torch.Tensor, flip: bool) -> torch.Tensor:
    # a network may keep its side outputs in evaluation, too
    scores = each_output(network(x))[0]
    return (scores + each_output(network(x.flip(3)))[0]) / 2 if flip else scores


def _batch(data: DeviceData) -> int:
    """Return how many images to look at at a time."""
    return max(1, PIXELS // (data.size[0] * data.size[1]))


def _device(network: nn.Module) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))
