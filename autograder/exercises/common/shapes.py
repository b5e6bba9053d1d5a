"""Networks trained on drawn shapes: their weights, right and wrong, and images that they have not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from autograder.exercise import Case, Random
from cnnlab import data
from cnnlab.checking.summaries.networks import SHAPES_MEAN, SHAPES_STD

CLASSES = len(data.SHAPE_NAMES)
Weights = dict[str, np.ndarray]
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def trained(file: Path, seed: int, slip: str = "") -> Weights:
    """Return the weights that the solved lesson's own training made.

    Args:
        file: the file of the weights, which `autograder.authoring.weights` wrote.
        seed: the seed of the weights that were never trained.
        slip: the name of the Mistake to make, which exchanges some arrays.
    """
    from safetensors.numpy import load_file  # a grader with cached answers does not need it

    weights = load_file(file)
    if slip == "not trained":
        return as_drawn(weights, np.random.default_rng(seed))
    if slip.startswith("images from 0 to"):
        largest = 255 if slip == "images from 0 to 255" else 1
        changes = {"conv1": unscaled(weights) / largest, "norm1": unshifted(weights)}
    elif slip == "labels one too high":
        changes = {name: np.roll(weights[name], 1, axis=0) for name in ("linear.weight", "linear.bias")}
    else:
        return weights
    return weights | {name: np.ascontiguousarray(array, np.float32) for name, array in changes.items()}


def as_drawn(weights: Weights, rng: np.random.Generator) -> Weights:
    """Draw untrained weights by He's rule, with batch normalisation at torch's initial values."""
    drawn = {}
    for name, array in sorted(weights.items()):
        if name.startswith("norm"):
            drawn[name] = np.repeat(np.array([1, 0, 0, 1], np.float32)[:, None], array.shape[1], axis=1)
        else:
            drawn[name] = (np.sqrt(2 / array[0].size) * rng.standard_normal(array.shape)).astype(np.float32)
    return drawn


def unscaled(weights: Weights) -> np.ndarray:
    """Return conv1 for images from 0 to 1, with the division by the standard deviations moved into its weights."""
    return weights["conv1"] / np.array(SHAPES_STD)[:, None, None]


def unshifted(weights: Weights) -> np.ndarray:
    """Return norm1 to follow `unscaled`, with the images' mean moved into the running mean of each feature map."""
    gain, offset, mean, variance = weights["norm1"]
    added = (unscaled(weights) * np.array(SHAPES_MEAN)[:, None, None]).sum((1, 2, 3))
    return np.stack([gain, offset, mean + added, variance])


def fresh(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw one image for each label: (N, 3, 32, 32) uint8."""
    pool, classes = data.shape_images(4 * len(labels) + 40, seed=seed)
    places = {label: np.flatnonzero(classes == label) for label in range(CLASSES)}
    turn = [int(np.sum(labels[:i] == label)) for i, label in enumerate(labels)]
    return pool[[places[int(label)][t] for label, t in zip(labels, turn, strict=True)]]


def hidden(key: str, group: str, count: int, at_least: float, change: Change | None = None) -> Case:
    """Return a Case of new images.

    Args:
        key, group: the Case's name and its group of points.
        count: the number of images; all classes are equally frequent.
        at_least: the per cent of images that the network must get right.
        change: is applied to the images.
    """
    labels = np.arange(count) % CLASSES

    def draw(rng: np.random.Generator) -> np.ndarray:
        images = fresh(labels, int(rng.integers(1 << 40, 1 << 41)))  # seeds so large that nobody trains with them
        return change(images, rng) if change else images

    return Case(key, group=group, images=Random(draw), labels=labels, at_least=at_least)
