"""Summaries of trained weights of networks written in torch: how well a network with them classifies colour images.

The arrays are named in the order in which the network uses its layers, whatever its attributes are called: "conv1"
(F, C, KH, KW) with "norm1" (4, F), the gain, offset, running mean and running variance of the batch normalisation behind
it, and so on; last "linear.weight" (M, D) and "linear.bias" (M,).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.checking.errors import InvalidOutputs
from cnnlab.checking.summaries import accuracy
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

if TYPE_CHECKING:
    from torch import Tensor


EPS = 1e-5  # torch's own for batch normalisation
GUESSES = 1.5  # times the accuracy of guessing, below which an accuracy shows no learning
WHITE = 255  # the largest value of a pixel
HINT = "save what arrays_by_name returns"


@dataclass(frozen=True)
class Network:
    """A network whose weights are judged.

    Args:
        words: its name in a sentence.
        shapes: name -> shape of each array.
        mean: of each channel of the images that it is trained on, in [0, 1]; it is subtracted.
        std: of each channel of these images, in [0, 1]; the result is divided by it.
    """

    words: str
    shapes: Mapping[str, tuple[int, ...]]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def residual(depth: int, classes: int, width: int = 16) -> dict[str, tuple[int, ...]]:
    """Return the shapes of a CIFAR ResNet's arrays, by name: 6n + 2 layers, no parameters in its shortcuts.

    Args:
        depth: 6n + 2 layers.
        classes: the number of its scores.
        width: filters of the first stage; each later stage has twice as many.
    """
    filters = [width] + [width * 2**stage for stage in range(3) for _ in range((depth - 2) // 3)]
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (channels, count) in enumerate(zip([3, *filters], filters, strict=False), 1):
        shapes[f"conv{number}"] = (count, channels, 3, 3)
        shapes[f"norm{number}"] = (4, count)
    return {**shapes, "linear.weight": (classes, filters[-1]), "linear.bias": (classes,)}


SHAPES_MEAN, SHAPES_STD = (0.33, 0.32, 0.32), (0.20, 0.18, 0.19)  # of data.shape_images, red, green, blue

NETWORKS = {
    "resnet20": Network("ResNet-20", residual(20, classes=5), SHAPES_MEAN, SHAPES_STD),
}


def judge(network: Network, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say whether a network with these weights is right often enough, and if not, what it may have learned instead.

    The network is in eval mode and gets the images normalised by its mean and std. Scores that are no finite numbers
    count as wrong.

    Args:
        network: the network that the weights are for.
        inputs: images (N, 3, H, W) uint8; labels (N,); at_least: per cent that must be right.
        outputs: weights.

    Raises:
        InvalidOutputs: where the weights are not this network's.
    """
    weights = _weights(network, outputs["weights"])
    classes = len(weights["linear.bias"])
    pixels = inputs["images"].astype(np.float32) / WHITE
    mean, std = (np.array(m, np.float32)[:, None, None] for m in (network.mean, network.std))
    labels, bar = inputs["labels"], float(inputs["at_least"])
    guesses = _guesses(weights, (pixels - mean) / std)
    right = _share(guesses, labels)
    if accuracy.reaches(right, bar):
        return {"accuracy": accuracy.at_least(bar)}
    others = {
        "one class too high": _share(guesses, (labels + 1) % classes),
        "one class too low": _share(guesses, (labels - 1) % classes),
        "right for images from 0 to 1": _share(_guesses(weights, pixels), labels),
        "right for images from 0 to 255": _share(_guesses(weights, WHITE * pixels), labels),
    }
    return {"accuracy": accuracy.below(bar, right, others, guessing=GUESSES / classes)}


def _weights(network: Network, given: Value) -> dict[str, np.ndarray]:
    """Return the weights as float32; raise InvalidOutputs where names, shapes or dtypes are not the network's."""
    if type(given) is not dict or given.keys() != network.shapes.keys():
        count = len(given) if type(given) is dict else 0
        raise InvalidOutputs(
            f"the {count} arrays in the file are not named as {network.words}'s {len(network.shapes)} are; {HINT}"
        )
    for name, shape in network.shapes.items():
        array = given[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise InvalidOutputs(f"{name} does not hold floating point numbers; {HINT}")
        if array.shape != shape:
            raise InvalidOutputs(f"{name} has shape {array.shape}, {network.words}'s has {shape}")
        if not np.isfinite(array).all():
            raise InvalidOutputs(
                f"{name} holds numbers that are not finite: the training diverged, use a smaller lr"
            )
        if name.startswith("norm") and (array[3] < 0).any():
            raise InvalidOutputs(f"{name} has a running variance below zero; {HINT}")
    with np.errstate(over="ignore"):
        return {name: np.ascontiguousarray(given[name], np.float32) for name in network.shapes}


def _share(guesses: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(guesses == labels))


def _guesses(weights: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Return the class of each image; -1 where a score is no finite number."""
    with one_thread() as torch, torch.no_grad():
        tensors = {name: torch.from_numpy(array) for name, array in weights.items()}
        found = scores(torch, tensors, torch.from_numpy(np.ascontiguousarray(x))).numpy()
    finite = np.isfinite(found).all(axis=1)
    return np.where(finite, np.nan_to_num(found).argmax(axis=1), -1)


def scores(torch: ModuleType, t: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Run a CIFAR ResNet with padded shortcuts, as deep as its arrays say: (N, 3, H, W) to (N, M).

    Args:
        torch: the module.
        t: array name -> tensor.
        x: images, normalised.
    """
    f = torch.nn.functional

    def convolved(maps: Tensor, number: int, stride: int = 1) -> Tensor:
        gain, offset, mean, variance = t[f"norm{number}"]
        maps = f.conv2d(maps, t[f"conv{number}"], stride=stride, padding=1)
        return f.batch_norm(maps, mean, variance, gain, offset, eps=EPS)

    maps = f.relu(convolved(x, 1))
    for number in range(2, len(t) // 2, 2):
        filters, channels = t[f"conv{number}"].shape[:2]
        stride = 1 if filters == channels else 2
        added = convolved(f.relu(convolved(maps, number, stride)), number + 1)
        shortcut = f.pad(maps[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, filters - channels))
        maps = f.relu(added + shortcut)
    return f.linear(maps.mean((2, 3)), t["linear.weight"], t["linear.bias"])


SUMMARIES: dict[str, Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]] = {
    name: partial(judge, network) for name, network in NETWORKS.items()
}
