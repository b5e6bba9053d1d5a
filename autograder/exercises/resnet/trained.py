"""trained_resnet: weights that are handed in, judged by what the network says of images that it has not seen."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.shapes import hidden, trained
from autograder.exercises.rows import public, rows, secret
from cnnlab.checking.way import Way

FILE = Path(__file__).with_name("resnet20.safetensors")  # written by autograder.authoring.weights
reference = partial(trained, FILE, seed=5)


def moved(images: np.ndarray, rng: np.random.Generator, *, shift: int, contrast: float, noise: float) -> np.ndarray:
    """Shift each image by a little of its own, change its contrast, and add noise; bytes again.

    Args:
        shift: pixels, at most, to any side, the border repeated.
        contrast: a share, at most.
        noise: its standard deviation, of 255.
    """
    out = np.empty(images.shape)
    padded = np.pad(images, ((0, 0), (0, 0), (shift, shift), (shift, shift)), mode="edge").astype(float)
    height, width = images.shape[2:]
    for n, image in enumerate(padded):
        down, across = rng.integers(0, 2 * shift + 1, 2)
        cut = image[:, down : down + height, across : across + width]
        out[n] = cut.mean() + (cut - cut.mean()) * rng.uniform(1 - contrast, 1 + contrast)
    return np.rint(out + noise * rng.standard_normal(out.shape)).clip(0, 255).astype(np.uint8)


SLIGHT = partial(moved, shift=1, contrast=0.1, noise=2.0)
STRONG = partial(moved, shift=3, contrast=0.25, noise=8.0)
# Per cent. The secret bars lie a little lower, so that nobody who passes the check fails by a hair.
LEARNED, GOOD, ROBUST = (80.0, 75.0), (96.0, 94.0), (90.0, 87.0)

trained_resnet = Exercise(
    name="trained_resnet",
    returns=("weights",),
    reference=reference,
    points={"learned": 4, "good": 3, "robust": 3},
    way=Way(file="resnet20.safetensors", summary="resnet20"),
    cases=rows(
        hidden,
        "learned",
        public("40 new images", 40, LEARNED[0]),
        secret("60 images", 60, LEARNED[1]),
        "good",
        public("75 new images", 75, GOOD[0]),
        secret("200 images", 200, GOOD[1]),
        "robust",
        public("50 new images, moved a little", 50, ROBUST[0], STRONG),
        secret("160 images, moved slightly", 160, ROBUST[1], SLIGHT),
        secret("150 images, moved more", 150, ROBUST[1], STRONG),
    ),
    mistakes=mistakes(
        """
        not trained: The weights in the file are hardly better than chance: train first, then save what arrays_by_name
            returns.
        images from 0 to 1: Your network was trained on images from 0 to 1: give fit the images as they are, it makes
            their mean 0 and their spread 1.
        images from 0 to 255: Your network was trained on images from 0 to 255: give fit the bytes as they are, it makes
            their mean 0 and their spread 1.
        labels one too high: Your network answers with the next class: the labels are 0 to 4, and score m stands for
            class m.
        """,
        reference,
    ),
    clues=(
        clue(
            "Four lines: draw the seed with torch.manual_seed, make a network with make_resnet(20, classes=5), train it "
            "with fit, return arrays_by_name(network).",
            "not trained",
        ),
        clue(
            "fit(network, (images, labels), recipe=Recipe(...)); images are bytes, as they come.",
            *("not trained", "images from 0 to 1", "images from 0 to 255"),
        ),
        'Recipe(epochs=8, batch=50, lr=0.05, shift=2, flip="random") is right for nearly all new images after 2,000 of '
        "them.",
    ),
)
