"""Speed is decided from outside: CPU time of the Answer's sandbox against a matrix product in a clean one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder.course import Course
from autograder.exercise import SPEED, Lesson
from autograder.exercises import all_lessons
from autograder.intake import take_in_notebook
from autograder.judging import secret_cases
from autograder.judging.judge import judge_notebook
from autograder.sample import Solved
from autograder.verdict import Verdict
from cnnlab.checking import speed

EXERCISE = "conv2d_forward"
# What each of these does wrong shows on large inputs only, so every other group keeps its points.
WRAPPED = """
    large = x.size > 100_000
    {large}
    return correct(x, w, b, stride, padding, dilation, groups)
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, ready_folder: Path) -> Callable[[str], Verdict]:
    """Judge the solved lesson with a conv2d_forward that does `large` before it does right."""
    course = Course(
        Course.here().root, shutil.copytree(ready_folder, tmp_path_factory.mktemp("class") / "work")
    )
    lesson = next(lesson for lesson in all_lessons() if lesson.name == "02_convolution")
    solved = Solved(course, lesson)

    def run(large: str) -> Verdict:
        right = solved.answers[EXERCISE].replace("def conv2d_forward", "def correct").replace("@answer\n", "")
        mine = f"\n\n@answer\ndef {EXERCISE}(x, w, b, stride=1, padding=0, dilation=1, groups=1):"
        filled = solved.notebook({EXERCISE: right + mine + WRAPPED.format(large=large)})
        taken = take_in_notebook(course, [lesson], json.dumps(filled).encode())
        return judge_notebook(course, lesson, taken.notebook).verdicts[EXERCISE]

    return run


def lost(verdict: Verdict) -> set[str]:
    return {group for group, (won, total) in verdict.groups.items() if won < total}


@pytest.mark.usefixtures("bubblewrap")
def test_the_solved_layer_is_fast(judged) -> None:
    verdict = judged("pass")
    assert (verdict.status, verdict.points) == ("passed", verdict.total)
    assert [c.passed for c in verdict.cases if c.group == SPEED] == [True]


@pytest.mark.usefixtures("bubblewrap")
@pytest.mark.parametrize(
    ("large", "said"),
    [
        ("for _ in range(16 * large): correct(x, w, b, padding=padding)", "times as long|longer than it may"),
        ("while large: pass", "longer than it may"),
        ("if large: return np.zeros(x.shape, x.dtype)", "wrong values"),
        ("if large: raise ValueError", "failed on the large input"),
        ("if large: import os; os._exit(0)", "ended the process"),
        # time cannot be hidden from outside: another process, another clock
        (
            "import time; time.process_time = lambda: 0.0\n"
            "    for _ in range(16 * large): correct(x, w, b, padding=padding)",
            "times as long|longer than it may",
        ),
        (
            "import os\n    child = os.fork() if large else 1\n    if child == 0:\n"
            "        for _ in range(16): correct(x, w, b, padding=padding)\n        os._exit(0)\n"
            "    if large: os.waitpid(child, 0)",
            "times as long|longer than it may",
        ),
    ],
    ids=["slow", "endless", "garbage", "raises", "exits", "lies about time", "hides in a child"],
)
def test_what_is_slow_or_wrong_on_large_inputs_loses_the_points_for_speed_only(
    judged, large: str, said: str
) -> None:

    verdict = judged(large)
    assert lost(verdict) == {SPEED} and verdict.status == "failed"
    (case,) = [case for case in verdict.cases if case.group == SPEED]
    assert re.search(said, case.sentence), case.sentence


@pytest.mark.usefixtures("bubblewrap")
def test_a_wrong_answer_is_not_timed(judged) -> None:
    verdict = judged("return np.zeros(1)")
    assert {"basic", SPEED} <= lost(verdict)
    assert not [case for case in verdict.cases if case.group == SPEED]


def test_what_is_expected_on_large_inputs_is_worked_out_once(
    course: Course, as_another_process: Callable[[Course], Course]
) -> None:
    lesson = course.lesson("1_layers", "03_backward")
    exercise = lesson.exercises["conv2d_backward"]

    def wanted(of: Course) -> dict[str, np.ndarray]:
        return secret_cases.on_large_inputs(of, lesson, exercise, 0)  # type: ignore[return-value]

    def kept(of: Course) -> Path:
        (path,) = (of.work / "expected").rglob("03_backward.*.npz")
        return path

    first = wanted(course)
    inputs = secret_cases.large_inputs(exercise, course.secret(), 0)
    assert [first[name].shape for name in exercise.returns] == [
        inputs[name].shape for name in ("x", "w", "b")
    ]
    assert kept(course).stat().st_mode & 0o077 == 0
    elsewhere = as_another_process(course)
    before = kept(elsewhere).stat()
    again = wanted(elsewhere)
    assert kept(elsewhere).stat().st_ino == before.st_ino  # nothing was worked out
    assert all(np.array_equal(again[name], first[name]) for name in exercise.returns)
    elsewhere = as_another_process(course)
    kept(elsewhere).write_bytes(kept(elsewhere).read_bytes()[:1000])
    assert np.array_equal(wanted(elsewhere)["dw"], first["dw"])
    elsewhere = as_another_process(course)
    (kept(elsewhere).parent / ".03_backward.99999.npz").write_bytes(b"of a process that was killed")
    (elsewhere.work / "secret").write_bytes(b"x" * 32)
    assert not np.array_equal(wanted(elsewhere)["dw"], first["dw"])
    assert kept(elsewhere).name != kept(course).name


@pytest.mark.usefixtures("bubblewrap")
def test_a_worker_needs_no_reference_for_what_was_worked_out(ready: Course) -> None:
    course = ready
    code = f"""
import json, sys
from pathlib import Path
from autograder.course import Course
from autograder.intake import take_in_notebook
from autograder.judging.judge import judge_notebook
from autograder.sample import Solved
course = Course(Path({str(course.root)!r}), Path({str(course.work)!r}))
lesson = course.lesson("1_layers", "02_convolution")
taken = take_in_notebook(course, [lesson], json.dumps(Solved(course, lesson).notebook()).encode())
verdict = judge_notebook(course, lesson, taken.notebook).verdicts["conv2d_forward"]
print(verdict.points == verdict.total, "torch" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=course.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["True", "False"], done.stderr


@pytest.mark.parametrize("name", speed.TASKS)
def test_a_product_returns_what_has_the_answers_shapes(name: str) -> None:
    task = speed.TASKS[name]
    inputs = task.draw(np.random.default_rng(0), 4)
    again = task.draw(np.random.default_rng(0), 4)
    assert all(np.array_equal(inputs[key], again[key]) for key in inputs)
    returned = task.product(**inputs)
    if name.endswith("backward"):
        assert [r.shape for r in returned] == [inputs[key].shape for key in ("x", "w", "b")]
    else:
        assert returned.shape == (4, 256, 32, 32)


@pytest.mark.slow
def test_measure_tells_slow_from_fast() -> None:
    task = speed.TASKS[EXERCISE]
    assert speed.measure(task.product, task) < task.at_most

    def slow(**inputs: object) -> None:
        for _ in range(10):
            task.product(**inputs)

    assert speed.measure(slow, task) > task.at_most
    assert speed.remark(slow, EXERCISE).endswith("no points for speed yet.")
    assert speed.remark(task.product, EXERCISE).endswith("fast enough.")
    assert "raises TypeError" in speed.remark(lambda: None, EXERCISE)


def test_every_speed_exercise_names_a_task_and_carries_points() -> None:
    lessons: tuple[Lesson, ...] = all_lessons()
    for exercise in (e for lesson in lessons for e in lesson.exercises.values()):
        assert (SPEED in exercise.points) == bool(exercise.way.speed)
        assert not exercise.way.speed or exercise.way.speed in speed.TASKS
