"""What cannot work is refused before the first step, in a sentence that names cause and remedy, and changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.torch_settings import one_thread
from cnnlab.train import Recipe, TrainError, evaluate, fit, predict
from tests.cnnlab.train.loop_parts import FULL, QUICK
from tests.cnnlab.train.train_parts import CLASSES, convolutional, drawn, linear, rehearsed, same

images, labels = drawn(100)
other_images, other_labels = drawn(40, seed=2)


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


class Returns(nn.Module):
    """A network that returns what a function makes of its scores."""

    def __init__(self, make: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.inner, self.make = linear(), make

    def forward(self, x: torch.Tensor) -> Any:
        return self.make(self.inner(x))


class View(nn.Module):
    """A right head that reshapes by `view`, which channels_last images do not allow."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.features = convolutional()[:-2]
        self.dropout, self.scores = nn.Dropout(dropout), nn.Linear(32 * 9, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        return self.scores(self.dropout(x.view(len(x), -1)))


class Reshape(View):
    """The same head by `reshape`, which takes either layout."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        return self.scores(self.dropout(x.reshape(len(x), -1)))


def with_labels(changed: int) -> np.ndarray:
    """Labels of which the last is changed: the first images, of which a rehearsal sees two, look right."""
    return np.append(other_labels[:-1], changed)


def poisoned(value: float) -> nn.Module:
    network = linear()
    with torch.no_grad():
        network[1].weight[0, 0] = value
    return network


def frozen() -> nn.Module:
    return linear().requires_grad_(False)


def narrow_bottleneck() -> nn.Module:
    """Maps end at 1 x 1: one value a channel where a batch holds one image."""
    return nn.Sequential(nn.Conv2d(3, 4, 24), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, CLASSES))


GOOD: dict[str, Any] = {
    "network": linear,
    "train": (images, labels),
    "test": (other_images, other_labels),
    "recipe": QUICK,
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a test label beyond the outputs": (
        {"test": (other_images, with_labels(CLASSES))},
        f"there are {CLASSES + 1} classes: let its last layer have {CLASSES + 1} outputs",
    ),
    "a training label beyond the outputs": (
        {"train": (images, np.append(labels[:-1], 9))},
        "there are 10 classes: let its last layer have 10 outputs",
    ),
    "a negative test label": ({"test": (other_images, with_labels(-1))}, "number the classes from 0"),
    "images as PIL lays them out": (
        {"train": (images.transpose(0, 2, 3, 1), labels)},
        r"look like \(N, H, W, C\): give images.transpose\(0, 3, 1, 2\)",
    ),
    "test images as PIL lays them out": (
        {"test": (other_images.transpose(0, 2, 3, 1), other_labels)},
        r"look like \(N, H, W, C\)",
    ),
    "images of floats": ({"train": (images / 255, labels)}, "Images are bytes"),
    "test images of fewer channels": (
        {"test": (other_images[:, :1], other_labels)},
        "1 channels and the training",
    ),
    "test images of another size": (
        {"test": (other_images[:, :, :20, :20], other_labels)},
        r"cannot take test images of shape \(2, 3, 20, 20\)",
    ),
    "grey images into a network for colour": (
        {
            "network": convolutional,
            "train": (images[:, :1], labels),
            "test": (other_images[:, :1], other_labels),
        },
        r"training images of shape \(2, 1, 24, 24\): a convolution takes 3 channels and is given 1",
    ),
    "16-bit weights": (
        {"network": lambda: linear().half()},
        r"is float16, and fit trains float32: call network.float",
    ),
    "64-bit weights": (
        {"network": lambda: linear().double()},
        r"is float64, and fit trains float32: call network.float\(\).$",
    ),
    "everything frozen": ({"network": frozen}, "is frozen, so there is nothing to train: unfreeze a layer"),
    "nothing to train": ({"network": nn.Flatten}, "has no parameters, so there is nothing to train: give it"),
    "detached scores": (
        {"network": lambda: Returns(lambda s: s.detach())},
        r"no gradient reaches its weights, since forward\(\) detaches them",
    ),
    "a dict of scores": (
        {"network": lambda: Returns(lambda s: {"logits": s})},
        r"returns a dict with logits: let its forward return \(2, 5\) scores",
    ),
    "a list of scores": ({"network": lambda: Returns(lambda s: [s])}, "returns list: let its forward return"),
    "classes for scores": ({"network": lambda: Returns(lambda s: s.argmax(1))}, "numbers of torch.int64"),
    "maps for scores": ({"network": lambda: Returns(lambda s: s[..., None])}, r"scores of shape \(2, 5, 1\)"),
    "side outputs for fewer classes": (
        {"network": lambda: Returns(lambda s: (s, s[:, :2]))},
        r"scores of shape \(2, 2\) for 2 images",
    ),
    "one value a channel": (
        {"network": narrow_bottleneck, "recipe": Recipe(epochs=1, batch=1)},
        "a batch norm is given one value a channel.*batches of two images or more",
    ),
    "images too small for the network": (
        {
            "network": convolutional,
            "train": (images[:, :, :4, :4], labels),
            "test": (other_images[:, :, :4, :4], other_labels),
        },
        r"cannot take training images of shape \(2, 3, 4, 4\): .*too small",
    ),
    "weights that are no numbers": (
        {"network": lambda: poisoned(float("nan"))},
        "1.weight holds numbers that are not finite before the first step: make the network anew",
    ),
    "infinite weights": (
        {"network": lambda: poisoned(float("inf"))},
        "1.weight holds numbers that are not finite",
    ),
    "scores that overflow": (
        {"network": lambda: Returns(lambda s: s * float("inf"))},
        "no number before any step, though all weights are finite",
    ),
}


@pytest.mark.parametrize("fault", REFUSED, ids=str)
@pytest.mark.parametrize("with_checkpoint", [False, True], ids=["plain", "checkpoint"])
def test_what_cannot_work_is_refused_before_the_first_step(
    fault: str, with_checkpoint: bool, tmp_path: Any
) -> None:
    change, says = REFUSED[fault]
    given = GOOD | change
    network = given["network"]()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    steps: list[int] = []
    network.register_forward_pre_hook(
        lambda _, inputs: steps.append(len(inputs[0])) if not rehearsed(inputs) else None
    )
    checkpoint = tmp_path / "run" if with_checkpoint else None
    with pytest.raises(TrainError, match=says) as caught:
        fit(network, given["train"], given["test"], given["recipe"], checkpoint=checkpoint, show=False)
    assert re.search(r"[.]$", str(caught.value)) and "smaller learning rate" not in str(caught.value)
    after = network.state_dict()
    assert all(torch.equal(after[name].nan_to_num(7), before[name].nan_to_num(7)) for name in before)
    assert all(tensor.is_contiguous() for tensor in after.values()), "torch's usual layout"
    assert [module.training for module in network.modules()] == modes
    assert all(parameter.grad is None for parameter in network.parameters())
    # one image is a batch of its own in this one fault
    assert fault == "one value a channel" or not [count for count in steps if count > 1]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_network_that_cannot_take_channels_last_is_trained_in_the_other_layout_and_that_is_said_once(
    dropout: float, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    network = View(dropout)
    history = fit(
        network, (images, labels), (other_images, other_labels), FULL, precision=precision, device="cpu"
    )
    assert history.epochs == 2
    assert capsys.readouterr().out.count("usual layout only") == 1
    score = evaluate(network, (other_images, other_labels))
    assert score.accuracy == pytest.approx(float(np.mean(guessed(network) == other_labels)))
    fit(convolutional(), (images, labels), None, FULL, precision=precision, device="cpu")
    assert "usual layout" not in capsys.readouterr().out


def test_the_average_is_of_the_weights_that_are_trained_in_either_layout() -> None:
    recipe, networks = replace(FULL, average=0.5), []
    for make in (View, Reshape):
        torch.manual_seed(0)
        networks.append(make(0.0))
        before = {name: tensor.clone() for name, tensor in networks[-1].state_dict().items()}
        fit(networks[-1], (images, labels), (other_images, other_labels), recipe, device="cpu", show=False)
        after = networks[-1].state_dict()
        assert not any(torch.equal(after[name], before[name]) for name in before if "weight" in name)
    one, other = (network.state_dict() for network in networks)
    assert all(torch.allclose(one[name], other[name], rtol=1e-3, atol=1e-4) for name in one)


def guessed(network: nn.Module) -> np.ndarray:
    return predict(network, (other_images, other_labels)).argmax(1).numpy()


def test_in_the_other_layout_a_stopped_run_ends_as_one_that_was_not(tmp_path: Any) -> None:
    recipe = Recipe(epochs=3, batch=50, lr=0.05, average=0.9)
    whole, path = View(), tmp_path / "run"
    fit(whole, (images, labels), None, recipe, show=False)
    stopped = View()
    steps = 0

    def press(_: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        nonlocal steps
        steps += not rehearsed(inputs)
        if steps == 4:
            raise KeyboardInterrupt

    handle = stopped.register_forward_pre_hook(press)
    assert fit(stopped, (images, labels), None, recipe, checkpoint=path, show=False).epochs == 1
    handle.remove()
    resumed = View()
    fit(resumed, (images, labels), None, recipe, checkpoint=path, show=False)
    assert same(whole, resumed)


def test_evaluating_says_what_does_not_fit() -> None:
    with pytest.raises(TrainError, match="let its last layer have 9 outputs"):
        evaluate(linear(), (other_images, with_labels(8)))
    with pytest.raises(TrainError, match="a convolution takes 3 channels and is given 1"):
        predict(convolutional(), (other_images[:, :1], other_labels))
    with pytest.raises(TrainError, match="returns a dict"):
        evaluate(Returns(lambda s: {"logits": s}), (other_images, other_labels))


def test_a_frozen_norm_in_eval_mode_is_left_in_it() -> None:
    network = convolutional()
    network.train()
    network[1].eval()
    evaluate(network, (other_images, other_labels))
    assert network.training and not network[1].training


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"epochs": 1.5}, "epochs must be a whole number, not 1.5"),
        ({"batch": True}, "batch must be a whole number"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"lr": float("inf")}, "lr must be a finite number"),
        ({"lr": float("nan")}, "lr must be a finite number"),
        ({"weight_decay": "much"}, "weight_decay must be a finite number"),
        ({"clip": 0}, "clip must be above 0"),
        ({"clip": float("inf")}, "clip must be a finite number"),
        ({"shift": -1}, "shift must be at least 0"),
        ({"momentum": 1}, "momentum must be below 1"),
        ({"optimiser": "adam"}, "optimiser is one of sgd, adamw"),
        ({"mixup": -0.1}, "mixup must be at least 0"),
    ],
    ids=str,
)
def test_numbers_that_cannot_be_meant_are_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Recipe(**change)


def test_numbers_of_numpy_and_torch_are_numbers(tmp_path: Any) -> None:
    numbers: dict[str, Any] = {
        "epochs": np.int64(2),
        "batch": torch.tensor(50),
        "lr": np.float32(0.5),
        "shift": np.array(1),
        "average": np.float64(0.9),
        "patience": 3.0,
        "flip_test": np.bool_(True),
    }
    recipe = Recipe(**numbers)
    assert recipe == Recipe(epochs=2, batch=50, lr=0.5, shift=1, average=0.9, patience=3, flip_test=True)
    assert all(type(getattr(recipe, name)) in (int, float, bool) for name in numbers)
    path = tmp_path / "run"
    fit(
        linear(),
        (images, labels),
        None,
        recipe,
        seed=np.int64(3),
        save_every=np.int8(1),
        checkpoint=path,
        show=False,
    )
    assert path.is_file()


def test_a_fit_that_is_refused_for_its_own_arguments_says_so() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"save_every": 1.5}, "save_every must be a whole number"),
        ({"seed": -1}, "seed must be at least 0"),
    ]
    for how, says in wrong:
        with pytest.raises(ValueError, match=says):
            fit(linear(), (images, labels), None, QUICK, show=False, **how)
