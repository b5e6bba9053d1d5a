"""Images, grids of numbers, curves, times and confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from cnnlab.plot.style import BAR, GRID, INK, LETTER, LINE, LINES, MARK, MARKERS, TEXT, TITLE, WIDTH, finish

OUTLINE = "#e8590c"  # seen on grey images and on photographs
TITLE_ROOM = 0.35  # inches above an image for its title
COLOUR_BAR = 0.8  # inches beside the images for the colour bar and its numbers
PIXEL_EDGE = 0.5  # pixels from a pixel's centre, where its coordinates are, to its edge

# Of grids of numbers, in cells.
COLUMN_GAP = 1  # between two grids
ROW_GAP = 1.5  # between two rows of grids, for the title of the lower one
TITLE_LIFT = 0.25  # of a title's base line above its grid
MARGIN = 0.2  # around all grids
DIGITS_LOW = 0.53  # of a number's middle below its cell's top: digits have nothing below their base line
DIGITS = 26  # points of a number's letters for each inch of its cell: three digits and a point fit in

# Of bars and lines, in inches where nothing else is said.
BAR_ROW, BARS_ELSE = 0.42, 1.1  # the height of one bar, and that of the axis and the title
BAR_THICK = 0.62  # of the room between two bars' middles
BAR_START = 3  # times longer than the axis's beginning is the shortest time, so that its bar is seen
# The axis ends at 8 times the longest, or where times differ much, at a power of their range: labels fit.
LABEL_ROOM, LABEL_GROWTH = 8, 0.4
LINES_HEIGHT = 3.6
MOST_NAMED = 12  # places on the horizontal axis that are named one by one

# Of confusions, in inches.
CLASS = 0.42  # the side of a class's cell
LABELS_WIDE, LABELS_HIGH = 0.9, 0.8  # the axes' labels and the title
ASLANT = 45  # degrees
LONGEST_FLAT = 0.3  # a name that is longer is written aslant, else it would touch its neighbour
T = TypeVar("T")


def show_images(
    images: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    signed: bool | Sequence[bool] = False,
    boxes: Sequence[Sequence[tuple[int, int, int, int]]] | None = None,
    columns: int = 4,
    size: float = 2.4,
) -> None:
    """Show images side by side, each under its title.

    Colour images are clipped to [0, 1]. Grey images run from black at their smallest value to white at their largest.

    Args:
        images: each (H, W) or (H, W, 3).
        titles: one for each image.
        signed: one answer for all images, or one for each; signed images are blue below zero, white at zero and red
            above, all on the one scale of the colour bar.
        boxes: for each image a list of (top, left, height, width) in pixels, outlined.
        columns: images in a row.
        size: inches that one image is high.

    Raises:
        ValueError: where there is no image, titles, signed or boxes are not as many as the images, or an image has
            another shape.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    images = [np.asarray(image) for image in images]
    titles = _one_each("titles", titles, len(images), "")
    outlines = _one_each("boxes", boxes, len(images), ())
    with_sign = _one_each("signed", None if isinstance(signed, bool) else signed, len(images), signed)
    for image in images:
        if image.ndim != 2 and not (image.ndim == 3 and image.shape[2] == 3):
            raise ValueError(f"an image is (H, W) or (H, W, 3), not {image.shape}")
    responses = [image for image, sign in zip(images, with_sign, strict=True) if sign]
    limit = max((float(np.abs(response).max()) for response in responses), default=0.0) or 1.0

    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    aspect = max(image.shape[1] / image.shape[0] for image in images)
    letters = max(len(line) for title in titles for line in (title.splitlines() or [""]))
    width = max(size * aspect, letters * LETTER)
    inches = (
        columns * width + (COLOUR_BAR if responses else 0),
        rows * (size + TITLE_ROOM),
    )
    figure, grid = plt.subplots(rows, columns, figsize=inches, squeeze=False, layout="constrained")
    drawn = None
    for axes, image, title, sign, found in zip(grid.flat, images, titles, with_sign, outlines, strict=False):
        if image.ndim == 3:
            axes.imshow(np.clip(image, 0, 1))
        elif sign:
            drawn = axes.imshow(image, cmap="RdBu_r", vmin=-limit, vmax=limit)
        else:
            axes.imshow(image, cmap="gray")
        axes.set_title(title, fontsize=TITLE, color=INK)
        for top, left, height, wide in found:
            corner = (left - PIXEL_EDGE, top - PIXEL_EDGE)
            axes.add_patch(Rectangle(corner, wide, height, fill=False, edgecolor=OUTLINE, linewidth=1.6))
    for axes in grid.flat:
        axes.set_axis_off()
    if drawn is not None:
        figure.colorbar(drawn, ax=grid, shrink=0.8, aspect=25)
    finish(plt)


def show_grids(
    grids: Sequence[ArrayLike],
    titles: Sequence[str] | None = None,
    marks: Sequence[ArrayLike | None] | None = None,
    *,
    columns: int = 4,
    cell: float = 0.36,
) -> None:
    """Draw small arrays as grids of numbers, with some cells marked.

    Args:
        grids: each (H, W) or (W,), a row.
        titles: one for each grid.
        marks: for each grid None or booleans of its shape; True cells are tinted: a window, or the zeros of a padding.
        columns: grids in a row.
        cell: inches of one cell's side.

    Raises:
        ValueError: where there is no grid, titles or marks are not as many as the grids, or a mark has another shape
            than its grid.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    arrays = [np.atleast_2d(grid) for grid in grids]
    titles = _one_each("titles", titles, len(arrays), "")
    tinted = []
    for array, mark in zip(arrays, _one_each("marks", marks, len(arrays), None), strict=True):
        tinted.append(np.zeros(array.shape, bool) if mark is None else np.atleast_2d(np.asarray(mark, bool)))
        if tinted[-1].shape != array.shape:
            raise ValueError(f"a mark of shape {tinted[-1].shape} does not fit a grid of shape {array.shape}")

    # Every grid gets a place in one plane whose unit is a cell, so that all cells have the same size.
    columns = min(columns, len(arrays))
    letters = LETTER / cell  # cells that one letter of a title takes
    needed = [max(array.shape[1], len(title) * letters) for array, title in zip(arrays, titles, strict=True)]
    widths = [max(needed[i::columns]) for i in range(columns)]
    lefts = np.concatenate([[0], np.cumsum([width + COLUMN_GAP for width in widths])])
    tall = [array.shape[0] for array in arrays]
    heights = [max(tall[i : i + columns]) for i in range(0, len(tall), columns)]
    tops = np.concatenate([[0], np.cumsum([height + ROW_GAP for height in heights])])

    wide = lefts[-1] - COLUMN_GAP + 2 * MARGIN  # less the last gap
    high = tops[-1] - (ROW_GAP - 1) + 2 * MARGIN  # the first title stands a cell above its grid
    figure = plt.figure(figsize=(wide * cell, high * cell))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-MARGIN, wide - MARGIN), ylim=(high - MARGIN, -MARGIN))
    axes.set_axis_off()
    for i, (array, title, tint) in enumerate(zip(arrays, titles, tinted, strict=True)):
        left, top = lefts[i % columns], tops[i // columns] + 1
        axes.text(left, top - TITLE_LIFT, title, fontsize=TITLE, color=INK)
        for (row, column), value in np.ndenumerate(array):
            corner = (left + column, top + row)
            colour = MARK if tint[row, column] else "white"
            axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=LINE, linewidth=0.8))
            middle = (corner[0] + 0.5, corner[1] + DIGITS_LOW)
            axes.text(*middle, f"{value:.3g}", ha="center", va="center", fontsize=cell * DIGITS, color=INK)
    finish(plt)


def bar_times(seconds: Mapping[str, float], title: str = "") -> None:
    """Draw measured times as horizontal bars on a logarithmic axis, the first at the top.

    seconds: name -> seconds, positive. Each bar is labelled with its time and how many times the shortest it
    takes.

    Raises:
        ValueError: when there are no times or one is not positive.
    """
    import matplotlib.pyplot as plt

    if not seconds or min(seconds.values()) <= 0:
        raise ValueError("times must be positive seconds, at least one")
    shortest, longest = min(seconds.values()), max(seconds.values())
    _, axes = plt.subplots(figsize=(WIDTH, BARS_ELSE + BAR_ROW * len(seconds)), layout="constrained")
    bars = axes.barh(list(seconds), list(seconds.values()), color=BAR, height=BAR_THICK)
    labels = [f"{_duration(time)}   {time / shortest:,.1f} x" for time in seconds.values()]
    axes.bar_label(bars, labels, padding=5, fontsize=TITLE, color=INK)
    axes.invert_yaxis()
    axes.set_xscale("log")
    room = max(LABEL_ROOM, (longest / shortest) ** LABEL_GROWTH)  # on the right, for the labels
    axes.set_xlim(shortest / BAR_START, longest * room)
    axes.set_xlabel("seconds, logarithmic scale; 1.0 x is the fastest", fontsize=TEXT, color=INK)
    axes.grid(axis="x", color=LINE, alpha=GRID)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=TITLE)
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left")
    finish(plt)


def show_lines(
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    xlabel: str = "",
    ylabel: str = "",
    title: str = "",
    logarithmic: str = "",
) -> None:
    """Draw measured values as lines over one axis, each with its own colour and marker, named in a legend.

    Args:
        x: the places, in order.
        lines: name -> one value for each place.
        xlabel: below the horizontal axis.
        ylabel: beside the vertical axis.
        title: above the picture.
        logarithmic: the axes whose scale is, of "x" and "y".

    Raises:
        ValueError: where there is no line or one has not as many values as there are places.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    if not lines:
        raise ValueError("there must be at least one line")
    for name, values in lines.items():
        if len(values) != len(x):
            raise ValueError(f"{len(values)} values of {name!r} for {len(x)} places")
    _, axes = plt.subplots(figsize=(WIDTH, LINES_HEIGHT), layout="constrained")
    for i, (name, values) in enumerate(lines.items()):
        colour, marker = LINES[i % len(LINES)], MARKERS[i % len(MARKERS)]
        axes.plot(x, values, label=name, color=colour, marker=marker, markersize=5, linewidth=1.6)
    if "x" in logarithmic:
        axes.set_xscale("log")
    elif all(float(place).is_integer() for place in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no layer 2.5
    if len(x) <= MOST_NAMED:
        axes.set_xticks(list(x), [f"{place:g}" for place in x])
        axes.tick_params(axis="x", which="minor", bottom=False, labelbottom=False)
    if "y" in logarithmic:
        axes.set_yscale("log")
    axes.set_xlabel(xlabel, fontsize=TEXT, color=INK)
    axes.set_ylabel(ylabel, fontsize=TEXT, color=INK)
    axes.set_title(title, fontsize=TITLE, color=INK, loc="left")
    axes.grid(color=LINE, alpha=GRID)
    axes.spines[["top", "right"]].set_visible(False)
    # Beside the lines, where it hides none of them.
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=TEXT, frameon=False, labelcolor=INK)
    finish(plt)


def show_confusion(
    labels: Sequence[int], guesses: Sequence[int], names: Sequence[str] | None = None, *, title: str = ""
) -> None:
    """Draw how often each class (row) was called which (column): right answers plain, mistakes tinted by number.

    Args:
        labels: (N,) right classes from 0 on, one for every example.
        guesses: (N,) classes that the network said.
        names: of the classes, their numbers by default.
        title: above the picture.

    Raises:
        ValueError: where labels and guesses are not as many, or a class has no name.
    """
    import matplotlib.pyplot as plt

    truth, said = np.asarray(labels), np.asarray(guesses)
    if truth.shape != said.shape or truth.ndim != 1 or not len(truth):
        raise ValueError(f"{truth.shape} labels and {said.shape} guesses; give one guess a label")
    count = int(max(truth.max(), said.max())) + 1
    names = [str(i) for i in range(count)] if names is None else list(names)
    if len(names) < count:
        raise ValueError(f"{len(names)} names for {count} classes")
    counts = np.zeros((len(names), len(names)), int)
    np.add.at(counts, (truth, said), 1)
    mistakes = np.where(np.eye(len(names), dtype=bool), 0, counts)

    letters = max(map(len, names)) * LETTER
    side = CLASS * len(names)
    _, axes = plt.subplots(
        figsize=(side + letters + LABELS_WIDE, side + letters + LABELS_HIGH), layout="constrained"
    )
    axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=max(2 * mistakes.max(), 1))  # 2: numbers stay readable
    for (row, column), number in np.ndenumerate(counts):
        if number:
            colour = LINE if row == column else INK
            axes.text(column, row, f"{number}", ha="center", va="center", fontsize=TEXT, color=colour)
    rotation, side = (ASLANT, "right") if letters > LONGEST_FLAT else (0, "center")
    axes.set_xticks(range(len(names)), names, fontsize=TEXT, rotation=rotation, ha=side)
    axes.set_yticks(range(len(names)), names, fontsize=TEXT)
    axes.set_xticks(np.arange(len(names) - 1) + PIXEL_EDGE, minor=True)
    axes.set_yticks(np.arange(len(names) - 1) + PIXEL_EDGE, minor=True)
    axes.grid(which="minor", color=LINE, alpha=GRID)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_color(LINE)
    axes.set_xlabel("what the network said", fontsize=TEXT, color=INK)
    axes.set_ylabel("what it is", fontsize=TEXT, color=INK)
    right = float(np.mean(truth == said))
    axes.set_title(
        f"{title}: {right:.1%} right" if title else f"{right:.1%} right",
        fontsize=TITLE,
        color=INK,
        loc="left",
    )
    finish(plt)


def _one_each(what: str, given: Sequence[T] | None, count: int, default: T) -> Sequence[T]:
    if count == 0:
        raise ValueError("there must be at least one picture")
    if given is None:
        return [default] * count
    if len(given) != count:
        raise ValueError(f"{len(given)} {what} for {count} pictures")
    return given


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
