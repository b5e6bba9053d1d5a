"""Blocks of layers as small diagrams, and networks as points: how accurate for how many parameters and multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.plot.pictures import INK, LINE, LINES, MARK, finish

LARGEST = 1400  # square points of the largest disc


def show_blocks(blocks: Mapping[str, Sequence[Any]], *, marks: Sequence[str] = (), cell: float = 0.3) -> None:
    """Draw small diagrams of blocks of layers side by side, each under its name, data flowing downwards.

    A step is a text, drawn as a box, or a tuple of branches: each a list of steps that all read what came before the tuple
    and lead to what comes after it; an empty list is a line, such as a shortcut. A text of one character, such as "+", is
    drawn as a circle.

    Args:
        blocks: name -> steps in order.
        marks: texts whose boxes are tinted.
        cell: inches that a box is high.

    Raises:
        ValueError: where there is no block, or one has no steps.
    """
    import matplotlib.pyplot as plt

    if not blocks or not all(len(steps) for steps in blocks.values()):
        raise ValueError("there must be at least one block, and each needs steps")
    letter, box, gap = (
        0.075 / cell,
        0.88,
        0.6,
    )  # a letter's width, a box's height and the room between two, in cells

    def size(part: Any) -> tuple[float, float]:
        """Return how wide and high a text, a series or a tuple of branches is, with the arrow that leads to it."""
        if isinstance(part, str):
            return (1 if len(part) == 1 else len(part) * letter + 0.7), box + gap
        sizes = [size(one) for one in part]
        if isinstance(part, tuple):
            return sum(w for w, _ in sizes) + gap * (len(sizes) - 1), max(h for _, h in sizes) + gap
        return max([w for w, _ in sizes] or [0.8]), sum(h for _, h in sizes)

    names = list(blocks)
    sizes = [size(list(blocks[name])) for name in names]
    widths = [max(w, len(name) * letter * 1.1) for name, (w, _) in zip(names, sizes, strict=True)]
    wide, high = sum(widths) + 1.6 * (len(names) - 1) + 0.6, max(h for _, h in sizes) + 1.2 + gap
    figure = plt.figure(figsize=(wide * cell, high * cell))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.3, wide - 0.3), ylim=(high, 0))
    axes.set_axis_off()

    def line(*corners: tuple[float, float], arrow: bool = False) -> None:
        axes.plot(*zip(*corners, strict=True), color=INK, linewidth=1, solid_capstyle="projecting", zorder=1)
        if arrow:
            axes.plot(*corners[-1], marker="v", markersize=4, color=INK, zorder=2)

    def draw(part: Any, middle: float, top: float) -> float:
        """Draw a part from `top` down and return where it ends."""
        if isinstance(part, str):
            line((middle, top), (middle, top + gap - 0.12), arrow=True)
            style = "circle,pad=0.18" if len(part) == 1 else "round,pad=0.28"
            colour = MARK if part in marks else "white"
            frame = {"boxstyle": style, "facecolor": colour, "edgecolor": LINE, "linewidth": 0.9}
            place = (middle, top + gap + box / 2)
            axes.text(*place, part, ha="center", va="center", fontsize=9, color=INK, bbox=frame, zorder=3)
            return top + gap + box
        if isinstance(part, list):
            for step in part:
                top = draw(step, middle, top)
            return top
        width, height = size(part)
        left, low = middle - width / 2, top + height
        for branch in part:
            wanted = size(branch)[0]
            at = left + wanted / 2
            line((middle, top + gap / 3), (at, top + gap / 3))
            end = draw(list(branch), at, top + gap / 3)
            line((at, end if branch else top + gap / 3), (at, low))
            line((at, low), (middle, low))
            left += wanted + gap
        line((middle, top), (middle, top + gap / 3))
        return low

    left = 0.0
    for name, width in zip(names, widths, strict=True):
        middle = left + width / 2
        axes.text(middle, 0.55, name, ha="center", va="center", fontsize=10, color=INK)
        end = draw(list(blocks[name]), middle, 1.0)
        line((middle, end), (middle, end + gap - 0.12), arrow=True)
        left += width + 1.6
    finish(plt)


def show_tradeoff(points: Sequence[Mapping[str, Any]], *, title: str = "") -> None:
    """Draw networks as discs: parameters from left to right, accuracy upwards, multiply-adds as the disc's area.

    points: dicts with name, parameters, macs and accuracies, one in [0, 1] for each run: the disc is at their mean, and a
    bar reaches from the smallest to the largest. Parameters are on a logarithmic axis.

    Raises:
        ValueError: where there is no point, or one without an accuracy.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    if not points or not all(len(point["accuracies"]) for point in points):
        raise ValueError("there must be at least one network, each with an accuracy")
    largest = max(point["macs"] for point in points) or 1
    figure, axes = plt.subplots(figsize=(8.5, 4.8), layout="constrained")
    for number, point in enumerate(points):
        runs = [100 * accuracy for accuracy in point["accuracies"]]
        mean, colour = sum(runs) / len(runs), LINES[number % len(LINES)]
        axes.vlines(point["parameters"], min(runs), max(runs), color=colour, linewidth=1.4)
        area = LARGEST * point["macs"] / largest
        axes.scatter(
            point["parameters"], mean, area, color=colour, alpha=0.55, edgecolors=INK, linewidths=0.8
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.margins(0.16, 0.14)
    axes.set_xlabel(
        f"parameters; the area of a disc is its multiply-adds, at most {EngFormatter(places=0, sep=' ')(largest)}",
        fontsize=9,
        color=INK,
    )
    axes.set_ylabel("accuracy on test images, %", fontsize=9, color=INK)
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.grid(color=LINE, alpha=0.4)
    axes.spines[["top", "right"]].set_visible(False)
    _name(figure, axes, points, largest)
    finish(plt)


def _name(figure: Any, axes: Any, points: Sequence[Mapping[str, Any]], largest: float) -> None:
    """Write each network's name beside its disc, on the side where it hides least."""
    figure.canvas.draw()  # fixes where everything lies
    dot = figure.dpi / 72
    discs, runs = [], []
    for point in points:
        values = [100 * accuracy for accuracy in point["accuracies"]]
        x, y = axes.transData.transform((point["parameters"], sum(values) / len(values)))
        radius = (LARGEST * point["macs"] / largest / math.pi) ** 0.5 * dot
        discs.append((x - radius, y - radius, x + radius, y + radius))
        low, high = (
            axes.transData.transform((point["parameters"], v))[1] for v in (min(values), max(values))
        )
        runs.append((x - dot, low, x + dot, high))
    taken = [*discs, *runs]
    for point, (x0, y0, x1, y1) in zip(points, discs, strict=True):
        wide, high = len(point["name"]) * 5.2 * dot, 10 * dot
        middle, centre, off = (x0 + x1) / 2, (y0 + y1) / 2, 4 * dot
        places = [
            (x1 + off, centre - high / 2),
            (x0 - off - wide, centre - high / 2),
            (middle + off, y1 + off),
            (middle + off, y0 - off - high),
            (middle - off - wide, y1 + off),
            (middle - off - wide, y0 - off - high),
        ]
        boxes = [(x, y, x + wide, y + high) for x, y in places]
        chosen = min(boxes, key=lambda box: sum(_overlap(box, other) for other in taken))
        taken.append(chosen)
        at = axes.transData.inverted().transform(chosen[:2])
        axes.text(*at, point["name"], fontsize=9, color=INK, va="bottom")


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the area that two rectangles (x0, y0, x1, y1) share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)
