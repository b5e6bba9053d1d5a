"""Numbers that a caller gave, NumPy's and torch's included, as plain ones, or an error in one sentence."""

from __future__ import annotations

import math
import numbers
from typing import Any


def whole(name: str, value: Any, low: int) -> int:
    """Return a whole number as int: 8, np.int64(8), 8.0.

    Args:
        name: of the argument.
        value: as it was given.
        low: the lowest that is allowed.

    Raises:
        ValueError: for anything else.
    """
    number = _plain(value)
    if number is None or number != int(number):
        raise ValueError(f"{name} must be a whole number, not {value!r}")
    return int(_at_least(name, number, low, value))


def finite(name: str, value: Any, low: float) -> float:
    """Return a finite number as float or int.

    Args:
        name: of the argument.
        value: as it was given.
        low: the lowest that is allowed.

    Raises:
        ValueError: for anything else.
    """
    number = _plain(value)
    if number is None:
        raise ValueError(f"{name} must be a finite number, not {value!r}")
    return _at_least(name, number, low, value)


def _at_least(name: str, number: float, low: float, value: Any) -> float:
    if number < low:
        raise ValueError(f"{name} must be at least {low}, not {value!r}")
    return number


def _plain(value: Any) -> int | float | None:
    """Return a number as Python's own, None for what is none or is not finite; True and False are none."""
    if not isinstance(value, numbers.Number) and getattr(value, "shape", None) == ():
        value = value.item()  # an array or a tensor of one number
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, numbers.Integral) else float(value)
