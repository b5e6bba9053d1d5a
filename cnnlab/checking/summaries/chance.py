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
WITHIN_ONE = {
    "normal": 0.6827,
    "uniform": 0.5774,
}  # the share of numbers less than a standard deviation from 0


def dropout(inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> dict[str, Value]:
    """Say of dropout's y and mask whether they fit each other, and how much was dropped.

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
    """Say of drawn weights w how they are distributed; inputs: shape."""
    shape, w = tuple(inputs["shape"]), outputs["w"]
    found: dict[str, Value] = {"w": _array(w, shape)}
    if found["w"] != "floating point numbers":
        return found
    w = w.astype(np.float64)
    spread = float(np.sqrt(np.mean(w**2)))
    found["the standard deviation"] = _spread(spread, shape, w.size)
    ahead = float(np.mean(w)) / max(spread, 1e-300)
    error = ERRORS / math.sqrt(w.size)
    found["the mean"] = "0" if abs(ahead) <= error else "above 0" if ahead > 0 else "below 0"
    near = float(np.mean(np.abs(w) < spread))
    error = ERRORS * math.sqrt(0.25 / w.size)
    fits = [name for name, share in WITHIN_ONE.items() if abs(near - share) <= error]
    found["the distribution"] = fits[0] if fits else "neither normal nor uniform"
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
        if np.allclose(y, factor * x, rtol=1e-5, atol=0):
            return name
    return "something else"


def _share(share: float, rate: float, draws: int) -> str:
    """Name a share that was dropped."""
    below = 0.5 * (1 + math.erf(rate / math.sqrt(2)))  # the share of standard normal numbers below the rate
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


SUMMARIES: dict[str, Callable[[Mapping[str, Value], Mapping[str, Value]], dict[str, Value]]] = {
    "dropout": dropout,
    "he_normal": he_normal,
}
