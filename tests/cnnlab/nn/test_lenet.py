"""LeNet-5 with the layers of the solved lessons, as a student's network runs: it learns, well and soon enough."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autograder.authoring.weights import digits, solved_layers
from autograder.course import Course
from autograder.exercises.lenet.trained import reference
from cnnlab import data, layers, nn
from cnnlab.data.cache import VARIABLE
from tests import SHARED

FASHION_EPOCHS = 4


@pytest.fixture(scope="module")
def solved() -> Iterator[dict[str, Any]]:
    with solved_layers(Course.here()) as names:
        yield names


def test_the_layers_are_those_of_the_lessons(solved: dict[str, Any]) -> None:
    for name in (
        "conv2d_forward",
        "conv2d_backward",
        "max_pool2d_backward",
        "relu_forward",
        "linear_backward",
    ):
        assert "submission" in getattr(layers, name).__code__.co_filename


@pytest.mark.slow
def test_the_lessons_training_reads_digits(solved: dict[str, Any]) -> None:
    train, held_out = digits()
    began = time.perf_counter()
    weights = solved["trained_lenet"](*train, np.random.default_rng(0))
    seconds = time.perf_counter() - began
    network = nn.lenet5(np.random.default_rng(1))
    network.load_state(weights)
    assert nn.accuracy(network, *held_out) >= 0.97
    # A quiet machine of 2 cores takes half a minute; tests may run beside each other.
    assert seconds < 180
    for name, array in reference().items():
        assert weights[name].shape == array.shape and weights[name].dtype == array.dtype


def test_what_is_drawn_learns_nothing_from_wrong_labels(solved: dict[str, Any]) -> None:
    (images, labels), held_out = digits()
    network = nn.lenet5(np.random.default_rng(0))
    shuffled = np.random.default_rng(1).permutation(labels[:320])
    nn.fit(network, images[:320], shuffled, epochs=4, rng=np.random.default_rng(2), show=False)
    assert nn.accuracy(network, *held_out) < 0.3


@pytest.mark.slow
def test_the_lessons_training_reads_clothes(solved: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get(VARIABLE):
        if not (SHARED / "fashion-mnist").is_dir():
            pytest.skip(f"Fashion-MNIST is not here: set {VARIABLE} to a folder that holds it")
        monkeypatch.setenv(VARIABLE, str(SHARED))
    sets = {}
    for split in ("train", "test"):
        images, labels = data.fashion_mnist(split)
        sets[split] = (nn.lenet_images(images), labels)
    rng = np.random.default_rng(0)
    network = nn.lenet5(rng)
    history = nn.fit(network, *sets["train"], epochs=FASHION_EPOCHS, rng=rng, test=sets["test"], show=False)
    print(f"\nFashion-MNIST: {history.accuracies}, {history.seconds:.0f} s")
    assert history.accuracies[-1] >= 0.89
    assert history.seconds < 600  # under 300 on a quiet machine of 2 cores
