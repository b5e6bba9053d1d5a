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


RIGHT_CROP = {
    "views": "unsigned integers",
    "their dtype": "uint8",
    "each view": "a crop of its padded image or the mirror of one",
    "places down": "evenly over all",
    "places across": "evenly over all",
    "down and across": "drawn apart",
    "flipped": "half",
}
RIGHT_CUTOUT = {
    "cut": "unsigned integers",
    "its dtype": "uint8",
    "outside the holes": "as it was",
    "the channels": "alike",
    "the holes": "rectangles",
    "pixels down": "size",
    "middles down": "evenly over all",
    "pixels across": "size",
    "middles across": "evenly over all",
    "down and across": "drawn apart",
}
SHAPE = (600, 2, 7, 6)


def bytes_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, SHAPE).astype(np.uint8)


def cropped(seed: int, padding: int = 2) -> tuple[dict[str, Any], np.ndarray]:
    images, rng = bytes_of(seed), np.random.default_rng(seed + 1)
    padded = np.pad(images, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(
        padded, (7, 6), axis=(2, 3)
    )  # (N, C, 2p+1, 2p+1, 7, 6)
    down, across = rng.integers(0, 2 * padding + 1, (2, len(images)))
    views = windows[np.arange(len(images)), :, down, across]
    flips = rng.random(len(images)) < 0.5
    views = np.where(flips[:, None, None, None], views[..., ::-1], views)
    return {"images": images, "padding": padding, "rng": 0}, views


def pierced(seed: int, size: int = 3) -> tuple[dict[str, Any], np.ndarray]:
    images, rng = bytes_of(seed), np.random.default_rng(seed + 1)
    rows, columns = rng.integers(0, 7, len(images)), rng.integers(0, 6, len(images))
    down = np.arange(7) - rows[:, None] + size // 2
    across = np.arange(6) - columns[:, None] + size // 2
    hole = ((down >= 0) & (down < size))[:, :, None] & ((across >= 0) & (across < size))[:, None]
    return {"images": images, "size": size, "rng": 0}, np.where(hole[:, None], 0, images).astype(np.uint8)


def test_honest_crops_and_holes_are_right() -> None:
    for seed in range(150):
        inputs, views = cropped(seed, padding=seed % 4)
        assert summary("crop_flip", inputs, views=views).values == RIGHT_CROP
        inputs, cut = pierced(seed, size=1 + seed % 5)
        assert summary("cutout", inputs, cut=cut).values == RIGHT_CUTOUT


def test_crops_that_are_wrong_are_named() -> None:
    inputs, views = cropped(0)
    images = inputs["images"]

    def found(views: np.ndarray) -> dict[str, Any]:
        return summary("crop_flip", inputs, views=views).values

    assert found(views.astype(float))["their dtype"] == "float64"
    assert found(views[:, :, ::-1])["each view"] == "turned upside down"
    assert found(255 - views)["each view"] == "something else"
    assert found(0 * views)["each view"] == "empty for some images"
    assert found(np.roll(images, (1, 2), axis=(2, 3)))["each view"] == "its image rolled round"
    assert found(images)["places down"] == found(images)["places across"] == "the same for all images"
    assert found(images)["flipped"] == "all or none"
    few = images.copy()
    few[:100] = images[:100, :, :, ::-1]
    assert found(few)["flipped"] == "16.7%"


def test_holes_that_are_wrong_are_named() -> None:
    inputs, cut = pierced(0)
    images = inputs["images"]

    def found(cut: np.ndarray) -> dict[str, Any]:
        return summary("cutout", inputs, cut=cut).values

    assert found(cut // 2)["outside the holes"] == "changed"
    assert found(images)["the holes"] == "missing in some images"
    assert found(np.where(cut[:, :1] == 0, cut, images * [[[[1]], [[0]]]]))["the channels"] != "alike"
    corner = cut.copy()
    corner[:, :, 0, 0] = 0
    assert found(corner)["the holes"] == "no rectangles"
    inputs, cut = pierced(0, size=4)
    inputs["size"] = 3
    assert found(cut)["pixels down"] == found(cut)["pixels across"] == "size + 1"


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore:overflow")
def test_odd_views_and_holes_are_summed_up_calmly(name: str) -> None:
    for odd in (ODD[name], np.resize(ODD[name], SHAPE) if isinstance(ODD[name], np.ndarray) else ODD[name]):
        found = summary("crop_flip", cropped(0)[0], views=odd)
        assert found.kind == "values" and found.values != RIGHT_CROP
        found = summary("cutout", pierced(0)[0], cut=odd)
        assert found.kind == "values" and found.values != RIGHT_CUTOUT


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
