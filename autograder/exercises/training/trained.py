"""trained_network: weights that are handed in, judged by what the network says of faded, covered and noisy images."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from autograder.exercise import Exercise, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.common.shapes import hidden, trained
from autograder.exercises.rows import public, rows, secret
from cnnlab.checking.way import Way

FILE = Path(__file__).with_name("hard_shapes.safetensors")  # written by autograder.authoring.weights
STEP = 16  # of grey: noise in few levels makes the public Cases a small file
reference = partial(trained, FILE, seed=8)


def hardened(images: np.ndarray, rng: np.random.Generator, faded: float, bar: int, noise: float) -> np.ndarray:
    """Fade, cover and roughen images, one after the other; bytes in steps of grey.

    Args:
        faded: the least contrast that is left, of 1.
        bar: pixels that a grey bar over each is wide, at most; 0 for none.
        noise: its standard deviation, of 255.
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


PLAIN = partial(hardened, faded=0.8, bar=0, noise=3.0)
SLIGHT = partial(hardened, faded=0.5, bar=4, noise=8.0)
HARD = partial(hardened, faded=0.25, bar=6, noise=16.0)
# Per cent. The secret bars lie a little lower, so that nobody who passes the check fails by a hair.
LEARNED, GOOD, HARDER = (60.0, 55.0), (97.0, 95.0), (80.0, 76.0)

trained_network = Exercise(
    name="trained_network",
    returns=("weights",),
    reference=reference,
    points={"learned": 2, "plain": 3, "hard": 5},
    way=Way(file="hard_shapes.safetensors", summary="resnet20"),
    cases=rows(
        hidden,
        "learned",
        public("40 harder images", 40, LEARNED[0], HARD),
        secret("60 harder images", 60, LEARNED[1], HARD),
        "plain",
        public("80 plain images", 80, GOOD[0], PLAIN),
        secret("150 plain images", 150, GOOD[1], PLAIN),
        "hard",
        secret("100 images, a little harder", 100, HARDER[1], SLIGHT),
        public("120 harder images", 120, HARDER[0], HARD),
        secret("200 harder images", 200, HARDER[1], HARD),
    ),
    mistakes=mistakes(
        """
        not trained: The weights in the file are hardly better than chance: train the network, then return what
            arrays_by_name(network) gives.
        images from 0 to 1: Your network was trained on images from 0 to 1: hand fit the DeviceData as they come, they
            are normalised.
        labels one too high: Your network answers with the next class: the labels are 0 to 4, and score k stands for
            class k.
        """,
        reference,
    ),
    clues=(
        clue(
            "Three lines: recipe = Recipe(...), fit(network, train, validation, recipe), return arrays_by_name(network).",
            *("not trained", "images from 0 to 1"),
        ),
        "More epochs and batches of 50 help most. If training images are nearly all right and validation images are not, "
        'move and mirror them: shift=3, flip="random".',
        'Recipe(epochs=8, batch=50, lr=0.1, shift=3, flip="random", average=0.95) is enough.',
    ),
)
