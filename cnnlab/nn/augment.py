"""Changes images a little before each step of training, so that no two passes see the same pixels."""

from __future__ import annotations

import numpy as np


def jitter(
    batch: np.ndarray,
    rng: np.random.Generator,
    shift: float = 3.0,
    degrees: float = 12.0,
    zoom: float = 0.1,
    empty: float = -1.0,
) -> np.ndarray:
    """Shift, turn and zoom each image by a little of its own, drawn evenly up to the given limits.

    Reads between the pixels, bilinearly. Returns a new array of the batch's shape and dtype.

    Args:
        batch: images, (N, C, H, W).
        rng: draws the changes.
        shift: pixels, up or down and left or right.
        degrees: of turning, either way.
        zoom: a share of the size, larger or smaller.
        empty: the value outside an image.
    """
    n, channels, height, width = batch.shape
    angle = np.deg2rad(rng.uniform(-degrees, degrees, (n, 1, 1)))
    scale = 1 + rng.uniform(-zoom, zoom, (n, 1, 1))
    down, across = rng.uniform(-shift, shift, (2, n, 1, 1))
    i = np.arange(height)[:, None] - (height - 1) / 2
    j = np.arange(width) - (width - 1) / 2
    # Where each pixel of the result comes from, in the image with an empty row above and column before: (N, H, W).
    rows = scale * (np.cos(angle) * i - np.sin(angle) * j) + down + (height + 1) / 2
    columns = scale * (np.sin(angle) * i + np.cos(angle) * j) + across + (width + 1) / 2
    rows, columns = rows.clip(0, height + 1), columns.clip(0, width + 1)
    top, left = rows.astype(np.intp), columns.astype(np.intp)
    dtype = batch.dtype
    below, right = ((a - b)[:, None].astype(dtype) for a, b in ((rows, top), (columns, left)))  # (N, 1, H, W)
    padded = np.pad(batch, ((0, 0), (0, 0), (1, 2), (1, 2)), constant_values=empty)
    flat = padded.reshape(n, channels, -1)
    place = (top * (width + 3) + left).reshape(n, 1, -1)

    def read(offset: int) -> np.ndarray:
        return np.take_along_axis(flat, place + offset, axis=2).reshape(batch.shape)

    upper = read(0) * (1 - right) + read(1) * right
    lower = read(width + 3) * (1 - right) + read(width + 4) * right
    return upper * (1 - below) + lower * below
