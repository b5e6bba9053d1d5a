"""The student's library in real kernels: what one notebook keeps, the next one uses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cnnlab.checking import cases
from tests import ROOT

IMPORTS = "import numpy as np\nfrom cnnlab import answer, check, layers, progress"
PAIR = "def both(p):\n    return p if isinstance(p, tuple) else (p, p)"
PAD2D = """@answer
def pad2d(x, padding, value=0.0):
    h, w = both(padding)
    return np.pad(x, ((0, 0), (0, 0), both(h), both(w)), constant_values=value)"""
WRONG = PAD2D.replace("both(h), both(w)", "both(w), both(h)")
CHECK = "check(pad2d)"
COUNT = len(cases.load("pad2d").questions)


class Kernel:
    """A kernel in a working directory, as a notebook has it."""

    def __init__(self, client):
        self.client = client

    def run(self, *cells: str) -> list[str]:
        """Run cells and return what each showed as plain text, errors by their value."""
        return [self.show(cell)[0] for cell in cells]

    def show(self, cell: str) -> tuple[str, str]:
        """Run a cell; return its plain text and its HTML."""
        shown, html = [], []

        def take(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                shown.append(content["text"])
            elif message["msg_type"] == "error":
                shown.append(f"[{content['ename']}]")
            elif "data" in content:
                shown.append(content["data"].get("text/plain", "") + "\n")
                html.append(content["data"].get("text/html", ""))

        self.client.execute_interactive(cell, timeout=60, output_hook=take, allow_stdin=False)
        return "".join(shown), "".join(html)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Start kernels in folders of a course; none is told where its library is."""
    from jupyter_client.manager import start_new_kernel

    monkeypatch.delenv("CNNLAB_HOME")
    started = []

    def start(folder: str = "course/1_layers") -> Kernel:
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        own = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path / "ipython")}
        manager, client = start_new_kernel(
            kernel_name="python3", cwd=str(tmp_path / folder), env={**os.environ, **own}
        )
        started.append((manager, client))
        return Kernel(client)

    yield start
    for manager, client in started:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_one_notebook_after_the_other(kernel, tmp_path):
    first = kernel()
    *_, said = first.run(
        IMPORTS, PAIR, "%matplotlib inline\n!true\nimport os; os.name?", "def broken(:", WRONG, PAD2D, CHECK
    )
    assert said == f"pad2d: all {COUNT} cases pass.\nKept in ../my_cnnlab/pad2d.py.\n"
    assert first.run(CHECK) == [f"pad2d: all {COUNT} cases pass.\n"]  # nothing new
    kept = tmp_path / "course" / "my_cnnlab" / "pad2d.py"
    assert PAIR in kept.read_text() and PAD2D in kept.read_text() and "broken" not in kept.read_text()

    second = kernel("course/2_architectures")
    assert second.run(
        IMPORTS, "print(layers.pad2d.__module__, layers.pad2d(np.ones((1, 1, 1, 1)), 1).sum())"
    ) == [
        "",
        "cnnlab_answer_pad2d 1.0\n",
    ]
    assert second.run("print(layers.im2col(np.ones((1, 1, 3, 3)), 2).shape)")[0].startswith(
        "im2col is not in your"
    )

    # A better version, checked in the first notebook, is what the second one uses from then on.
    *_, said = first.run(PAD2D + " + 0", CHECK)
    assert "Kept in" in said
    assert second.run("import inspect; print(layers.pad2d(np.ones((1, 1, 1, 1)), 1).sum())") == ["1.0\n"]
    assert " + 0" in kept.read_text()
    # A failing one replaces nothing.
    *_, said = first.run(WRONG, CHECK)
    assert "[CheckFailed]" in said and " + 0" in kept.read_text()


def test_a_conv_of_one_notebook_in_the_next(kernel, tmp_path, checkout, convolution):
    import nbformat

    notebook = nbformat.read(str(checkout.script(convolution).with_suffix(".ipynb")), 4)
    wanted = [
        c.source
        for c in notebook.cells
        if c.cell_type == "code"
        and "show" not in c.metadata.get("tags", [])
        and not c.source.startswith("check(")
    ]
    first = kernel()
    first.run(*wanted)
    for name in ("im2col", "conv2d_forward"):
        assert first.run(f"check({name})")[0].endswith(f"Kept in ../my_cnnlab/{name}.py.\n")
    text = (tmp_path / "course" / "my_cnnlab" / "conv2d_forward.py").read_text()
    assert "def im2col" in text and "def sides" in text and "conv2d_naive" not in text and "plot" not in text
    second = kernel()
    assert second.run(
        "import sys, numpy as np\nfrom cnnlab import layers",
        "y = layers.conv2d_forward(np.ones((2, 3, 5, 5)), np.ones((4, 3, 3, 3)), np.zeros(4), padding=1)\n"
        "print(y.shape, y.max(), 'torch' in sys.modules)",
    ) == ["", "(2, 4, 5, 5) 27.0 False\n"]


def test_a_helper_that_no_cell_defines_is_named_and_the_check_passes(kernel, tmp_path):
    hidden = f"exec({PAIR!r})"
    *_, said = kernel().run(IMPORTS, hidden, PAD2D, CHECK)
    assert said == (
        f"pad2d: all {COUNT} cases pass.\npad2d passes, but uses `both`, which no cell defines: it is not kept.\n"
    )
    assert not (tmp_path / "course" / "my_cnnlab").exists()


def test_two_notebooks_keep_at_once(kernel, tmp_path):
    one, other = kernel(), kernel()
    for each in (one, other):
        each.run(IMPORTS, PAIR)
    cell = (
        "from cnnlab.checking.keeping import keep\nfrom cnnlab.checking import cases\n"
        "for n in range(60):\n"
        f"    keep(None, cases.load('pad2d'), [{IMPORTS!r}, {PAIR!r}, {PAD2D!r} + '  # ' + str(n)])\n"
        "print('done')"
    )
    one.client.execute(cell)
    assert other.run(cell)[0] == "done\n"
    assert one.run("print(1)")[0].endswith("1\n")
    folder = tmp_path / "course" / "my_cnnlab"
    assert os.listdir(folder) == ["pad2d.py"] and (folder / "pad2d.py").read_text().endswith("# 59\n")


def test_progress_in_a_notebook(kernel):
    notebook = kernel()
    notebook.run(
        IMPORTS, PAIR, PAD2D, CHECK, "@answer\ndef same_padding(*a, **k): return 0\ncheck(same_padding)"
    )
    text, html = notebook.show("progress()")
    assert "done    pad2d" in text and "same_padding (1 try)" in text
    assert "Next: " in text and html.count("<table") == 1 and html.count("<div") == html.count("</div>")


def test_the_one_file_of_a_notebook(kernel, tmp_path):
    kernel().run(IMPORTS, PAIR, PAD2D, CHECK, "import cnnlab; cnnlab.export_library()")
    exported = tmp_path / "course" / "1_layers" / "my_cnnlab.py"
    (tmp_path / "colab").mkdir()
    exported.rename(tmp_path / "colab" / "my_cnnlab.py")
    fresh = kernel("colab")
    assert fresh.run(
        "import cnnlab; names = cnnlab.import_library()", "print(cnnlab.layers)", "print(names)"
    )[::2] == [
        "1 Answer taken: pad2d.\n",
        "['pad2d']\n",
    ]
    assert (tmp_path / "colab" / "my_cnnlab" / "pad2d.py").exists()


def test_a_check_stays_quick_when_it_keeps(tmp_path):
    code = f"""
import time
start = time.perf_counter()
import cnnlab
print(time.perf_counter() - start)
import numpy as np
from cnnlab.checking.keeping import keep
from cnnlab.checking import cases
questions = cases.load("pad2d")
start = time.perf_counter()
said = keep(None, questions, {[IMPORTS, PAIR, PAD2D]!r})
print(time.perf_counter() - start)
import sys
print(said, [m for m in ("torch", "matplotlib", "PIL", "IPython", "scipy") if m in sys.modules])
"""
    env = {"PYTHONPATH": str(ROOT), "PATH": "", "CNNLAB_HOME": "mine"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60
    )
    imported, kept, said = done.stdout.splitlines()
    assert float(imported) < 1.5 and float(kept) < 0.5
    assert said == "Kept in mine/pad2d.py. []"
