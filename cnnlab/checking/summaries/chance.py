"""Summaries of what was drawn at random: shares, means and supports instead of values.

Each property is one word or two: what is asked for, or what was found in its place. A right Answer fails one with a
probability below a millionth, since a measured share or spread passes within five standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from cnnlab.checking.wire import Value

ERRORS = 5  # standard errors within which a measured value is taken for the expected one
PLACE_ERRORS = 6  # standard errors, wider: every one of many places has to lie within them
# The share of numbers less than a standard deviation from 0.
WITHIN_ONE = {
    "normal": 0.6827,
    "uniform": 0.5774,
}
MOST_VARIANCE = 0.25  # of a draw that is true or false: share * (1 - share), whatever the share
FLIPPED = 0.5  # the share of views to be mirrored
FACTOR_TOLERANCE = 1e-5  # relative: float32 keeps seven digits, and the named factors differ by far more
TINY = 1e-300  # stands for a spread of 0, by which nothing can be divided


def dropout(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say whether dropout's y and mask fit each other, and how much was dropped.

    inputs: x, no value 0, and rate; outputs: y and mask.
    """
    x, rate, y, mask = inputs["x"], inputs["rate"], outputs["y"], outputs["mask"]
    found: dict[str, Value] = {"y": _array(y, x.shape), "mask": _array(mask, x.shape, "bfiu")}
    if found["y"] != "floating point numbers" or found["mask"] not in ("booleans", *NUMBERS):
        return found
    kept = np.asarray(mask, bool)
    found["y where the mask is True"] = _factor(y[kept], x[kept], rate)
    found["y where the mask is False"] = _factor(y[~kept], x[~kept], rate)
    draws = kept.size
    found["the draw"] = "one for each value"
    if len(kept) > 1 and (kept == kept[:1]).all():
        found["the draw"], draws = "one for all images", kept[0].size
    elif kept.ndim == 4 and (kept == kept[:, :, :1, :1]).all():
        found["the draw"], draws = "one for each map", kept[:, :, 0, 0].size
    found["the share dropped"] = _share(float(np.mean(~kept)), rate, draws)
    return found


def he_normal(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say how drawn weights w are distributed; inputs: shape."""
    shape, w = tuple(inputs["shape"]), outputs["w"]
    found: dict[str, Value] = {"w": _array(w, shape)}
    if found["w"] != "floating point numbers":
        return found
    w = w.astype(np.float64)
    spread = float(np.sqrt(np.mean(w**2)))
    found["the standard deviation"] = _spread(spread, shape, w.size)
    ahead = float(np.mean(w)) / max(spread, TINY)
    error = ERRORS / math.sqrt(w.size)
    found["the mean"] = "0" if abs(ahead) <= error else "above 0" if ahead > 0 else "below 0"
    near = float(np.mean(np.abs(w) < spread))
    error = ERRORS * math.sqrt(MOST_VARIANCE / w.size)
    fits = [name for name, share in WITHIN_ONE.items() if abs(near - share) <= error]
    found["the distribution"] = fits[0] if fits else "neither normal nor uniform"
    return found


def crop_flip(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say whether each cropped and flipped image is a view of its own image, and how the views were drawn.

    inputs: images (N, C, H, W), no value 0 and no two places alike, and padding; outputs: views. Each view should be a
    crop of the image with `padding` zeros around it, or such a crop mirrored left to right.
    """
    images, padding, views = inputs["images"], int(inputs["padding"]), outputs["views"]
    found: dict[str, Value] = {"views": _array(views, images.shape, "fiu")}
    if found["views"] not in NUMBERS:
        return found
    found["their dtype"] = views.dtype.name
    down, across, flipped = _offsets(images, views, padding)
    right = flipped >= 0
    found["each view"] = "a crop of its padded image or the mirror of one"
    if not right.all():
        found["each view"] = _other_view(images[~right], views[~right], padding)
        return found
    found["places down"] = _evenly(down, 2 * padding + 1)
    found["places across"] = _evenly(across, 2 * padding + 1)
    found["down and across"] = _apart(down, across)
    share = float(np.mean(flipped))
    error = ERRORS * math.sqrt(MOST_VARIANCE) / math.sqrt(len(views))
    found["flipped"] = "half" if abs(share - FLIPPED) <= error else f"{share:.1%}"
    if share in (0, 1):
        found["flipped"] = "all or none"
    return found


def cutout(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say whether the hole in each image is a square of zeros around a pixel, and how that pixel was drawn.

    inputs: images (N, C, H, W), no value 0, and size, below H and W; outputs: cut. A hole reaches from size // 2 before its
    middle, size pixels, and what lies outside the image is left out.
    """
    images, size, cut = inputs["images"], int(inputs["size"]), outputs["cut"]
    found: dict[str, Value] = {"cut": _array(cut, images.shape, "fiu")}
    if found["cut"] not in NUMBERS:
        return found
    found["its dtype"] = cut.dtype.name
    empty = cut == 0
    found["outside the holes"] = "as it was" if np.array_equal(cut[~empty], images[~empty]) else "changed"
    found["the channels"] = "alike" if (empty == empty[:, :1]).all() else "each with a hole of its own"
    sides = {}
    for axis, along in (("down", empty.any(axis=(1, 3))), ("across", empty.any(axis=(1, 2)))):
        sides[axis] = along.argmax(axis=1), along.sum(axis=1)  # where each hole begins, and its length
    height, width = images.shape[2:]
    filled = empty.sum(axis=(1, 2, 3)) == images.shape[1] * sides["down"][1] * sides["across"][1]
    found["the holes"] = "rectangles" if filled.all() else "no rectangles"
    if not empty.any(axis=(1, 2, 3)).all():
        found["the holes"] = "missing in some images"
    if found["the channels"] != "alike" or found["the holes"] != "rectangles":
        return found
    middles = {}
    for axis, length in (("down", height), ("across", width)):
        first, long = sides[axis]
        most = int(long.max())
        found[f"pixels {axis}"] = "size" if most == size else _length(most, size)
        # A hole that begins at the border may have begun before it: its end tells where.
        middles[axis] = np.where(first == 0, first + long - size, first) + size // 2
        found[f"middles {axis}"] = _evenly(middles[axis], length)
    found["down and across"] = _apart(middles["down"], middles["across"])
    return found


NUMBERS = ("floating point numbers", "integers", "unsigned integers")
_KINDS = {"b": "booleans", "f": NUMBERS[0], "i": NUMBERS[1], "u": NUMBERS[2]}


def _array(value: Value, shape: tuple[int, ...], finite: str = "f") -> str:
    """Say in words what a value is that should be an array of `shape`, without reading a number that is none."""
    if not isinstance(value, np.ndarray):
        return "no array"
    if value.shape != shape:
        return f"an array of shape {value.shape}"
    if value.dtype.kind in finite and value.dtype.kind == "f" and not np.isfinite(value).all():
        return "an array with numbers that are not finite"
    return _KINDS.get(value.dtype.kind, "an array of another kind")


def _factor(y: np.ndarray, x: np.ndarray, rate: float) -> str:
    """Name the factor that leads from x to y."""
    if not y.size:
        return "nowhere"
    factors = {
        "x / (1 - rate)": 1 / (1 - rate),
        "0": 0.0,
        "x": 1.0,
        "x / rate": 1 / rate,
        "x * (1 - rate)": 1 - rate,
    }
    for name, factor in factors.items():
        if np.allclose(y, factor * x, rtol=FACTOR_TOLERANCE, atol=0):
            return name
    return "something else"


def _share(share: float, rate: float, draws: int) -> str:
    """Name a share that was dropped."""
    below = 0.5 * (1 + math.erf(rate / math.sqrt(2)))  # the normal distribution function at the rate
    names = {"rate": rate, "1 - rate": 1 - rate, "that of normal numbers below the rate": below}
    for name, expected in names.items():
        if abs(share - expected) <= ERRORS * math.sqrt(expected * (1 - expected) / draws):
            return name
    return f"{share:.1%}"


def _spread(spread: float, shape: tuple[int, ...], count: int) -> str:
    """Name the standard deviation of `count` weights."""
    matrix = len(shape) == 2
    fan_in = shape[0] if matrix else math.prod(shape[1:])
    fan_out = shape[1] if matrix else shape[0] * math.prod(shape[2:])
    names = {
        "sqrt(2 / fan_in)": math.sqrt(2 / fan_in),
        "sqrt(1 / fan_in)": math.sqrt(1 / fan_in),
        "2 / fan_in": 2 / fan_in,
        "sqrt(2 / fan_out)": math.sqrt(2 / fan_out),
        "sqrt(2 / shape[0])": math.sqrt(2 / shape[0]),
        "sqrt(2 / shape[1])": math.sqrt(2 / shape[1]),
        "sqrt(fan_in / 2)": math.sqrt(fan_in / 2),
        "1": 1.0,
    }
    for name, expected in names.items():
        if abs(spread / expected - 1) <= ERRORS / math.sqrt(2 * count):
            return name
    return f"{spread:.3g}"


def _offsets(
    images: np.ndarray, views: np.ndarray, padding: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where each view was cut out of its padded image and whether it is mirrored: -1 where it was not."""
    height, width = images.shape[2:]
    padded = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    down, across, flipped = (np.full(len(views), -1) for _ in range(3))
    for row, column, flip in np.ndindex(2 * padding + 1, 2 * padding + 1, 2):
        crop = padded[:, :, row : row + height, column : column + width]
        same = (views == (crop[..., ::-1] if flip else crop)).all(axis=(1, 2, 3))
        down[same], across[same], flipped[same] = row, column, flip
    return down, across, flipped


def _other_view(images: np.ndarray, views: np.ndarray, padding: int) -> str:
    """Say what the views are where they are not crops, mirrored or not, of their images padded with zeros."""
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    if (views == 0).all(axis=(1, 2, 3)).any():
        return "empty for some images"
    if (_offsets(images[:, :, ::-1], views, padding)[2] >= 0).all():
        return "turned upside down"
    for mode, name in (
        ("edge", "its edge repeated"),
        ("reflect", "its border mirrored"),
        ("wrap", "rolled round"),
    ):
        if mode == "reflect" and padding >= min(images.shape[2:]):
            continue
        if (_around(np.pad(images, around, mode=mode), views, padding)).all():  # type: ignore[call-overload]
            return f"a crop with {name}" if mode != "wrap" else "its image rolled round"
    return "something else"


def _around(padded: np.ndarray, views: np.ndarray, padding: int) -> np.ndarray:
    """Say which views are crops, mirrored or not, of images that are padded already: (N,) bool."""
    height, width = views.shape[2:]
    found = np.zeros(len(views), bool)
    for row, column in np.ndindex(2 * padding + 1, 2 * padding + 1):
        crop = padded[:, :, row : row + height, column : column + width]
        found |= (views == crop).all(axis=(1, 2, 3)) | (views == crop[..., ::-1]).all(axis=(1, 2, 3))
    return found


def _evenly(places: np.ndarray, count: int) -> str:
    """Say whether places are spread evenly over 0 to count - 1, and if not, over what."""
    if len(places) > 1 and count > 1 and (places == places[0]).all():
        return "the same for all images"
    low, high = int(places.min()), int(places.max())
    if low < 0 or high >= count:
        return f"from {low} to {high}, not from 0 to {count - 1}"
    counts = np.bincount(places, minlength=count)
    if _fits(counts):
        return "evenly over all"
    # From the first that occurs to the last: too few are drawn from, but evenly.
    return f"evenly over {low} to {high} of 0 to {count - 1}" if _fits(counts[low : high + 1]) else "unevenly"


def _fits(counts: np.ndarray) -> bool:
    """Say whether counts are those of even chances, each within PLACE_ERRORS."""
    share, total = 1 / len(counts), counts.sum()
    return bool(
        (np.abs(counts - share * total) <= PLACE_ERRORS * math.sqrt(total * share * (1 - share))).all()
    )


def _apart(down: np.ndarray, across: np.ndarray) -> str:
    """Say whether two draws of places are one."""
    if len(down) > 1 and down.max() > down.min() and (down == across).all():
        return "always the same"
    return "drawn apart"


def _length(pixels: int, size: int) -> str:
    """Name the side of the largest hole where it is not the size."""
    names = {size - 1: "size - 1", size + 1: "size + 1", 2 * size: "2 * size", 2 * size + 1: "2 * size + 1"}
    return names.get(pixels, f"{pixels}")


SUMMARIES: dict[str, Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]] = {
    "crop_flip": crop_flip,
    "cutout": cutout,
    "dropout": dropout,
    "he_normal": he_normal,
}
