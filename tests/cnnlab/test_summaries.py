"""What is made of chance and of trained weights: right ones are right whatever the draw, and nothing crashes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from autograder.exercises.lenet.trained import FINE, SLIGHT, STRONG, grey, held_out, moved, reference
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.summaries import summarise
from cnnlab.checking.summaries.weights import LENET

RIGHT_DROPOUT = {
    "y": "floating point numbers",
    "mask": "booleans",
    "y where the mask is True": "x / (1 - rate)",
    "y where the mask is False": "0",
    "the draw": "one for each value",
    "the share dropped": "rate",
}
RIGHT_HE = {
    "w": "floating point numbers",
    "the standard deviation": "sqrt(2 / fan_in)",
    "the mean": "0",
    "the distribution": "normal",
}


def summary(name: str, inputs: dict[str, Any], **values: Any) -> Outcome:
    return summarise(name, inputs, Outcome("values", values))


def drop(seed: int, shape: tuple[int, ...], rate: float) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.integers(1, 9, shape).astype(float)
    mask = rng.random(shape) >= rate
    return {"x": x, "rate": rate, "rng": 0}, x * mask / (1 - rate), mask


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.75])
def test_five_hundred_honest_dropouts_are_right(rate: float) -> None:
    for seed in range(500):
        inputs, y, mask = drop(seed, (10, 3, 10, 10), rate)
        assert summary("dropout", inputs, y=y, mask=mask).values == RIGHT_DROPOUT


def test_five_hundred_honest_draws_of_weights_are_right() -> None:
    for seed in range(500):
        shape = [(30, 8, 4, 3), (50, 60), (100, 1, 5, 5)][seed % 3]
        fan_in = shape[0] if len(shape) == 2 else int(np.prod(shape[1:]))
        w = np.random.default_rng(seed).standard_normal(shape) * np.sqrt(2 / fan_in)
        assert summary("he_normal", {"shape": shape, "rng": 0}, w=w).values == RIGHT_HE


def test_a_dropout_that_is_wrong_is_named() -> None:
    inputs, y, mask = drop(0, (20, 200), 0.3)
    assert summary("dropout", inputs, y=y * 0.7, mask=mask).values["y where the mask is True"] == "x"
    assert summary("dropout", inputs, y=y, mask=~mask).values["y where the mask is True"] == "0"
    assert summary("dropout", inputs, y=y, mask=mask * 1.0).values["mask"] == "floating point numbers"
    leak = np.where(mask, y, 1e-3)
    assert (
        summary("dropout", inputs, y=leak, mask=mask).values["y where the mask is False"] == "something else"
    )
    few = np.random.default_rng(1).random(mask.shape) >= 0.12
    values = summary("dropout", inputs, y=inputs["x"] * few / 0.7, mask=few).values
    assert values["the share dropped"].endswith("%")
    inputs, y, _ = drop(0, (10, 20, 4, 4), 0.5)
    whole = np.broadcast_to(np.random.default_rng(1).random((10, 20, 1, 1)) >= 0.5, y.shape).copy()
    values = summary("dropout", inputs, y=inputs["x"] * whole * 2, mask=whole).values
    assert values["the draw"] == "one for each map" and values["the share dropped"] == "rate"


ODD: dict[str, Any] = {
    "a number": 3.0,
    "a list": [1.0, 2.0],
    "nothing": None,
    "another shape": np.zeros(3),
    "no axis": np.zeros(()),
    "words of numbers": "3",
    "whole numbers": np.ones((20, 200), np.int8),
    "booleans": np.ones((20, 200), bool),
    "not finite": np.full((20, 200), np.nan),
    "infinite": np.full((20, 200), np.inf),
    "half": np.full((20, 200), 6e4, np.float16),
    "huge": np.full((20, 200), 1e308),
    "zeros": np.zeros((20, 200)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore:overflow")
def test_odd_outputs_are_summed_up_calmly(name: str) -> None:
    inputs, y, mask = drop(0, (20, 200), 0.3)
    for values in ({"y": ODD[name], "mask": mask}, {"y": y, "mask": ODD[name]}):
        assert summary("dropout", inputs, **values).values != RIGHT_DROPOUT
    found = summary("he_normal", {"shape": (20, 200), "rng": 0}, w=ODD[name])
    assert found.kind == "values" and found.values != RIGHT_HE


def lenet(weights: Any, at_least: float = 97.0, **how: float) -> Outcome:
    images, labels = held_out()
    pixels = moved(images, np.random.default_rng(0), **how) if how else images
    return summary("lenet", {"images": grey(pixels), "labels": labels, "at_least": at_least}, weights=weights)


def test_the_references_weights_are_good_with_some_room() -> None:
    assert lenet(reference(), 97.5).values == {"accuracy": "at least 97.5 %"}
    for how, bar in ((FINE, 97.0), (SLIGHT, 96.0), (STRONG, 95.0)):
        assert lenet(reference(), bar, **how).values == {"accuracy": f"at least {bar:g} %"}


def test_half_and_double_precision_are_as_good() -> None:
    for dtype in (np.float16, np.float64):
        weights = {name: array.astype(dtype) for name, array in reference().items()}
        assert lenet(weights, 97.0).values == {"accuracy": "at least 97 %"}


def test_weights_that_are_not_good_enough_are_told_their_accuracy() -> None:
    rng = np.random.default_rng(0)
    noisy = {name: array + 0.1 * rng.standard_normal(array.shape) for name, array in reference().items()}
    assert lenet(noisy).values["accuracy"].endswith("%, below 97 %")
    assert lenet(noisy).values["accuracy"][0].isdigit()


def scaled(factor: float) -> dict[str, np.ndarray]:
    return {name: factor * array.astype(np.float64) for name, array in reference().items()}


def exchanged(name: str, array: Any) -> dict[str, Any]:
    return {**reference(), name: array}


UNFIT = {
    "a list": [np.zeros(3)],
    "nothing": {},
    "renamed": {f"network.{name}": array for name, array in reference().items()},
    "one missing": {name: array for name, array in reference().items() if name != "conv2.b"},
    "one too many": exchanged("conv9.b", np.zeros(3)),
    "a bad name": {"<script>": np.zeros(1)},
    "not a number": exchanged("linear2.b", np.full(84, np.nan)),
    "infinite": exchanged("conv1.w", np.full((6, 1, 5, 5), -np.inf)),
    "transposed": exchanged("linear1.W", np.zeros((120, 400), np.float32)),
    "whole numbers": exchanged("conv1.b", np.zeros(6, np.int32)),
    "booleans": exchanged("conv1.b", np.zeros(6, bool)),
    "no array": exchanged("conv1.b", 3.0),
}


@pytest.mark.parametrize("name", UNFIT)
def test_weights_of_another_network_are_one_sentence_of_ours(name: str) -> None:
    outcome = lenet(UNFIT[name])
    assert outcome.kind == "bad output" and outcome.message
    assert (
        "script" not in outcome.message
        and "network.conv" not in outcome.message
        and "conv9" not in outcome.message
    )


@pytest.mark.parametrize("factor", [0.0, 1e-300, 1e30, 1e150, 1e300])
@pytest.mark.filterwarnings("ignore:overflow")
def test_weights_of_any_size_are_judged_and_soon(factor: float) -> None:
    began = time.monotonic()
    outcome = lenet(scaled(factor))
    assert set(outcome.values) == {"accuracy"}
    assert time.monotonic() - began < 20


def test_the_names_and_shapes_are_those_of_the_network() -> None:
    from cnnlab import nn

    state = nn.lenet5(np.random.default_rng(0)).state()
    assert {name: array.shape for name, array in state.items()} == LENET


def test_pictures_move_as_they_are_told() -> None:
    images, _ = held_out()
    rng = np.random.default_rng(0)
    still = moved(images[:5], rng, shift=0, degrees=0, zoom=0, noise=0)
    np.testing.assert_allclose(still, images[:5])
    assert not np.array_equal(moved(images[:5], rng, **STRONG), moved(images[:5], rng, **STRONG))
    assert grey(moved(images[:5], rng, **STRONG)).dtype == np.uint8
