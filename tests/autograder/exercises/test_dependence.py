"""Which exercises a changed cell touches: those that use it by name, through others, and those that share a value."""

from __future__ import annotations

from typing import Any

import pytest

from tests.autograder.exercises.dependence import touched

IMPORTS = "import math\nSEEN = []\nLIMIT = 3"
CELLS = [
    IMPORTS,
    "def area(r):\n    return math.pi * r**2",
    "def helper(r):\n    return area(r) + 1",
    "def volume(r, h):\n    return [helper(r) * h for _ in range(1)][0]",
    "class Sphere:\n    def size(self, r):\n        return self.area(r)\n    def area(self, r):\n        return r",
    "def remembers(r):\n    return SEEN + [r]",
    "whole = volume(1, 2)",
    "def uses_whole():\n    area = 1\n    return whole + area",
]


def after(edited: int, source: str) -> set[int]:
    cells = [source if place == edited else cell for place, cell in enumerate(CELLS)]
    values: dict[str, Any] = {}
    for cell in cells:
        exec(cell, values)
    return touched(cells, edited, CELLS[edited], values)


@pytest.mark.parametrize(
    "edited, source, expected",
    [
        (1, "def area(r):\n    return 3 * r", {1, 2, 3, 6, 7}),
        (3, "def volume(r, h):\n    return 0", {3, 6, 7}),
        (4, "class Sphere:\n    def area(self, r):\n        return 0", {4}),
        (4, "class Sphere:\n    pass\ndef helper(r):\n    return 0", {3, 4, 6, 7}),  # it binds another's name
        (4, "class Sphere:\n    SEEN.append(1)", {4, 5}),  # two cells share a list
        (4, "def more():\n    global whole\n    whole = 0\nSphere = more", {4, 7}),
        (
            3,
            "def volume(r, h):\n    remembers(1).append(2)\n    return 0",
            {3, 5, 6, 7},
        ),  # through another's function
        (
            5,
            "def remembers(r):\n    math.pi = 3\n    return []",
            set(range(8)),
        ),  # every cell may see a module
        (5, "def remembers(r):\n    area.calls = 3\n    return []", set(range(8))),
    ],
)
def test_what_a_cell_touches(edited: int, source: str, expected: set[int]) -> None:
    assert after(edited, source) == expected


def test_what_a_cell_no_longer_binds_is_changed() -> None:
    cells = ["def gone():\n    pass", "def kept():\n    return gone"]
    assert touched(["x = 1", cells[1]], 0, cells[0], {}) == {0, 1}
