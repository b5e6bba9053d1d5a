"""What is made of trained weights of torch networks: right ones are right, others are named, and nothing crashes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from autograder.exercises.common.shapes import Change, fresh, unscaled, unshifted
from autograder.exercises.resnet.trained import SLIGHT, STRONG, reference
from cnnlab import data, models
from cnnlab.checking.filling import fill
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.summaries import summarise
from cnnlab.checking.summaries.networks import NETWORKS, SHAPES_MEAN, SHAPES_STD, residual, scores
from cnnlab.torch_settings import one_thread

LABELS = np.arange(150) % 5


def judged(weights: Any, at_least: float = 96.0, count: int = 150, change: Change | None = None) -> Outcome:
    images = fresh(LABELS[:count], 1 << 43)
    pixels = change(images, np.random.default_rng(0)) if change else images
    inputs = {"images": pixels, "labels": LABELS[:count], "at_least": at_least}
    return summarise("resnet20", inputs, Outcome("values", {"weights": weights}))


def arrays(network: nn.Module) -> dict[str, np.ndarray]:
    """Name a CIFAR ResNet's arrays: its attributes are in the order of their use."""
    found: dict[str, np.ndarray] = {}
    number = 0
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            number += 1
            found[f"conv{number}"] = layer.weight.detach().numpy()
    number = 0
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            number += 1
            state = layer.state_dict()
            parts = ("weight", "bias", "running_mean", "running_var")
            found[f"norm{number}"] = np.stack([state[part].numpy() for part in parts])
        if isinstance(layer, nn.Linear):
            found["linear.weight"] = layer.weight.detach().numpy()
            found["linear.bias"] = layer.bias.detach().numpy()
    return found


@pytest.mark.parametrize("depth, classes", [(8, 3), (20, 5), (56, 10)])
def test_the_network_is_the_one_of_that_depth(depth: int, classes: int) -> None:
    with one_thread():
        network = models.get(f"resnet{depth}", classes) if depth > 8 else _shallow(classes)
        network.eval()
        fill(network)
        named = arrays(network)
        assert {name: array.shape for name, array in named.items()} == residual(depth, classes)
        x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 3, 32, 32), np.float32))
        with torch.no_grad():
            tensors = {name: torch.from_numpy(array) for name, array in named.items()}
            torch.testing.assert_close(scores(torch, tensors, x), network(x), rtol=1e-4, atol=1e-3)


def _shallow(classes: int) -> nn.Module:
    from cnnlab.models.resnet_cifar import resnet_cifar

    return resnet_cifar(8, classes)


def test_the_images_are_normalised_by_their_mean_and_spread() -> None:
    images, _ = data.shape_images(3000, seed=1)
    np.testing.assert_allclose(images.mean((0, 2, 3)) / 255, SHAPES_MEAN, atol=0.005)
    np.testing.assert_allclose(images.std((0, 2, 3)) / 255, SHAPES_STD, atol=0.006)


def test_the_references_weights_are_good_with_some_room() -> None:
    for change in (None, SLIGHT, STRONG):
        bar = 95.0 if change is STRONG else 98.0
        assert judged(reference(), bar, change=change).values == {"accuracy": f"at least {bar:g} %"}


def test_half_and_double_precision_are_as_good() -> None:
    for dtype in (np.float16, np.float64):
        weights = {name: array.astype(dtype) for name, array in reference().items()}
        assert judged(weights).values == {"accuracy": "at least 96 %"}


def exchanged(**arrays: Any) -> dict[str, Any]:
    return {**reference(), **arrays}


def rolled(by: int) -> dict[str, Any]:
    names = ("linear.weight", "linear.bias")
    return reference() | {name: np.roll(reference()[name], by, axis=0) for name in names}


def test_what_was_learned_instead_is_named() -> None:
    raw = exchanged(conv1=unscaled(reference()), norm1=unshifted(reference()))
    others = {
        "one class too high": rolled(1),
        "one class too low": rolled(-1),
        "right for images from 0 to 1": raw,
        "right for images from 0 to 255": raw | {"conv1": raw["conv1"] / 255},
    }
    for words, weights in others.items():
        assert judged(weights).values == {"accuracy": f"{words}, below 96 % as it is"}


def test_weights_that_are_not_good_enough_are_told_their_accuracy() -> None:
    found = judged(reference(), 100.1).values["accuracy"]
    assert found.endswith(" %, below 100.1 %") and found[0].isdigit()


UNFIT = {
    "a list": [np.zeros(3)],
    "nothing": {},
    "a state dict's names": {"conv1.weight": np.zeros((16, 3, 3, 3), np.float32)},
    "one missing": lambda: {name: a for name, a in reference().items() if name != "norm7"},
    "one too many": lambda: exchanged(conv99=np.zeros(3)),
    "a bad name": {"<script>": np.zeros(1)},
    "not a number": lambda: exchanged(conv4=np.full((16, 16, 3, 3), np.nan)),
    "infinite": lambda: exchanged(norm1=np.full((4, 16), -np.inf)),
    "a negative variance": lambda: exchanged(norm1=np.full((4, 16), -1.0)),
    "another width": lambda: exchanged(conv1=np.zeros((8, 3, 3, 3))),
    "transposed": lambda: exchanged(norm1=np.zeros((16, 4))),
    "whole numbers": lambda: exchanged(conv1=np.zeros((16, 3, 3, 3), np.int32)),
    "booleans": lambda: exchanged(conv1=np.zeros((16, 3, 3, 3), bool)),
    "no array": lambda: exchanged(conv1=3.0),
}


@pytest.mark.parametrize("name", UNFIT)
def test_weights_of_another_network_are_one_sentence_of_ours(name: str) -> None:
    given = UNFIT[name]
    outcome = judged(given() if callable(given) else given, count=5)
    assert outcome.kind == "bad output" and outcome.message
    assert "cannot be judged" not in outcome.message
    assert "script" not in outcome.message and "conv99" not in outcome.message


@pytest.mark.parametrize("factor", [0.0, 1e-300, 1e-30, 1e-6, 1e3, 1e30, 1e300])
def test_weights_of_any_size_are_judged_and_soon(factor: float) -> None:
    began = time.monotonic()
    outcome = judged({name: factor * array.astype(np.float64) for name, array in reference().items()})
    assert set(outcome.values) == {"accuracy"}
    assert time.monotonic() - began < 30


def test_every_network_fits_into_a_hand_in() -> None:
    from cnnlab.checking import handin

    for network in NETWORKS.values():
        assert len(network.shapes) <= handin.MAX_TENSORS
        assert 4 * sum(int(np.prod(shape)) for shape in network.shapes.values()) < 0.9 * handin.MAX_BYTES
