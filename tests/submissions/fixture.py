"""A hostile submission: what it tries, what it has earned, and what the instructor is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.exercise import Lesson
from autograder.sample import Sample, Solved, Write, find, save
from autograder.sample.convolution import ALL, LESSON

# What stops or lies stands in an exercise on which no other is built, and two exercises are not written at all: points
# for them could only be forged.
OPEN = ("conv2d_forward", "filter_image")
OPEN_LOST: Mapping[str, str] = dict.fromkeys(OPEN, "all")
NOTHING: Mapping[str, str] = dict.fromkeys(ALL, "all")
# Left behind in files and processes, to be looked for after the run.
MARK = "cnnlab-attack-left-this"


@dataclass(frozen=True)
class Fixture:
    """One submission of the attack suite.

    numbers: of the cases that it covers, none for a variant of our own; name: the student's id; words: what it tries;
    write: puts its files into a folder; lost: exercise -> the groups of points that it does not earn, or "all"; flag:
    words that the instructor must read; unflagged: why there is nothing to be told, where flag is ""; says: words that
    its own cells must have printed, as proof of what they found.
    """

    numbers: tuple[int, ...]
    name: str
    words: str
    write: Write
    lost: Mapping[str, Any] = field(default_factory=lambda: OPEN_LOST)
    flag: str = ""
    unflagged: str = ""
    says: str = ""

    def __post_init__(self) -> None:
        if bool(self.flag) == bool(self.unflagged):
            raise ValueError(f"{self.name} is flagged, or says why it is not")

    def points(self, lesson: Lesson, exercise: str) -> float:
        """The points that it earns with an exercise."""
        return Sample(self.name, "hostile", self.words, self.write, self.lost).points(lesson, exercise)


def part_solved(solved: Solved, filled: Mapping[str, str] | None = None) -> NotebookNode:
    """Return the notebook of a student who wrote five exercises of seven; filled: exercise -> another cell."""
    stubs = {name: solved.stub(name) for name in (*OPEN, "why_not_invariant")}
    return solved.notebook({**stubs, **(filled or {})})


def handed_in(
    change: Callable[[NotebookNode, Solved], None] = lambda notebook, solved: None,
    name: str = f"{LESSON}.ipynb",
) -> Write:
    """The notebook with five exercises of seven after `change(notebook, solved)`, saved under `name`."""

    def write(folder: Path, solved: Solved) -> None:
        notebook = part_solved(solved)
        change(notebook, solved)
        save(notebook, folder / name)

    return write


def body(source: str, exercise: str = "filter_image") -> Write:
    """The notebook with this body in one exercise."""
    return bodies({exercise: source})


def bodies(sources: Mapping[str, str]) -> Write:
    """The notebook with these bodies in some exercises."""

    def change(notebook: NotebookNode, solved: Solved) -> None:
        for exercise, source in sources.items():
            find(notebook, exercise).source = solved.with_body(exercise, dedent(source))

    return handed_in(change)


def cell(source: str, body: str = "", before: str = "conv_output_size") -> Write:
    """The notebook with a cell of the student's own before an exercise, and a body in filter_image."""

    def change(notebook: NotebookNode, solved: Solved) -> None:
        notebook.cells.insert(notebook.cells.index(find(notebook, before)), code(dedent(source)))
        if body:
            find(notebook, "filter_image").source = solved.with_body("filter_image", dedent(body))

    return handed_in(change)


def code(source: str) -> NotebookNode:
    """A code cell as Jupyter saves it."""
    fields = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
    return nbformat.from_dict(fields)


def raw(content: Callable[[], bytes], name: str = f"{LESSON}.ipynb") -> Write:
    """A submission of one file with this content, made when it is written."""

    def write(folder: Path, solved: Solved) -> None:
        (folder / name).write_bytes(content())

    return write


def beside(files: Mapping[str, bytes] | Callable[[Path], None]) -> Write:
    """The notebook, and other files beside it."""

    def write(folder: Path, solved: Solved) -> None:
        handed_in()(folder, solved)
        if callable(files):
            files(folder)
        else:
            for name, content in files.items():
                (folder / name).write_bytes(content)

    return write


def unique(fixtures: Sequence[Fixture]) -> dict[str, Fixture]:
    """Return the fixtures by name; raise ValueError where two have the same."""
    found = {fixture.name: fixture for fixture in fixtures}
    if len(found) != len(fixtures):
        raise ValueError("two fixtures have the same name")
    return found
