"""What a page repeats of a sandbox's words: cnnlab's own sentences, and names in the line that raised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autograder.exercise import Exercise
from autograder.exercises.rows import plain_case, public, rows, secret
from autograder.judging import repeatable
from cnnlab.checking import probe
from cnnlab.checking.way import CALL, Way


def exercise(returns: tuple[str, ...], way: Way = CALL) -> Exercise:
    cases = rows(plain_case, "basic", public("any", x=2.0), secret("any", x=2.0))
    return Exercise("f", returns, lambda x: x, cases, {"basic": 1}, way=way)


def in_place(x: np.ndarray) -> np.ndarray:
    x += 1
    return x


ONE, TWO = ("y",), ("before", "after")


@pytest.mark.parametrize(
    ("returns", "answer"),
    [
        (ONE, lambda x: None),
        (ONE, lambda x: {1, 2}),
        (ONE, in_place),
        (TWO, lambda x: np.array([1, 2])),
        (TWO, lambda x: [1, 2, 3]),
        (TWO, lambda x: "1, 2"),
        (TWO, lambda x: (1, {2})),
    ],
)
def test_what_cnnlab_says_is_repeated(returns: tuple[str, ...], answer: Callable[..., Any]) -> None:
    outcome = probe.ask(answer, {"x": np.ones(3)}, returns)
    assert outcome.kind == "bad output" and outcome.message
    assert repeatable.of_bad_output(outcome.message, exercise(returns), ["x"]) == outcome.message


def test_a_type_that_is_not_listed_is_not() -> None:
    secretive = type("SECRET_0_3", (), {})
    outcome = probe.ask(lambda x: secretive(), {"x": np.ones(3)}, ONE)
    assert "SECRET_0_3" in outcome.message
    assert not repeatable.of_bad_output(outcome.message, exercise(ONE), ["x"])


def test_so_is_what_is_said_of_chance() -> None:
    way = Way(rng="rng")
    for answer in (lambda x, rng: x, lambda x, rng: x + rng.random() + np.random.random()):
        outcome = probe.ask(answer, {"x": np.ones(3), "rng": 1}, ONE, way)
        assert outcome.kind == "bad output"
        assert repeatable.of_bad_output(outcome.message, exercise(ONE, way), ["x", "rng"]) == outcome.message


def test_so_is_what_is_said_of_modules() -> None:
    torch = pytest.importorskip("torch")

    def network(forward: Callable[..., Any]) -> Callable[[], Any]:
        return type("Network", (torch.nn.Module,), {"forward": lambda self, x: forward(x)})

    wrong = [
        lambda: None,
        lambda: [1],
        torch.nn.Module,
        network(lambda x: None),
        network(lambda x: ()),
        network(lambda x: x.detach().numpy()),
        network(lambda x: x.neg_()),
        network(lambda x: x.detach()),
        network(lambda x: x.data * torch.ones(1, dtype=x.dtype, requires_grad=True)),
    ]
    way, said = Way(module="x"), set[str]()
    for build in wrong:
        message = probe.ask(build, {"x": np.ones((1, 2))}, ("y", "dx"), way).message
        assert message and repeatable.of_bad_output(message, exercise(("y", "dx"), way), ["x"]) == message
        said.add(message)
    assert said >= set(repeatable.OF_A_MODULE)


def test_so_is_what_is_said_of_tables() -> None:
    way = Way(table=("name", "size"))
    message = probe.ask(lambda x: {"name": "a"}, {"x": 1.0}, ("rows",), way).message
    assert message == repeatable.of_bad_output(message, exercise(("rows",), way), ["x"]) != ""


@pytest.mark.parametrize(
    "message",
    [
        "x = [0.3, 1.2]",
        "it returned a secret.Class_0_3; return y instead",
        "it changed its argument 0.3; work on a copy instead",
        "it returned None; is a return statement missing? 0.3",
        "it returned 123456789 values; return before, after as a tuple",
        "",
    ],
)
def test_no_words_of_a_student_are(message: str) -> None:
    for returns in (ONE, TWO):
        assert not repeatable.of_bad_output(message, exercise(returns), ["x"])


CELL = "def f(x):\n    return my_pad(x) + 1  # for x\n\ndef g(): return hidden"


@pytest.mark.parametrize(
    ("message", "line", "name"),
    [
        ("NameError: name 'my_pad' is not defined", 2, "my_pad"),
        ("NameError: name 'my_pad' is not defined. Did you mean: 'pad'?", 2, "my_pad"),
        ("NameError: name 'hidden' is not defined", 2, ""),  # it stands in another line
        ("NameError: name 'hidden' is not defined", None, ""),
        ("NameError: name 'x_is_0_3' is not defined", 2, ""),
        ("NameError: name 'my_pad' is not defined", 9, ""),
        ("ValueError: name 'my_pad' is not defined", 2, ""),
    ],
)
def test_a_name_is_repeated_where_it_stands_in_the_line(message: str, line: int | None, name: str) -> None:
    assert repeatable.undefined_name(message, line, CELL) == name


def test_a_long_line_names_little() -> None:
    cell = "f = lambda x: [" + ", ".join(f"name{n}" for n in range(1000)) + "]"
    said = [
        n
        for n in range(1000)
        if repeatable.undefined_name(f"NameError: name 'name{n}' is not defined", 1, cell)
    ]
    assert 0 < len(said) < 40
