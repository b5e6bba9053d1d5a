"""The colours and sizes that all pictures share, and how a picture is shown."""

from __future__ import annotations

from types import ModuleType

INK = "#1f2933"
MARK = "#ffd37a"
LINE = "#9aa5b1"
BAR = "#3b6ea8"
LINES = ["#3b6ea8", "#d55e00", "#2f9e63", "#a3559b", "#8a6d00", "#59636e"]  # told apart by colour-blind eyes
MARKERS = "os^Dv"

TITLE = 10  # points, of a title and of what stands for one
TEXT = 9  # points, of an axis's labels, a legend and what stands in a picture
LETTER = 0.085  # inches that a letter of a title takes, so that a picture is as wide as its titles
WIDTH = 7.5  # inches: a notebook's column
GRID = 0.4  # opacity of grid lines: seen, but behind the data
HALF_ROW = 0.6  # rows from the middle of the first to the top of the picture: half a row and a margin
LAST_ROW = 0.4  # rows from the number of rows to the bottom: the last one's middle is 1 above that


def finish(plt: ModuleType) -> None:
    """Show the current figure where there is something to show it on."""
    if plt.get_backend().lower() != "agg":  # Agg has nothing to show on and would warn
        plt.show()
