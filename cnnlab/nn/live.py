"""A progress bar, and in a notebook a curve of the loss that grows while a network trains."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from html import escape
from typing import Any

from cnnlab.library.cells import in_notebook

SECONDS = 0.5  # between two drawings
POINTS = 400  # of a curve; more would not be seen
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 220, 52, 26, 16
INK, LINE, CURVE, DOTS = "#1f2328", "#d0d7de", "#0969da", "#bc4c00"


class LiveCurve:
    """Shows how training goes: a bar everywhere, a curve in notebooks; `show` False shows nothing.

    steps: how many losses will come.
    """

    def __init__(self, steps: int, show: bool = True) -> None:
        self.steps, self.losses = steps, list[float]()
        self.accuracies: list[tuple[int, float]] = []
        self._drawn = 0.0
        self._bar: Any = None
        self._display: Any = None
        if show:
            # The text bar also in notebooks: its widget needs a package that not every kernel has.
            from tqdm import tqdm

            self._bar = tqdm(total=steps, unit="step", mininterval=SECONDS, file=sys.stdout)
            if in_notebook():
                from IPython.display import HTML, display

                self._display = display(HTML(self.html()), display_id=True)

    def add_loss(self, loss: float) -> None:
        """Note one step's loss."""
        self.losses.append(loss)
        if self._bar is not None:
            self._bar.update()
            if time.monotonic() - self._drawn > SECONDS:
                self._draw()

    def add_accuracy(self, accuracy: float) -> None:
        """Note the accuracy, in [0, 1], of the network as it is now."""
        self.accuracies.append((len(self.losses), accuracy))
        self._draw()

    def close(self) -> None:
        """Draw the last state and end the bar."""
        self._draw()
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        if self._bar is not None:
            words = {"loss": f"{_mean(self.losses[-50:]):.3f}"} if self.losses else {}
            if self.accuracies:
                words["test"] = f"{self.accuracies[-1][1]:.1%}"
            self._bar.set_postfix(words, refresh=False)
        if self._display is not None:
            from IPython.display import HTML

            self._display.update(HTML(self.html()))

    def html(self) -> str:
        """Return the curve as one picture of SVG: the loss as a line, accuracies as dots with their numbers."""
        shown = _thinned(self.losses)
        top = max(shown, default=1.0) or 1.0
        parts = [_axis(top, bool(self.accuracies))]
        if shown:
            points = " ".join(
                f"{_across((i + 1) / len(shown) * len(self.losses) / self.steps):.1f},{_down(loss / top):.1f}"
                for i, loss in enumerate(shown)
            )
            parts.append(f'<polyline points="{points}" fill="none" stroke="{CURVE}" stroke-width="1.5"/>')
        for i, (step, accuracy) in enumerate(self.accuracies):
            x, y = _across(step / self.steps), _down(accuracy)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{DOTS}"/>')
            if i == len(self.accuracies) - 1:
                parts.append(_text(x - 4, y - 7 if y > TOP + 12 else y + 16, f"{accuracy:.1%}", DOTS, "end"))
        return (
            f'<svg role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'style="background:#ffffff"><title>{escape(self._title())}</title>{"".join(parts)}</svg>'
        )

    def _title(self) -> str:
        if not self.losses:
            return "training begins"
        return f"loss {self.losses[-1]:.3f} after {len(self.losses):,} of {self.steps:,} steps"


def _thinned(losses: Sequence[float]) -> list[float]:
    """Return means over equal runs, so that a long curve is neither slow to draw nor a thick band."""
    run = max(1, -(-len(losses) // POINTS))
    return [_mean(losses[i : i + run]) for i in range(0, len(losses), run)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


def _across(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 60)


def _down(share: float) -> float:
    return TOP + (1 - min(share, 1.0)) * (HEIGHT - TOP - BOTTOM)


def _axis(top: float, tested: bool) -> str:
    left, right, low, high = _across(0), _across(1), _down(0), _down(1)
    lines = "".join(
        f'<path d="M{left:.0f} {y:.0f}H{right:.0f}" stroke="{LINE}" stroke-width="1"/>' for y in (low, high)
    )
    marks = _text(left - 6, low + 4, "0", CURVE, "end") + _text(
        left - 6, high + 4, f"{top:.2f}", CURVE, "end"
    )
    marks += _text(left, HEIGHT - 6, "loss in training", CURVE)
    if tested:
        marks += _text(right + 6, high + 4, "100 %", DOTS) + _text(right + 6, low + 4, "0 %", DOTS)
        marks += _text(right, HEIGHT - 6, "accuracy on test images", DOTS, "end")
    return lines + marks


def _text(x: float, y: float, words: str, colour: str = INK, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="12" text-anchor="{anchor}" '
        f'font-family="system-ui,sans-serif">{escape(words)}</text>'
    )
