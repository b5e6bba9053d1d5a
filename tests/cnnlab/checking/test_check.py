"""`check`: what a student sees in a notebook, in a terminal and from a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnnlab import check
from cnnlab.checking import cases, handin, probe, tries
from cnnlab.checking.check import CheckFailed, examine
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.question import Clue, Question, Questionnaire
from cnnlab.checking.way import Way
from tests import ROOT

HEADLINE = "double: its one case fails. You forgot to double."

SETUP = """
from pathlib import Path
import numpy as np
from cnnlab import answer, check
folder = Path({folder!r})
"""
STUB = "@answer\ndef double(x):\n    raise NotImplementedError\n"
WRONG = "@answer\ndef double(x):\n    return x.copy()\n"
RIGHT = "@answer\ndef double(x):\n    return x * 2\n"
CHECK = "check(double, folder)"

# Run by the Python under test, so that its own IPython, kernel and nbclient are what is tried.
EXECUTE = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
nbformat.write(notebook, sys.argv[1])
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the public Cases of one Exercise, `double`."""
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 3))
    forgot = probe.call(lambda x: x.copy(), {"x": x}, ("out",))
    question = Question("a batch of images", "basic", {"x": x}, {"out": x * 2}, 1e-6, {"forgot": forgot})
    double = Questionnaire("double", ("out",), (question,), {"forgot": "You forgot to double."})
    cases.save(tmp_path / "01_double.npz", [double])
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which a child finds cnnlab and keeps its settings in `folder`."""
    own = {"PYTHONPATH": str(ROOT), "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_CONFIG_DIR": str(folder)}
    inherited = {name: value for name, value in os.environ.items() if name != "CNNLAB_HOME"}
    return {**inherited, **own, "JUPYTER_DATA_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}


def run(python: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [python, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment(folder), cwd=folder
    )


def execute(python: str, cells: list[str], folder: Path) -> list[list[dict]]:
    """Run cells in a real kernel and return the outputs of each."""
    blank = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    notebook = {
        "cells": [{**blank, "source": source} for source in cells],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    path = folder / "lesson.ipynb"
    path.write_text(json.dumps(notebook))
    done = run(python, "-W", "ignore", "-c", EXECUTE, str(path), folder=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return [cell["outputs"] for cell in json.loads(path.read_text())["cells"]]


@pytest.fixture(params=["the installed IPython", "IPython 7.34"])
def python(request) -> str:
    """A Python whose IPython is to be tried."""
    if request.param == "the installed IPython":
        return sys.executable
    path = os.environ.get("CNNLAB_IPYTHON7_PYTHON")
    if not path:
        pytest.skip("CNNLAB_IPYTHON7_PYTHON names no Python with IPython 7.34, ipykernel, nbclient and numpy")
    return path


def test_in_a_notebook(python, folder):
    cells = [SETUP.format(folder=str(folder)), STUB + CHECK, WRONG, CHECK, RIGHT + CHECK]
    setup, stub, defined, wrong, right = execute(python, cells, folder)
    assert setup == [] and defined == []

    for outputs, line in ((stub, "double is not attempted yet."), (wrong, HEADLINE)):
        display, error = outputs
        assert display["output_type"] == "display_data"
        assert error["output_type"] == "error" and error["ename"] == "CheckFailed"
        assert error["evalue"] == line and error["traceback"] == [line]
    html = "".join(wrong[0]["data"]["text/html"])
    assert "<figure" in html and "<svg" in html and "You forgot to double." in html
    assert "".join(wrong[0]["data"]["text/plain"]).startswith(HEADLINE)

    (display,) = right
    assert "double: its one case passes." in "".join(display["data"]["text/html"])
    assert "Kept in my_cnnlab/double.py." in "".join(display["data"]["text/html"])
    assert RIGHT.strip() in (folder / "my_cnnlab" / "double.py").read_text()


def test_in_a_terminal_of_ipython(python, folder):
    code = SETUP.format(folder=str(folder)) + WRONG + CHECK
    done = run(
        python,
        "-m",
        "IPython",
        "--no-banner",
        "--simple-prompt",
        "--colors=NoColor",
        "-c",
        code,
        folder=folder,
    )
    shown = done.stdout + done.stderr
    assert HEADLINE in shown and "out[0, 0, 0, 0] is" in shown and "<div" not in shown
    assert "Traceback" not in shown and "check.py" not in shown and "CheckFailed" not in shown
    assert shown.count(HEADLINE) == 2  # the report, and the exception's one line


def test_in_a_script(folder):
    (folder / "homework.py").write_text(SETUP.format(folder=str(folder)) + WRONG + CHECK)
    done = run(sys.executable, "homework.py", folder=folder)
    assert done.returncode == 1
    assert done.stdout.startswith(HEADLINE) and "FAIL  basic: a batch of images" in done.stdout
    # Python prints the frame that raised; there is no second one of ours.
    assert done.stderr.count('File "') == 2 and done.stderr.count("/cnnlab/") == 1
    assert done.stderr.splitlines()[-1].endswith(f"CheckFailed: {HEADLINE}")


def test_a_script_that_passes_goes_on(folder):
    (folder / "homework.py").write_text(SETUP.format(folder=str(folder)) + RIGHT + CHECK + "\nprint('on')")
    done = run(sys.executable, "homework.py", folder=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "double: its one case passes.\non\n", "")


@pytest.mark.parametrize("body", ["return x.copy()", "return x[0]", "return x * 2", "return x.shape"])
def test_neither_torch_nor_a_plotting_library_is_imported(folder, body):
    code = f"""
import sys, time
from pathlib import Path
start = time.perf_counter()
from cnnlab.checking.check import examine
from cnnlab.checking import report
def double(x):
    {body}
finding = examine(double, "double", Path({str(folder)!r}))
report.html(finding), report.text(finding)
print(time.perf_counter() - start)
print([name for name in ("torch", "matplotlib", "PIL", "scipy", "IPython") if name in sys.modules])
"""
    done = run(sys.executable, "-c", code, folder=folder)
    seconds, imported = done.stdout.splitlines()
    assert imported == "[]"
    # The promise is 0.3 s, with NumPy's import; a machine that does ten other things may take ten times that.
    assert float(seconds) < 3


def flipped(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    """Convolve as mathematics does it, with plain loops, for the Cases of stride 1 without padding."""
    (n, _, h, width), (f, _, kh, kw) = x.shape, w.shape
    y = np.zeros((n, f, h - kh + 1, width - kw + 1), x.dtype)
    for i in range(y.shape[2]):
        for j in range(y.shape[3]):
            window = x[:, None, :, i : i + kh, j : j + kw]
            y[:, :, i, j] = (window * w[None, :, :, ::-1, ::-1]).sum(axis=(2, 3, 4)) + b
    return y


def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    return flipped(x, w, b)


def test_the_lesson_s_own_cases_recognise_a_flipped_kernel(capsys):
    finding = examine(conv2d_forward, "conv2d_forward")
    assert finding.mistake == "flipped" and finding.hint
    with pytest.raises(CheckFailed) as failure:
        check(conv2d_forward)
    assert finding.hint in str(failure.value)
    assert capsys.readouterr().out.startswith(f"conv2d_forward: {len(finding.failed)} of")


def test_the_lesson_s_own_cases_are_asked_in_no_time(folder):
    code = """
import time
import numpy as np
from cnnlab import check
def conv2d_forward(x, w, b, stride=1, padding=0, dilation=1, groups=1):
    return np.zeros((x.shape[0], w.shape[0], 3, 3))
spent = []
for _ in range(3):
    start = time.perf_counter()
    try:
        check(conv2d_forward)
    except AssertionError:
        pass
    spent.append(time.perf_counter() - start)
print(min(spent))
"""
    done = run(sys.executable, "-c", code, folder=folder)
    assert float(done.stdout.splitlines()[-1]) < 0.3


def test_the_result_is_checked_in_and_not_called(folder):
    with pytest.raises(TypeError, match=r"check takes the function itself, as in check\(conv2d_forward\)"):
        check(np.zeros(3), folder)


def test_an_unknown_name_is_told_the_known_ones(folder):
    def dubble(x):
        return x * 2

    with pytest.raises(
        LookupError, match="no lesson has an exercise named 'dubble'; the exercises are double"
    ):
        check(dubble, folder)


def test_a_stub_is_asked_only_once(folder):
    calls = []

    def double(x):
        calls.append(x)
        raise NotImplementedError

    with pytest.raises(CheckFailed, match=r"^double is not attempted yet\.$"):
        check(double, folder)
    assert len(calls) == 1


def test_what_an_answer_does_to_its_inputs_stays_there(folder):
    def double(x):
        x *= 2
        return x

    for _ in range(2):
        finding = examine(double, "double", folder)
        assert finding.results[0].outcome.message.startswith("it changed its argument x")
        (question,) = cases.load("double", folder).questions
        assert (question.inputs["x"] * 2 == question.expected["out"]).all()


# Tries and clues


CLUES = ("Look at x.", "Add something to x.", "Write `x + x`.")


@pytest.fixture
def clued(tmp_path) -> Path:
    """A folder whose one Exercise has three clues, in a kernel that has just started."""
    tries.forget()
    question = Question("a number", "basic", {"x": 3}, {"out": 6}, 1e-6, {})
    cases.save(
        tmp_path / "01_clued.npz",
        [Questionnaire("clued", ("out",), (question,), {}, clues=tuple(map(Clue, CLUES)))],
    )
    return tmp_path


def version(body: str):
    """Return `clued` with this body, as a cell would define it."""
    space: dict = {}
    exec(f"K = 5\ndef helper(x):\n    return x\ndef clued(x):\n    {body}", space)
    return space["clued"]


def clues_of(function, folder: Path, capsys) -> list[int]:
    """Check and return the numbers of the clues shown."""
    try:
        check(function, folder)
    except CheckFailed:
        pass
    out = " ".join(capsys.readouterr().out.split())
    shown = [n for n in (1, 2, 3) if f"Clue {n} of 3: {CLUES[n - 1]}" in out]
    assert out.count("Clue") == len(shown)
    return shown


def test_each_try_unfolds_one_clue_more(clued, capsys):
    stub, first, second = version("raise NotImplementedError"), version("return x"), version("return x + 1")
    assert clues_of(stub, clued, capsys) == []
    assert clues_of(first, clued, capsys) == [1]
    assert clues_of(version("return x  # the same code"), clued, capsys) == [1]
    assert clues_of(second, clued, capsys) == [1, 2]
    assert clues_of(stub, clued, capsys) == []
    assert clues_of(second, clued, capsys) == [1, 2]
    assert clues_of(version("return 1 / 0"), clued, capsys) == [1, 2, 3]
    assert clues_of(first, clued, capsys) == [1, 2, 3]


def test_a_pass_folds_the_clues_again(clued, capsys):
    assert clues_of(version("return x"), clued, capsys) == [1]
    assert clues_of(version("return 2 * x"), clued, capsys) == []
    assert tries.tries_at("clued").passed
    assert clues_of(version("return x"), clued, capsys) == [1]


def test_what_an_answer_names_counts_as_its_code(clued, capsys):
    one, other = version("return helper(x) + K"), version("return helper(x) + K")
    assert clues_of(one, clued, capsys) == [1] and clues_of(other, clued, capsys) == [1]
    other.__globals__["K"] = 6
    assert clues_of(other, clued, capsys) == [1, 2]
    exec("def helper(x):\n    return 7", other.__globals__)
    assert clues_of(other, clued, capsys) == [1, 2, 3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class A:\n    def f(self): return 1", "class A:\n    def f(self): return 2"),
        ("def A(x=1): return x", "def A(x=2): return x"),
        ("def g(n):\n    return lambda: n\nA = g(1)", "def g(n):\n    return lambda: n\nA = g(2)"),
        ("T = [1]\ndef A(): return T", "T = [2]\ndef A(): return T"),
        ("import numpy as np\nT = np.zeros(3)\ndef A(): return T", "import numpy as np\nT = np.ones(3)\ndef A(): return T"),
        ("def A(): return A2()\ndef A2(): return A", "def A(): return A2()\ndef A2(): return A()"),
        ("def A(): return [i for i in range(3)]", "def A(): return [i for i in range(4)]"),
    ],
)  # fmt: skip
def test_versions_are_told_apart_and_known_again(one, other):
    def made(source):
        space: dict = {"__name__": "__main__"}
        exec(source, space)
        return tries.fingerprint(space["A"])

    assert made(one) == made(one) != made(other)


def test_a_value_that_cannot_be_written_down_is_no_trouble():
    class Odd:
        def __repr__(self):
            raise ValueError

    odd = [Odd()]

    def answer(x, default=odd[0]):
        return odd, default

    assert tries.fingerprint(answer) == tries.fingerprint(answer)


# Trained weights in a file


@pytest.fixture
def weighed(tmp_path, monkeypatch) -> Path:
    """A folder whose one Exercise is judged from the file weights.safetensors beside the notebook."""
    tries.forget()
    monkeypatch.chdir(tmp_path)
    questions = [
        Question(f"case {n}", "basic", {"x": np.zeros(3)}, {"weights": {"w": np.ones(n)}}, 1e-6, {})
        for n in (2, 3)
    ]
    way = Way(file="weights.safetensors")
    cases.save(
        tmp_path / "07_weighed.npz", [Questionnaire("weighed", ("weights",), tuple(questions), {}, way)]
    )
    return tmp_path


def weighed_answer():
    raise AssertionError("it is the file that is judged")


weighed_answer.__name__ = "weighed"


def test_the_file_beside_the_notebook_is_judged(weighed, capsys, library, monkeypatch):
    with pytest.raises(CheckFailed, match=r"^weighed is not attempted yet\.$"):
        check(weighed_answer, weighed)
    assert "weights.safetensors is not beside the notebook." in " ".join(capsys.readouterr().out.split())
    Path("weights.safetensors").write_bytes(b"what")
    with pytest.raises(CheckFailed, match=r"2 of 2 cases fail"):
        check(weighed_answer, weighed)
    assert "weights.safetensors: x (3,)" in capsys.readouterr().out
    read = []

    def fits(path):
        read.append(path)
        return Outcome("values", {"weights": {"w": np.ones(2)}})

    monkeypatch.setattr(handin, "read_weights", fits)
    assert [r.passed for r in examine(weighed_answer, "weighed", weighed).results] == [True, False]
    assert read == [Path("weights.safetensors")] and not library.exists()
