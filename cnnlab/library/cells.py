"""The text that an Answer was written in: the cells that ran in this kernel, or the file of a script."""

from __future__ import annotations

import inspect
import sys
import tokenize
from typing import Any

from cnnlab.library.source import defines


def in_notebook() -> bool:
    """Say whether this runs in a kernel: notebooks, Colab and nbclient talk to one, a terminal does not."""
    return getattr(_shell(), "kernel", None) is not None


def cells_of(function: Any, name: str) -> list[str]:
    """Return the texts in which `name` may be defined, in the order in which they ran; none are known: []."""
    cells = _history()
    return cells if defines(name, cells) else _file(function)


def _shell() -> Any:
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _history() -> list[str]:
    history = getattr(_shell(), "history_manager", None)
    # Raw: as it was typed, magics and all.
    return [str(cell) for cell in getattr(history, "input_hist_raw", [])]


def _file(function: Any) -> list[str]:
    try:
        path = inspect.getsourcefile(inspect.unwrap(function))
        if not path:
            return []
        with tokenize.open(path) as file:
            return [file.read()]
    except (OSError, TypeError, ValueError, SyntaxError):
        return []
