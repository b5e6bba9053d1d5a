"""Puts an accuracy into the words by which it is compared, for the summaries of trained weights."""

from __future__ import annotations

from collections.abc import Mapping

ROUNDING = 1e-9  # per cent that an accuracy just at the bar may lose to the rounding of 100 * right
ELSEWHERE = 0.75  # an accuracy above it shows that the network learned another task than the one asked
CLEARLY = 0.02  # by which the other task's accuracy must be ahead: more than a few images' chance


def reaches(right: float, bar: float) -> bool:
    """Say whether an accuracy in [0, 1] reaches a bar in per cent."""
    return 100 * right >= bar - ROUNDING


def at_least(bar: float) -> str:
    """Return the words for every accuracy that reaches the bar, in per cent."""
    return f"at least {bar:g} %"


def below(bar: float, right: float, others: Mapping[str, float], *, guessing: float) -> str:
    """Return the words for an accuracy that does not reach the bar, and what the network may have learned instead.

    Args:
        bar: per cent that must be right.
        right: the accuracy in [0, 1].
        others: the accuracy at each task that may have been learned instead, by its words.
        guessing: an accuracy below it shows no learning.
    """
    task, best = max(others.items(), key=lambda item: item[1])
    if best >= max(ELSEWHERE, right + CLEARLY):
        return f"{task}, below {bar:g} % as it is"
    if right < guessing:
        return f"near guessing, below {bar:g} %"
    return f"{100 * right:.1f} %, below {bar:g} %"
