"""Pictures of results that differ from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnnlab.plot.style import BAR, GRID, HALF_ROW, INK, LAST_ROW, LINE, TEXT, TITLE, WIDTH, finish

ROW, ROWS_ELSE = 0.32, 0.9  # inches of a row, and of the axis and the title
MEAN = 0.32  # rows that the bar at the mean reaches up and down
BAND = 0.25  # opacity of the range of the first row: the dots before it stay clear
DOTS = 0.75  # opacity of a dot, so that two that cover each other are seen


def show_spread(runs: Mapping[str, Sequence[float]], *, xlabel: str = "", title: str = "") -> None:
    """Draw several runs' results as dots in a row, a row for each name, with a bar at their mean.

    A band behind all rows shows the range of the first row's results, so that what lies within it is told from what does
    not.

    Args:
        runs: name -> one result for each run, the first at the top.
        xlabel: below the axis.
        title: above the picture.

    Raises:
        ValueError: where there are no runs or a name has none.
    """
    import matplotlib.pyplot as plt

    if not runs or not all(len(values) for values in runs.values()):
        raise ValueError("there must be at least one result for each name")
    _, axes = plt.subplots(figsize=(WIDTH, ROWS_ELSE + ROW * len(runs)), layout="constrained")
    first = next(iter(runs.values()))
    axes.axvspan(min(first), max(first), color=LINE, alpha=BAND, linewidth=0)
    for row, values in enumerate(runs.values()):
        axes.plot(values, [row] * len(values), "o", color=BAR, markersize=5, alpha=DOTS)
        axes.plot([np.mean(values)] * 2, [row - MEAN, row + MEAN], color=INK, linewidth=2)
    axes.set_yticks(range(len(runs)), list(runs), fontsize=TITLE, color=INK)
    axes.set_ylim(len(runs) - LAST_ROW, -HALF_ROW)
    axes.set_xlabel(xlabel, fontsize=TEXT, color=INK)
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left")
    axes.grid(axis="x", color=LINE, alpha=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    finish(plt)
