"""Blocks of layers as small diagrams, and networks as points: how accurate for how many parameters and multiply-adds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cnnlab.plot.style import GRID, INK, LINE, LINES, MARK, TEXT, TITLE, finish

# Of diagrams of blocks, in cells, except for the letter.
SMALL_LETTER = 0.075  # inches that a letter in a box takes
BOX, GAP = 0.88, 0.6  # a box's height, and the room between two boxes, where the arrow is
BOX_SIDES = 0.7  # left and right of a box's text
NAME_LETTER = 1.1  # a letter of a block's name, in letters of a box
EMPTY_BRANCH = 0.8  # the width of a shortcut
BETWEEN = 1.6  # from one block to the next
HEAD = 1.2  # above the boxes for the name
NAME_AT, STEPS_AT = 0.55, 1.0  # where the name's middle is, and where the first arrow begins
SIDES = 0.3  # left and right of all blocks
ARROW_SHORT = 0.12  # an arrow's head ends that much above its box

# Of trade-offs.
LARGEST = 1400  # square points of the largest disc
MARGINS = (0.16, 0.14)  # of the axes' lengths, left and right, and above and below: room for discs and names
DISC = 0.55  # opacity of a disc, so that what lies behind is seen
# In points: what a letter of a name takes, how high it is, and how far from its disc it stands.
NAME_WIDE, NAME_HIGH, NAME_OFF = 5.2, 10, 4
FIGURE = (8.5, 4.8)  # inches
POINTS = 72  # in an inch


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
    letter = SMALL_LETTER / cell

    def size(part: Any) -> tuple[float, float]:
        """Return how wide and high a text, a series or a tuple of branches is, with the arrow that leads to it."""
        if isinstance(part, str):
            return (1 if len(part) == 1 else len(part) * letter + BOX_SIDES), BOX + GAP
        sizes = [size(one) for one in part]
        if isinstance(part, tuple):
            return sum(w for w, _ in sizes) + GAP * (len(sizes) - 1), max(h for _, h in sizes) + GAP
        return max([w for w, _ in sizes] or [EMPTY_BRANCH]), sum(h for _, h in sizes)

    names = list(blocks)
    sizes = [size(list(blocks[name])) for name in names]
    widths = [max(w, len(name) * letter * NAME_LETTER) for name, (w, _) in zip(names, sizes, strict=True)]
    wide = sum(widths) + BETWEEN * (len(names) - 1) + 2 * SIDES
    high = max(h for _, h in sizes) + HEAD + GAP
    figure = plt.figure(figsize=(wide * cell, high * cell))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-SIDES, wide - SIDES), ylim=(high, 0))
    axes.set_axis_off()

    def line(*corners: tuple[float, float], arrow: bool = False) -> None:
        axes.plot(*zip(*corners, strict=True), color=INK, linewidth=1, solid_capstyle="projecting", zorder=1)
        if arrow:
            axes.plot(*corners[-1], marker="v", markersize=4, color=INK, zorder=2)

    def draw(part: Any, middle: float, top: float) -> float:
        """Draw a part from `top` down and return where it ends."""
        if isinstance(part, str):
            line((middle, top), (middle, top + GAP - ARROW_SHORT), arrow=True)
            style = "circle,pad=0.18" if len(part) == 1 else "round,pad=0.28"
            colour = MARK if part in marks else "white"
            frame = {"boxstyle": style, "facecolor": colour, "edgecolor": LINE, "linewidth": 0.9}
            place = (middle, top + GAP + BOX / 2)
            axes.text(*place, part, ha="center", va="center", fontsize=TEXT, color=INK, bbox=frame, zorder=3)
            return top + GAP + BOX
        if isinstance(part, list):
            for step in part:
                top = draw(step, middle, top)
            return top
        width, height = size(part)
        left, low = middle - width / 2, top + height
        fork = top + GAP / 3  # the branches part a third of the way down
        for branch in part:
            wanted = size(branch)[0]
            at = left + wanted / 2
            line((middle, fork), (at, fork))
            end = draw(list(branch), at, fork)
            line((at, end if branch else fork), (at, low))
            line((at, low), (middle, low))
            left += wanted + GAP
        line((middle, top), (middle, fork))
        return low

    left = 0.0
    for name, width in zip(names, widths, strict=True):
        middle = left + width / 2
        axes.text(middle, NAME_AT, name, ha="center", va="center", fontsize=TITLE, color=INK)
        end = draw(list(blocks[name]), middle, STEPS_AT)
        line((middle, end), (middle, end + GAP - ARROW_SHORT), arrow=True)
        left += width + BETWEEN
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
    figure, axes = plt.subplots(figsize=FIGURE, layout="constrained")
    for number, point in enumerate(points):
        runs = [100 * accuracy for accuracy in point["accuracies"]]
        mean, colour = sum(runs) / len(runs), LINES[number % len(LINES)]
        axes.vlines(point["parameters"], min(runs), max(runs), color=colour, linewidth=1.4)
        area = LARGEST * point["macs"] / largest
        axes.scatter(
            point["parameters"], mean, area, color=colour, alpha=DISC, edgecolors=INK, linewidths=0.8
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
    axes.margins(*MARGINS)
    axes.set_xlabel(
        f"parameters; the area of a disc is its multiply-adds, at most {EngFormatter(places=0, sep=' ')(largest)}",
        fontsize=TEXT,
        color=INK,
    )
    axes.set_ylabel("accuracy on test images, %", fontsize=TEXT, color=INK)
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left")
    axes.grid(color=LINE, alpha=GRID)
    axes.spines[["top", "right"]].set_visible(False)
    _name(figure, axes, points, largest)
    finish(plt)


def _name(figure: Any, axes: Any, points: Sequence[Mapping[str, Any]], largest: float) -> None:
    """Write each network's name beside its disc, on the side where it hides least."""
    figure.canvas.draw()  # fixes where everything lies
    dot = figure.dpi / POINTS
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
        wide, high = len(point["name"]) * NAME_WIDE * dot, NAME_HIGH * dot
        middle, centre, off = (x0 + x1) / 2, (y0 + y1) / 2, NAME_OFF * dot
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
        axes.text(*at, point["name"], fontsize=TEXT, color=INK, va="bottom")


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the area that two rectangles (x0, y0, x1, y1) share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)
