"""The plain loop: it fits on a screen, trains, and takes the steps that `fit` takes."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from torch import nn

import cnnlab.train
from cnnlab.torch_settings import one_thread
from cnnlab.train import Recipe, fit, fit_plainly, plain
from tests.cnnlab.train.train_parts import convolutional, drawn, linear

SCREEN = 60  # lines


def test_it_learns() -> None:
    with one_thread():
        accuracies = fit_plainly(convolutional(), drawn(600), drawn(200, seed=2), epochs=4, batch=30, lr=0.02)
    # 0.67 to 0.9 over five seeds; a guess is 0.2
    assert len(accuracies) == 4 and accuracies[-1] > 0.5 and accuracies[-1] > accuracies[0]


def test_fit_takes_the_same_steps() -> None:
    """Of one batch that holds all images no order is left: both loops must then find the same weights."""
    images, labels = drawn(60)
    recipe = Recipe(epochs=5, batch=60, lr=0.02, weight_decay=0, schedule="constant")
    with one_thread():
        plainly, fast = linear(), linear()
        accuracies = fit_plainly(plainly, (images, labels), drawn(40, seed=2), epochs=5, batch=60, lr=0.02)
        history = fit(fast, (images, labels), drawn(40, seed=2), recipe, show=False)
    for ours, theirs in zip(fast.parameters(), plainly.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert history.test_accuracy == pytest.approx(accuracies)


def test_it_takes_a_network_that_reshapes_by_view() -> None:
    class View(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.scores = nn.Conv2d(3, 4, 3), nn.Linear(4 * 22 * 22, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.conv(x)
            return self.scores(x.view(len(x), -1))

    with one_thread():
        assert len(fit_plainly(View(), drawn(60), drawn(40, seed=2), epochs=1)) == 1


def test_it_fits_on_a_screen_and_is_pointed_to_first() -> None:
    assert plain.__file__ is not None
    assert len(Path(plain.__file__).read_text().splitlines()) <= SCREEN
    assert "plain.py" in (inspect.getdoc(cnnlab.train) or "").split("`fit` takes")[0]
