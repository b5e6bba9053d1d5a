"""What was tried to look fast."""

from __future__ import annotations

import os
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from autograder import sandbox
from autograder.course import Course
from autograder.exercise import SPEED, Exercise, lesson, normal
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.sandbox import Limits, Probe, RunCell, Timing, racing, usage
from cnnlab.checking.way import Way
from tests.autograder.red_team_sample import BASE, NO_TORCH, QUICK, TASK, judged, written

pytestmark = pytest.mark.usefixtures("bubblewrap")


def race(source: str) -> Timing:
    cases = tuple(TASK.draw(np.random.default_rng(turn), 4) for turn in range(4))
    steps = [RunCell(0, BASE + textwrap.dedent(source))]
    return sandbox.race(steps, Probe("f", ("y",), cases), "conv2d_forward", limits=QUICK, without=NO_TORCH)


HIDDEN = {
    "in a child whose end nobody is told of": """
        def f(x, w, b, padding):
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
            ours, theirs = os.pipe()
            if os.fork() == 0:
                np.save("/tmp/y.npy", slow(x, w, b, padding))
                os.write(theirs, b"1")
                os._exit(0)
            os.read(ours, 1)
            time.sleep(0.1)
            return np.load("/tmp/y.npy")
    """,
    "behind threads that come and go": """
        def churn():
            while True:
                thread = threading.Thread(target=int)
                thread.start()
                thread.join()
        threading.Thread(target=churn, daemon=True).start()
        def f(x, w, b, padding): return slow(x, w, b, padding)
    """,
    "in a turn before": """
        def f(x, w, b, padding):
            place = f"/tmp/{float(x[0, 0, 0, 0])}.npy"
            if not os.path.exists(place): np.save(place, slow(x, w, b, padding))
            return np.load(place)
    """,
}


@pytest.mark.parametrize("where", HIDDEN)
def test_cpu_time_cannot_be_hidden(where: str) -> None:
    timing = race(HIDDEN[where])
    assert timing.ratio > TASK.at_most


def test_what_runs_while_the_product_is_timed_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "quickest_products", {})  # no product has been timed in this process yet
    hogs = """
    for _ in range(6):
        if os.fork() == 0:
            while True: time.sleep(0.001) if os.path.exists("/tmp/mine") else sum(range(1000))
    def f(x, w, b, padding):
        open("/tmp/mine", "w").close()
        y = product(x, w, b, padding)
        os.remove("/tmp/mine")
        return y
    """
    seconds = race(hogs).seconds
    assert racing.quickest_products.keys() == {"conv2d_forward"}
    assert seconds > race("f = product").seconds + 0.04


def test_a_slow_first_product_lends_no_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "quickest_products", {})
    ask, slowed = racing.ask_in_forks, []

    def ask_the_first_product_often(sandbox: Any, asked: Probe, *rest: Any) -> None:
        if asked.exercise == "product" and not slowed:
            slowed.append(asked)
            for _ in range(11):
                ask(sandbox, asked, *rest)
        ask(sandbox, asked, *rest)

    monkeypatch.setattr(racing, "ask_in_forks", ask_the_first_product_often)
    timing = race("def f(x, w, b, padding): return slow(x, w, b, padding)")
    assert slowed and timing.ratio > TASK.at_most


def test_an_answer_beside_which_no_product_finishes_is_not_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "quickest_products", {})
    ask = racing.ask_in_forks

    def ask_for_no_time(sandbox: Any, asked: Probe, worker: Any, done: Any, limits: Limits) -> None:
        ask(
            sandbox,
            asked,
            worker,
            done,
            replace(limits, probe_seconds=1e-3) if asked.exercise == "product" else limits,
        )

    monkeypatch.setattr(racing, "ask_in_forks", ask_for_no_time)
    assert race("f = product").ratio == float("inf") and not racing.quickest_products


def test_no_answer_is_refused_without_a_product_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        racing, "quickest_products", {"conv2d_forward": 1e-4}
    )  # a machine that was faster then
    timing = race("f = product")
    assert timing.ratio <= TASK.at_most and timing.turn > 0


@pytest.mark.slow
def test_a_product_that_another_race_slowed_lends_no_points(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(racing, "quickest_products", {})
    answer = "def f(x, w, b, padding): return slow(x, w, b, padding)"
    seconds = race(answer).seconds
    racing.quickest_products["conv2d_forward"] = (
        seconds / 3
    )  # so slow was the product while hogs took its processors
    assert race(answer).ratio > TASK.at_most


@pytest.mark.parametrize(
    "body",
    ["time.sleep(60)", "os.kill(os.getppid(), signal.SIGSTOP)", "os.closerange(0, 99); time.sleep(60)"],
)
def test_a_race_that_hangs_ends(body: str) -> None:
    began = time.monotonic()
    limits = Limits(cell_seconds=1.0, probe_seconds=0.5, submission_seconds=4.0)
    inputs = TASK.draw(np.random.default_rng(0), 1)
    steps = [RunCell(0, f"{BASE}\ndef f(**inputs):\n    {body}")]
    timing = sandbox.race(
        steps, Probe("f", ("y",), (inputs,) * 4), "conv2d_forward", limits=limits, without=NO_TORCH
    )
    assert timing.ratio == float("inf") and time.monotonic() - began < 8


SMALL = {"x": normal(1, 2, 4, 4), "w": normal(3, 2, 3, 3), "b": normal(3), "padding": 1}


FAST = lesson(
    "1_layers/90_fast",
    [
        Exercise(
            "f",
            ("y",),
            TASK.product,
            cases=rows(
                plain_case,
                "basic",
                public("small", **SMALL),
                secret("small", **SMALL),
            ),
            points={"basic": 1, SPEED: 2},
            way=Way(speed="conv2d_forward"),
        )
    ],
)


@pytest.mark.parametrize(
    ("answer", "after", "points"),
    [
        ("f = product", "def f(x, w, b, padding): raise ValueError", 3),
        ("def f(x, w, b, padding): return slow(x, w, b, padding)", "f = product", 1),
    ],
)
def test_the_answer_that_is_timed_is_the_one_that_was_judged(
    course: Course, answer: str, after: str, points: int
) -> None:
    notebook = written("f", BASE + answer, ("extra", "", after))
    assert judged(course, FAST, notebook).verdicts["f"].points == points


def test_nothing_depends_on_an_answer_that_is_only_slow(course: Course, tmp_path: Path) -> None:
    wrong = "from cnnlab import layers\ndef g(x, w, b, padding): return 1 + layers.f(x, w, b, padding)"
    later = lesson(
        "1_layers/91_later", [replace(FAST.exercises["f"], name="g", points={"basic": 1}, way=Way())]
    )
    for name, source, notes in (
        ("slow", "def f(x, w, b, padding): return slow(x, w, b, padding)", ()),
        (
            "wrong",
            "def f(x, w, b, padding): return -product(x, w, b, padding)",
            ("depends on f of 90_fast, which fails",),
        ),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "90_fast.ipynb").write_text(nbformat.writes(written("f", BASE + source)))
        both = Submission(tmp_path / name, [FAST, later])
        found = judge_notebook(course, later, written("g", wrong), both, limits=QUICK)
        assert found.verdicts["g"].points == 0 and found.verdicts["g"].notes == notes


@pytest.mark.slow
def test_what_an_earlier_turn_gave_is_wrong_in_the_next(course: Course) -> None:
    again = """
    def f(x, w, b, padding):
        if x.size < 1000: return product(x, w, b, padding)
        if not os.path.exists("/tmp/y.npy"): np.save("/tmp/y.npy", slow(x + 1, w, b, padding))
        return np.load("/tmp/y.npy") + x[0, 0, 0, 0]
    """
    source = BASE + textwrap.dedent(again).replace("x + 1", "x")
    verdict = judged(course, FAST, written("f", source)).verdicts["f"]
    assert verdict.points == 1 and "wrong values" in verdict.cases[-1].sentence


def test_a_thread_that_ends_meanwhile_hides_no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.iterdir
    monkeypatch.setattr(Path, "iterdir", lambda path: [path / "4194305", *real(path)])
    child = os.posix_spawn("/bin/sleep", ["sleep", "1"], {})
    assert child in usage.children(os.getpid())
    os.waitpid(child, 0)
