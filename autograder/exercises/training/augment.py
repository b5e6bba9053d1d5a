"""random_crop_flip and cutout: images changed at random, judged by how the changes are spread."""

from __future__ import annotations

from typing import Literal

import numpy as np

from autograder.exercise import Case, Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import public, rows, secret, varied
from cnnlab.checking.way import Way

Mode = Literal["edge", "reflect", "wrap"]  # of np.pad


def pixels(*shape: int, dtype: str = "uint8") -> Random:
    """Whole numbers from 1 to 255, so that a 0 was put there."""
    return Random(lambda rng: rng.integers(1, 256, shape).astype(dtype))


def seed() -> Random:
    """A seed for the generator that the Answer is handed."""
    return Random(lambda rng: int(rng.integers(1 << 32)))


def moved(key: str, group: str, *shape: int, padding: int, dtype: str = "uint8") -> Case:
    return Case(key, group=group, images=pixels(*shape, dtype=dtype), padding=padding, rng=seed())


def pierced(key: str, group: str, *shape: int, size: int, dtype: str = "uint8") -> Case:
    return Case(key, group=group, images=pixels(*shape, dtype=dtype), size=size, rng=seed())


def crop_flip(images: np.ndarray, padding: int, rng: np.random.Generator) -> np.ndarray:
    """Go through the images one by one, and through their pixels."""
    views = np.zeros_like(images)
    _, _, height, width = images.shape
    for view, image in zip(views, images, strict=True):
        down, across = (int(rng.integers(-padding, padding + 1)) for _ in range(2))
        mirrored = rng.random() < 0.5
        for row, column in np.ndindex(height, width):
            r, c = row + down, (width - 1 - column if mirrored else column) + across
            if 0 <= r < height and 0 <= c < width:
                view[:, row, column] = image[:, r, c]
    return views


def cropping(images: np.ndarray, padding: int, rng: np.random.Generator, slip: str) -> np.ndarray:
    """The same for the whole batch, by slices, wrong in one way."""
    count, _, height, width = images.shape
    modes: dict[str, Mode] = {"edges repeated": "edge", "border mirrored": "reflect", "rolled round": "wrap"}
    around = (padding, padding)
    padded = np.pad(images, ((0, 0), (0, 0), around, around), mode=modes.get(slip, "constant"))
    low = padding if slip == "one way only" else 0
    high = 2 * padding + (0 if slip == "last place left out" else 1)
    draws = 1 if slip == "one draw for the batch" else count
    down, across = (np.resize(rng.integers(low, high, draws), count) for _ in range(2))
    coins = np.resize(rng.random(draws) < 0.5, count)
    if slip == "no coin for each image":
        coins[:] = coins[0]
    if slip == "same way down and across":
        across = down
    views = np.empty(images.shape, float if slip == "always floating point" else images.dtype)
    for n, (row, column) in enumerate(zip(down, across, strict=True)):
        view = padded[n, :, row : row + height, column : column + width]
        flipped = view[:, ::-1] if slip == "upside down" else view[..., ::-1]
        views[n] = flipped if coins[n] else view
    return padded if slip == "not cropped" else views


random_crop_flip = Exercise(
    name="random_crop_flip",
    returns=("views",),
    reference=crop_flip,
    points={"crop": 4, "flip": 2, "kinds": 2},
    way=Way(rng="rng", summary="crop_flip"),
    cases=rows(
        moved,
        "crop",
        public("600 grey images, padding 1", 600, 1, 5, 4, padding=1),
        secret("700 images, padding 1", 700, 1, 4, 6, padding=1),
        public("600 colour images, padding 2", 600, 3, 5, 6, padding=2),
        secret("800 images, padding 3", 800, 2, 7, 6, padding=3),
        "flip",
        public("500 images, padding 0", 500, 1, 3, 5, padding=0),
        secret("600 images without padding", 600, 2, 4, 5, padding=0),
        "kinds",
        public("600 floating point images, padding 1", 600, 1, 4, 4, padding=1, dtype="float64"),
        secret("700 floating point images, padding 2", 700, 2, 5, 5, padding=2, dtype="float32"),
    ),
    mistakes=mistakes(
        """
        one draw for the batch: You move and flip the whole batch alike: draw for each image, N numbers of each kind.
        last place left out: The last place is never drawn: rng.integers leaves its upper end out, and there are 2 *
            padding + 1 places.
        one way only: Your crops begin at `padding` or later, so images move one way only: draw from 0 to 2 * padding.
        same way down and across: Down and across move by the same number, so crops lie on a diagonal: draw two numbers
            for each image.
        no coin for each image: All images came out unflipped, or all flipped: toss a coin for each image.
        upside down: You turned images upside down: the last axis is the one that runs from left to right.
        edges repeated: You repeat the edge pixels: pad with zeros.
        border mirrored: You mirror the image at its border: pad with zeros.
        rolled round: What leaves on one side comes in on the other: pad with zeros and crop.
        not cropped: You return padded images: crop each to the size it had.
        always floating point: Your result is floating point whatever comes in: make it with the dtype of images, as
            np.empty_like does.
        """,
        cropping,
    ),
    varied=varied(
        moved,
        public("plain: 500 grey images of 4 x 4, padding 0", 500, 1, 4, 4, padding=0),
        {
            "padding": {"padding": 1},
            "channels": public("", 500, 3, 4, 4, padding=0),
            "image that is not square": public("", 500, 1, 4, 6, padding=0),
            "floating point": {"dtype": "float64"},
        },
    ),
    clues=(
        clue(
            "Pad all images at once with np.pad; only rows and columns get zeros, not images and channels.",
            *("edges repeated", "border mirrored", "rolled round"),
            arguments=("padding", "channels"),
        ),
        clue(
            "rng.integers(0, 2 * padding + 1, N) draws a first row for each image; draw the columns apart, and coins "
            "with rng.random(N) < 0.5.",
            *("one draw for the batch", "last place left out", "one way only", "same way down and across"),
            "no coin for each image",
            arguments=("padding",),
        ),
        clue(
            "In a loop over n: view = padded[n, :, row : row + H, column : column + W], and view[:, :, ::-1] is its "
            "mirror.",
            *("upside down", "not cropped"),
            arguments=("channels", "image that is not square"),
        ),
    ),
)


def pierce(images: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Go through every pixel and ask whether it lies in the hole."""
    cut = images.copy()
    _, _, height, width = images.shape
    for image in cut:
        row, column = int(rng.integers(height)), int(rng.integers(width))
        for r, c in np.ndindex(height, width):
            if 0 <= r - (row - size // 2) < size and 0 <= c - (column - size // 2) < size:
                image[:, r, c] = 0
    return cut


def piercing(images: np.ndarray, size: int, rng: np.random.Generator, slip: str) -> np.ndarray:
    """The same by slices, wrong in one way."""
    count, channels, height, width = images.shape
    cut = images.astype(float) if slip == "always floating point" else images.copy()
    draws = {"one hole for the batch": 1, "a hole for each channel": count * channels}.get(slip, count)
    half = size // 2
    rows = rng.integers(half, height - size + half + 1, draws)
    columns = rng.integers(half, width - size + half + 1, draws)
    if slip != "never cut off":
        rows, columns = rng.integers(0, height, draws), rng.integers(0, width, draws)
    if slip == "same middle down and across":
        columns = np.minimum(rows, width - 1)
    if slip == "one hole for the batch":
        rows, columns = np.resize(rows, count), np.resize(columns, count)
    before = {"corner drawn": 0, "size as a radius": size}.get(slip, half)
    after = {"corner drawn": size, "size as a radius": size, "odd sizes one short": half}.get(slip, size - half)
    for k, (row, column) in enumerate(zip(rows, columns, strict=True)):
        top, left = row - before, column - before
        if slip != "negative start":
            top, left = max(top, 0), max(left, 0)
        where = slice(top, row + after), slice(left, column + after)
        if slip == "a hole for each channel":
            cut[(k // channels, k % channels, *where)] = 0
        elif slip == "stripes":
            cut[k, :, where[0]] = 0
        else:
            filled = max(int(images[k].mean()), 1) if slip == "filled with the mean" else 0
            cut[(k, slice(None), *where)] = filled
    return cut


cutout = Exercise(
    name="cutout",
    returns=("cut",),
    reference=pierce,
    points={"hole": 3, "border": 2, "kinds": 1},
    way=Way(rng="rng", summary="cutout"),
    cases=rows(
        pierced,
        "hole",
        public("600 images, a hole of 3 pixels", 600, 2, 7, 6, size=3),
        secret("700 images, a hole of 3", 700, 2, 8, 7, size=3),
        "border",
        secret("700 images, a hole of 5", 700, 2, 9, 8, size=5),
        public("600 images, a hole of 4 pixels", 600, 3, 8, 7, size=4),
        secret("600 images, a hole of 4", 600, 2, 6, 9, size=4),
        "kinds",
        public("600 floating point images", 600, 1, 6, 6, size=3, dtype="float64"),
        secret("700 floating point images", 700, 2, 7, 5, size=3, dtype="float32"),
    ),
    mistakes=mistakes(
        """
        one hole for the batch: All images have their hole at the same place: draw a middle for each image.
        never cut off: Your holes always lie whole inside the image: draw the middle from all pixels, and let the border
            cut the hole off.
        corner drawn: You draw the first corner of the hole: draw its middle, and begin size // 2 before it.
        negative start: Near the first rows or columns your hole is missing: a negative start of a slice counts from the
            end, so take max(start, 0).
        odd sizes one short: For odd sizes your hole is one pixel short: it ends size pixels after its beginning, not
            size // 2 after its middle.
        size as a radius: Your hole is twice as wide: size is its side, so begin size // 2 before the middle.
        a hole for each channel: Your channels have holes at different places: all channels of an image share one hole.
        same middle down and across: Row and column of the middle are the same number: draw two numbers for each image.
        stripes: You cut whole rows: give the slice of columns as well.
        filled with the mean: You fill the hole with something else, such as the image's mean: put 0.
        always floating point: Your result is floating point whatever comes in: begin with images.copy().
        """,
        piercing,
    ),
    varied=varied(
        pierced,
        public("plain: 400 grey images of 6 x 6, a hole of 3 pixels", 400, 1, 6, 6, size=3),
        {
            "size": {"size": 4},
            "channels": public("", 400, 3, 6, 6, size=3),
            "image that is not square": public("", 400, 1, 6, 8, size=3),
            "floating point": {"dtype": "float64"},
        },
    ),
    clues=(
        clue(
            "Begin with images.copy(), draw N rows from 0 to H - 1 and N columns from 0 to W - 1, and loop over the "
            "images.",
            *("one hole for the batch", "never cut off", "a hole for each channel", "same middle down and across"),
            "always floating point",
            arguments=("floating point", "image that is not square"),
        ),
        clue(
            "The hole begins at row - size // 2 and ends before row - size // 2 + size. A slice may end beyond the "
            "image, but a negative start means something else.",
            *("corner drawn", "negative start", "odd sizes one short", "size as a radius"),
            arguments=("size",),
        ),
        clue(
            "top = row - size // 2; cut[n, :, max(top, 0) : top + size, max(left, 0) : left + size] = 0",
            *("corner drawn", "negative start", "odd sizes one short", "size as a radius", "a hole for each channel"),
            *("stripes", "filled with the mean"),
            arguments=("size", "channels"),
        ),
    ),
)
