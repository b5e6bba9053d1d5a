"""Submissions whose notebook is not what was handed out."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder.sample import Solved, find, save
from autograder.sample.convolution import ALL, LESSON
from tests.submissions.fixture import NOTHING, OPEN_LOST, Fixture, code, handed_in, part_solved, raw

CHECKS_ARE_OURS = "checks, points and outputs come from the lesson, never from the notebook"
METADATA = "nothing of a notebook's metadata is read but the id, so nothing was gained or lost by it"
WRONG = "def {name}(*args, **kwargs):\n    return 1"


def each_graded(change: Callable[[NotebookNode], None]) -> Callable[[NotebookNode, Solved], None]:
    """Change every cell that carries nbgrader's metadata."""

    def edit(notebook: NotebookNode, solved: Solved) -> None:
        for one in notebook.cells:
            if "nbgrader" in one.metadata:
                change(one)

    return edit


def _skipped(notebook: NotebookNode, solved: Solved) -> None:
    for name in ALL:
        find(notebook, name).source = WRONG.format(name=name)
        find(notebook, f"{name}_check").metadata["tags"] = ["skip-execution", "remove-cell"]


def _copied(notebook: NotebookNode, solved: Solved) -> None:
    easy = copy.deepcopy(find(notebook, "filter_image_check"))
    easy.source = "100.0"
    notebook.cells[:0] = [easy]
    notebook.cells += [copy.deepcopy(easy)]


def _schema(one: NotebookNode) -> None:
    one.metadata["nbgrader"]["schema_version"] = 99


def _without_checks(notebook: NotebookNode, solved: Solved) -> None:
    notebook.cells = [c for c in notebook.cells if not str(c.metadata.get("nbgrader", {})).count("_check")]
    find(notebook, "filter_image").source = WRONG.format(name="filter_image")


def _flipped(one: NotebookNode) -> None:
    about = one.metadata["nbgrader"]
    about.update({key: not about[key] for key in ("grade", "locked", "solution") if key in about})
    one.metadata.update(editable=True, deletable=True)


def _renamed(notebook: NotebookNode, solved: Solved) -> None:
    find(notebook, "pad2d").metadata["nbgrader"]["grade_id"] = "free_points"


def _rich(one: NotebookNode) -> None:
    one.metadata["nbgrader"]["points"] = 1_000


def _as_markdown(notebook: NotebookNode, solved: Solved) -> None:
    for name in ("pad2d", "pad2d_check"):
        one = find(notebook, name)
        one["cell_type"] = "markdown"
        one.pop("outputs", None)
        one.pop("execution_count", None)


def _reordered(notebook: NotebookNode, solved: Solved) -> None:
    given = [c for c in notebook.cells if "nbgrader" not in c.metadata]
    notebook.cells = given + [c for c in reversed(notebook.cells) if "nbgrader" in c.metadata]


def _redefines(notebook: NotebookNode, solved: Solved) -> None:
    after = notebook.cells.index(find(notebook, "pad2d_check")) + 1
    lie = "def pad2d(x, padding):\n    return x\nnp.pad = lambda *a, **k: 1"
    notebook.cells.insert(after, code(lie))
    find(notebook, "filter_image").source = WRONG.format(name="filter_image")


def _stripped(notebook: NotebookNode, solved: Solved) -> None:
    notebook.metadata = {}
    for one in notebook.cells:
        one.metadata = {}
        one.pop("id", None)


def _large(notebook: NotebookNode, solved: Solved) -> None:
    find(notebook, "pad2d").outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * (12 << 20)}]
    notebook.cells[0]["attachments"] = {"a.png": {"image/png": "A" * (2 << 20)}}


def _nul(notebook: NotebookNode, solved: Solved) -> None:
    find(notebook, "same_padding").source += "\n# \0"


def _kernel(notebook: NotebookNode, solved: Solved) -> None:
    notebook.metadata["kernelspec"] = {
        "name": "../../bin/sh",
        "display_name": 3,
        "argv": ["sh", "-c", "exit"],
    }
    notebook.metadata["language_info"] = {"name": "bash"}


def _one_id(notebook: NotebookNode, solved: Solved) -> None:
    for one in notebook.cells:
        one["id"] = "02-convolution-01"


def _homoglyph(notebook: NotebookNode, solved: Solved) -> None:
    one = find(notebook, "im2col")
    one.source = one.source.replace("def im2col", "def im2c\u043el")  # a Cyrillic letter
    one.metadata = {}
    one.pop("id", None)


def _answer_in_check(notebook: NotebookNode, solved: Solved) -> None:
    find(notebook, "pad2d_check").source = find(notebook, "pad2d").source
    find(notebook, "pad2d").source = solved.stub("pad2d")


def _old_format(folder: Path, solved: Solved) -> None:
    cells = []
    for one in part_solved(solved).cells:
        kind = one.cell_type
        cells.append({"cell_type": kind, "input" if kind == "code" else "source": one.source, "metadata": {}})
    save(
        {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]},
        folder / f"{LESSON}.ipynb",
    )


def _good_and_broken(folder: Path, solved: Solved) -> None:
    handed_in()(folder, solved)
    (folder / f"{LESSON} (1).ipynb").write_bytes(b'{"cells": [')


def _doubled_keys(folder: Path, solved: Solved) -> None:
    handed_in()(folder, solved)
    path = folder / f"{LESSON}.ipynb"
    path.write_text(
        path.read_text().replace('"cell_type": "code"', '"cell_type": "raw", "cell_type": "code"')
    )


FIXTURES = [
    Fixture(
        (1,),
        "build-skipped",
        "tags its checks so that they are skipped",
        handed_in(_skipped),
        NOTHING,
        unflagged=CHECKS_ARE_OURS,
    ),
    Fixture(
        (19,),
        "build-copied",
        "copies a check's id onto easy cells",
        handed_in(_copied),
        flag="filter_image: 3 cells carry the id of its check",
    ),
    Fixture(
        (20,),
        "build-schema",
        "says that its metadata is of a schema to come",
        handed_in(each_graded(_schema)),
        unflagged=METADATA,
    ),
    Fixture(
        (21,), "build-no-checks", "deletes every check", handed_in(_without_checks), unflagged=CHECKS_ARE_OURS
    ),
    Fixture(
        (22,),
        "build-flipped",
        "flips what is locked, graded and a solution",
        handed_in(each_graded(_flipped)),
        unflagged=METADATA,
    ),
    Fixture(
        (22,),
        "build-renamed",
        "gives an exercise's cell another id",
        handed_in(_renamed),
        unflagged="the cell's other id still says which it is",
    ),
    Fixture(
        (23,),
        "build-rich",
        "gives every cell a thousand points",
        handed_in(each_graded(_rich)),
        unflagged=METADATA,
    ),
    Fixture(
        (24,),
        "build-markdown",
        "turns an exercise and its check into text",
        handed_in(_as_markdown),
        flag="pad2d: Its cell had become a markdown cell",
    ),
    Fixture(
        (25,),
        "build-reordered",
        "turns the order of its exercises round",
        handed_in(_reordered),
        unflagged="the lesson's order is put back, and all it has written counts",
    ),
    Fixture(
        (25,),
        "build-redefines",
        "defines an earlier exercise anew before a later check",
        handed_in(_redefines),
        # They are run with the pad2d that stands last above them, as the student saw it.
        lost={**OPEN_LOST, "im2col": ("padding", "together"), "conv2d_naive": ("padding", "together")},
        flag="pad2d: Cells",
    ),
    Fixture(
        (26,),
        "build-stripped",
        "has lost all metadata and ids",
        handed_in(_stripped),
        flag="It was matched by its name: its cell had lost its id",
    ),
    Fixture(
        (27,),
        "build-truncated",
        "breaks off in the middle",
        raw(lambda: b'{"cells": [{"cell_type": "code", "source": "def conv_out'),
        NOTHING,
        flag="is not complete: it breaks off",
    ),
    Fixture(
        (27,),
        "build-no-json",
        "is a page of a web site",
        raw(lambda: b"<!doctype html><html>Sign in</html>"),
        NOTHING,
        flag="is not JSON",
    ),
    Fixture(
        (28,),
        "build-deep",
        "nests a hundred thousand levels deep",
        raw(lambda: b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        NOTHING,
        flag="levels deep",
    ),
    Fixture(
        (29,),
        "build-huge",
        "is larger than any notebook",
        raw(lambda: b'{"cells": ["' + b"x" * (100 << 20) + b'"]}'),
        NOTHING,
        flag="MiB large",
    ),
    Fixture(
        (29,),
        "build-large",
        "carries outputs and attachments of many MiB",
        handed_in(_large),
        unflagged="outputs and attachments are left behind whatever they hold",
    ),
    Fixture(
        (30,),
        "build-nul",
        "has a NUL character in an answer",
        handed_in(_nul),
        {**OPEN_LOST, "same_padding": "all"},
        flag="holds a NUL character",
    ),
    Fixture(
        (31,), "build-kernel", "asks for a kernel that there is not", handed_in(_kernel), unflagged=METADATA
    ),
    Fixture(
        (59,),
        "build-named",
        "has the name of another lesson",
        handed_in(name="Copy_of_04_pooling.ipynb"),
        flag="the name of 04_pooling; its content is 02_convolution",
    ),
    # Our own
    Fixture((), "build-one-id", "gives every cell the same id", handed_in(_one_id), unflagged=METADATA),
    Fixture(
        (),
        "build-homoglyph",
        "defines a name that only looks like an exercise's",
        handed_in(_homoglyph),
        {**OPEN_LOST, "im2col": "all"},
        flag="im2col: No cell of yours defines im2col",
    ),
    Fixture(
        (),
        "build-in-check",
        "writes its answer into a check's cell",
        handed_in(_answer_in_check),
        flag="pad2d: It was found in a check",
    ),
    Fixture(
        (), "build-old", "is a notebook of an old format", _old_format, flag="It was matched by its name"
    ),
    Fixture((), "build-two", "hands in a broken copy beside a good one", _good_and_broken, flag="unreadable"),
    Fixture(
        (),
        "build-doubled",
        "says every kind of cell twice",
        _doubled_keys,
        unflagged="it is read as Jupyter reads it",
    ),
]
