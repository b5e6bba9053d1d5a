"""The benchmark of the layers, on images too small to time: what it verifies and what it prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from benchmarks import layers
from benchmarks.lessons import answers

TINY = {
    "conv3x3": {"x": (2, 3, 6, 6), "w": (4, 3, 3, 3)},
    "alexnet1": {"x": (2, 3, 15, 15), "w": (4, 3, 11, 11)},
    "conv1x1": {"x": (2, 3, 4, 4), "w": (5, 3)},
    "depthwise": {"x": (2, 3, 6, 6), "w": (3, 2, 3, 3)},
    "maxpool2": {"x": (2, 3, 6, 6)},
    "maxpool3": {"x": (2, 3, 7, 7)},
}
SHAPES = [replace(shape, **TINY[shape.name]) for shape in layers.SHAPES]
IDS = [shape.name for shape in SHAPES]

Lessons = dict[str, Callable[..., Any]]


@pytest.fixture(scope="module")
def lessons() -> Lessons:
    return answers()


def test_the_table_has_every_row_and_says_whether_the_bar_is_met(lessons: Lessons) -> None:
    times = {shape.name: layers.measure(shape, lessons, repetitions=2, pause=0) for shape in SHAPES}
    for row in times.values():
        assert all(len(seconds) == 2 and min(seconds) > 0 for seconds in row.values())
    times["maxpool2"] |= {"torch": [0.002], "lesson": [0.003]}
    times["conv1x1"] |= {"torch": [0.002], "lesson": [0.001]}
    lines = layers.table({1: times, 2: times}).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[0] for row in rows[2:]] == [name for name in IDS for _ in range(2)]
    assert [row[1] for row in rows[2:]] == ["1", "2"] * len(IDS)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert ["-" in row for row in rows[2:]] == [name.startswith("maxpool") for name in IDS for _ in range(2)]
    ends = {(row[0], row[1]): row[-3:] for row in rows[2:]}
    assert ends["maxpool2", "1"] == ["1.50", "0.5", "NO"]
    assert ends["conv1x1", "2"] == ["0.50", "1.2", "yes"]


@pytest.mark.parametrize("shape", SHAPES, ids=IDS)
@pytest.mark.parametrize("way", ["forward", "backward"])
def test_a_wrong_layer_is_not_timed(lessons: Lessons, shape: layers.Shape, way: str) -> None:
    name = f"{shape.layer}_{way}"
    right = lessons[name]

    def slightly_off(*arguments: Any, **options: Any) -> Any:
        result = right(*arguments, **options)
        last = result[-1] if isinstance(result, tuple) else result
        last.flat[0] += 0.01 * abs(last).max()
        return result

    with pytest.raises(layers.Mismatch, match=f"{shape.name}: .* of lesson"):
        layers.measure(shape, lessons | {name: slightly_off}, repetitions=1, pause=0)


def test_products_that_are_wrong_are_not_timed(lessons: Lessons) -> None:
    shape = SHAPES[0]
    runs = layers.competitors(shape, lessons)
    layers.verify(shape, runs)
    products = runs["products"]
    for wrong in (lambda: [2 * products()[0], products()[1]], lambda: [products()[0], 2 * products()[1]]):
        with pytest.raises(layers.Mismatch, match="of products"):
            layers.verify(shape, {**runs, "products": wrong})


def test_a_process_comes_up_with_the_wanted_number_of_threads() -> None:
    variables = layers.environment(2)
    assert {variables[f"{name}_NUM_THREADS"] for name in ("OPENBLAS", "OMP", "MKL")} == {"2"}


def test_the_header_names_machine_and_versions() -> None:
    text = layers.header(layers.machine(), repetitions=9, load=0.25)
    for part in ("cores", "load 0.2", "NumPy", "torch", "kernels", "medians of 9"):
        assert part in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--repetitions", "3"], "fewer than 7"),
        (["--threads", "0"], "1 or more"),
        (["--shape", "conv7x7"], "invalid choice"),
    ],
)
def test_odd_options_are_refused(
    options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        layers.main(options)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
