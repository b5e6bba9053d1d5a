"""Pictures of results that differ from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cnnlab.plot.pictures import BAR, INK, LINE, finish


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
    _, axes = plt.subplots(figsize=(7.5, 0.9 + 0.32 * len(runs)), layout="constrained")
    first = next(iter(runs.values()))
    axes.axvspan(min(first), max(first), color=LINE, alpha=0.25, linewidth=0)
    for row, values in enumerate(runs.values()):
        axes.plot(values, [row] * len(values), "o", color=BAR, markersize=5, alpha=0.75)
        axes.plot([np.mean(values)] * 2, [row - 0.32, row + 0.32], color=INK, linewidth=2)
    axes.set_yticks(range(len(runs)), list(runs), fontsize=10, color=INK)
    axes.set_ylim(len(runs) - 0.4, -0.6)
    axes.set_xlabel(xlabel, fontsize=9, color=INK)
    axes.set_title(title, fontsize=10, color=INK, loc="left")
    axes.grid(axis="x", color=LINE, alpha=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    finish(plt)
