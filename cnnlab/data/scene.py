"""An image and the objects in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)  # arrays have no single answer to ==
class Scene:
    """An image, with the box and class of every object in it.

    Args:
        image: (3, H, W) uint8, red, green, blue.
        boxes: (K, 4) int64 in pixels, each x0, y0, x1, y1, half-open: the object lies in `image[:, y0:y1, x0:x1]`.
        labels: (K,) int64.
        caption: one sentence, or "" where none is known.
    """

    image: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray
    caption: str = ""
