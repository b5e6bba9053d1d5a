"""Coloured shapes, drawn on demand: their class, box and caption are known exactly."""

from __future__ import annotations

import numpy as np

from cnnlab.data.scene import Scene

SHAPE_NAMES = ("circle", "square", "triangle", "cross", "star")
COLOURS = {
    "red": (220, 45, 45),
    "green": (45, 175, 65),
    "blue": (55, 95, 230),
    "yellow": (235, 205, 45),
    "purple": (165, 65, 195),
    "white": (235, 235, 235),
}
COLOUR_NAMES = tuple(COLOURS)

PALETTE = np.array(list(COLOURS.values()))
SMALLEST = 24  # pixels; in a smaller scene three shapes do not fit and a star is a blot
TILT = np.pi / 12  # a shape is turned by up to 15 degrees; more would hide a triangle's point from a caption
INNER = 0.42  # how far a star's inner corners are from its centre, its points being at 1


def shapes(count: int, seed: int = 0, size: int = 64) -> list[Scene]:
    """Draw scenes of one to three coloured shapes that do not touch, each with its boxes and caption.

    Returns count scenes: image (3, size, size), labels into SHAPE_NAMES, boxes tight around the drawn pixels, and a
    caption such as "a red circle left of a blue square": the first shape and where it is from each of the others. No
    scene holds two shapes of the same class and colour. Half the backgrounds are plain grey, half are noisy. The
    same seed and size give the same scenes, and a shorter list is the beginning of a longer one.

    Args:
        count: the number of scenes.
        seed: of the draw; the same seed gives the same scenes.
        size: pixels a side, at least 24.

    Raises:
        ValueError: for a negative count or a size below 24 pixels.
    """
    _check(count, size)
    return [_scene(np.random.default_rng((seed, size, number)), size) for number in range(count)]


def shape_images(count: int, seed: int = 0, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Draw images of one coloured shape each, to classify.

    Returns images: (count, 3, size, size) uint8; labels: (count,) int64 into SHAPE_NAMES. Place, size, tilt, colour
    and background vary. The same seed and size give the same images, and fewer are the beginning of more.

    Args:
        count: the number of images.
        seed: of the draw; the same seed gives the same images.
        size: pixels a side, at least 24.

    Raises:
        ValueError: for a negative count or a size below 24 pixels.
    """
    _check(count, size)
    images = np.empty((count, 3, size, size), np.uint8)
    labels = np.empty(count, np.int64)
    for number in range(count):
        # the third number keeps these apart from the scenes of the same seed
        random = np.random.default_rng((seed, size, number, 1))
        labels[number] = random.integers(len(SHAPE_NAMES))
        mask = _place(random, int(labels[number]), size, 0.18, 0.40)
        images[number] = _paint(random, size, [(mask, int(random.integers(len(COLOURS))))])
    return images, labels


def _check(count: int, size: int) -> None:
    if count < 0:
        raise ValueError(f"count is the number of images and cannot be {count}")
    if size < SMALLEST:
        raise ValueError(f"size must be at least {SMALLEST} pixels, not {size}")


def _scene(random: np.random.Generator, size: int) -> Scene:
    """Draw one scene."""
    number = int(random.integers(1, 4))
    # drawn without repeats, so that a caption cannot mean two shapes
    kinds = random.choice(len(SHAPE_NAMES) * len(COLOURS), number, replace=False)
    labels, colours = kinds % len(SHAPE_NAMES), kinds // len(SHAPE_NAMES)
    taken = np.zeros((size, size), bool)
    masks: list[np.ndarray] = []
    boxes: list[tuple[int, int, int, int]] = []
    while len(masks) < number:
        mask = _place(random, int(labels[len(masks)]), size, 0.11, 0.19)
        x0, y0, x1, y1 = box = _box(mask)
        # boxes stay apart, not only pixels: no box holds a part of another shape
        if not taken[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1].any():
            taken[y0:y1, x0:x1] = True
            masks.append(mask)
            boxes.append(box)
    image = _paint(random, size, [(mask, int(colour)) for mask, colour in zip(masks, colours, strict=True)])
    names = [f"{COLOUR_NAMES[c]} {SHAPE_NAMES[k]}" for k, c in zip(labels, colours, strict=True)]
    return Scene(image, np.array(boxes, np.int64), labels.astype(np.int64), _caption(names, boxes))


def _caption(names: list[str], boxes: list[tuple[int, int, int, int]]) -> str:
    """Name the first shape, and say where it is from each of the others."""
    parts = []
    for name, box in zip(names[1:], boxes[1:], strict=True):
        # twice the way from the other shape's centre to the first one's
        across = boxes[0][0] + boxes[0][2] - box[0] - box[2]
        down = boxes[0][1] + boxes[0][3] - box[1] - box[3]
        if abs(across) >= abs(down):
            where = "left of" if across < 0 else "right of"
        else:
            where = "above" if down < 0 else "below"
        parts.append(f"{where} a {name}")
    return " ".join([f"a {names[0]}", " and ".join(parts)]).strip()


def _place(random: np.random.Generator, kind: int, size: int, low: float, high: float) -> np.ndarray:
    """Draw one shape wholly inside the image: (size, size) bool. low, high: its radius as a part of the size."""
    radius = size * (low + (high - low) * random.random())
    across, down = radius + (size - 2 * radius) * random.random(2)
    return _mask(SHAPE_NAMES[kind], size, across, down, radius, TILT * (2 * random.random() - 1))


def _mask(kind: str, size: int, across: float, down: float, radius: float, tilt: float) -> np.ndarray:
    """Say which pixels have their centre in the shape, which fits a circle of this radius: (size, size) bool."""
    centres = np.arange(size) + 0.5
    x, y = (centres - across) / radius, ((centres - down) / radius)[:, None]
    u, v = np.cos(tilt) * x + np.sin(tilt) * y, np.cos(tilt) * y - np.sin(tilt) * x  # v grows downwards
    if kind == "circle":
        return u**2 + v**2 <= 1
    if kind == "square":
        return np.maximum(np.abs(u), np.abs(v)) <= np.sqrt(0.5)
    if kind == "triangle":  # equilateral, its point at (0, -1)
        return (v <= 0.5) & (np.sqrt(3) * np.abs(u) - v <= 1)
    if kind == "cross":
        return (np.minimum(np.abs(u), np.abs(v)) <= 0.3) & (np.maximum(np.abs(u), np.abs(v)) <= 0.95)
    # a star: fold the plane into the tenth between a point, at (1, 0), and an inner corner
    angle = np.abs((np.arctan2(u, -v) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    far = np.hypot(u, v)
    corner_x, corner_y = INNER * np.cos(np.pi / 5), INNER * np.sin(np.pi / 5)
    # on the centre's side of the edge from (1, 0) to the corner
    return (corner_x - 1) * far * np.sin(angle) >= corner_y * (far * np.cos(angle) - 1)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Return the smallest box around the pixels of a mask: x0, y0, x1, y1, half-open."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _paint(random: np.random.Generator, size: int, drawn: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Paint masks in their colours on a grey background: (3, size, size) uint8."""
    image = np.full((3, size, size), random.integers(30, 110), np.int16)
    for mask, colour in drawn:
        shade = PALETTE[colour] + random.integers(-12, 13, 3)
        image[:, mask] = shade[:, None]
    if random.random() < 0.5:
        image += random.integers(-24, 25, image.shape, np.int16)
    return image.clip(0, 255).astype(np.uint8)
