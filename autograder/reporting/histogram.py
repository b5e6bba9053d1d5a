"""The histogram of scores, as coordinates that the page's template turns into SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograder.reporting.statistics import Scores, round_step
from autograder.reporting.table import ROUNDING, number, plural

WIDTH, HEIGHT = 640, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 30, 46  # around the plot, for the axes' labels and the median's
X_TICKS, Y_TICKS = 8, 4  # about as many on each axis: their labels do not touch
BETWEEN_BARS = 2  # units of the drawing, half of them left of a bar
LABEL_HALF = 2 * LEFT  # half the width of the median's label, at most


@dataclass(frozen=True)
class Bar:
    """One bar of the histogram.

    Args:
        x, y, width, height: the bar's rectangle in the drawing.
        words: what the bar stands for.
    """

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True)
class Tick:
    """A tick on an axis: its coordinate in the drawing, and its label."""

    at: float
    text: str


@dataclass(frozen=True)
class Histogram:
    """A drawing of WIDTH x HEIGHT.

    Args:
        bars: one bar for each bin.
        x_ticks, y_ticks: the ticks of the two axes.
        median: the coordinate and label of the median, None without students.
        anchor: the side of the median on which its label stands.
        words: the drawing in words.
        width, height: the size of the drawing.
        left, right, top, bottom: the edges of the plot in the drawing.
    """

    bars: list[Bar]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    median: Tick | None
    anchor: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


def histogram(scores: Scores) -> Histogram:
    """Lay out the histogram of a class's scores."""
    bins = scores.bins()
    end, most = bins[-1][1], max(count for *_, count in bins)
    y_step = max(1.0, round_step(most / Y_TICKS))
    highest = y_step * max(1, math.ceil(most / y_step))
    x_step = round_step(end / X_TICKS)

    def x(points: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * points / end, 1)

    def y(count: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * count / highest, 1)

    bars = [
        Bar(
            x(low) + BETWEEN_BARS // 2,
            y(count),
            round(x(high) - x(low) - BETWEEN_BARS, 1),
            round(y(0) - y(count), 1),
            f"{number(low)} to {number(min(high, scores.total))} points: {plural(count, 'student')}",
        )
        for low, high, count in bins
    ]
    x_ticks = [Tick(x(k * x_step), number(k * x_step)) for k in range(int(end / x_step + ROUNDING) + 1)]
    y_ticks = [Tick(y(k * y_step), number(k * y_step)) for k in range(round(highest / y_step) + 1)]
    median = scores.median
    marked = (
        None if median is None else Tick(x(min(max(median, 0.0), scores.total)), f"median {number(median)}")
    )
    words = (
        "; ".join(bar.words for bar, (*_, count) in zip(bars, bins, strict=True) if count) or "no students"
    )
    side = "middle"
    if marked and not LABEL_HALF < marked.at < WIDTH - LABEL_HALF:  # the label would reach beyond the drawing
        side = "start" if marked.at < WIDTH / 2 else "end"
    return Histogram(bars, x_ticks, y_ticks, marked, side, words)
