"""What a notebook's cells show in the sandbox, and what those cost that destroy it."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from autograder import sandbox
from autograder.sandbox import Probe, RunCell, session
from tests.autograder.sandbox.sample import QUICK, TWO, kinds, run, steps_run

pytestmark = pytest.mark.usefixtures("bubblewrap")


SHOWN = {  # a cell -> what it shows, whichever way it is run
    "def f(): pass\nf": "<function __main__.f",
    "def f(): pass": "",
    "import os; os.sep": "'/'",
    "import os; 5": "5",
    "x = 1\n(\n'''\nimport os\n  ''')": r"'\nimport os\n  '",
    "from os import (sep,\n  path\n); sep": "'/'",
    "print(1)\nclass C:\n    print(2)\n# done\n\n": "1\n2",
    "print(1)\r\ndef f():\r\n    return 1\r\n": "1",
    "@unknown\ndef f(): pass": "NameError: name 'unknown' is not defined",
    "print(1)\nraise ValueError('no')\nimport os": "1\nValueError: no",
    "print(1)\nreturn\nimport os": "SyntaxError: 'return' outside function",
    "!true\nimport os": "",
    "import asyncio\nawait asyncio.sleep(0)\n7": "7",
    "import warnings\nfor _ in 1, 2: warnings.warn('once')\nimport os": "UserWarning: once",
    "import inspect\ndef f(): return 42\nprint(inspect.getsource(f))\nimport os": "def f(): return 42",
    "print(display is not None, get_ipython().execution_count)\nimport os": "True 1",
}


@pytest.mark.parametrize("cell", SHOWN)
def test_a_cell_shows_what_a_notebook_shows(cell: str) -> None:
    shown = steps_run([RunCell(0, cell)]).printed[0].strip()
    assert SHOWN[cell] in shown if SHOWN[cell] else shown == ""


IMPORTED = RunCell(0, "from cnnlab import answer")
ANSWERED = "@answer\ndef f(x): return x + 1\nprint(f(1))"


@pytest.mark.parametrize("value", ["3", "None", "[answer]", "'text'"])
@pytest.mark.parametrize("run_by", ["", "\n!true"], ids=["exec", "IPython"])
def test_a_value_called_answer_leaves_the_decorator_as_it_was(value: str, run_by: str) -> None:
    cells = [f"answer = {value}\nkept = answer", ANSWERED + run_by, "print(answer is kept)"]
    found = steps_run([IMPORTED, *(RunCell(n, cell) for n, cell in enumerate(cells, 1))])
    assert not found.errors and found.printed[2].split() == ["2"] and found.printed[3].split() == ["True"]


def test_a_decorator_of_ones_own_stays_and_a_cell_may_overwrite_it_itself() -> None:
    cells = [
        "def answer(f): return lambda x: 7",
        ANSWERED,
        "@answer\ndef f(x): ...\nanswer = 5",
        "print(answer)",
    ]
    found = steps_run([IMPORTED, *(RunCell(n, cell) for n, cell in enumerate(cells, 1))])
    assert found.printed[2].split() == ["7"] and found.printed[4].split() == ["5"]


@pytest.mark.parametrize("last", ["import os", "x = 1"])
def test_what_a_cell_hangs_into_the_shell_is_heeded(last: str) -> None:
    hang = """
    import ast
    class Doubled(ast.NodeTransformer):
        def visit_Constant(self, node):
            return ast.copy_location(ast.Constant(node.value * 2), node)
    get_ipython().ast_transformers.append(Doubled())
    get_ipython().events.register("post_execute", lambda: print("after"))
    """
    cells = [RunCell(0, textwrap.dedent(hang)), RunCell(1, f"print(21)\n{last}")]
    assert steps_run(cells).printed[1].split() == ["42", "after"]


def test_what_notebooks_write_is_tolerated() -> None:
    patient = replace(QUICK, cell_seconds=5.0)
    t = run("%matplotlib inline\n!echo from the shell\n%timeit -n1 -r1 1+1\nx = 3\nx", limits=patient)
    assert "from the shell" in t.printed[0]
    assert "Out" in t.printed[0]


@pytest.mark.parametrize(
    "cell",
    [
        "import os; os._exit(3)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(-1, signal.SIGKILL)",
        "import signal; signal.setitimer = None; signal.alarm = None\nsignal.signal(14, signal.SIG_IGN)\nwhile True: pass",
        "import ctypes; ctypes.string_at(0)",
        "import os; os.closerange(0, 64)",
        "import os\nfor d in map(int, os.listdir('/proc/self/fd')):\n"
        "    try: os.write(d, b'CNN1' + b'\\xff' * 4096)\n    except OSError: pass",
    ],
)
def test_a_cell_that_destroys_is_skipped_and_the_rest_is_judged(cell: str) -> None:
    steps = [
        RunCell(0, "def before(x): return x"),
        RunCell(1, cell),
        Probe("before", ("out",), TWO),
        RunCell(2, "def after(x): return x"),
        Probe("after", ("out",), TWO),
    ]
    t = steps_run(steps)
    assert kinds(t, "before") == kinds(t, "after") == ["values"] * 2
    assert t.flags or "kill(-1" in cell  # which spares the caller, and may not reach the others


def test_a_cell_that_loops_is_stopped() -> None:
    t = run("while True: pass")
    assert "longer" in t.errors[0]


def test_a_cell_that_floods_is_stopped_and_cut() -> None:
    t = run("while True: print('x' * 10_000)", limits=replace(QUICK, cell_seconds=5.0))
    assert "printed more" in t.printed[0] or t.errors[0]
    assert len(t.printed[0]) < 50_000


def test_where_the_first_cell_hangs_each_time_nothing_is_left_to_run() -> None:
    t = run("import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ntime.sleep(60)", "f")
    assert kinds(t, "f") == ["not attempted"] * 2 or kinds(t, "f") == ["timeout"] * 2


def test_what_stands_before_cells_that_destroy_is_judged() -> None:
    steps = [RunCell(0, "def f(x): return x"), Probe("f", ("out",), TWO)]
    steps += [RunCell(n, "import os; os._exit(1)") for n in range(1, 12)]
    assert kinds(steps_run(steps), "f") == ["values"] * 2


def test_no_more_is_kept_of_what_a_cell_printed_than_it_may_print() -> None:
    t = run("""
        import os
        from cnnlab.checking import wire
        os.write(3, wire.pack({"printed": "x" * 150_000, "error": "y" * 1000}))
        """)
    assert len(t.printed[0]) <= sandbox.MAX_PRINTED and len(t.errors[0]) <= 200


def test_no_more_is_kept_of_all_cells_than_a_page_can_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_ALL_PRINTED", 3_500)
    t = steps_run([RunCell(n, "print('x' * 999)") for n in range(6)])
    assert [len(t.printed[n]) for n in range(6)] == [1_000, 1_000, 1_000, 500, 0, 0]
