"""Pictures of arrays for a report: 2-D slices as heat maps in inline SVGs, without a plotting library."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np

from cnnlab.checking.question import CaseResult
from cnnlab.checking.wire import Value

NUMBERED = 8  # rows and columns up to which the numbers are written into the cells
DRAWN = 16  # rows and columns up to which each cell is an SVG rectangle; what is larger is smaller as a PNG
SIDE = 200  # pixels; the longest side of a slice without numbers: four of them fit beside each other

INK, PALE_INK, LINE = "#1f2328", "#59636e", "#d1d9e0"
MARK = "#e8590c"
NOT_FINITE = (255, 212, 59)
GREYS = np.array([[38, 43, 50], [248, 249, 251]], float)
BLUE_WHITE_RED = np.array(
    [[33, 102, 172], [146, 197, 222], [250, 250, 250], [244, 165, 130], [178, 24, 43]], float
)
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"


@dataclass(frozen=True)
class Cut:
    """A 2-D slice of an array.

    Args:
        values: (rows, columns).
        where: the slice as written behind the array's name, "" for the whole array.
        mark: row and column of the cell that was asked for.
    """

    values: np.ndarray
    where: str
    mark: tuple[int, int] | None


@dataclass(frozen=True)
class _Panel:
    title: str
    name: str
    cut: Cut
    colours: np.ndarray  # (stops, RGB)
    low: float
    high: float


def follow(values: Mapping[str, Value], name: str) -> Value:
    """Return the value that a Difference's name, such as `boxes[1]`, leads to among named values; None for nothing."""
    root, *steps = re.findall(r"^[^\[]+|\[\d+\]|\['[^']*'\]", name) or [""]
    value: Value = values.get(root)
    for step in steps:
        key = step[1:-1]
        if type(value) is dict and key.strip("'") in value:
            value = value[key.strip("'")]
        elif type(value) in (tuple, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def cut(array: np.ndarray, index: tuple[int, ...] | None = None) -> Cut:
    """Return the 2-D slice of an array (of any axes) that holds `index`; without one, the first slice."""
    if not array.size:
        return Cut(np.zeros((0, 0)), "", None)
    at = index or (0,) * array.ndim
    if array.ndim == 1:
        return Cut(array[None, :], "", (0, at[0]) if index else None)
    # An image with its colours last is cut along its colours, so that the slice is a picture.
    colours_last = array.ndim == 3 and array.shape[2] <= 4 < min(array.shape[:2])
    rows, columns = (0, 1) if colours_last else (array.ndim - 2, array.ndim - 1)
    select = tuple(slice(None) if axis in (rows, columns) else i for axis, i in enumerate(at))
    where = f"[:, :, {at[2]}]" if colours_last else f"[{', '.join(map(str, at[:-2]))}]"
    return Cut(array[select], where if array.ndim > 2 else "", (at[rows], at[columns]) if index else None)


def draw(result: CaseResult) -> str:
    """Return HTML that shows input, expected, yours and their difference; "" where no array differs."""
    difference = result.difference
    if difference is None:
        return ""
    expected = follow(result.question.expected, difference.name)
    got = follow(result.outcome.values, difference.name)
    if not all(isinstance(a, np.ndarray) and a.ndim for a in (expected, got)):
        return ""
    if difference.what == "shape":
        return _row(_inputs(result, (), ()), _both(difference.name, cut(expected), cut(got)))
    if difference.what in ("value", "finite") and difference.index:
        index = difference.index
        outputs = _both(difference.name, cut(expected, index), cut(got, index))
        note = f"Outlined: {difference.name}[{', '.join(map(str, index))}], the first value that differs."
        note += " Yellow: nan or inf." if difference.what == "finite" else ""
        return _row(_inputs(result, index, expected.shape), [*outputs, _difference(*outputs)]) + _note(note)
    return ""


def number(value: float) -> str:
    """Write a number in at most six characters or nearly so."""
    if not np.isfinite(value):
        return str(float(value))
    if value == int(value) and abs(value) < 1e5:
        return str(int(value))
    size = abs(value)
    if size >= 1e4 or size < 0.005:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
    return f"{value:.{2 if size < 10 else 1 if size < 100 else 0}f}"


def _inputs(result: CaseResult, index: tuple[int, ...], shape: tuple[int, ...]) -> list[_Panel]:
    arrays = {
        n: v for n, v in result.question.inputs.items() if isinstance(v, np.ndarray) and v.ndim and v.size
    }
    ranked = sorted(arrays, key=lambda n: arrays[n].ndim < 2)  # images before biases; else as declared
    panels = []
    for name in ranked[:2]:
        array = arrays[name]
        # The same image of the batch as the wrong value, where input and output share that axis.
        alike = array.ndim == len(shape)
        at = tuple(i if alike and n == m else 0 for i, n, m in zip(index, array.shape, shape, strict=False))
        piece = cut(array, (at + (0,) * array.ndim)[: array.ndim])
        small = max(piece.values.shape) <= NUMBERED and array.ndim > 1
        if not panels or small:
            panels.append(
                _Panel("input", name, Cut(piece.values, piece.where, None), GREYS, *_range(piece.values))
            )
    return panels


def _both(name: str, expected: Cut, got: Cut) -> list[_Panel]:
    low, high = _range(expected.values, got.values)
    return [
        _Panel("expected", name, expected, GREYS, low, high),
        _Panel("yours", name, got, GREYS, low, high),
    ]


def _difference(expected: _Panel, got: _Panel) -> _Panel:
    with np.errstate(all="ignore"):
        values = got.cut.values.astype(np.float64) - expected.cut.values.astype(np.float64)
    most = float(np.abs(values, where=np.isfinite(values), out=np.zeros_like(values)).max())
    return _Panel(
        "yours \N{MINUS SIGN} expected", "", Cut(values, "", got.cut.mark), BLUE_WHITE_RED, -most, most
    )


def _range(*slices: np.ndarray) -> tuple[float, float]:
    thin = [s[:: _step(s), :: _step(s)].astype(np.float64).ravel() for s in slices]
    values = np.concatenate(thin)
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _step(values: np.ndarray) -> int:
    """Return the step at which to sample rows and columns so that a slice is no longer than SIDE pixels."""
    return -(-max(values.shape, default=0) // SIDE) or 1


def _row(inputs: list[_Panel], outputs: list[_Panel]) -> str:
    flex = "display:flex;flex-wrap:wrap;gap:14px 20px;align-items:flex-start"
    # What is to be compared shares the size of its cells and stays together where the line is too short.
    longest = max(max(panel.cut.values.shape) for panel in outputs)
    given = "".join(_figure(panel, max(panel.cut.values.shape)) for panel in inputs)
    came = "".join(_figure(panel, longest) for panel in outputs)
    groups = "".join(f'<div style="{flex}">{figures}</div>' for figures in (given, came) if figures)
    return f'<div style="{flex};margin:12px 0 2px">{groups}</div>'


def _note(words: str) -> str:
    return f'<div style="font-size:12px;color:{PALE_INK};margin-top:4px">{escape(words)}</div>'


def _figure(panel: _Panel, longest: int) -> str:
    name = f"{panel.name}{panel.cut.where}"
    code = f' <span style="font-family:{MONO};font-size:12px">{escape(name)}</span>' if name else ""
    caption = f'<b style="font-weight:600">{escape(panel.title)}</b>{code}'
    edge = _edge(longest)
    style = f"font-size:12px;line-height:18px;color:{INK};text-align:left;margin:0 0 3px {edge}px"
    return (
        f'<figure style="margin:0"><figcaption style="{style}">{caption}</figcaption>'
        f"{_svg(panel, name, longest)}{_scale(panel, edge)}</figure>"
    )


def _edge(longest: int) -> int:
    return 14 if longest <= NUMBERED else 5  # room for the row and column numbers, or for the mark's outline


def _svg(panel: _Panel, name: str, longest: int) -> str:
    rows, columns = panel.cut.values.shape
    numbered = longest <= NUMBERED
    step = -(-longest // SIDE) or 1
    # Three slices of 8 columns have to fit in a line.
    cell = (38 if longest <= 6 else 33) if numbered else max(1, SIDE // longest)
    values, mark = _thin(panel, step), panel.cut.mark
    # A lone row or column of thin cells would be a hair: give it some body.
    across, down = (max(cell, 16) if values.shape[axis] == 1 else cell for axis in (1, 0))
    edge = _edge(longest)
    width, height = values.shape[1] * across, values.shape[0] * down
    parts = [f"<title>{escape(_title(panel, name))}</title>"]
    if not rows * columns:
        width, height = 90, 38
        parts.append(_text(edge + 45, edge + 23, "no values", PALE_INK, 11))
    elif max(values.shape) <= DRAWN:
        parts += _cells(panel, values, (across, down), edge, numbered)
    else:
        parts.append(_png(_paint(panel, values), width, height, edge))
    frame = f'x="{edge - 0.5}" y="{edge - 0.5}" width="{width + 1}" height="{height + 1}"'
    parts.append(f'<rect {frame} fill="none" stroke="{LINE}"/>')
    if mark:
        parts.append(_outline(edge + mark[1] // step * across, edge + mark[0] // step * down, across, down))
    whole = (width + 5 + edge, height + 5 + edge)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{whole[0]}" height="{whole[1]}" '
        f'viewBox="0 0 {whole[0]} {whole[1]}" style="display:block;max-width:100%;background:#ffffff">'
        f"{''.join(parts)}</svg>"
    )


def _thin(panel: _Panel, step: int) -> np.ndarray:
    """Return every `step`-th row and column of a panel's values; of differences the largest of each block."""
    values = panel.cut.values
    if step == 1 or panel.colours is GREYS:
        return values[::step, ::step].astype(np.float64)
    rows, columns = (-(-n // step) for n in values.shape)
    padded = np.pad(values, ((0, rows * step - values.shape[0]), (0, columns * step - values.shape[1])))
    blocks = padded.reshape(rows, step, columns, step)  # (rows, step, columns, step)
    most, least = blocks.max(axis=(1, 3)), blocks.min(axis=(1, 3))
    return np.where(most >= -least, most, least)


def _paint(panel: _Panel, values: np.ndarray) -> np.ndarray:
    """Return the colour of each value: (rows, columns) -> (rows, columns, RGB) of uint8."""
    with np.errstate(all="ignore"):
        share = (values - panel.low) / (panel.high - panel.low)
    finite = np.isfinite(values)
    share = np.where(np.isfinite(share), share, 0.5)  # one value only: the middle of the scale
    stops = np.linspace(0, 1, len(panel.colours))
    painted = np.stack([np.interp(share, stops, panel.colours[:, c]) for c in range(3)], axis=-1)
    painted[~finite] = NOT_FINITE
    return np.rint(painted).astype(np.uint8)


def _cells(panel: _Panel, values: np.ndarray, cell: tuple[int, int], edge: int, numbered: bool) -> list[str]:
    across, down = cell
    size = 10 if across > 34 else 9
    parts = []
    for (row, column), value in np.ndenumerate(values):
        red, green, blue = (int(c) for c in _paint(panel, values[row : row + 1, column : column + 1])[0, 0])
        x, y = edge + column * across, edge + row * down
        fill = f"#{red:02x}{green:02x}{blue:02x}"
        box = f'x="{x}" y="{y}" width="{across}" height="{down}"'
        parts.append(f'<rect {box} fill="{fill}" stroke="{LINE}" stroke-width="0.5"/>')
        if numbered:
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 140
            parts.append(
                _text(x + across / 2, y + down / 2 + 3.5, number(value), "#ffffff" if dark else INK, size)
            )
    if numbered:
        rows, columns = values.shape
        parts += [_text(edge + (c + 0.5) * across, edge - 4, str(c), PALE_INK, 9) for c in range(columns)]
        parts += [
            _text(edge - 7, edge + (r + 0.5) * down + 3, str(r), PALE_INK, 9) for r in range(rows) if rows > 1
        ]
    return parts


def _png(pixels: np.ndarray, width: int, height: int, edge: int) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f'<image x="{edge}" y="{edge}" width="{width}" height="{height}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _outline(x: int, y: int, width: int, height: int) -> str:
    grow = 0 if min(width, height) >= 10 else 3  # a ring around a cell of few pixels, not over it
    box = f'x="{x - grow}" y="{y - grow}" width="{width + 2 * grow}" height="{height + 2 * grow}" fill="none"'
    return (
        f'<rect {box} stroke="#ffffff" stroke-width="4.5"/><rect {box} stroke="{MARK}" stroke-width="2.5"/>'
    )


def _text(x: float, y: float, words: str, fill: str, size: int) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" font-family="{MONO}" font-size="{size}" '
        f'fill="{fill}">{escape(words)}</text>'
    )


def _title(panel: _Panel, name: str) -> str:
    rows, columns = panel.cut.values.shape
    words = f"{panel.title} {name}".strip() + f": {rows} by {columns} values"
    if rows * columns:
        words += f", scale from {panel.low:.4g} to {panel.high:.4g}"
    if panel.cut.mark:
        words += f"; the first that differs is at row {panel.cut.mark[0]}, column {panel.cut.mark[1]}"
    return words


def _scale(panel: _Panel, edge: int) -> str:
    if not panel.cut.values.size:
        return ""
    labels = [panel.low, 0.0, panel.high] if panel.colours is BLUE_WHITE_RED else [panel.low, panel.high]
    stops = ",".join(f"rgb({r:.0f},{g:.0f},{b:.0f})" for r, g, b in panel.colours)
    ticks = "".join(f"<span>{words}</span>" for words in dict.fromkeys(map(number, labels)))
    return (
        f'<div style="width:112px;margin:4px 0 0 {edge}px;font-size:10px;line-height:13px;color:{PALE_INK}">'
        f'<div style="height:6px;border:1px solid {LINE};background:linear-gradient(to right,{stops})"></div>'
        f'<div style="display:flex;justify-content:space-between">{ticks}</div></div>'
    )
