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
from cnnlab.checking import cases, probe
from cnnlab.checking.assess import Question, Questionnaire
from cnnlab.checking.check import CheckFailed, examine

ROOT = Path(__file__).resolve().parents[2]
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
    return {**os.environ, **own, "JUPYTER_DATA_DIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}


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
