"""trained_resnet: weights that are handed in, judged by what the network says of images that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Mistake, Random
from autograder.exercises.rows import group, public, secret
from cnnlab import data
from cnnlab.checking.summaries.networks import SHAPES_MEAN, SHAPES_STD
from cnnlab.checking.way import Way

FILE = Path(__file__).with_name("resnet20.safetensors")  # written by autograder.authoring.weights
CLASSES = len(data.SHAPE_NAMES)
Weights = dict[str, np.ndarray]


def reference() -> Weights:
    """Weights that the solved lesson's own training made."""
    from safetensors.numpy import load_file

    return load_file(FILE)


def changed(**changes: Callable[[Weights], np.ndarray]) -> Callable[[], Weights]:
    """Return a function that returns the reference's weights with some arrays exchanged; _ stands for a point."""

    def wrong() -> Weights:
        weights = reference()
        exchanged = {
            name.replace("_", "."): np.ascontiguousarray(change(weights), np.float32)
            for name, change in changes.items()
        }
        return weights | exchanged

    return wrong


def as_drawn() -> Weights:
    """He's weights before any training, batch normalisation as it starts."""
    rng = np.random.default_rng(5)
    weights = {}
    for name, array in sorted(reference().items()):
        if name.startswith("norm"):
            weights[name] = np.repeat(np.array([1, 0, 0, 1], np.float32)[:, None], array.shape[1], axis=1)
        else:
            spread = np.sqrt(2 / max(1, array[0].size))
            weights[name] = (spread * rng.standard_normal(array.shape)).astype(np.float32)
    return weights


def unscaled(weights: Weights) -> np.ndarray:
    """Weights of the first convolution for images from 0 to 1 that do what the reference's do for normalised ones."""
    return weights["conv1"] / np.array(SHAPES_STD)[:, None, None]


def unshifted(weights: Weights) -> np.ndarray:
    """The first normalisation for them: what the mean of the images adds to each map is part of the running mean."""
    gain, offset, mean, variance = weights["norm1"]
    added = (unscaled(weights) * np.array(SHAPES_MEAN)[:, None, None]).sum((1, 2, 3))
    return np.stack([gain, offset, mean + added, variance])


def fresh(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draw one image of each of these classes: (N, 3, 32, 32) uint8."""
    pool, classes = data.shape_images(4 * len(labels) + 40, seed=seed)
    places = {label: np.flatnonzero(classes == label) for label in range(CLASSES)}
    turn = [int(np.sum(labels[:i] == label)) for i, label in enumerate(labels)]
    return pool[[places[int(label)][t] for label, t in zip(labels, turn, strict=True)]]


def moved(images: np.ndarray, rng: np.random.Generator, *, shift: int, contrast: float, noise: float) -> np.ndarray:
    """Shift each image by a little of its own, change its contrast, and add noise; bytes again.

    shift: pixels, at most, to any side, the border repeated; contrast: a share, at most; noise: its standard deviation, of
    255.
    """
    out = np.empty(images.shape)
    padded = np.pad(images, ((0, 0), (0, 0), (shift, shift), (shift, shift)), mode="edge").astype(float)
    height, width = images.shape[2:]
    for n, image in enumerate(padded):
        down, across = rng.integers(0, 2 * shift + 1, 2)
        cut = image[:, down : down + height, across : across + width]
        out[n] = cut.mean() + (cut - cut.mean()) * rng.uniform(1 - contrast, 1 + contrast)
    return np.rint(out + noise * rng.standard_normal(out.shape)).clip(0, 255).astype(np.uint8)


def hidden(count: int, *, at_least: float, **how: Any) -> dict[str, Any]:
    """The inputs of a Case: new images, all classes alike often, moved where `how` says so, and what to reach."""
    labels = np.arange(count) % CLASSES

    def draw(rng: np.random.Generator) -> np.ndarray:
        images = fresh(labels, int(rng.integers(1 << 40, 1 << 41)))  # no seed that anybody trains with
        return moved(images, rng, **how) if how else images

    return {"images": Random(draw), "labels": labels, "at_least": at_least}


SLIGHT: dict[str, Any] = {"shift": 1, "contrast": 0.1, "noise": 2.0}
STRONG: dict[str, Any] = {"shift": 3, "contrast": 0.25, "noise": 8.0}
# Per cent. The secret bars lie a little lower, so that nobody who passes the check fails by a hair.
LEARNED, GOOD, ROBUST = (80.0, 75.0), (96.0, 94.0), (90.0, 87.0)

trained_resnet = Exercise(
    name="trained_resnet",
    returns=("weights",),
    reference=reference,
    points={"learned": 4, "good": 3, "robust": 3},
    way=Way(file="resnet20.safetensors", summary="resnet20"),
    cases=[
        *group(
            "learned",
            public("40 new images", **hidden(40, at_least=LEARNED[0])),
            secret("60 images", **hidden(60, at_least=LEARNED[1])),
        ),
        *group(
            "good",
            public("75 new images", **hidden(75, at_least=GOOD[0])),
            secret("200 images", **hidden(200, at_least=GOOD[1])),
        ),
        *group(
            "robust",
            public("50 new images, moved a little", **hidden(50, at_least=ROBUST[0], **STRONG)),
            secret("160 images, moved slightly", **hidden(160, at_least=ROBUST[1], **SLIGHT)),
            secret("150 images, moved more", **hidden(150, at_least=ROBUST[1], **STRONG)),
        ),
    ],
    mistakes=[
        Mistake(
            "not trained",
            "The weights in the file are hardly better than chance: train first, then save what arrays_by_name returns.",
            as_drawn,
        ),
        Mistake(
            "images from 0 to 1",
            "Your network was trained on images from 0 to 1: give fit the images as they are, it makes their mean 0 and "
            "their spread 1.",
            changed(conv1=unscaled, norm1=unshifted),
        ),
        Mistake(
            "images from 0 to 255",
            "Your network was trained on images from 0 to 255: give fit the bytes as they are, it makes their mean 0 and "
            "their spread 1.",
            changed(conv1=lambda weights: unscaled(weights) / 255, norm1=unshifted),
        ),
        Mistake(
            "labels one too high",
            "Your network answers with the next class: the labels are 0 to 4, and score m stands for class m.",
            changed(
                linear_weight=lambda weights: np.roll(weights["linear.weight"], 1, axis=0),
                linear_bias=lambda weights: np.roll(weights["linear.bias"], 1),
            ),
        ),
    ],
    clues=(
        "Four lines: draw the seed with torch.manual_seed, make a network with make_resnet(20, classes=5), train it with "
        "fit, return arrays_by_name(network).",
        "fit(network, (images, labels), recipe=Recipe(...)); images are bytes, as they come.",
        'Recipe(epochs=8, batch=50, lr=0.05, shift=2, flip="random") is right for nearly all new images after 2,000 of '
        "them.",
    ),
)
