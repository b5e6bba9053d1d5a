"""A training run that something ends: a loss that is no number, no memory, data that do not fit, Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from cnnlab.torch_settings import one_thread
from cnnlab.train import DeviceData, Recipe, TrainError, evaluate, fit
from tests.cnnlab.train.loop_parts import QUICK, trained
from tests.cnnlab.train.train_parts import convolutional, drawn, linear, rehearsed, same


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


# -- what goes wrong ----------------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_is_said_and_the_last_whole_epoch_is_kept() -> None:
    """The first epoch goes well; in the second the network's numbers run away."""

    class RunsAway(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.calls = convolutional(), 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += self.training and not rehearsed((x,))
            return self.inner(x) * (float("inf") if self.calls > 6 else 1.0)

    network = RunsAway()
    with pytest.raises(TrainError, match=r"use a smaller learning rate, for example lr=0\.017") as caught:
        trained(network, Recipe(epochs=3, batch=50, lr=0.05))
    assert "before this epoch" in str(caught.value)
    # one epoch of the same run, whose rates are those of three epochs
    other = RunsAway()
    other.calls = -1000

    class Enough(Exception):
        pass

    def stop(_: nn.Module, __: Any) -> None:
        if other.calls == -1000 + 4 and other.training:
            raise Enough

    other.register_forward_pre_hook(stop)
    with pytest.raises(Enough):
        trained(other, Recipe(epochs=3, batch=50, lr=0.05))
    assert same(network, other)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError, RuntimeError, ValueError])
def test_a_network_is_in_torchs_usual_layout_after_any_failure(failure: type[BaseException]) -> None:
    network, layouts = convolutional(), []

    def fail_in_the_third_step(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        layouts.append(network.get_parameter("0.weight").is_contiguous(memory_format=torch.channels_last))
        if not rehearsed(inputs) and len(layouts) > 4:
            raise failure("made up")

    network.register_forward_pre_hook(fail_in_the_third_step)
    with contextlib.suppress(failure, TrainError):  # Ctrl-C only ends the training
        trained(network)
    assert layouts[-1], "the failure was in the other layout"
    assert all(tensor.is_contiguous() for tensor in network.state_dict().values())


def test_too_large_a_rate_is_said() -> None:
    network = linear()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(TrainError, match="smaller learning rate"):
        trained(network, Recipe(epochs=1, batch=10, lr=1e38))
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


class Greedy(nn.Module):
    """Asks for more memory than any machine has, in training, from a step on."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.inner, self.left = linear(), step

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= self.training and not rehearsed((x,))
        if self.left < 0:
            torch.empty(1 << 50)
        return self.inner(x)


def test_no_memory_left_is_said_and_the_weights_are_kept() -> None:
    network = Greedy(step=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    with pytest.raises(TrainError, match="CPU's memory is too small for batches of 50 images: use batch=25"):
        trained(network)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_at_one_image_a_smaller_batch_is_no_remedy() -> None:
    network = Greedy(step=2)
    with pytest.raises(
        TrainError, match="for a single image: use a smaller network or smaller images"
    ) as caught:
        trained(network, Recipe(epochs=1, batch=1))
    assert "batch=" not in str(caught.value)


def test_an_error_of_the_networks_own_comes_through() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        trained(linear(inputs=7))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_no_gpu_is_said() -> None:
    with pytest.raises(TrainError, match=r"no GPU here.*Colab"):
        trained(linear(), device="cuda")


def test_what_does_not_fit_is_said() -> None:
    with pytest.raises(TrainError, match=r"2.*5 classes"):
        trained(nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 24, 2)))
    with pytest.raises(TrainError, match="cannot be moved by 24"):
        trained(linear(), Recipe(shift=24))
    with pytest.raises(TrainError, match="pair of arrays"):
        fit(linear(), drawn(20)[0], None, QUICK, show=False)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="precision is auto"):
        trained(linear(), precision="fp8")
    with pytest.raises(TrainError, match="is no device"):
        trained(linear(), device="abacus")
    with pytest.raises(ValueError, match="save_every"):
        trained(linear(), save_every=0)


# -- Ctrl-C -------------------------------------------------------------------------------------------------------------


def pressing(network: nn.Module, when: Callable[[int], bool]) -> nn.Module:
    """Send this process the signal of Ctrl-C at a training step, counted from 1."""
    steps = 0

    def press(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        nonlocal steps
        if rehearsed(inputs):
            return
        steps += module.training
        if module.training and when(steps):
            signal.raise_signal(signal.SIGINT)

    network.register_forward_pre_hook(press)
    return network


def test_ctrl_c_keeps_the_best_epoch_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    recipe = Recipe(epochs=9, batch=50, lr=0.1, average=0.8)
    network = pressing(convolutional(), lambda step: step == 8 * 3 + 3)
    history = fit(network, drawn(400), drawn(100, seed=2), recipe)
    assert history.interrupted and history.epochs == 3 and len(history.losses) == 24
    best = max(history.test_accuracy)
    number = max(n for n in range(3) if history.test_accuracy[n] == best) + 1
    assert history.note == (
        f"Stopped in epoch 4 of 9: the network has the weights after epoch {number}, the best so far, "
        f"test accuracy {best:.1%}."
    )
    assert history.note in capsys.readouterr().out
    assert evaluate(network, drawn(100, seed=2), like=DeviceData(*drawn(400))).accuracy == best
    assert not network.training


def test_ctrl_c_in_the_first_epoch_keeps_what_was_learned() -> None:
    network = pressing(convolutional(), lambda step: step == 4)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    history = fit(network, drawn(400), None, Recipe(epochs=2, batch=50, lr=0.1), show=False)
    assert history.interrupted and history.epochs == 0 and history.losses == []
    assert "before the first was finished" in history.note
    assert not torch.equal(network.state_dict()["0.weight"], before["0.weight"])


def test_ctrl_c_between_training_and_testing_leaves_a_whole_history() -> None:
    network = convolutional()
    tests = 0

    def press(module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        nonlocal tests
        if rehearsed(inputs):
            return
        tests += not module.training
        if tests == 2 and not module.training:
            signal.raise_signal(signal.SIGINT)

    network.register_forward_pre_hook(press)
    recipe = Recipe(epochs=5, batch=50, lr=0.1, average=0.9)
    history = fit(network, drawn(200), drawn(50, seed=2), recipe, show=False)
    assert history.epochs == len(history.test_accuracy) == len(history.seconds) == 1
    assert len(history.losses) == 4
    tests = 10
    assert (
        evaluate(network, drawn(50, seed=2), like=DeviceData(*drawn(200))).accuracy
        == history.test_accuracy[0]
    )
