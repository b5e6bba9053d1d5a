"""Which of several answers counts: the one in force at the check, or one below it that earns more."""

from __future__ import annotations

import copy
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.notebooknode import NotebookNode

from autograder import intake
from autograder.authoring.released_lessons import released
from autograder.course import Course
from autograder.exercise import SPEED, Exercise, lesson, normal
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.intake.read_notebook import read_notebook_here
from autograder.judging.judge import judge_notebook
from autograder.judging.judgement import Judgement
from autograder.sandbox import Limits
from cnnlab.checking.way import Way
from tests.autograder.intake.intake_sample import FIRST, as_bytes, by_name, write_course
from tests.autograder.red_team_sample import BASE, TASK

pytestmark = pytest.mark.usefixtures("bubblewrap")
QUICK = Limits(cell_seconds=2.0, probe_seconds=2.0, submission_seconds=20.0)


def exercise(name: str) -> Exercise:
    cases = rows(
        plain_case,
        "even",
        public("2", x=2.0),
        secret("4", x=4.0),
        "odd",
        public("1", x=1.0),
        secret("3", x=3.0),
    )
    return Exercise(name, ("out",), lambda x: x, cases, {"even": 3, "odd": 1})


LESSON_PATH = "1_layers/01_shifting"
LESSON = lesson(LESSON_PATH, [exercise("shift"), exercise("scale")], questions={"why": 2})
RIGHT = "def shift(x, by=1):\n    return x"
WRONG = "def shift(x, by=1):\n    return x + 1"
HALF = "def shift(x, by=1):\n    return x if x % 2 == 0 else -x"
POINTS = {RIGHT: 4, HALF: 3, WRONG: 0}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = tmp_path_factory.mktemp("later")
    write_course(root)
    return Course(root, root / "work")


@pytest.fixture(scope="module")
def handed_out(tiny: Course) -> NotebookNode:
    return nbformat.read(tiny.student_notebook(LESSON), as_version=4)


def judged(course: Course, notebook: NotebookNode) -> tuple[Judgement, intake.GraftedNotebook]:
    taken = intake.take_in_notebook(
        course, [LESSON], as_bytes(notebook), name="01_shifting.ipynb", reader=read_notebook_here
    )
    return judge_notebook(course, LESSON, taken.notebook, limits=QUICK), taken


def with_cells(notebook: NotebookNode, *cells: tuple[str, str]) -> NotebookNode:
    """Put cells in: ("before" or "after" and a cell's text, the new cell's source)."""
    made = copy.deepcopy(notebook)
    for place, source in cells:
        where, text = place.split(" ", 1)
        at = next(n for n, cell in enumerate(made.cells) if text in cell.source)
        made.cells.insert(at + (where == "after"), nbformat.v4.new_code_cell(source))
    return made


STUB = "def shift(x, by=1):"


@pytest.mark.parametrize(
    ("first", "cells", "points", "said"),
    [
        (WRONG, [("before check(shift)", RIGHT)], 4, ""),
        (RIGHT, [("before check(shift)", WRONG)], 0, ""),
        (WRONG, [("after check(shift)", RIGHT)], 4, "below the check, counts, because it earns more"),
        (RIGHT, [("after check(shift)", WRONG)], 4, "the answer in force at the check counts"),
        (HALF, [("after check(shift)", WRONG), ("after check(scale)", RIGHT)], 4, "because it earns more"),
        (HALF, [("after check(shift)", RIGHT), ("after check(scale)", WRONG)], 3, "at the check counts"),
        ("", [("after check(shift)", RIGHT)], 4, ""),  # the stub was left as it was
        ("", [("before @answer", RIGHT)], 4, ""),
        ("", [], 0, ""),
    ],
)
def test_the_answer_at_the_check_counts_or_a_later_one_that_earns_more(
    tiny: Course, handed_out: NotebookNode, first: str, cells: list[tuple[str, str]], points: int, said: str
) -> None:
    notebook = copy.deepcopy(handed_out)
    if first:
        by_name(notebook, "shift").source = f"@answer\n{first}"
    found, _ = judged(tiny, with_cells(notebook, *cells))
    verdict = found.verdicts["shift"]
    assert verdict.points == points
    assert (said in " ".join(verdict.notes)) and (said in " ".join(found.flags))
    assert bool(said) == any("below" in note for note in verdict.notes)


def test_what_stands_between_them_holds_for_each(tiny: Course, handed_out: NotebookNode) -> None:
    """A helper that is changed below the check changes what was checked only below."""
    notebook = copy.deepcopy(handed_out)
    by_name(notebook, "shift").source = "SIGN = 1\n@answer\ndef shift(x, by=1):\n    return SIGN * x"
    after = with_cells(notebook, ("after check(shift)", "SIGN = -1"))
    assert judged(tiny, after)[0].verdicts["shift"].points == 4


SMALL = {"x": normal(1, 2, 4, 4), "w": normal(3, 2, 3, 3), "b": normal(3), "padding": 1}
TIMED = lesson(
    LESSON_PATH,
    [
        Exercise(
            "shift",
            ("y",),
            TASK.product,
            rows(plain_case, "basic", public("small", **SMALL), secret("small", **SMALL)),
            {"basic": 1, SPEED: 2},
            way=Way(speed="conv2d_forward"),
        ),
        exercise("scale"),
    ],
    questions={"why": 2},
)


@pytest.mark.parametrize("stripped", [False, True], ids=["with ids", "without"])
@pytest.mark.parametrize("fast_one", ["at the check", "below"])
def test_the_answer_that_counts_is_the_one_that_is_timed(
    tmp_path: Path, fast_one: str, stripped: bool
) -> None:
    write_course(tmp_path)
    course = Course(tmp_path, tmp_path / "work")
    course.script(TIMED).write_text(FIRST.replace("def shift(x, by=1)", "def shift(x, w, b, padding)"))
    head = "@answer\ndef shift(x, w, b, padding):\n    return "
    answers = [f"{head}{name}(x, w, b, padding)" for name in ("product", "slow")]
    first, second = answers if fast_one == "at the check" else reversed(answers)
    notebook = nbformat.read(released(course, TIMED).path, as_version=4)
    by_name(notebook, "shift").source = first
    notebook = with_cells(notebook, ("before @answer", BASE), ("after check(scale)", second))
    if stripped:
        for cell in notebook.cells:
            cell.metadata = NotebookNode()
    taken = intake.take_in_notebook(
        course, [TIMED], as_bytes(notebook), name="01_shifting.ipynb", reader=read_notebook_here
    )
    verdict = judge_notebook(course, TIMED, taken.notebook, limits=QUICK).verdicts["shift"]
    assert verdict.points == verdict.total == 3


PLACES = st.integers(0, 30)
EDITS = st.lists(
    st.tuples(PLACES, st.sampled_from(list(POINTS)), st.booleans()), max_size=4
)  # where, what, whether with @answer


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["", *POINTS]), EDITS, st.booleans())
def test_the_grade_is_that_of_running_the_cells_from_top_to_bottom(
    tiny: Course, handed_out: NotebookNode, first: str, edits: list[tuple[int, str, bool]], stripped: bool
) -> None:
    notebook = copy.deepcopy(handed_out)
    if first:
        by_name(notebook, "shift").source = f"@answer\n{first}"
    for place, source, decorated in edits:
        at = min(place, len(notebook.cells))
        notebook.cells.insert(at, nbformat.v4.new_code_cell(("@answer\n" if decorated else "") + source))
    if stripped:
        for cell in notebook.cells:
            cell.metadata = NotebookNode()
    found, _ = judged(tiny, notebook)
    assert found.verdicts["shift"].points == by_running(notebook)


def by_running(notebook: NotebookNode) -> int:
    """Return the points of the answer at the check or of the last one, by what each cell defines, in order."""
    bound, at_check = "", ""
    for cell in notebook.cells:
        text = cell.source.removeprefix("@answer\n")
        bound = text if text in POINTS else bound
        if cell.source == "check(shift)":
            at_check = bound
    return max(POINTS.get(at_check, 0), POINTS.get(bound, 0))
