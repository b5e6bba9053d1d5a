"""Tell a notebook by the name of its file, or by what the file begins with."""

from __future__ import annotations

import re

# Browsers add to the name: 02_convolution.ipynb.json, 02_convolution.ipynb.txt, 02_convolution.ipynb (1).
NAME = re.compile(r"\.ipynb(?:\.\w{1,8})?(?: ?\(\d+\))?$", re.IGNORECASE)
CELLS = re.compile(rb'"(?:cells|worksheets)"\s*:\s*\[')


def is_notebook_name(name: str) -> bool:
    """Say whether a file's name is that of a notebook, be it with what a browser added."""
    return NAME.search(name) is not None


def begins_as_notebook(head: bytes) -> bool:
    """Say whether a file that begins with these bytes may be a notebook: JSON of an object."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def holds_notebook(data: bytes) -> bool:
    """Say whether a file's bytes look like a notebook's, whatever its name; what reads it finds out."""
    return begins_as_notebook(data[:1000]) and CELLS.search(data) is not None
