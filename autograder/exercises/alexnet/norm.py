"""local_response_norm: by the paper's formula, which is not quite torch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from autograder.exercise import Exercise, Random, clue
from autograder.exercises.common.mistakes import mistakes
from autograder.exercises.rows import plain_case, public, rows, secret, varied
from cnnlab.checking.way import Way

Totals = Callable[[np.ndarray, int], np.ndarray]


def around(x: np.ndarray, size: int) -> np.ndarray:
    """Sum the squares over the channels near each, one channel at a time."""
    totals = np.zeros_like(x)
    for i in range(x.shape[1]):
        for j in range(max(0, i - size // 2), min(x.shape[1] - 1, i + size // 2) + 1):
            totals[:, i] += x[:, j] * x[:, j]
    return totals


def pixels(x: np.ndarray, size: int) -> np.ndarray:
    totals = np.zeros_like(x)
    for r, c in np.ndindex(x.shape[2:]):
        rows, columns = (slice(max(0, at - size // 2), at + size // 2 + 1) for at in (r, c))
        totals[:, :, r, c] = (x[:, :, rows, columns] ** 2).sum(axis=(2, 3))
    return totals


def shifted(x: np.ndarray, low: int, high: int, power: int = 2) -> np.ndarray:
    """Sum over the channels from i + low to i + high that exist."""
    totals, count = np.zeros_like(x), x.shape[1]
    for i in range(count):
        totals[:, i] = (x[:, max(0, i + low) : max(0, i + high + 1)] ** power).sum(axis=1)
    return totals


def to_the_last(x: np.ndarray, size: int) -> np.ndarray:
    """Take the last channel of each window, the formula's min(C - 1, i + size // 2), for the end of a slice."""
    totals, last = np.zeros_like(x), x.shape[1] - 1
    for i in range(x.shape[1]):
        totals[:, i] = (x[:, max(0, i - size // 2) : min(last, i + size // 2)] ** 2).sum(axis=1)
    return totals


def wrapped(x: np.ndarray, size: int) -> np.ndarray:
    return sum((np.roll(x, step, axis=1) ** 2 for step in range(-(size // 2), size // 2 + 1)), np.zeros_like(x))


def averaged(x: np.ndarray, size: int) -> np.ndarray:
    """Divide by how many channels the window really holds."""
    return around(x, size) / around(np.ones_like(x), size)


TOTALS: dict[str, Totals] = {
    "alpha divided by size": lambda x, size: around(x, size) / size,
    "mean of the window": averaged,
    "neighbouring pixels": pixels,
    "channels wrapped": wrapped,
    "last channel left out": lambda x, size: shifted(x, -(size // 2), size // 2 - 1),
    "last channel taken for an end": to_the_last,
    "channels before only": lambda x, size: shifted(x, -(size // 2), 0),
    "size on each side": lambda x, size: shifted(x, -size, size),
    "not squared": lambda x, size: shifted(x, -(size // 2), size // 2, power=1),
    "sum squared": lambda x, size: shifted(x, -(size // 2), size // 2, power=1) ** 2,
}


def norm(
    x: ArrayLike, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, slip: str = ""
) -> np.ndarray:
    x = np.asarray(x)
    total = alpha * TOTALS.get(slip, around)(x, size)
    with np.errstate(all="ignore"):  # wrong totals may be negative
        if slip == "no power":
            return x / (k + total)
        if slip == "k outside the power":
            return x / (k + total**beta)
        return x / (k + total) ** beta


def maps(*shape: int, scale: float = 1.0) -> Random:
    return Random(lambda rng: scale * rng.standard_normal(shape))


local_response_norm = Exercise(
    name="local_response_norm",
    returns=("y",),
    reference=norm,
    way=Way(tensors=("x",)),
    points={"paper": 2, "window": 3, "constants": 2, "borders": 1},
    cases=rows(
        plain_case,
        "paper",
        public("the paper's constants, 8 channels of large values", x=maps(2, 8, 3, 4, scale=40)),
        secret("the paper's constants, 10 channels", x=maps(2, 10, 2, 3, scale=50)),
        "window",
        public("a window of 3, 6 channels", x=maps(2, 6, 4, 3), size=3, alpha=0.5),
        secret("a window of 3, 7 channels", x=maps(1, 7, 3, 5), size=3, alpha=0.8),
        public("a window of 5, 9 channels", x=maps(1, 9, 2, 5), alpha=0.3),
        secret("a window of 5, 12 channels", x=maps(2, 12, 2, 4), alpha=0.2),
        public("a window of 1: each channel alone", x=maps(1, 4, 2, 3), size=1, alpha=1.0),
        secret("a window of 7, 10 channels, 1 x 1 maps", x=maps(3, 10, 1, 1), size=7, alpha=0.3),
        "constants",
        public("beta 0.5, k 1", x=maps(1, 6, 2, 3), alpha=0.2, beta=0.5, k=1.0),
        secret("beta 0.4, k 1.5", x=maps(1, 8, 3, 2), alpha=0.4, beta=0.4, k=1.5),
        public("beta 1.5, k 3", x=maps(2, 5, 3, 2), size=3, alpha=0.7, beta=1.5, k=3.0),
        secret("beta 2, k 0.5", x=maps(1, 6, 2, 5), size=3, alpha=0.3, beta=2.0, k=0.5),
        "borders",
        public("a window of 7 over 4 channels", x=maps(1, 4, 3, 4), size=7, alpha=0.4),
        secret("a window of 9 over 6 channels", x=maps(1, 6, 2, 4), size=9, alpha=0.5),
        public("one channel", x=maps(2, 1, 3, 4), alpha=0.6),
        secret("two channels", x=maps(3, 2, 2, 3), alpha=0.9),
    ),
    varied=varied(
        plain_case,
        public("plain: one image of 2 channels, the paper's constants", x=maps(1, 2, 4, 4, scale=40)),
        {
            "size": {"size": 1},
            "alpha": {"alpha": 1e-3},
            "beta": {"beta": 0.5},
            "k": {"k": 1.0},
            "channels": {"x": maps(1, 8, 4, 4, scale=40)},
            "batch": {"x": maps(3, 2, 4, 4, scale=40)},
            "image that is not square": {"x": maps(1, 2, 4, 6, scale=40)},
        },
    ),
    clues=[
        "First make an array of the sums, as large as x; then the rest is one line of arithmetic.",
        clue(
            "F.pad(x**2, (0, 0, 0, 0, half, half)) adds half = size // 2 channels of zeros on both sides: its pairs run "
            "from the last axis backwards.",
            *("neighbouring pixels", "channels wrapped", "channels before only", "size on each side", "not squared"),
            "sum squared",
            arguments=("size", "channels"),
        ),
        clue(
            "With `squares` padded so, channel i's window is squares[:, i : i + size]; so the sums of all channels are "
            "sum(squares[:, u : u + channels] for u in range(size)).",
            *("mean of the window", "last channel left out", "last channel taken for an end"),
            *("channels before only", "size on each side"),
            arguments=("size", "channels"),
        ),
    ],
    mistakes=mistakes(
        """
        alpha divided by size: You divided alpha by the size of the window, as torch does: the paper multiplies the
            plain sum by alpha.
        mean of the window: You averaged over the channels in the window: the paper adds them up, at the borders too.
        neighbouring pixels: You summed over neighbouring pixels: the sum runs over channels, at one and the same pixel.
        channels wrapped: Your windows go on from the last channel to the first: beyond the borders there are no
            channels to add.
        last channel left out: Your windows lack their last channel: a slice or range stops before its end, so add 1 to
            it.
        last channel taken for an end: You ended your slices at the window's last channel, min(C - 1, i + size // 2): a
            slice stops before its end, so end it one later.
        channels before only: You looked at the channels before only: the window has size // 2 on both sides of its own.
        size on each side: You took `size` channels on each side: there are size // 2 on each, `size` together with its
            own.
        not squared: You added the values: add their squares, or negative ones will cancel positive ones.
        sum squared: You squared the sum: square each value first, then add.
        no power: You divided by the sum itself: raise it to the power beta first.
        k outside the power: You added k after the power: it belongs into the bracket, (k + alpha * sum) ** beta.
        """,
        norm,
    ),
)
