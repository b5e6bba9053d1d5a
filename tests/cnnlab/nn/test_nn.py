"""NumPy layers against torch: the same numbers, the same gradients, the same running statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn as tnn

from cnnlab import data, nn
from cnnlab.nn.in_torch import Conv2d as StudentConv2d
from cnnlab.nn.in_torch import conv2d, replace_convolutions
from cnnlab.nn.live import LiveCurve
from cnnlab.nn.training import Diverged

F64 = np.float64


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def depthwise_twin(layer: nn.Layer) -> tnn.Module:
    twin = tnn.Conv2d(3, 6, 3, stride=2, padding=1, groups=3, dtype=torch.float64)
    copy(twin.weight, layer.parameters["w"].reshape(6, 1, 3, 3))
    copy(twin.bias, layer.parameters["b"])
    return twin


def conv_twin(layer: nn.Layer) -> tnn.Module:
    twin = tnn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), (1, 2), 2, dtype=torch.float64)
    copy(twin.weight, layer.parameters["w"])
    copy(twin.bias, layer.parameters["b"])
    return twin


def linear_twin(layer: nn.Layer) -> tnn.Module:
    twin = tnn.Linear(5, 3, dtype=torch.float64)
    copy(twin.weight, layer.parameters["W"].T)
    copy(twin.bias, layer.parameters["b"])
    return twin


def copy(parameter: Any, array: np.ndarray) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))


Twin = Callable[[nn.Layer], tnn.Module]
LAYERS: dict[str, tuple[Callable[[], nn.Layer], Twin, tuple[int, ...]]] = {
    "conv": (
        lambda: nn.Conv2d(
            4, 6, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2, rng=rng(), dtype=F64
        ),
        conv_twin,
        (2, 4, 7, 6),
    ),
    "depthwise": (
        lambda: nn.DepthwiseConv2d(3, 3, multiplier=2, stride=2, padding=1, rng=rng(), dtype=F64),
        depthwise_twin,
        (2, 3, 6, 5),
    ),
    "max pool": (
        lambda: nn.MaxPool2d(3, 2, padding=1),
        lambda layer: tnn.MaxPool2d(3, 2, padding=1),
        (2, 3, 7, 6),
    ),
    "average pool": (lambda: nn.AvgPool2d(2), lambda layer: tnn.AvgPool2d(2), (2, 3, 5, 4)),
    "global average": (
        nn.GlobalAvgPool2d,
        lambda layer: tnn.AdaptiveAvgPool2d(1),
        (2, 3, 5, 4),
    ),
    "relu": (nn.ReLU, lambda layer: tnn.ReLU(), (2, 3, 4)),
    "linear": (lambda: nn.Linear(5, 3, rng=rng(), dtype=F64), linear_twin, (4, 5)),
    "flatten": (nn.Flatten, lambda layer: tnn.Flatten(), (2, 3, 4, 5)),
    "batch norm": (
        lambda: nn.BatchNorm2d(3, dtype=F64),
        lambda layer: tnn.BatchNorm2d(3, dtype=torch.float64),
        (4, 3, 5, 2),
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_does_what_torchs_does(name: str) -> None:
    make, twin_of, shape = LAYERS[name]
    layer = make()
    if "b" in layer.parameters:
        layer.parameters["b"] = rng(3).normal(size=layer.parameters["b"].shape)
    twin = twin_of(layer)
    x = rng(1).normal(size=shape)
    tx = torch.tensor(x, requires_grad=True)
    ty, y = twin(tx), layer(x)
    assert y.dtype == F64
    np.testing.assert_allclose(y, ty.detach().numpy(), rtol=1e-10, atol=1e-12)
    dout = rng(2).normal(size=y.shape)
    ty.backward(torch.tensor(dout))
    np.testing.assert_allclose(layer.backward(dout), tx.grad.numpy(), rtol=1e-9, atol=1e-10)
    theirs = [p.grad.numpy() for p in twin.parameters()]
    for mine, grad in zip(layer.gradients.values(), theirs, strict=True):
        grad = grad.T if name == "linear" and grad.ndim == 2 else grad
        np.testing.assert_allclose(mine, grad.reshape(mine.shape), rtol=1e-9, atol=1e-10)


def test_batch_norm_keeps_torchs_running_statistics_and_uses_them() -> None:
    layer, twin = nn.BatchNorm2d(3, dtype=F64), tnn.BatchNorm2d(3, dtype=torch.float64)
    for seed in range(3):
        x = rng(seed).normal(2, 3, size=(4, 3, 5, 2))
        layer(x), twin(torch.tensor(x))
    np.testing.assert_allclose(layer.buffers["mean"], twin.running_mean.numpy())
    np.testing.assert_allclose(layer.buffers["var"], twin.running_var.numpy())
    layer.eval(), twin.eval()
    np.testing.assert_allclose(layer(x), twin(torch.tensor(x)).detach().numpy(), rtol=1e-9)
    with pytest.raises(RuntimeError, match="train"):
        layer.backward(x)


def test_dropout_drops_in_training_only() -> None:
    layer = nn.Dropout(0.5, rng=rng())
    x = np.ones((50, 40))
    y = layer(x)
    assert 0.4 < np.mean(y == 0) < 0.6
    np.testing.assert_array_equal(layer.backward(x), y)
    layer.eval()
    assert layer(x) is x and layer.backward(x) is x


def test_sgd_does_what_torchs_does() -> None:
    layer = nn.Linear(5, 3, rng=rng(), dtype=F64)
    twin = linear_twin(layer)
    groups = [{"params": [twin.weight], "weight_decay": 0.1}, {"params": [twin.bias], "weight_decay": 0.0}]
    mine, theirs = nn.SGD(layer, 0.05, 0.9, 0.1), torch.optim.SGD(groups, lr=0.05, momentum=0.9)
    for seed in range(4):
        x = rng(seed).normal(size=(4, 5))
        theirs.zero_grad()
        (twin(torch.tensor(x)) ** 2).sum().backward()
        theirs.step()
        layer.backward(2 * layer(x))
        mine.step()
    np.testing.assert_allclose(layer.parameters["W"], twin.weight.detach().numpy().T, rtol=1e-9)
    np.testing.assert_allclose(layer.parameters["b"], twin.bias.detach().numpy(), rtol=1e-9)


def lenet_twin(network: nn.Layer) -> tnn.Module:
    twin = tnn.Sequential(
        tnn.Conv2d(1, 6, 5), tnn.ReLU(), tnn.MaxPool2d(2), tnn.Conv2d(6, 16, 5), tnn.ReLU(), tnn.MaxPool2d(2),
        tnn.Flatten(), tnn.Linear(400, 120), tnn.ReLU(), tnn.Linear(120, 84), tnn.ReLU(), tnn.Linear(84, 10),
    ).double()  # fmt: skip
    state = network.state()
    modules = [m for m in twin if isinstance(m, (tnn.Conv2d, tnn.Linear))]
    for name, module in zip(("conv1", "conv2", "linear1", "linear2", "linear3"), modules, strict=True):
        weight = state[f"{name}.w"] if "conv" in name else state[f"{name}.W"].T
        copy(module.weight, weight)
        copy(module.bias, state[f"{name}.b"])
    return twin


def test_lenet_is_torchs_lenet_number_for_number() -> None:
    network = nn.lenet5(rng(), dtype=F64)
    assert network.size == 61_706
    twin = lenet_twin(network)
    x = rng(1).normal(size=(3, 1, 32, 32))
    tx = torch.tensor(x, requires_grad=True)
    ty = twin(tx)
    np.testing.assert_allclose(network(x), ty.detach().numpy(), rtol=1e-8, atol=1e-10)
    ty.sum().backward()
    dx = network.backward(np.ones((3, 10)))
    np.testing.assert_allclose(dx, tx.grad.numpy(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(
        network.conv1.gradients["w"], next(twin.parameters()).grad.numpy(), rtol=1e-7, atol=1e-9
    )


def test_state_is_taken_over_whole_or_not_at_all() -> None:
    one, other = nn.lenet5(rng(0)), nn.lenet5(rng(1))
    state = one.state()
    assert set(state) == {
        f"{layer}.{array}"
        for layer, arrays in {
            "conv1": "wb", "conv2": "wb", "linear1": "Wb", "linear2": "Wb", "linear3": "Wb"
        }.items()
        for array in arrays
    }  # fmt: skip
    before = other.state()
    with pytest.raises(ValueError, match=r"linear3.b has shape \(9,\)"):
        other.load_state({**state, "linear3.b": np.zeros(9)})
    with pytest.raises(ValueError, match=r"differ in conv9\.w"):
        other.load_state({**state, "conv9.w": np.zeros(1)})
    assert all(np.array_equal(before[name], array) for name, array in other.state().items())
    other.load_state(state)
    x = rng(2).normal(size=(2, 1, 32, 32)).astype(np.float32)
    np.testing.assert_array_equal(one(x), other(x))
    state["conv1.w"][:] = 0  # a copy
    np.testing.assert_array_equal(one(x), other(x))


def test_mistakes_in_use_are_said() -> None:
    with pytest.raises(RuntimeError, match="forward before backward"):
        nn.ReLU().backward(np.ones(3))
    with pytest.raises(AttributeError, match="conv1"):
        nn.lenet5(rng()).conv9  # noqa: B018
    with pytest.raises(ValueError, match="not \\(2, 9, 9\\)"):
        nn.lenet_images(np.zeros((2, 9, 9)))
    with pytest.raises(ValueError, match="3 images and 2 labels"):
        nn.fit(nn.Flatten(), np.zeros((3, 1)), np.zeros(2, int), epochs=1, rng=rng(), show=False)


def test_lenets_images() -> None:
    small = nn.lenet_images(np.eye(8)[None])
    assert small.shape == (1, 1, 32, 32) and small.dtype == np.float32
    assert (small[0, 0, :4, :4] == 1).all() and (small[0, 0, :4, 4:] == -1).all()
    fashion = nn.lenet_images(np.full((1, 28, 28), 255, np.uint8))
    assert fashion[0, 0, 2, 2] == 1 and fashion[0, 0, 1, 1] == -1


def tiny() -> nn.Sequential:
    return nn.Sequential(flatten=nn.Flatten(), linear=nn.Linear(64, 10, rng=rng()))


def test_fit_learns_repeats_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    images, labels = data.digits()
    x = images[:, None].astype(np.float32)
    runs = []
    for _ in range(2):
        network = tiny()
        history = nn.fit(
            network, x[:500], labels[:500], epochs=3, lr=0.5, rng=rng(5), test=(x[500:800], labels[500:800])
        )
        runs.append((history.losses, history.accuracies))
    assert runs[0] == runs[1]
    assert len(history.losses) == 24 and history.accuracies[-1] > 0.8 and not history.interrupted
    assert not network.training and history.seconds > 0
    said = capsys.readouterr().out
    assert "24/24" in said and "loss=" in said and "test=" in said


def test_fit_stops_at_ctrl_c_and_keeps_what_it_learned() -> None:
    calls = 0

    def stop(batch: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return batch

    network = tiny()
    before = network.state()
    x = np.ones((100, 1, 8, 8), np.float32)
    history = nn.fit(network, x, np.zeros(100, int), epochs=9, batch=20, rng=rng(), augment=stop, show=False)
    assert history.interrupted and len(history.losses) == 3
    assert not np.array_equal(before["linear.b"], network.state()["linear.b"])


def test_a_loss_that_is_no_number_is_said() -> None:
    x = np.full((20, 1, 8, 8), np.inf, np.float32)
    with pytest.raises(Diverged, match="smaller learning rate"), np.errstate(all="ignore"):
        nn.fit(tiny(), x, np.zeros(20, int), epochs=1, rng=rng(), show=False)


def test_a_live_curve_is_a_small_picture_however_long_the_run() -> None:
    curve = LiveCurve(100_000, show=False)
    assert "training begins" in curve.html()
    for i in range(100_000):
        curve.losses.append(2.0 / (1 + i))
    curve.add_accuracy(0.5)
    assert len(curve.html()) < 12_000 and "50.0%" in curve.html()


@pytest.mark.parametrize("bias", [True, False])
def test_the_students_convolution_stands_in_torch(bias: bool) -> None:
    torch.manual_seed(0)
    theirs = tnn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=bias, dtype=torch.float64)
    mine = StudentConv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=bias, dtype=torch.float64)
    mine.load_state_dict(theirs.state_dict())
    x = torch.randn(2, 4, 7, 6, dtype=torch.float64)
    results = []
    for module in (theirs, mine):
        given = x.clone().requires_grad_()
        y = module(given)
        (y**2).sum().backward()
        results.append([y.detach(), given.grad, *(p.grad for p in module.parameters())])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other)


def test_autograd_agrees_with_differences_through_the_students_convolution() -> None:
    torch.manual_seed(1)
    inputs = [
        torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        for shape in ((1, 2, 4, 3), (2, 2, 2, 2), (2,))
    ]
    assert torch.autograd.gradcheck(lambda x, w, b: conv2d(x, w, b, padding=1), inputs)


def test_a_network_of_torch_goes_on_with_the_students_convolution() -> None:
    network = lenet_twin(nn.lenet5(rng(), dtype=F64))
    x = torch.randn(2, 1, 32, 32, dtype=torch.float64)
    before = network(x)
    replace_convolutions(network)
    assert sum(type(m) is StudentConv2d for m in network.modules()) == 2
    torch.testing.assert_close(network(x), before)
    with pytest.raises(ValueError, match="padding"):
        StudentConv2d(1, 1, 3, padding="same")(torch.zeros(1, 1, 4, 4))


def test_jitter_moves_each_image_by_its_own() -> None:
    x = rng().uniform(-1, 1, (5, 2, 12, 9)).astype(np.float32)
    still = nn.jitter(x, rng(), shift=0, degrees=0, zoom=0)
    assert still.dtype == np.float32
    np.testing.assert_allclose(still, x, atol=1e-6)
    batch = x.copy()
    moved = nn.jitter(batch, rng(1))
    assert moved.shape == x.shape and np.array_equal(batch, x)
    np.testing.assert_array_equal(moved, nn.jitter(x, rng(1)))
    same = np.repeat(x[:1], 4, axis=0)
    assert len({image.tobytes() for image in nn.jitter(same, rng(1))}) == 4
    assert moved.min() >= -1 and moved.max() <= 1


def test_jitter_shifts_and_leaves_empty_what_lies_outside() -> None:
    class Fixed:
        def uniform(self, low: float, high: float, size: tuple[int, ...]) -> np.ndarray:
            return np.full(size, high)  # the largest shift of all

    x = rng().uniform(0, 1, (1, 1, 6, 5))
    moved = nn.jitter(x, Fixed(), shift=2, degrees=0, zoom=0, empty=-7.0)  # type: ignore[arg-type]
    np.testing.assert_allclose(moved[0, 0, :4, :3], x[0, 0, 2:, 2:])
    assert (moved[0, 0, 4:] == -7).all() and (moved[0, 0, :, 3:] == -7).all()
    turned = nn.jitter(x[..., :5, :], Fixed(), shift=0, degrees=90, zoom=0)  # type: ignore[arg-type]
    np.testing.assert_allclose(turned[0, 0], np.rot90(x[0, 0, :5], -1), atol=1e-9)


def test_a_networks_weights_are_written_and_read(tmp_path: Any) -> None:
    from cnnlab.checking.handin import read_weights

    network = nn.lenet5(rng())
    path = nn.save_weights(tmp_path / "lenet.safetensors", network.state())
    other = nn.lenet5(rng(1))
    other.load_state(read_weights(path).values["weights"])
    x = rng(2).normal(size=(2, 1, 32, 32)).astype(np.float32)
    np.testing.assert_array_equal(network(x), other(x))
