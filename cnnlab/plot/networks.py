"""Networks layer by layer: a diagram, a table of what each layer costs, bars of where it goes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from cnnlab.library.cells import in_notebook
from cnnlab.plot.style import BAR, HALF_ROW, INK, LAST_ROW, LINE, LINES, MARK, TITLE, finish

Row = dict[str, Any]

COUNTED = ("parameters", "activations", "macs")
WORDS = {
    "parameters": "parameters",
    "activations": "activations of one image",
    "macs": "multiply-adds of one image",
}
MOST_BARS = 40  # layers that bars can name; of more, neighbours are put together
MOST_BLOCKS = 32  # layers that a diagram can name

# Of bars, in inches where nothing else is said.
COSTS_WIDE = 11  # three panels side by side
LAYER, LAYERS_ELSE = 0.25, 1.3  # the height of a layer's bar, and that of the titles
BAR_THICK = 0.72  # of the room between two bars' middles
SMALLEST_NAMED = 0.001  # a share below it is not written: it would read 0.0%
BAR_ROOM = 1.22  # times the longest bar, so that its label fits

# Of diagrams of networks, in inches at full size.
BLOCK, DOUBLING = 0.28, 0.11  # a block's width, and by how much each doubling of its channels widens it
BLOCKS_GAP = 0.34
LEAST_WIDE, MOST_WIDE = 6.0, 15.0  # of the picture
SCALE = 0.78  # inches of the picture for each of the blocks' widths
DIAGRAM_HIGH = 3.5
LOW, HIGHEST = 0.12, 2.2  # a block's height: of one value, and how much higher the largest map is
CAPTION = 0.08  # between a block and its caption
ACROSS = 0.2  # left and right of the blocks
BELOW, ABOVE = -2.6, 2.9  # the ends of the vertical axis, with room for captions
SOLID = 0.85  # opacity of a block
SUPTITLE = 11  # points
CAPTION_POINTS, LAYER_POINTS = 7.5, 8.5  # points, of captions and of layers' names; both are many
SMALL = 8  # points, of shares and of the legend


def show_table(rows: Sequence[Row], *, totals: bool = True) -> None:
    """Show rows of plain values as a table, in a notebook as HTML.

    Args:
        rows: dicts with the same keys, such as `cnnlab.models.costs` returns; whole numbers get separators, sizes are
            written 96 x 55 x 55.
        totals: whether a last row gives the sums of parameters, activations and macs.

    Raises:
        ValueError: where there are no rows or their keys differ.
    """
    if not rows or any(row.keys() != rows[0].keys() for row in rows):
        raise ValueError("a table needs rows, all with the same columns")
    lines = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    summed = [name for name in rows[0] if name in COUNTED]
    if totals and summed:
        last = [_text(sum(row[name] for row in rows)) if name in summed else "" for name in rows[0]]
        lines.append(["total" if number == 0 and not value else value for number, value in enumerate(last)])
    left = [isinstance(value, str) for value in rows[0].values()]
    text = _plain(lines, left)
    if not in_notebook():
        print(text)
        return
    from IPython.display import display

    display({"text/html": _html(lines, left, totals and bool(summed)), "text/plain": text}, raw=True)


def show_costs(rows: Sequence[Row], *, title: str = "") -> None:
    """Draw where a network's parameters, activations and multiply-adds go: a bar for each layer, first at the top.

    Layers that multiply nothing (norms, pooling, ReLU) are added to the layer before them. Of more than 40, neighbours in
    the same part of the network are put together. Each bar is labelled with its share of the whole.

    Args:
        rows: as `cnnlab.models.costs` returns them.
        title: above the picture.

    Raises:
        ValueError: where there are no rows.
    """
    import matplotlib.pyplot as plt

    groups = _grouped(rows)
    height = LAYERS_ELSE + LAYER * len(groups)
    figure, panels = plt.subplots(1, 3, figsize=(COSTS_WIDE, height), layout="constrained", sharey=True)
    for axes, name in zip(panels, COUNTED, strict=True):
        values = np.array([group[name] for group in groups], float)
        total = float(values.sum()) or 1.0
        colours = [_colour(group["kind"]) for group in groups]
        bars = axes.barh(range(len(groups)), values, color=colours, height=BAR_THICK)
        labels = [f"{value / total:.1%}" if value / total >= SMALLEST_NAMED else "" for value in values]
        axes.bar_label(bars, labels, padding=3, fontsize=SMALL, color=INK)
        axes.set_xlim(0, float(values.max() or 1) * BAR_ROOM)
        axes.set_title(f"{_short(total)} {WORDS[name]}", fontsize=TITLE, color=INK, loc="left")
        axes.set_xticks([])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.tick_params(axis="y", length=0, labelsize=LAYER_POINTS)
    panels[0].set_yticks(range(len(groups)), [group["name"] for group in groups])
    panels[0].set_ylim(len(groups) - LAST_ROW, -HALF_ROW)
    if title:
        figure.suptitle(title, fontsize=SUPTITLE, color=INK, x=0.01, ha="left")
    finish(plt)


def show_network(rows: Sequence[Row], *, title: str = "", image: tuple[int, int, int] | None = None) -> None:
    """Draw a network as a row of blocks, as high as its maps and, on a logarithmic scale, as wide as their channels.

    Activation functions, norms and dropout are left out. Of more than 32 blocks, neighbours of the same size are drawn as
    one, with their count.

    Args:
        rows: as `cnnlab.models.costs` returns them, or other dicts with name, kind and shape.
        title: above the picture.
        image: (C, H, W) of what comes in, drawn first.

    Raises:
        ValueError: where there is nothing to draw.
    """
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch, Rectangle

    blocks = _blocks(rows, image)
    if not blocks:
        raise ValueError("there is no layer to draw")
    highest = max(block["height"] for block in blocks)
    widths = [BLOCK + DOUBLING * np.log2(max(2, block["channels"])) for block in blocks]
    across = sum(widths) + BLOCKS_GAP * (len(blocks) - 1)
    size = min(MOST_WIDE, max(LEAST_WIDE, SCALE * across))
    _, axes = plt.subplots(figsize=(size, DIAGRAM_HIGH), layout="constrained")
    at, kinds = 0.0, {}
    for number, (block, width) in enumerate(zip(blocks, widths, strict=True)):
        height = LOW + HIGHEST * np.sqrt(block["height"] / highest)
        colour = "#ffffff" if block["kind"] == "image" else _colour(block["kind"])
        kinds.setdefault(_family(block["kind"]), colour)
        axes.add_patch(
            Rectangle((at, -height / 2), width, height, facecolor=colour, edgecolor=INK, alpha=SOLID)
        )
        middle = at + width / 2
        axes.text(
            middle,
            height / 2 + CAPTION,
            block["label"],
            ha="center",
            va="bottom",
            fontsize=CAPTION_POINTS,
            color=INK,
            rotation=90,
        )
        axes.text(
            middle,
            -height / 2 - CAPTION,
            block["size"],
            ha="center",
            va="top",
            fontsize=CAPTION_POINTS,
            color=INK,
            rotation=90,
        )
        if number + 1 < len(blocks):
            axes.annotate(
                "",
                (at + width + BLOCKS_GAP, 0),
                (at + width, 0),
                arrowprops={"arrowstyle": "->", "color": LINE},
            )
        at += width + BLOCKS_GAP
    axes.set_xlim(-ACROSS, at - BLOCKS_GAP + ACROSS)
    axes.set_ylim(BELOW, ABOVE)
    axes.axis("off")
    patches = [
        Patch(facecolor=colour, edgecolor=INK, label=kind, alpha=SOLID) for kind, colour in kinds.items()
    ]
    axes.legend(
        handles=patches,
        loc="lower right",
        fontsize=SMALL,
        frameon=False,
        ncols=len(patches),
        bbox_to_anchor=(1, 1.0),
    )
    axes.set_title(title, fontsize=SUPTITLE, color=INK, loc="left")
    finish(plt)


def _blocks(rows: Sequence[Row], image: tuple[int, int, int] | None) -> list[Row]:
    shown = [row for row in rows if _family(row["kind"]) in ("convolution", "linear", "pooling")]
    blocks = [_block("image", "image", image, 1)] if image else []
    if len(shown) + len(blocks) <= MOST_BLOCKS:
        return blocks + [_block(row["name"], row["kind"], row["shape"], 1) for row in shown]
    runs: list[tuple[str, str, tuple[int, ...], int]] = []
    for row in shown:
        name, kind, shape = row["name"], row["kind"], tuple(row["shape"])
        first, before, largest, count = runs[-1] if runs else ("", "", (), 0)
        same = largest[1:] == shape[1:] and "Linear" not in (before, kind)
        if same and _family(before) != "pooling":
            runs[-1] = (first, before, max(shape, largest), count + 1)
        else:  # a pooling layer that shrinks the maps stands by itself
            runs.append((name, kind, shape, 1))
    return blocks + [_block(*run) for run in runs]


def _block(name: str, kind: str, shape: Sequence[int], count: int) -> Row:
    height = shape[1] if len(shape) == 3 else 1
    size = tuple(shape) if count == 1 else tuple(shape)[1:]  # of several, the channels differ
    label = name if count == 1 else f"{count} layers"
    return {"label": label, "kind": kind, "height": height, "channels": shape[0], "size": _text(size)}


def _grouped(rows: Sequence[Row]) -> list[Row]:
    """Put layers that multiply nothing to the one before, then neighbours together until all can be named."""
    if not rows:
        raise ValueError("there is no layer to draw")
    groups: list[Row] = []
    for row in rows:
        if groups and not row["macs"]:
            for counted in COUNTED:
                groups[-1][counted] += row[counted]
        else:
            groups.append({name: row[name] for name in ("name", "kind", *COUNTED)})
    depth = max(group["name"].count(".") for group in groups) + 1
    while len(groups) > MOST_BARS and depth > 1:
        depth -= 1
        groups = _merged(groups, depth)
    return groups


def _merged(groups: Sequence[Row], depth: int) -> list[Row]:
    merged: list[Row] = []
    for group in groups:
        name = ".".join(group["name"].split(".")[:depth])
        if merged and merged[-1]["name"] == name:
            for counted in COUNTED:
                merged[-1][counted] += group[counted]
        else:
            merged.append({**group, "name": name})
    return merged


def _family(kind: str) -> str:
    lower = kind.lower()
    if "pool" in lower:
        return "pooling"
    if "norm" in lower:
        return "norm"
    return {"conv2d": "convolution", "linear": "linear", "image": "image"}.get(lower, "other")


def _colour(kind: str) -> str:
    family = _family(kind)
    return {"convolution": BAR, "linear": LINES[1], "pooling": LINES[2], "norm": LINES[3]}.get(family, MARK)


def _text(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return " x ".join(str(item) for item in value)
    if isinstance(value, (int, np.integer)):
        return f"{int(value):,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _short(number: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def _plain(lines: Sequence[Sequence[str]], left: Sequence[bool]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(line, widths, left, strict=True)
        ).rstrip()
        for line in lines
    )


def _html(lines: Sequence[Sequence[str]], left: Sequence[bool], total: bool) -> str:
    def row(number: int, line: Sequence[str]) -> str:
        tag = "th" if number == 0 or (total and number == len(lines) - 1) else "td"
        cells = (
            f'<{tag} style="text-align:{"left" if to_left else "right"}">{escape(cell)}</{tag}>'
            for cell, to_left in zip(line, left, strict=True)
        )
        return f"<tr>{''.join(cells)}</tr>"

    return f"<table>{''.join(row(number, line) for number, line in enumerate(lines))}</table>"
