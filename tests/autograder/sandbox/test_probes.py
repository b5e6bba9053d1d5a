"""What an Answer that is asked in the sandbox gives, and what one that destroys costs."""

from __future__ import annotations

import textwrap

import pytest

from autograder.sandbox import Limits, Probe, RunCell
from tests.autograder.sandbox.sample import QUICK, TWO, kinds, run, steps_run

pytestmark = pytest.mark.usefixtures("bubblewrap")


def test_values_come_out_as_they_are() -> None:
    t = run("def double(x): return x * 2", "double")
    assert [list(o.values["out"]) for o in t.outcomes["double"]] == [[0.0, 2.0, 4.0], [2.0, 2.0]]


DESTROYERS = {
    "os._exit": ("import os; os._exit(0)", "died"),
    "sys.exit": ("import sys; sys.exit(0)", "error"),
    "keyboard interrupt": ("raise KeyboardInterrupt", "error"),
    "endless loop": ("\n    while True: pass", "timeout"),
    "loop that swallows": (
        "\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
        "timeout",
    ),
    "sleep": ("import time; time.sleep(60)", "timeout"),
    "endless print": ("\n    while True: print('x' * 1000)", "error"),
    "endless write": ("\n    import os\n    while True: os.write(1, b'x' * 1000)", "timeout"),
    "10 GiB": ("import numpy; return numpy.ones(10 * 2**30, 'u1')", "out of memory"),
    "kills its parent": ("import os; os.kill(os.getppid(), 9); os.kill(os.getpid(), 9)", "died"),
    "kills its group": ("import os; os.kill(0, 9)", "died"),
    "kills all": ("import os, time; os.kill(-1, 9); time.sleep(1)", "died"),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", "died"),
    "recursion": ("return f(x)", "error"),
}


@pytest.mark.parametrize("what", DESTROYERS)
def test_a_probe_that_destroys_costs_its_own_exercise_only(what: str) -> None:
    body, kind = DESTROYERS[what]
    t = run(f"def f(x): {body}\ndef good(x): return x * 2\ndef later(x): return x + 1", "good", "f", "later")
    assert set(kinds(t, "f")) == {kind}
    assert kinds(t, "good") == ["values"] * 2
    assert kinds(t, "later") == ["values"] * 2


def test_only_the_case_that_dies_is_lost() -> None:
    t = run("def f(x):\n    import os\n    return x if len(x) == 2 else os._exit(1)", "f")
    assert kinds(t, "f") == ["died", "values"]


def test_a_thread_left_running_does_not_hang_later_probes() -> None:
    t = run(
        """
        import threading, time
        threading.Thread(target=lambda: [time.sleep(0.001) for _ in iter(int, 1)], daemon=True).start()
        def f(x): return x
        """,
        "f",
    )
    assert kinds(t, "f") == ["values"] * 2


def test_the_last_exercise_is_asked_in_the_process_of_the_cells_and_the_others_in_copies() -> None:
    t = run(
        "import os\ndef f(x): return os.getpid()\ndef g(x): return os.getpid()\nprint(os.getpid())", "f", "g"
    )
    cells = int(t.printed[0])
    assert [o.values["out"] for o in t.outcomes["g"]] == [cells, cells]
    assert len({o.values["out"] for o in t.outcomes["f"]} | {cells}) == 2


ENDS = {
    "died": "os._exit(0)",
    "out of memory": "bytearray(1 << 40)",
    "timeout": "[0 for _ in iter(int, 1)]",
}


@pytest.mark.parametrize("where", ["last", "first"])
@pytest.mark.parametrize("end", ENDS)
def test_how_an_answer_ends_its_process_is_known_wherever_it_is_asked(end: str, where: str) -> None:
    source = f"import os\ndef g(x): return x\ndef f(x):\n    if len(x) == 2: {ENDS[end]}\n    return x"
    t = run(source, *(("g", "f") if where == "last" else ("f", "g")))
    assert kinds(t, "f") == ["values", end] and kinds(t, "g") == ["values"] * 2
    assert t.flags == []


def test_what_cells_have_used_is_not_taken_from_the_last_answer() -> None:
    busy = "import time\ndef spend(seconds):\n    end = time.process_time() + seconds\n"
    busy += "    while time.process_time() < end: pass\nspend(1.5)\ndef f(x):\n    spend(0.5)\n    return x"
    # 2 seconds would not do for the cell's 1.5 and the Answer's 1.0 together.
    limits = Limits(cell_seconds=20.0, probe_seconds=2.0, submission_seconds=80.0)
    assert kinds(run(busy, "f", limits=limits), "f") == ["values"] * 2


def test_state_does_not_pass_from_one_probe_to_the_next() -> None:
    t = run(
        "seen = []\ndef f(x):\n    seen.append(1)\n    return len(seen)\ndef g(x): return len(seen)", "f", "g"
    )
    assert [o.values["out"] for o in t.outcomes["g"]] == [0, 0]


def test_a_probe_asks_the_answer_as_it_was_at_its_place() -> None:
    t = steps_run(
        [
            RunCell(0, "def helper(x): return x\ndef f(x): return helper(x)"),
            Probe("f", ("out",), TWO),
            RunCell(2, "def helper(x): return None"),
            Probe("f", ("out",), TWO),
        ],
        limits=QUICK,
    )
    assert kinds(t, "f") == ["values"] * 2


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("np.matrix([[1.0]])", "bad output"),
        ("np.ma.array([1.0])", "bad output"),
        ("np.array([object()])", "bad output"),
        ("np.array(['a'])", "bad output"),
        ("type('A', (np.ndarray,), {'__eq__': lambda s, o: True})((2,))", "bad output"),
        ("{1: 2}", "bad output"),
        ("iter([1])", "bad output"),
        ("None", "bad output"),
        ("float('nan')", "values"),
        ("10**5000", "bad output"),
    ],
)
def test_only_plain_values_come_out(value: str, kind: str) -> None:
    t = run(f"import numpy as np\ndef f(x): return {value}\ndef good(x): return x", "f", "good")
    assert set(kinds(t, "f")) == {kind}
    assert kinds(t, "good") == ["values"] * 2


def test_no_cell_can_print_a_secret_input() -> None:
    # What a cell prints is shown to the student; the inputs of a probe are the course's secret.
    leak = """
    def f(x):
        import os
        for path in ("/tmp/seen", "/dev/shm/seen", "/home/student/seen"):
            open(path, "a").write(repr(x))
        return x
    """
    look_for_it = "import glob\nprint([open(p).read() for d in ('/tmp', '/dev/shm', '.') for p in glob.glob(d + '/seen')])"
    steps = [RunCell(0, textwrap.dedent(leak)), Probe("f", ("out",), TWO), RunCell(2, look_for_it)]
    t = steps_run([*steps, RunCell(3, "f = None")])
    assert t.printed[2].strip() == "[]"
    assert kinds(t, "f") == ["values"] * 2
