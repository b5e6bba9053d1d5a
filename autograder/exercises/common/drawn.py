"""Plain values that Cases draw from their seed."""

from __future__ import annotations

from autograder.exercise import Random


def whole(low: int, high: int) -> Random:
    """Return an int input from low to high, both included."""
    return Random(lambda rng: int(rng.integers(low, high + 1)))


def one_of(*values: int) -> Random:
    """Return an int input that is one of these values."""
    return Random(lambda rng: int(rng.choice(values)))
