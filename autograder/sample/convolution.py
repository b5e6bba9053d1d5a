"""The sample class of the convolution lesson: honest, unfinished, wrong, odd and hostile submissions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder.exercise import Lesson
from autograder.sample.edit import Edit, read_edits
from autograder.sample.submission import Sample, Solved, Write, answers, bodies, find, save, wrong_answer

LESSON = "02_convolution"
ALL = (
    "conv_output_size",
    "same_padding",
    "pad2d",
    "conv2d_naive",
    "im2col",
    "conv2d_forward",
    "filter_image",
)
# Cells that stop or cheat answer exercises on which no other builds, so all other exercises must keep their points.


def changed(change: Callable[[NotebookNode, Solved], None], name: str = f"{LESSON}.ipynb") -> Write:
    """Return a Write that saves the solved notebook after `change(notebook, solved)`, under `name`."""

    def write(folder: Path, solved: Solved) -> None:
        notebook = solved.notebook()
        change(notebook, solved)
        save(notebook, folder / name)

    return write


def text(content: str | bytes, name: str = f"{LESSON}.ipynb") -> Write:
    """Return a Write that saves one file with this content."""
    data = content.encode() if isinstance(content, str) else content

    def write(folder: Path, solved: Solved) -> None:
        (folder / name).write_bytes(data)

    return write


def unfinished(*kept: str) -> Write:
    """Return a Write that saves a notebook with only some exercises solved and the others as they were handed out."""
    return lambda folder, solved: answers(
        {name: solved.stub(name) for name in (*ALL, "why_not_invariant") if name not in kept}
    )(folder, solved)


def extra_cell(source: str, before: str = "conv_output_size") -> Write:
    """Return a Write that saves the solved notebook with a student's own cell before an exercise."""

    def change(notebook: NotebookNode, solved: Solved) -> None:
        place = notebook.cells.index(find(notebook, before))
        cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        notebook.cells.insert(place, cell)

    return changed(change)


def _schema_99(notebook: NotebookNode, solved: Solved) -> None:
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["nbgrader"]["schema_version"] = 99


def _copied_check(notebook: NotebookNode, solved: Solved) -> None:
    check = find(notebook, "im2col_check")
    notebook.cells += [check, check]


def _stripped(notebook: NotebookNode, solved: Solved) -> None:
    notebook.metadata = {}
    for cell in notebook.cells:
        cell.metadata = {}
        cell.pop("id", None)


def _check_made_easy(notebook: NotebookNode, solved: Solved) -> None:
    for name in ALL:
        find(notebook, name).source = f"def {name}(*args, **kwargs):\n    return 1"
        check = find(notebook, f"{name}_check")
        check.source = "100.0"
        check.metadata["nbgrader"].update(points=1000, solution=True, locked=False)
        check.metadata["tags"] = ["skip-execution"]
        check.outputs = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "100.0"},
                "metadata": {},
                "execution_count": 1,
            }
        ]


def _as_markdown(notebook: NotebookNode, solved: Solved) -> None:
    cell = find(notebook, "pad2d")
    cell["cell_type"] = "markdown"
    cell.pop("outputs", None)
    cell.pop("execution_count", None)


def _link(folder: Path, solved: Solved) -> None:
    os.symlink("/etc/passwd", folder / f"{LESSON}.ipynb")


LIES = """
class Agrees(np.ndarray):
    def __eq__(self, other):
        return np.ones(self.shape, bool)
    def __array_function__(self, function, types, args, kwargs):
        return True
    def __array_ufunc__(self, *args, **kwargs):
        return np.ones(self.shape, bool)
    __ne__ = __sub__ = __rsub__ = __eq__
n, c, h, width = x.shape
return np.zeros((n, c, h, width)).view(Agrees)
"""

FORGED_FRAMES = """
import os
from cnnlab.checking import wire
frame = wire.pack({"ended": "finished", "frames": np.zeros(0, np.uint8)})
score = b'{"verdict": {"points": 100}}\\n'
for descriptor in range(64):
    try:
        os.write(descriptor, frame + score + frame)
    except OSError:
        pass
return 100
"""

PATCHES = """
import builtins, sys
import numpy.testing
import cnnlab.checking.compare, cnnlab.checking.assess, cnnlab.checking.check
cnnlab.checking.compare.compare = lambda *a, **k: None
cnnlab.checking.assess.compare = lambda *a, **k: None
import numpy as np
np.allclose = np.array_equal = lambda *a, **k: True
numpy.testing.assert_allclose = lambda *a, **k: None
builtins.abs = lambda value: 0
sys.displayhook = lambda value: None
get_ipython().ast_transformers.append(type("Drop", (), {"visit": lambda self, tree: tree})())
def filter_image(image, kernel):
    return image
"""

LOOKS_AROUND = """
import gc, os, sys
found = [m for m in sys.modules if "autograder" in m or "solutions" in m]
found += [p for p in ("/work", "gradebook.db", "../gradebook.db", "/course/autograder") if os.path.exists(p)]
print("found", found)
"""

HOSTILE_HTML = "</script><script>document.title = 'changed by a student'</script><img src=x onerror=alert(1)>"

_OTHERS: list[Sample] = [
    Sample("ada", "honest", "the solved lesson", answers({})),
    Sample(
        "barbara",
        "honest",
        "the solved lesson with a helper cell and printing of her own",
        extra_cell("def my_pair(value):\n    return (value, value)\nprint('helper ready', my_pair(3))"),
    ),
    Sample("claude", "unfinished", "an empty notebook", unfinished(), {name: "all" for name in ALL}),
    Sample(
        "donald",
        "unfinished",
        "the first half of the exercises",
        unfinished("conv_output_size", "same_padding", "pad2d", "conv2d_naive"),
        {name: "all" for name in ("im2col", "conv2d_forward", "filter_image")},
    ),
    Sample("olga", "odd", "every cell's metadata of schema 99", changed(_schema_99)),
    Sample(
        "otto",
        "odd",
        "a file named by Colab",
        changed(lambda n, s: None, f"Copy_of_{LESSON}.ipynb"),
        flagged=True,
    ),
    Sample("oskar", "odd", "a check cell pasted twice more", changed(_copied_check), flagged=True),
    Sample(
        "oprah", "odd", "all metadata and ids stripped by another editor", changed(_stripped), flagged=True
    ),
    Sample("omar", "odd", "an exercise turned into a text cell", changed(_as_markdown), flagged=True),
    Sample(
        "oleg",
        "odd",
        "a file cut off in the middle",
        text('{"cells": [{"cell_type": "code", "source": "def conv_out'),
        {name: "all" for name in ALL},
        flagged=True,
    ),
    Sample(
        "hal-exit",
        "hostile",
        "ends the process in one exercise",
        bodies({"conv2d_naive": "import os\nos._exit(0)"}),
        {"conv2d_naive": "all"},
        flagged=True,
    ),
    Sample(
        "hal-loop",
        "hostile",
        "loops without end in one exercise",
        bodies({"filter_image": "while True:\n    pass"}),
        {"filter_image": "all"},
        flagged=True,
    ),
    Sample(
        "hal-print",
        "hostile",
        "prints without end in one exercise",
        bodies({"filter_image": "import os\nwhile True:\n    print('x' * 1000)"}),
        {"filter_image": "all"},
    ),
    Sample(
        "hal-memory",
        "hostile",
        "asks for 10 GiB in one exercise",
        bodies({"filter_image": "return np.ones(10 * 2**30, np.uint8)"}),
        {"filter_image": "all"},
        flagged=True,
    ),
    Sample(
        "hal-lies",
        "hostile",
        "returns arrays that call everything equal",
        bodies({"conv2d_naive": LIES}),
        {"conv2d_naive": "all"},
    ),
    Sample(
        "hal-forge",
        "hostile",
        "writes forged results to every open descriptor",
        bodies({"filter_image": FORGED_FRAMES}),
        {"filter_image": "all"},
        flagged=True,
    ),
    Sample(
        "hal-patch",
        "hostile",
        "replaces every function that compares, then the exercise",
        answers({"filter_image": PATCHES}),
        {"filter_image": "all"},
    ),
    Sample(
        "hal-checks",
        "hostile",
        "rewrites the checks, their points and their outputs",
        changed(_check_made_easy),
        {name: "all" for name in ALL},
    ),
    Sample(
        "hal-torch",
        "hostile",
        "uses torch where NumPy is asked for",
        bodies({"conv2d_naive": "import torch\nreturn torch.conv2d(*map(torch.tensor, (x, w, b))).numpy()"}),
        {"conv2d_naive": "all"},
    ),
    Sample("hal-looks", "hostile", "looks for the grader's files and modules", extra_cell(LOOKS_AROUND)),
    Sample(
        "hal-kill",
        "hostile",
        "kills the process that runs its cells",
        extra_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        flagged=True,
    ),
    Sample("hal-html", "hostile", "prints a page's script", extra_cell(f"print({HOSTILE_HTML!r})")),
    Sample(
        "hal-link",
        "hostile",
        "hands in a link to a system file",
        _link,
        {name: "all" for name in ALL},
        flagged=True,
    ),
]


def edits(lesson: Lesson) -> dict[str, Edit]:
    """Return the wrong answers that the sample class hands in: student -> wrong answer."""
    return read_edits(lesson, Path(__file__).parent / "edits" / f"{LESSON}.py")


def samples(lesson: Lesson) -> list[Sample]:
    """Return the sample class: wrong answers, and submissions of every other kind."""
    return [*_OTHERS, *map(wrong_answer, edits(lesson).values())]
