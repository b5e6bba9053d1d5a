"""Compares Outcomes with what is expected: type, shape, dtype kind and finiteness exactly, values closely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnnlab.checking.outcome import Outcome
from cnnlab.checking.wire import Value

# Sums of products carry an error in proportion to their largest terms, so a small value among large ones may be off by
# this share of what the largest may be off by.
SHARE_OF_LARGEST = 0.1
SMALLEST_ERROR = (
    1e-12  # an absolute error that always passes: expected zeros come out as the rounding of cancelled terms
)
MAX_ITEMS = 6  # of a tuple or list of numbers that is written out
KIND_WORDS = {"f": "floating point", "i": "integer", "u": "unsigned integer", "b": "boolean"}


@dataclass(frozen=True)
class Difference:
    """One way in which an output differs from the expected one.

    Args:
        what: "outcome", "type", "length", "shape", "dtype", "finite" or "value".
        name: the output's name.
        expected: words or numbers for the report.
        got: words or numbers for the report.
        index: the first wrong position of an array.
        wrong: the number of elements that differ.
        total: the number of elements.
    """

    what: str
    name: str
    expected: str
    got: str
    index: tuple[int, ...] | None = None
    wrong: int = 0
    total: int = 0

    @property
    def sentence(self) -> str:
        """The difference in one sentence."""
        if self.what == "outcome":
            return self.got
        if self.what in ("value", "finite") and self.index:
            where = f"{self.name}[{', '.join(map(str, self.index))}]"
            count = f"{self.wrong:,} of {self.total:,} values differ"
            return f"{where} is {self.got}, expected {self.expected} ({count})"
        noun = {"shape": " has shape", "dtype": " has dtype", "length": " has"}.get(self.what, " is")
        return f"{self.name}{noun} {self.got}, expected {self.expected}"


def compare(expected: dict[str, Value], outcome: Outcome, tolerance: float = 1e-6) -> Difference | None:
    """Return the first Difference between an Outcome and the expected values, or None where there is none.

    Args:
        expected: output name -> value.
        outcome: what the Answer did.
        tolerance: relative to the size of each expected value and to the largest of its array (dimensionless).
    """
    if outcome.kind != "values":
        return Difference("outcome", "", "", outcome.message or outcome.kind)
    for name, value in expected.items():
        if name not in outcome.values:
            return Difference("type", name, _words(value), "missing")
        difference = _compare(name, value, outcome.values[name], tolerance)
        if difference:
            return difference
    return None


def _compare(name: str, expected: Value, got: Value, tolerance: float) -> Difference | None:
    if type(expected) in (tuple, list):
        if type(got) not in (tuple, list):
            return Difference("type", name, _words(expected), _words(got))
        return _compare_items(name, expected, got, tolerance)
    if type(expected) is not type(got):
        return Difference("type", name, _words(expected), _words(got))
    if type(expected) is dict:
        return _compare_dicts(name, expected, got, tolerance)
    if isinstance(expected, np.ndarray):
        return _compare_arrays(name, expected, got, tolerance)
    if type(expected) is float:
        same = bool(_close(np.asarray(expected), np.asarray(got), tolerance))
    else:
        same = expected == got
    if same:
        return None
    words = _apart(expected, got) if type(expected) is float else (_words(expected), _words(got))
    return Difference("value", name, *words, (), 1, 1)


def _compare_items(
    name: str, expected: Sequence[Value], got: Sequence[Value], tolerance: float
) -> Difference | None:
    """Compare lists or tuples; where one is longer, the first item that differs still says most."""
    if len(expected) != len(got) and not any(map(_has_items, expected)):
        words = _item_words if name.endswith("]") else _words
        return Difference("type", name, words(expected), words(got))
    for i, (e, g) in enumerate(zip(expected, got, strict=False)):
        difference = _compare(f"{name}[{i}]", e, g, tolerance)
        if difference:
            return difference
    if len(expected) == len(got):
        return None
    noun = "rows" if type(expected[0]) is dict else "items"
    return Difference("length", name, f"{len(expected)} {noun}", f"{len(got)} {noun}")


def _compare_dicts(
    name: str, expected: dict[str, Value], got: dict[str, Value], tolerance: float
) -> Difference | None:
    for key, value in expected.items():
        inside = f"{name}[{key!r}]" if name.endswith("]") else key  # a row of a table, or named arrays
        if key not in got:
            return Difference("type", inside, _words(value), "missing")
        difference = _compare(inside, value, got[key], tolerance)
        if difference:
            return difference
    return None


def _item_words(value: Sequence[Value]) -> str:
    short = len(value) <= MAX_ITEMS and all(type(item) in (int, float, bool) for item in value)
    return str(value)[:60] if short else _words(value)


def _has_items(value: Value) -> bool:
    return type(value) in (tuple, list, dict)


def _compare_arrays(name: str, expected: np.ndarray, got: np.ndarray, tolerance: float) -> Difference | None:
    if expected.shape != got.shape:
        return Difference("shape", name, str(expected.shape), str(got.shape))
    if expected.dtype.kind != got.dtype.kind:
        return Difference("dtype", name, _dtype_words(expected), _dtype_words(got))
    if _surely_close(expected, got, tolerance):
        return None
    wrong_finite = np.isfinite(expected) != np.isfinite(got)
    if wrong_finite.any():
        return _at(name, "finite", expected, got, wrong_finite)
    wrong = ~_close(expected, got, tolerance)
    return _at(name, "value", expected, got, wrong) if wrong.any() else None


def _surely_close(expected: np.ndarray, got: np.ndarray, tolerance: float) -> bool:
    """Say quickly whether all values are surely close; where this returns False, only `_close` can tell.

    One bound serves the whole array: that of the value 0, which is the tightest. It spares the masks and sums of `_close`
    in nearly all comparisons.
    """
    if expected.dtype.kind != "f" or not expected.size:
        return False
    expected, got = np.asarray(expected, np.float64), np.asarray(got, np.float64)
    scale = np.abs(expected).max()
    if not scale < np.inf:
        return False
    with np.errstate(invalid="ignore", over="ignore"):
        return bool(np.abs(got - expected).max() <= SHARE_OF_LARGEST * tolerance * scale + SMALLEST_ERROR)


def _close(expected: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    if expected.dtype.kind != "f":
        return np.asarray(expected == got)
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = finite.max() if finite.size else 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = tolerance * np.abs(expected) + SHARE_OF_LARGEST * tolerance * scale + SMALLEST_ERROR
        near = np.abs(got - expected) <= allowed
    near &= np.isfinite(expected)  # within a share of infinity lies everything
    return near | (expected == got) | (np.isnan(expected) & np.isnan(got))


def _at(name: str, what: str, expected: np.ndarray, got: np.ndarray, wrong: np.ndarray) -> Difference:
    index = tuple(int(i) for i in np.argwhere(wrong)[0]) if wrong.ndim else ()
    e, g = expected[index], got[index]
    words = _apart(float(e), float(g)) if expected.dtype.kind == "f" else (str(e), str(g))
    return Difference(what, name, *words, index, int(wrong.sum()), int(np.size(wrong)))


def _apart(expected: float, got: float) -> tuple[str, str]:
    """Write two numbers with as few digits as tell them apart, but at least six."""
    for digits in (6, 9, 12, 17):
        words = f"{expected + 0.0:.{digits}g}", f"{got + 0.0:.{digits}g}"  # + 0.0: no minus before a zero
        if words[0] != words[1]:
            break
    return words


def _dtype_words(array: np.ndarray) -> str:
    return f"{array.dtype.name} ({KIND_WORDS.get(array.dtype.kind, 'other')})"


def _words(value: Value) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if type(value) in (tuple, list):
        return f"a {type(value).__name__} of {len(value)}"
    if value is None:
        return "None"
    if type(value) is float:
        return f"{value:.6g} (a float)"
    if type(value) is bool or type(value) is str:
        return repr(value)[:60]
    return str(value)[:60]
