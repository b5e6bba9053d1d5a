"""The training loop: that it learns, does what a plain loop does, repeats itself, and says what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnlab.torch_settings import one_thread
from cnnlab.train import DeviceData, History, Recipe, evaluate, fit, predict
from cnnlab.train.loss import AUXILIARY
from tests.cnnlab.train.loop_parts import FULL, QUICK, trained
from tests.cnnlab.train.train_parts import CLASSES, convolutional, drawn, linear, rehearsed, same


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


@pytest.mark.parametrize("seed", [0, 1])
def test_it_learns_with_everything_on(seed: int) -> None:
    recipe = Recipe(epochs=8, batch=40, lr=0.1, average=0.95, shift=2, flip="alternating", flip_test=True)
    network = convolutional(seed)
    history = fit(network, drawn(1000), drawn(400, seed=2), recipe, seed=seed, show=False)
    # 0.81 to 0.98 over eight seeds, 0.92 on average; a guess is 0.2
    assert history.test_accuracy[-1] > 0.7
    assert history.train_loss[-1] < history.train_loss[0] / 2
    assert not network.training
    again = evaluate(network, drawn(400, seed=2), like=DeviceData(*drawn(1000)), flip=True)
    assert again.accuracy == history.test_accuracy[-1]
    assert again.loss == pytest.approx(history.test_loss[-1], rel=1e-4)
    # laid out as before, so that the weights can be saved by anything
    assert all(tensor.is_contiguous() for tensor in network.state_dict().values())


def test_the_steps_are_those_of_a_plain_loop() -> None:
    """SGD of torch with two groups, over the same batches in the same order, must give the same weights."""
    images, labels = drawn(200)
    recipe = Recipe(
        epochs=2, batch=64, lr=0.05, momentum=0.9, weight_decay=0.01, label_smoothing=0.2, clip=0.5
    )
    network, plain = convolutional(), convolutional()
    data = DeviceData(images, labels)
    seen: list[torch.Tensor] = []

    def see(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if not rehearsed(inputs):
            seen.append(inputs[0].detach().clone())

    handle = network[0].register_forward_pre_hook(see)
    history = fit(network, data, None, recipe, show=False)
    handle.remove()

    everything = data.range(0, len(data))
    optimiser = torch.optim.SGD(
        [
            {"params": [p for p in plain.parameters() if p.ndim > 1], "weight_decay": 0.01},
            {"params": [p for p in plain.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=0.0,
        momentum=0.9,
        nesterov=True,
    )
    steps = len(seen)
    assert steps == 2 * (200 // 64)
    plain.train()
    for step, batch in enumerate(seen):
        # which images these are is read off the images themselves
        chosen = (batch.flatten(1)[:, None] == everything.flatten(1)[None]).all(2).int().argmax(1)
        assert len(set(chosen.tolist())) == 64
        for group in optimiser.param_groups:
            done = (step + 0.5) / steps
            group["lr"] = 0.05 * (done / 0.2 if done < 0.2 else (1 - done) / 0.8)
        loss = functional.cross_entropy(plain(batch), data.labels[chosen], label_smoothing=0.2)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
        optimiser.step()
        assert history.losses[step] == pytest.approx(loss.item(), rel=1e-4)
    for ours, theirs in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


def test_an_epoch_shows_every_image_once_and_each_epoch_in_another_order() -> None:
    images = np.zeros((60, 1, 5, 5), np.uint8) + np.arange(60, dtype=np.uint8)[:, None, None, None]
    labels = np.arange(60) % CLASSES
    seen: list[float] = []
    network = linear(inputs=25)

    def see(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        if not rehearsed(inputs):
            seen.extend(inputs[0][:, 0, 0, 0].tolist())

    network.register_forward_pre_hook(see)
    fit(network, (images, labels), None, Recipe(epochs=2, batch=20), show=False)
    first, second = seen[:60], seen[60:]
    assert len(set(first)) == 60 and sorted(first) == sorted(second) and first != second


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    torch.manual_seed(5)
    one = trained(convolutional(dropout=0.2), FULL, seed=3)
    torch.rand(7)  # whatever was drawn before must not matter
    assert same(one, trained(convolutional(dropout=0.2), FULL, seed=3))
    assert not same(one, trained(convolutional(dropout=0.2), FULL, seed=4))


def test_torchs_random_numbers_are_left_alone() -> None:
    network = convolutional()
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    trained(network, FULL)
    assert torch.equal(torch.rand(3), expected)


def test_looking_at_the_test_images_changes_nothing() -> None:
    network = convolutional(dropout=0.2)
    fit(network, drawn(200), drawn(50, seed=2), FULL, show=False)
    assert same(network, trained(convolutional(dropout=0.2), FULL))


def test_the_average_is_what_is_tested_and_kept() -> None:
    recipe = Recipe(epochs=3, batch=50, lr=0.05, average=0.9)
    averaged, raw = convolutional(), convolutional()
    history = fit(averaged, drawn(400), drawn(200, seed=2), recipe, show=False)
    fit(raw, drawn(400), None, Recipe(epochs=3, batch=50, lr=0.05), show=False)
    assert not same(averaged, raw)
    score = evaluate(averaged, drawn(200, seed=2), like=DeviceData(*drawn(400)))
    assert score.accuracy == history.test_accuracy[-1]
    # the averaged statistics belong to the averaged weights: measured anew over the images they give the same
    own = evaluate(averaged, drawn(400)).loss
    for module in averaged.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    data = DeviceData(*drawn(400))
    averaged.train()
    with torch.no_grad():
        for first in range(0, 400, 50):
            averaged(data.range(first, first + 50))
    averaged.eval()
    assert own == pytest.approx(evaluate(averaged, drawn(400)).loss, rel=0.15)


def test_frozen_layers_stay_as_they_are() -> None:
    network = convolutional()
    network[0].requires_grad_(False)
    before = network[0].weight.detach().clone()
    trained(network, FULL)
    assert torch.equal(network[0].weight, before)


class TwoHeads(nn.Module):
    """Scores, and in training side scores as well."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.main, self.weight = linear(), weight

    def forward(self, x: torch.Tensor) -> Any:
        scores = self.main(x)
        return (scores, scores * self.weight) if self.training else scores


def test_side_outputs_count_three_tenths() -> None:
    data = DeviceData(*drawn(200))
    network = TwoHeads(0.0)
    history = fit(network, data, None, Recipe(epochs=1, batch=200, lr=0.0), show=False)
    scores = network.main(data.range(0, 200))
    # scores of zero cost the logarithm of the number of classes
    expected = float(functional.cross_entropy(scores, data.labels).detach()) + AUXILIARY * float(
        np.log(CLASSES)
    )
    assert history.losses[0] == pytest.approx(expected, rel=1e-5)


def test_the_history_is_plain_and_comes_back_from_json() -> None:
    history = fit(convolutional(), drawn(200), drawn(50, seed=2), QUICK, show=False)
    assert history.epochs == 2 and len(history.losses) == 2 * 4
    for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "lr", "seconds"):
        values = getattr(history, name)
        assert len(values) == 2 and all(type(value) is float for value in values)
    assert history.train_loss[1] == pytest.approx(sum(history.losses[4:]) / 4)
    assert history.images == 200 and history.images_per_second == pytest.approx(400 / sum(history.seconds))
    assert (history.device, history.precision, history.processes) == ("cpu", "fp32", 1)
    assert History.from_json(history.to_json()) == history
    assert json.loads(history.to_json())["test_accuracy"] == history.test_accuracy


def test_evaluate_and_predict_agree_with_the_formula() -> None:
    network = convolutional().eval()
    data = DeviceData(*drawn(130))
    x = data.range(0, 130)
    with torch.no_grad():
        scores = (network(x) + network(x.flip(3))) / 2
    score = evaluate(network, data, flip=True)
    assert score.loss == pytest.approx(float(functional.cross_entropy(scores, data.labels)), rel=1e-5)
    assert score.accuracy == int((scores.argmax(1) == data.labels).sum()) / 130
    torch.testing.assert_close(predict(network, data, flip=True), scores.softmax(1), rtol=1e-4, atol=1e-6)
    network.train()
    evaluate(network, data)
    assert network.training


@pytest.mark.parametrize(
    "precision",
    ["bf16", pytest.param("fp16", marks=pytest.mark.slow)],  # which a CPU emulates
)
def test_narrow_types_learn_as_well(precision: str) -> None:
    recipe = Recipe(epochs=6, batch=30, lr=0.05, clip=5.0)
    history = fit(
        convolutional(), drawn(600), drawn(200, seed=2), recipe, precision=precision, device="cpu", show=False
    )
    assert history.precision == precision
    # 0.67 to 0.80 over three seeds, and 0.70 to 0.83 in 32 bits
    assert history.test_accuracy[-1] > 0.5
    # 16 bits: near the loss of 32, but not it
    once = Recipe(epochs=1, batch=30, lr=0.05 / 6, clip=5.0)
    exact = fit(convolutional(), drawn(600), None, once, show=False, device="cpu")
    assert history.losses[0] != exact.losses[0]
    assert history.losses[0] == pytest.approx(exact.losses[0], rel=0.02)


def test_batches_larger_than_the_data_take_all_of_it() -> None:
    history = fit(linear(), drawn(30), None, Recipe(epochs=2, batch=512, lr=0.01), show=False)
    assert len(history.losses) == 2 and history.images == 30


def test_progress_goes_to_the_terminal_only_where_it_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    fit(linear(), drawn(100), drawn(50, seed=2), QUICK, show=False)
    assert capsys.readouterr() == ("", "")
    fit(linear(), drawn(100), drawn(50, seed=2), QUICK)
    out = capsys.readouterr().out
    assert "4/4" in out and "loss=" in out and "test=" in out
