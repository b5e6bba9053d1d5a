"""What was tried to earn points without the work, to look fast, and to cost others their grading."""

from __future__ import annotations

import json
import os
import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from autograder import intake, sandbox
from autograder.course import Course
from autograder.exercise import SPEED, Exercise, Lesson, integers, lesson, normal
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.judging.cells import MAX_LENT
from autograder.judging.companions import Submission
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement, judgement_key
from autograder.sandbox import Limits, Probe, RunCell, Timing, racing, usage
from cnnlab.checking import handin
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.speed import TASKS
from cnnlab.checking.summaries import SUMMARIES, summarise
from cnnlab.checking.way import Way

pytestmark = pytest.mark.usefixtures("bubblewrap")
NO_TORCH = ("torch",)  # a sandbox with torch takes seconds to start
QUICK = Limits(cell_seconds=1.0, probe_seconds=3.0, submission_seconds=30.0)
TASK = TASKS["conv2d_forward"]
BASE = """
import numpy as np, os, signal, threading, time
from cnnlab.checking.speed import TASKS
product = TASKS["conv2d_forward"].product
def slow(x, w, b, padding):
    for _ in range(12): y = product(x, w, b, padding)
    return y
"""


def cells(*sources: tuple[str, str, str]) -> NotebookNode:
    """A notebook as intake writes it: (role, name, source) of each cell."""
    return new_notebook(
        cells=[
            new_code_cell(textwrap.dedent(source), metadata={"cnnlab": {"role": role, "name": name}})
            for role, name, source in sources
        ]
    )


def written(exercise: str, source: str, *more: tuple[str, str, str]) -> NotebookNode:
    return cells(("exercise", exercise, source), ("check", exercise, ""), *more)


# Speed


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


def test_no_answer_is_refused_without_a_product_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        racing, "quickest_products", {"conv2d_forward": 1e-4}
    )  # a machine that was faster then
    timing = race("f = product")
    assert timing.ratio <= TASK.at_most and timing.turn > 0


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


def judged(course: Course, one: Lesson, notebook: NotebookNode) -> Judgement:
    return judge_notebook(course, one, notebook, limits=QUICK)


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


# Chance


def dropped(x: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask


BATCHES = [
    row(f"{n} by 50", x=integers(n, 50, low=1, high=9), rate=0.5, rng=n)
    for row in (public, secret)
    for n in (40, 60)
]
DRAWN = lesson(
    "1_layers/91_drawn",
    [
        Exercise(
            "drop",
            ("y", "mask"),
            dropped,
            cases=rows(
                plain_case,
                "basic",
                *BATCHES,
            ),
            points={"basic": 2},
            way=Way(rng="rng", summary="dropout"),
        )
    ],
)
DROP = """
import numpy as np
def drop(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate), mask
"""
FAKED = {
    "one fixed seed": "real = np.random.default_rng\nnp.random.default_rng = lambda seed: real(7)",
    "chance of its own": """
        import cnnlab.checking.probe as probe
        real = np.random.default_rng
        np.random.default_rng = lambda seed: real()
        probe._same = probe.same = lambda *pair: True
    """,
    "an Outcome without outputs": """
        import cnnlab.checking.probe as probe
        probe.ask = lambda *args: probe.Outcome("values", {})
    """,
    "outputs of other kinds": """
        import cnnlab.checking.probe as probe
        probe.ask = lambda *args: probe.Outcome("values", {"y": {"y": None}, "mask": np.zeros((0, 3))})
    """,
}


def test_an_honest_draw_has_its_points(course: Course) -> None:
    assert judged(course, DRAWN, written("drop", DROP)).verdicts["drop"].points == 2


@pytest.mark.parametrize("how", FAKED)
def test_a_faked_draw_has_none(course: Course, how: str) -> None:
    notebook = written("drop", DROP + textwrap.dedent(FAKED[how]))
    verdict = judged(course, DRAWN, notebook).verdicts["drop"]
    assert (verdict.points, verdict.status) == (0, "failed")


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("values", [{}, {"y": None}, {"w": [], "mask": 3, "y": "x", "weights": 2**1000}])
def test_no_summary_fails_on_what_a_worker_may_send(name: str, values: dict[str, Any]) -> None:
    inputs = {"x": np.ones((2, 3)), "rate": 0.5, "shape": (2, 3), "images": np.zeros((1, 32, 32), np.uint8)}
    inputs |= {"labels": np.zeros(1, int), "at_least": 97.0}
    outcome = summarise(name, inputs, Outcome("values", values))
    assert outcome.kind in ("values", "bad output") and "2" * 50 not in outcome.message


# Earlier lessons


def plain(name: str, *exercises: str) -> Lesson:
    cases = rows(
        plain_case,
        "basic",
        public("any", x=2.0),
        secret("any", x=2.0),
    )
    made = [Exercise(e, ("y",), lambda x: 2 * x, cases, {"basic": 1}) for e in exercises]
    return lesson(f"1_layers/{name}", made)


BEFORE, AFTER = plain("80_before", "twice", "other"), plain("81_after", "again", "alone")
LATER = cells(
    ("exercise", "again", "from cnnlab import layers\ndef again(x): return layers.twice(x)"),
    ("check", "again", ""),
    ("exercise", "alone", "def alone(x): return 2 * x"),
    ("check", "alone", ""),
)


def submitted(folder: Path, **notebooks: NotebookNode) -> Submission:
    for name, notebook in notebooks.items():
        (folder / f"{name.removeprefix('n')}.ipynb").write_text(json.dumps(notebook))
    return Submission(folder, [BEFORE, AFTER])


@pytest.mark.parametrize(
    "body",
    [
        "def twice(x):\n    while True: pass",
        "def twice(x):\n    import os; os._exit(0)",
        "import os\nTWO = os._exit(0)\ndef twice(x): return TWO * x",
        "def twice(x): raise type('SECRET_' + str(x), (Exception,), {})('SECRET')",
        "def twice(x):\n    from cnnlab import layers\n    return layers.again(x)",
        "from cnnlab import layers\ntwice = layers.twice",
    ],
)
def test_a_hostile_earlier_lesson_costs_what_leans_on_it(course: Course, tmp_path: Path, body: str) -> None:
    both = submitted(tmp_path, n80_before=written("twice", body))
    limits = Limits(cell_seconds=1.0, probe_seconds=0.5, submission_seconds=6.0)
    judgement = judge_notebook(course, AFTER, LATER, both, limits=limits)
    assert {name: v.points for name, v in judgement.verdicts.items()} == {"again": 0, "alone": 1}
    assert judgement.verdicts["again"].notes == ("depends on twice of 80_before, which fails",)
    assert "SECRET" not in json.dumps(judgement.as_json())


def test_texts_of_any_length_are_run(course: Course, tmp_path: Path) -> None:
    long = "twice = lambda x: 2 * x\n#" + "\u00e9" * 1_000_000
    both = submitted(tmp_path, n80_before=cells(("exercise", "twice", long), *[("extra", "", long)] * 15))
    notebook = cells(*[("extra", "", long)] * 5)
    notebook.cells += LATER.cells
    verdicts = judge_notebook(course, AFTER, notebook, both, limits=QUICK).verdicts
    assert [v.points for v in verdicts.values()] == [1, 1]


def test_much_text_is_read_once_and_lent_in_part(course: Course, tmp_path: Path) -> None:
    lessons = [plain(f"{n}_long", f"name{n}") for n in range(60, 66)]
    every = " ".join(f"name{n}" for n in range(60, 66))
    for one in lessons:
        text = cells(*[("extra", "", f"{every} = 1\n" + "x = 1\n" * 170_000)] * 4)
        (tmp_path / f"{one.name}.ipynb").write_text(json.dumps(text))
    one = Submission(tmp_path, lessons)
    own = cells(("extra", "", every))
    began = time.process_time()
    for _ in range(20):
        needed = one.library(lessons[-1], own)
    assert time.process_time() - began < 3 and len(needed) == 5
    assert all(sum(map(len, texts)) <= MAX_LENT for texts in needed.values())


# Files


def test_no_file_and_an_empty_one_are_two_submissions(course: Course, tmp_path: Path) -> None:
    cases = rows(
        plain_case,
        "basic",
        public("any", x=1.0),
        secret("any", x=1.0),
    )
    trained = Exercise("trained", ("weights",), dict, cases, {"basic": 1}, way=Way(file="lenet.safetensors"))
    one = lesson("1_layers/92_weights", [trained])
    before = judgement_key(course, one, cells(), Submission(tmp_path, [one]))
    (tmp_path / "lenet.safetensors").write_bytes(b"")
    assert judgement_key(course, one, cells(), Submission(tmp_path, [one])) != before
    for trick in (os.mkfifo, os.mkdir, lambda path: os.symlink("/etc/passwd", path)):
        place = tmp_path / "other.safetensors"
        trick(place)
        assert Submission(tmp_path, [one]).file(place.name) is None
        os.rmdir(place) if place.is_dir() and not place.is_symlink() else place.unlink()


def safetensors(header: Any, data: bytes = b"") -> bytes:
    text = header if type(header) is bytes else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def tensor(shape: list[int], size: int = 0, dtype: str = "F32") -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 16,
        safetensors(b"[" * 1_000_000),
        safetensors(b'{"a":' * 300_000),
        safetensors(b"null"),
        safetensors(tensor([0, 2**62])),
        safetensors(tensor([2**33, 2**33])),
        safetensors(tensor([0, 2**64 - 1])),
        safetensors(tensor([1] * 500_000, 4), bytes(4)),
        safetensors(tensor([1] * 20, 4), bytes(4)),
        safetensors(tensor([1], 8, "C64"), bytes(8)),
        safetensors(tensor([4], 2, "F4"), bytes(2)),
        safetensors({f"{n}": tensor([0])["a"] for n in range(30_000)}),
        safetensors(b'{"\\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)),
    ],
    ids=lambda data: f"{data[8:30]!r}",
)
def test_a_hostile_file_of_weights_is_one_sentence_and_soon(data: bytes) -> None:
    began = time.process_time()
    outcome = handin.weights_from_bytes(data, "lenet.safetensors")
    assert outcome.kind == "bad output" and len(outcome.message) < 120
    assert time.process_time() - began < 2


def taken_in(course: Course, folder: Path) -> tuple[Path, tuple[str, ...]]:
    intake.take_in(course, "1_layers", "ada", folder)
    record = intake.load_record(course, "1_layers", "ada")
    assert record is not None
    return course.submitted / "ada" / "1_layers", record.flags


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("lenet.safetensors", True),
        ("lenet (1).safetensors", True),
        ("Copy of lenet.safetensors", True),
        ("Copy_of_lenet.safetensors", True),
        ("lenet - Copy.safetensors", False),
        ("LENET.SAFETENSORS", False),
        ("lenet.safetensors ", False),
        ("lenet.safetensors\n", False),
        ("l\u0435net.safetensors", False),  # a Cyrillic letter
        ("lenet.safetensors.ipynb", False),
        ("Copy of Copy of lenet.safetensors", False),
        ("<img src=x>.safetensors", False),
    ],
)
def test_only_a_file_of_the_name_asked_for_stands(
    course: Course, tmp_path: Path, name: str, asked: bool
) -> None:
    folder = tmp_path / "handed in"
    folder.mkdir()
    (folder / name).write_bytes(b"weights")
    home, flags = taken_in(course, folder)
    assert (home / "lenet.safetensors").exists() is asked
    assert {path.suffix for path in home.iterdir()} <= {".ipynb", ".safetensors"}
    assert not home.joinpath(name).exists() or name == "lenet.safetensors"
    assert all(flag.isprintable() for flag in flags)


def test_files_of_weights_that_are_no_files_are_refused(course: Course, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"of somebody else")
    tricks = {
        "a link": lambda path: path.symlink_to(secret),
        "a pipe": os.mkfifo,
        "a folder": Path.mkdir,
        "too large": lambda path: path.write_bytes(bytes(handin.MAX_BYTES + 1)),
    }
    for what, trick in tricks.items():
        folder = tmp_path / what
        folder.mkdir()
        trick(folder / "lenet.safetensors")
        home, flags = taken_in(course, folder)
        assert not (home / "lenet.safetensors").exists() and any("safetensors" in flag for flag in flags)
    folder = tmp_path / "a second name"
    folder.mkdir()
    os.link(secret, folder / "lenet.safetensors")
    home, flags = taken_in(course, folder)
    assert (home / "lenet.safetensors").stat().st_nlink == 1 and any("hard link" in flag for flag in flags)
