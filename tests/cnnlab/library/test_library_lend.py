"""Lending: in the grading sandbox `cnnlab.layers` holds the submission's own earlier Answers and nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cnnlab import layers
from cnnlab.checking import cases, probe
from cnnlab.library import NotHandedIn, lend, lending, shelf

X = np.ones((1, 1, 2, 2))
IMPORTS = "import numpy as np\nfrom cnnlab import answer"
PAD2D = "@answer\ndef pad2d(x, padding, value=0.0):\n    return np.pad(x, EDGE + [(padding, padding)] * 2)"
EDGE = "EDGE = [(0, 0)] * 2"
SUM = "@answer\ndef conv2d_naive(x, w, b):\n    return pad2d(x, 1).sum()"


@pytest.fixture(autouse=True)
def given_back():
    yield
    lending.end_lending()


def test_an_answer_comes_from_the_lesson_that_asks_for_it(library):
    shelf.write(
        "pad2d", "def pad2d(x, padding):\n    return 'the library, which is not there when grading'\n"
    )
    lend({"02_convolution": [IMPORTS, "raise SystemExit", EDGE, PAD2D, SUM, "%matplotlib inline"]})
    assert layers.pad2d(X, 1).shape == (1, 1, 4, 4) and layers.conv2d_naive(X, X, X) == 4
    assert layers.pad2d is layers.pad2d and layers.pad2d.__module__ == "cnnlab_answer_pad2d"
    assert "pad2d" in dir(layers)


def test_only_its_own_lesson_counts():
    lend({"01_why_convolution": [IMPORTS, EDGE, PAD2D], "03_backward": [IMPORTS, EDGE, PAD2D]})
    with pytest.raises(ImportError) as failure:
        _ = layers.pad2d
    assert str(failure.value) == (
        "pad2d is not in this submission: hand in the notebook of lesson 02 as well"
    )


def test_a_notebook_without_the_answer():
    lend({"02_convolution": [IMPORTS, "pad2d = 3\ndel pad2d", "x = pad2d"][:1]})
    with pytest.raises(
        NotHandedIn, match=r"^pad2d is not in this submission: no cell of 02_convolution defines it$"
    ):
        from cnnlab.layers import pad2d  # noqa: F401  # pyright: ignore


def test_no_stand_in_is_ever_lent():
    lend({})
    for name in ("im2col", "relu_forward", "conv3d"):
        with pytest.raises(NotHandedIn, match=f"^{name} is not in this submission"):
            getattr(layers, name)
    assert not hasattr(layers, "__wrapped__")


def test_a_name_that_no_public_cases_know_is_taken_from_the_last_lesson_that_defines_it():
    lend({"80_a": ["def own(): return 1"], "81_b": ["def own(): return 2"], "82_c": ["x = 3"]})
    assert layers.own() == 2


def test_a_stub_says_that_it_is_not_written_yet():
    lend({"02_convolution": [IMPORTS, "@answer\ndef pad2d(x, padding):\n    raise NotImplementedError"]})

    def avg_pool2d_forward(x):
        return layers.pad2d(x, 1)

    outcome = probe.call(avg_pool2d_forward, {"x": X}, ("y",))
    assert (outcome.kind, outcome.message) == ("error", "it needs pad2d, which is not written yet")


def test_what_is_missing_fails_only_where_it_is_used():
    lend({"02_convolution": ["def pad2d(x, padding):\n    return x if padding else never(x)"]})
    assert layers.pad2d(X, 1) is X
    with pytest.raises(NameError, match="never"):
        layers.pad2d(X, 0)


def test_answers_may_lean_on_each_other_across_lessons():
    lend(
        {
            "02_convolution": ["def pad2d(x, padding):\n    return x + padding"],
            "03_backward": ["from cnnlab import layers", "def col2im(x):\n    return layers.pad2d(x, 5)"],
        }
    )
    assert (layers.col2im(X) == 6).all()


@pytest.mark.parametrize(
    "cells",
    [
        ["from cnnlab import layers", "pad2d = layers.pad2d"],
        ["from cnnlab import layers\nN = layers.pad2d(1, 2)\ndef pad2d(x, padding):\n    return N"],
        ["from cnnlab.layers import pad2d"],
    ],
)
def test_an_answer_that_asks_for_itself(cells):
    lend({"02_convolution": cells})
    for _ in range(2):
        with pytest.raises(ImportError, match="pad2d"):
            layers.pad2d(X, 1)


def test_an_answer_that_calls_itself_through_the_library_is_a_recursion():
    lend({"02_convolution": ["from cnnlab import layers\ndef pad2d(x, p):\n    return layers.pad2d(x, p)"]})
    with pytest.raises(RecursionError):
        layers.pad2d(X, 1)


def test_what_raises_while_it_is_run_says_so():
    lend({"02_convolution": ["N = 1 / 0", "def pad2d(x, padding):\n    return N"]})
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            _ = layers.pad2d


def test_lending_reads_nothing_before_it_is_asked_to():
    start = time.process_time()
    lend({"02_convolution": ["x = " + "(" * 90 + ")" * 90] * 1000})
    assert time.process_time() - start < 0.05


def test_the_solved_lesson_can_be_lent_as_its_cells(checkout, convolution):
    import nbformat

    notebook = nbformat.read(str(checkout.script(convolution).with_suffix(".ipynb")), 4)
    lend({"02_convolution": [cell.source for cell in notebook.cells if cell.cell_type == "code"]})
    questions = cases.load("conv2d_forward")
    for question in questions.questions:
        outcome = probe.ask(layers.conv2d_forward, dict(question.inputs), questions.returns)
        assert np.allclose(outcome.values["y"], question.expected["y"], atol=1e-4)  # pyright: ignore
