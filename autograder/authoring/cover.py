"""The picture of a lesson's first screen: drawn by the lesson's own code, kept beside its script as a small PNG."""

from __future__ import annotations

import base64
import io

import numpy as np

from autograder.authoring.script import Script
from autograder.course import CourseError

WIDTH = 720  # pixels at most: it fits a notebook's text column
LARGEST = 30_000  # bytes, so that a notebook stays small
COLOURS = 128  # of the palette, which halves a drawing's size
NEAR = 2.0  # grey levels of 255: renderers and processors differ by less on average, and no reader sees it


def draw(script: Script) -> bytes:
    """Run the cell that draws a lesson's picture and return the figure as a PNG.

    Raises:
        CourseError: where the cell raises, draws nothing, or draws what is too large.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    (cell,) = (cell for cell in script.cells if cell.role == "cover")
    place = f"{script.path}:{cell.line}"
    plt.close("all")
    with mpl.rc_context():
        try:
            exec(compile(cell.source, str(script.path), "exec"), {"__name__": "__main__"})
        except Exception as error:
            raise CourseError(f"{place}: the cover raises {type(error).__name__}: {error}.") from error
        if not plt.get_fignums():
            raise CourseError(f"{place}: the cover draws no figure.")
        raw = io.BytesIO()
        plt.gcf().savefig(raw, format="png", dpi=100, bbox_inches="tight", facecolor="white")
        plt.close("all")
    png = _small(raw)
    if len(png) > LARGEST:
        raise CourseError(
            f"{place}: the cover takes {len(png):,} bytes, more than {LARGEST:,}: draw less, or smaller."
        )
    return png


def _small(raw: io.BytesIO) -> bytes:
    from PIL import Image

    image = Image.open(raw).convert("RGB")
    if image.width > WIDTH:
        image = image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)
    small = io.BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue()


def same(one: bytes, other: bytes) -> bool:
    """Say whether two pictures look the same, whatever drew them."""
    from PIL import Image

    a, b = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), float) for png in (one, other))
    return a.shape == b.shape and float(np.mean(np.abs(a - b))) < NEAR


def markdown(script: Script) -> str:
    """Return the Markdown that holds a lesson's picture, which needs no file beside the notebook.

    Raises:
        CourseError: where the picture was not drawn yet.
    """
    (cell,) = (cell for cell in script.cells if cell.role == "cover")
    try:
        png = script.picture.read_bytes()
    except OSError as error:
        raise CourseError(f"{script.picture} is missing: run autograder build.") from error
    return f"![{cell.name}](data:image/png;base64,{base64.b64encode(png).decode()})"
