"""Summaries of trained weights of NumPy networks: how well a network with them classifies."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from cnnlab.checking.errors import InvalidOutputs
from cnnlab.checking.summaries import accuracy
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

# What `cnnlab.nn.lenet5` returns as its state: a name and a shape for each array.
LENET = {
    "conv1.w": (6, 1, 5, 5),
    "conv1.b": (6,),
    "conv2.w": (16, 6, 5, 5),
    "conv2.b": (16,),
    "linear1.W": (400, 120),
    "linear1.b": (120,),
    "linear2.W": (120, 84),
    "linear2.b": (84,),
    "linear3.W": (84, 10),
    "linear3.b": (10,),
}
GUESSING = 0.25  # an accuracy below it, of ten classes, shows no learning
MIDDLE_GREY = (
    127.5  # half of 255, the largest value of a pixel: divided by it less 1, pixels run from -1 to 1
)
CLASSES = 10  # digits


def lenet(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say whether LeNet-5 with these weights is right often enough, and if not, what it may have learned instead.

    The images are given to the network from -1 to 1, as `cnnlab.nn.lenet_images` makes them. Scores that are no finite
    numbers count as wrong.

    Args:
        inputs: images (N, 32, 32) uint8, 255 is ink; labels (N,); at_least, the per cent that must be right.
        outputs: weights.

    Raises:
        InvalidOutputs: where the weights are not LeNet-5's.
    """
    weights = _weights(outputs["weights"])
    x = inputs["images"].astype(np.float64)[:, None] / MIDDLE_GREY - 1
    labels, bar = inputs["labels"], float(inputs["at_least"])
    right = _accuracy(weights, x, labels)
    if accuracy.reaches(right, bar):
        return {"accuracy": accuracy.at_least(bar)}
    others = {
        "right for paper and ink exchanged": _accuracy(weights, -x, labels),
        "right for images from 0 to 1": _accuracy(weights, (x + 1) / 2, labels),
        "one class too high": _accuracy(weights, x, (labels + 1) % CLASSES),
        "one class too low": _accuracy(weights, x, (labels - 1) % CLASSES),
    }
    return {"accuracy": accuracy.below(bar, right, others, guessing=GUESSING)}


def _weights(given: Value) -> dict[str, np.ndarray]:
    """Return the weights as float64; raise InvalidOutputs where names, shapes or dtypes are not LeNet-5's."""
    if type(given) is not dict or given.keys() != LENET.keys():
        count = len(given) if type(given) is dict else 0
        raise InvalidOutputs(
            f"the {count} arrays in the file are not named as LeNet-5's {len(LENET)} are; save network.state()"
        )
    for name, shape in LENET.items():
        array = given[name]
        if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
            raise InvalidOutputs(f"{name} does not hold floating point numbers; save network.state()")
        if array.shape != shape:
            raise InvalidOutputs(f"{name} has shape {array.shape}, LeNet-5's has {shape}")
        if not np.isfinite(array).all():
            raise InvalidOutputs(
                f"{name} holds numbers that are not finite: the training diverged, use a smaller lr"
            )
    return {name: given[name].astype(np.float64) for name in LENET}


def _accuracy(weights: dict[str, np.ndarray], x: np.ndarray, labels: np.ndarray) -> float:
    scores = _scores(weights, x)
    finite = np.isfinite(scores).all(axis=1)
    guesses = np.where(finite, np.nan_to_num(scores).argmax(axis=1), -1)
    return float(np.mean(guesses == labels))


def _scores(weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Run LeNet-5, by torch: (N, 1, 32, 32) to (N, 10)."""
    with one_thread() as torch, torch.no_grad():
        f = torch.nn.functional
        t = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in weights.items()}
        maps = torch.from_numpy(np.ascontiguousarray(x))
        for layer in ("conv1", "conv2"):
            maps = f.max_pool2d(f.relu(f.conv2d(maps, t[f"{layer}.w"], t[f"{layer}.b"])), 2)
        values = maps.flatten(1)
        for layer in ("linear1", "linear2"):
            values = f.relu(values @ t[f"{layer}.W"] + t[f"{layer}.b"])
        return (values @ t["linear3.W"] + t["linear3.b"]).numpy()


SUMMARIES: dict[str, Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]] = {
    "lenet": lenet
}
