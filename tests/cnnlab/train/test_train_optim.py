"""The optimiser's groups, its steps, its learning rate over time, and the moving average of weights."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.torch_settings import one_thread
from cnnlab.train import Average, Recipe
from cnnlab.train.optim import Schedule, cosine, groups, make_optimiser, triangle
from tests.cnnlab.train.train_parts import convolutional, linear


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


def names_in(network: nn.Module, group: dict) -> set[str]:
    return {name for name, p in network.named_parameters() if any(p is q for q in group["params"])}


def test_adamws_steps_are_those_of_the_paper() -> None:
    """I. Loshchilov and F. Hutter, arXiv 1711.05101, algorithm 2."""
    recipe = Recipe(optimiser="adamw", lr=0.01, momentum=0.8, weight_decay=0.1)
    network = linear(inputs=6).double()
    optimiser = make_optimiser(network, recipe)
    weight = network[1].weight
    value, first, second = weight.detach().numpy().copy(), 0.0, 0.0
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 6)))
    for step in range(1, 4):
        optimiser.zero_grad()
        network(x).square().sum().backward()
        assert weight.grad is not None
        gradient = weight.grad.numpy()
        first, second = 0.8 * first + 0.2 * gradient, 0.999 * second + 0.001 * gradient**2
        step_size = first / (1 - 0.8**step) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        value = value * (1 - 0.01 * 0.1) - 0.01 * step_size
        optimiser.step()
        np.testing.assert_allclose(weight.detach().numpy(), value, rtol=1e-9)


def test_only_weights_decay() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2), nn.LayerNorm(2), nn.PReLU()
    )
    weights, rest = groups(network, Recipe(lr=0.2, weight_decay=0.01, bias_lr=8))
    assert names_in(network, weights) == {"0.weight", "3.weight"}
    assert names_in(network, rest) == {
        "0.bias",
        "1.weight",
        "1.bias",
        "3.bias",
        "4.weight",
        "4.bias",
        "5.weight",
    }
    assert (weights["weight_decay"], weights["lr"]) == (0.01, 0.2)
    assert (rest["weight_decay"], rest["lr"]) == (0.0, 1.6)


def test_frozen_parameters_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    network[0].requires_grad_(False)
    weights, rest = groups(network, Recipe())
    assert names_in(network, weights) | names_in(network, rest) == {"1.weight", "1.bias"}


def test_steps_are_nesterovs_as_written_in_numpy() -> None:
    recipe = Recipe(lr=0.1, momentum=0.8, weight_decay=0.05, bias_lr=2)
    network = linear(inputs=6).double()
    optimiser = make_optimiser(network, recipe)
    parameters = dict(network.named_parameters())
    values = {name: p.detach().numpy().copy() for name, p in parameters.items()}
    velocities = {name: np.zeros_like(v) for name, v in values.items()}
    random = np.random.default_rng(0)
    for _ in range(4):
        for name, p in parameters.items():
            gradient = random.normal(size=p.shape)
            p.grad = torch.from_numpy(gradient.copy())
            weight = p.ndim > 1
            g = gradient + (0.05 * values[name] if weight else 0)
            velocities[name] = 0.8 * velocities[name] + g
            values[name] = values[name] - (0.1 if weight else 0.2) * (g + 0.8 * velocities[name])
        optimiser.step()
    for name, p in parameters.items():
        np.testing.assert_allclose(p.detach().numpy(), values[name], rtol=1e-12)


@pytest.mark.parametrize("rising", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 40])
def test_triangle_is_two_lines(rising: float, steps: int) -> None:
    got = [triangle(step, steps, rising) for step in range(steps)]
    middle = (np.arange(steps) + 0.5) / steps
    # a corner at the very border has its side of the line only
    corners = {0.0: ([0, 1], [1, 0]), 0.25: ([0, 0.25, 1], [0, 1, 0]), 1.0: ([0, 1], [0, 1])}[rising]
    np.testing.assert_allclose(got, np.interp(middle, *corners), atol=1e-12)
    assert all(0 < share <= 1 for share in got)


def test_cosine_falls_as_torchs_does() -> None:
    steps, rising = 50, 0.2
    got = [cosine(step, steps, rising) for step in range(steps)]
    np.testing.assert_allclose(got[:10], (np.arange(10) + 0.5) / 10)
    # torch's, with a period of twice as many half steps, read at the middles
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=80)
    rates = []
    for _ in range(80):
        rates.append(falling.get_last_lr()[0])
        optimiser.step()
        falling.step()
    np.testing.assert_allclose(got[10:], rates[1::2], atol=1e-9)


@pytest.mark.parametrize("shape", ["triangle", "cosine", "constant"])
def test_a_schedule_sets_both_groups(shape: str) -> None:
    recipe = Recipe(lr=0.4, bias_lr=3, schedule=shape, rising=0.5)
    optimiser = make_optimiser(linear(inputs=6), recipe)
    schedule = Schedule(optimiser, recipe, 11)
    rates = []
    for step in range(11):
        schedule.before_step(step)
        weights, rest = (group["lr"] for group in optimiser.param_groups)
        assert math.isclose(rest, 3 * weights)
        rates.append(weights)
        assert schedule.lr == weights
    share = {"triangle": triangle, "cosine": cosine, "constant": lambda *_: 1.0}[shape]
    np.testing.assert_allclose(rates, [0.4 * share(step, 11, 0.5) for step in range(11)])


def test_a_plateau_lowers_the_rate_after_its_patience_and_is_taken_up_again() -> None:
    recipe = Recipe(lr=1.0, bias_lr=2, schedule="plateau", patience=1, factor=0.5)
    losses = [1.0, 0.9, 0.95, 0.92, 0.91, 0.93, 0.94, 0.95]

    def rates(cut: int | None) -> list[float]:
        schedule, seen = Schedule(make_optimiser(linear(inputs=6), recipe), recipe, 99), []
        for number, loss in enumerate(losses):
            if number == cut:
                kept = schedule.state()
                schedule = Schedule(make_optimiser(linear(inputs=6), recipe), recipe, 99)
                schedule.load(kept)
            schedule.before_step(number)
            schedule.after_epoch(loss)
            seen.append(schedule.lr)
        return seen

    # two epochs without a better loss, and again two more, and again two more
    assert rates(None) == [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.125]
    for cut in range(len(losses)):
        assert rates(cut) == rates(None)


def test_the_average_is_the_one_computed_by_hand() -> None:
    network = nn.Linear(3, 2).double()
    average = Average(network, 0.6)
    expected = network.weight.detach().numpy().copy()
    for count in range(1, 30):
        with torch.no_grad():
            network.weight.add_(torch.randn(2, 3, dtype=torch.float64))
        average.update()
        keeps = min(0.6, count / (count + 9))
        expected = keeps * expected + (1 - keeps) * network.weight.detach().numpy()
    np.testing.assert_allclose(average.named()["weight"].numpy(), expected, rtol=1e-12)


def test_statistics_of_norms_are_averaged_and_counters_and_frozen_weights_are_not() -> None:
    network = convolutional()
    network[0].requires_grad_(False)
    average = Average(network, 0.5)
    assert "1.running_mean" in average.named() and "1.running_var" in average.named()
    assert "1.num_batches_tracked" not in average.named() and "0.weight" not in average.named()
    network.train()
    for _ in range(12):
        network(torch.randn(8, 3, 24, 24))
        average.update()
    counted, mean = int(network[1].num_batches_tracked), network[1].running_mean.clone()
    with average.applied():
        assert int(network[1].num_batches_tracked) == counted == 12
        assert torch.equal(network[1].running_mean, average.named()["1.running_mean"])
        assert not torch.equal(network[1].running_mean, mean)


def test_the_networks_own_weights_come_back_even_after_an_error() -> None:
    network = convolutional()
    average = Average(network, 0.9)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(1.0)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(ZeroDivisionError), average.applied():
        assert not torch.equal(network[0].weight, before["0.weight"])
        raise ZeroDivisionError
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch": 0},
        {"lr": -1.0},
        {"lr": float("nan")},
        {"momentum": 1.0},
        {"schedule": "linear"},
        {"flip": True},
        {"rising": 1.5},
        {"factor": 1.0},
        {"clip": 0.0},
        {"shift": -1},
        {"average": 1.0},
    ],
)
def test_a_recipe_that_cannot_be_meant_is_said(wrong: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Recipe(**wrong)
