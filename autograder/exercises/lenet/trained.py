"""trained_lenet: weights that are handed in, judged by what the network says of digits that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret
from cnnlab import data
from cnnlab.checking.way import Way
from cnnlab.checking.wire import Value

FILE = Path(__file__).with_name("lenet.safetensors")  # written by autograder.authoring.weights
FIRST = 1400  # of the bundled digits are for training, the others held out
LEVELS = 17  # of ink, above 0: about as many as the scans have, so that the public Cases are a small file
Weights = dict[str, np.ndarray]


def reference() -> Weights:
    """Return the weights that the solved lesson's own training made."""
    from safetensors.numpy import load_file

    return load_file(FILE)


def changed(**changes: Callable[[Weights], np.ndarray]) -> Callable[[], Weights]:
    """Return a function that returns the reference's weights with some arrays exchanged."""

    def wrong() -> Weights:
        weights = reference()
        exchanged = {name.replace("_", "."): np.ascontiguousarray(change(weights)) for name, change in changes.items()}
        return weights | exchanged

    return wrong


def as_drawn() -> Weights:
    """Return He's weights before any training."""
    rng = np.random.default_rng(5)
    weights = {}
    for name, array in sorted(reference().items()):
        reads = array[0].size if array.ndim == 4 else len(array)
        spread = 0.0 if array.ndim == 1 else np.sqrt(2 / reads)
        weights[name] = (spread * rng.standard_normal(array.shape)).astype(np.float32)
    return weights


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Return the held-out digits as LeNet-5 gets them, in grey: (397, 32, 32) in [0, 1], and their labels."""
    images, labels = data.digits()
    return images[FIRST:].repeat(4, axis=1).repeat(4, axis=2), labels[FIRST:]


def grey(images: np.ndarray) -> np.ndarray:
    """Return images in [0, 1] as grey, 0 to 255, in few levels."""
    return (255 // LEVELS * np.rint(LEVELS * images.clip(0, 1))).astype(np.uint8)


def moved(
    images: np.ndarray, rng: np.random.Generator, shift: float, degrees: float, zoom: float, noise: float
) -> np.ndarray:
    """Shift, turn and zoom each image by a little of its own, read between the pixels, and add noise.

    Args:
        images: (N, 32, 32) in [0, 1].
        rng: draws how each image is moved.
        shift: pixels at most, in each direction.
        degrees: at most, to either side.
        zoom: part by which an image grows or shrinks at most.
        noise: standard deviation, where an image runs from 0 to 1.
    """
    size = images.shape[1]
    out = np.empty(images.shape)
    place = np.arange(size) - (size - 1) / 2
    for n, image in enumerate(images):
        angle, scale = np.deg2rad(rng.uniform(-degrees, degrees)), 1 + rng.uniform(-zoom, zoom)
        down, across = rng.uniform(-shift, shift, 2)
        rows, columns = place[:, None] - down, place[None, :] - across
        r = (np.cos(angle) * rows + np.sin(angle) * columns) / scale + (size - 1) / 2
        c = (np.cos(angle) * columns - np.sin(angle) * rows) / scale + (size - 1) / 2
        out[n] = between(image, r, c)
    return out + noise * rng.standard_normal(out.shape)


def between(image: np.ndarray, r: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Read an image between its pixels; outside it is empty."""
    size = len(image)
    top, left = np.floor(r).astype(int), np.floor(c).astype(int)
    total = np.zeros(r.shape)
    for i, j in np.ndindex(2, 2):
        row, column = top + i, left + j
        share = (1 - np.abs(r - row)) * (1 - np.abs(c - column))
        inside = (row >= 0) & (row < size) & (column >= 0) & (column < size)
        total += np.where(inside, share * image[row.clip(0, size - 1), column.clip(0, size - 1)], 0)
    return total


def hidden(count: int, *, at_least: float, **how: float) -> dict[str, Value]:
    """Return the inputs of a Case.

    Args:
        count: how many of the held-out digits, from the first on.
        at_least: per cent that must be right.
        how: how the digits are moved, as `moved` takes it; not at all by default.
    """
    images, labels = (array[:count] for array in held_out())
    return {
        "images": Random(lambda rng: grey(moved(images, rng, **how))) if how else grey(images),
        "labels": labels,
        "at_least": at_least,
    }


FINE = {"shift": 0.2, "degrees": 0.5, "zoom": 0.005, "noise": 0.02}  # no two courses ask the same pixels
SLIGHT = {"shift": 1.0, "degrees": 5.0, "zoom": 0.05, "noise": 0.03}
STRONG = {"shift": 2.5, "degrees": 10.0, "zoom": 0.1, "noise": 0.05}
# Per cent. The secret bars lie a little lower, so that nobody who passes the check fails by a hair.
LEARNED, GOOD, ROBUST = (90.0, 88.0), (97.0, 96.0), (93.0, 92.0)

trained_lenet = Exercise(
    name="trained_lenet",
    returns=("weights",),
    reference=reference,
    points={"learned": 4, "good": 4, "robust": 4},
    way=Way(file="lenet.safetensors", summary="lenet"),
    cases=rows(
        plain_case,
        "learned",
        public("200 held-out digits", **hidden(200, at_least=LEARNED[0])),
        secret("250 held-out digits", **hidden(250, at_least=LEARNED[1], **FINE)),
        "good",
        public("all 397 held-out digits", **hidden(397, at_least=GOOD[0])),
        secret("the held-out digits", **hidden(396, at_least=GOOD[1], **FINE)),
        "robust",
        public("240 held-out digits, moved a little", **hidden(240, at_least=ROBUST[0], **STRONG)),
        secret("held-out digits, moved slightly", **hidden(350, at_least=ROBUST[1], **SLIGHT)),
        secret("held-out digits, moved more", **hidden(360, at_least=ROBUST[1], **STRONG)),
    ),
    mistakes=mistakes(
        """
        not trained: The weights in the file are hardly better than chance: train first, then save what network.state()
            returns.
        ink and paper exchanged: Your network knows dark digits on light paper: give it the images of nn.lenet_images,
            where ink is 1 and paper -1, as they are.
        images from 0 to 1: Your network was trained on images from 0 to 1: give it those of nn.lenet_images, from -1 to
            1.
        labels one too high: Your network answers with the next digit: the labels are 0 to 9, and class m stands for the
            digit m.
        """,
        {
            "not trained": as_drawn,
            "ink and paper exchanged": changed(conv1_w=lambda weights: -weights["conv1.w"]),
            # w * (2v - 1) + b: what the reference says of an image v from 0 to 1 that was scaled first.
            "images from 0 to 1": changed(
                conv1_w=lambda weights: 2 * weights["conv1.w"],
                conv1_b=lambda weights: weights["conv1.b"] - weights["conv1.w"].sum(axis=(1, 2, 3)),
            ),
            "labels one too high": changed(
                linear3_W=lambda weights: np.roll(weights["linear3.W"], 1, axis=1),
                linear3_b=lambda weights: np.roll(weights["linear3.b"], 1),
            ),
        },
    ),
    clues=(
        clue(
            "Three lines: make a network with nn.lenet5(rng), train it with nn.fit, return network.state().",
            "not trained",
        ),
        "If the digits that it has seen are nearly all right and the held-out ones are not, it needs more variety: "
        "augment=nn.jitter moves every digit a little each time.",
        "Few images ask for small steps and much decay: epochs=40, batch=32, lr=0.03, weight_decay=5e-3 with "
        "augment=nn.jitter is right for about 98 % of the held-out digits.",
    ),
)
