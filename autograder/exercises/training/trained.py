"""trained_network: weights that are handed in, judged by what the network says of faded, covered and noisy images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from autograder.exercise import Exercise, Mistake, Random
from autograder.exercises.resnet.trained import fresh, unscaled, unshifted
from autograder.exercises.rows import group, public, secret
from cnnlab import data
from cnnlab.checking.way import Way

FILE = Path(__file__).with_name("hard_shapes.safetensors")  # written by autograder.authoring.weights
CLASSES = len(data.SHAPE_NAMES)
STEP = 16  # of grey: noise in few levels makes the public Cases a small file
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
    """Weights before any training: convolutions drawn, batch normalisation as torch begins."""
    rng = np.random.default_rng(8)
    weights = {}
    for name, array in reference().items():
        if name.startswith("norm"):
            weights[name] = np.stack([np.full(array.shape[1], value, np.float32) for value in (1, 0, 0, 1)])
        else:
            weights[name] = (rng.standard_normal(array.shape) * np.sqrt(2 / array[0].size)).astype(np.float32)
    return weights


def hardened(images: np.ndarray, rng: np.random.Generator, faded: float, bar: int, noise: float) -> np.ndarray:
    """Fade, cover and roughen images, one after the other; bytes in steps of grey.

    faded: the least contrast that is left, of 1; bar: pixels that a grey bar over each is wide, at most, 0 for none; noise:
    its standard deviation, of 255.
    """
    out = np.empty(images.shape)
    size = images.shape[2]
    for result, image in zip(out, images, strict=True):
        mean = image.mean()
        result[:] = mean + rng.uniform(faded, 0.9) * (image - mean)
        if bar:
            view = result if rng.random() < 0.5 else result.transpose(0, 2, 1)
            first = int(rng.integers(4, size - 8))
            view[:, first : first + int(rng.integers(3, bar + 1))] = rng.uniform(0, 255)
        result += rng.normal(0, noise, result.shape)
    return (STEP * np.rint(out / STEP)).clip(0, 255).astype(np.uint8)


def hidden(count: int, *, at_least: float, **how: Any) -> dict[str, Any]:
    """The inputs of a Case: new images, all classes alike often, changed as `how` says, and what to reach."""
    labels = np.arange(count) % CLASSES

    def draw(rng: np.random.Generator) -> np.ndarray:
        # No seed that anybody trains with.
        return hardened(fresh(labels, int(rng.integers(1 << 40, 1 << 41))), rng, **how)

    return {"images": Random(draw), "labels": labels, "at_least": at_least}


PLAIN: dict[str, Any] = {"faded": 0.8, "bar": 0, "noise": 3.0}
SLIGHT: dict[str, Any] = {"faded": 0.5, "bar": 4, "noise": 8.0}
HARD: dict[str, Any] = {"faded": 0.25, "bar": 6, "noise": 16.0}
# Per cent. The secret bars lie a little lower, so that nobody who passes the check fails by a hair.
LEARNED, GOOD, HARDER = (60.0, 55.0), (97.0, 95.0), (80.0, 76.0)

trained_network = Exercise(
    name="trained_network",
    returns=("weights",),
    reference=reference,
    points={"learned": 2, "plain": 3, "hard": 5},
    way=Way(file="hard_shapes.safetensors", summary="resnet20"),
    cases=[
        *group(
            "learned",
            public("40 harder images", **hidden(40, at_least=LEARNED[0], **HARD)),
            secret("60 harder images", **hidden(60, at_least=LEARNED[1], **HARD)),
        ),
        *group(
            "plain",
            public("80 plain images", **hidden(80, at_least=GOOD[0], **PLAIN)),
            secret("150 plain images", **hidden(150, at_least=GOOD[1], **PLAIN)),
        ),
        *group(
            "hard",
            secret("100 images, a little harder", **hidden(100, at_least=HARDER[1], **SLIGHT)),
            public("120 harder images", **hidden(120, at_least=HARDER[0], **HARD)),
            secret("200 harder images", **hidden(200, at_least=HARDER[1], **HARD)),
        ),
    ],
    mistakes=[
        Mistake(
            "not trained",
            "The weights in the file are hardly better than chance: train the network, then return what "
            "arrays_by_name(network) gives.",
            as_drawn,
        ),
        Mistake(
            "images from 0 to 1",
            "Your network was trained on images from 0 to 1: hand fit the DeviceData as they come, they are normalised.",
            changed(conv1=unscaled, norm1=unshifted),
        ),
        Mistake(
            "labels one too high",
            "Your network answers with the next class: the labels are 0 to 4, and score k stands for class k.",
            changed(
                linear_weight=lambda weights: np.roll(weights["linear.weight"], 1, axis=0),
                linear_bias=lambda weights: np.roll(weights["linear.bias"], 1),
            ),
        ),
    ],
    clues=(
        "Three lines: recipe = Recipe(...), fit(network, train, validation, recipe), return arrays_by_name(network).",
        "More epochs and batches of 50 help most. If training images are nearly all right and validation images are not, "
        'move and mirror them: shift=3, flip="random".',
        'Recipe(epochs=8, batch=50, lr=0.1, shift=3, flip="random", average=0.95) is enough.',
    ),
)
