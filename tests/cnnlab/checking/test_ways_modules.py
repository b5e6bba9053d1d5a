"""The way "module": a network is built, filled, run forward and backward, and what is wrong with it is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnlab.checking import probe
from cnnlab.checking.outcome import Outcome
from cnnlab.checking.way import Way

X = np.random.default_rng(0).normal(size=(2, 3, 5, 4))


def module(build: Any, *returns: str, **inputs: Any) -> Outcome:
    return probe.ask(build, {"x": X, **inputs}, returns or ("y",), Way(module="x"))


def network(forward: Any = None, *layers: nn.Module) -> Any:
    """Return what builds a module of these layers, whose forward is `forward(layers, x)`."""

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*layers)

        def forward(self, x: torch.Tensor) -> Any:
            return forward(self.layers, x) if forward else self.layers(x)

    return Network


def test_the_order_of_definition_and_the_names_do_not_matter() -> None:
    class Other(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.b = nn.Conv2d(4, 2, 1)
            self.a = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(torch.relu(self.a(x)))

    asked = ("parameters", "shapes", "y_eval", "y", "dx", "gradients")
    one = module(network(None, nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 1)), *asked)
    other = module(Other, *asked)
    assert one.kind == "values" and probe.same(one.values, other.values)
    assert one.values["shapes"] == [(2,), (2, 4, 1, 1), (4,), (4, 3, 3, 3)]
    assert one.values["parameters"] == 2 + 8 + 4 + 108
    assert all(type(v) is np.ndarray and v.dtype == np.float64 for v in list(one.values.values())[2:])


def test_dropout_before_or_after_flattening_is_the_same() -> None:
    layers = [nn.AdaptiveAvgPool2d(1), nn.Dropout(0.4), nn.Flatten()]
    one, other = (module(network(None, *which), "y", "dx") for which in (layers, [layers[0], *layers[:0:-1]]))
    assert one.kind == "values" and probe.same(one.values, other.values)


def test_gradients_are_those_of_the_given_upstream_and_summed_by_shape() -> None:
    dout = np.random.default_rng(1).normal(size=(2, 3, 5, 4))
    layers = [nn.Conv2d(3, 3, 3, padding=1) for _ in range(2)]
    outcome = module(network(None, *layers), "y", "dx", "gradients", dout=dout)
    net = nn.Sequential(*(nn.Conv2d(3, 3, 3, padding=1).double() for _ in range(2)))
    for layer, filled in zip(net, layers, strict=True):
        layer.load_state_dict(filled.double().state_dict())
    x = torch.from_numpy(X).requires_grad_()
    y = net(x)
    y.backward(torch.from_numpy(dout))
    assert np.allclose(outcome.values["y"], y.detach().numpy(), atol=1e-12)
    assert np.allclose(outcome.values["dx"], x.grad.numpy(), atol=1e-12)
    weights = net[0].weight.grad + net[1].weight.grad
    assert np.allclose(outcome.values["gradient of (3, 3, 3, 3)"], weights.numpy(), atol=1e-12)
    assert torch.equal(layers[0].weight, layers[1].weight)


def test_train_and_eval_mode_differ_where_they_must() -> None:
    layer = nn.BatchNorm2d(3)
    values = module(network(None, layer), "y", "y_eval").values
    normed = (X - X.mean((0, 2, 3), keepdims=True)) / np.sqrt(X.var((0, 2, 3), keepdims=True) + 1e-5)
    scale, bias = (v.detach().numpy()[None, :, None, None] for v in (layer.weight, layer.bias))
    assert np.allclose(values["y"], scale * normed + bias)
    assert not np.allclose(values["y"], values["y_eval"])


def test_dropout_is_the_same_each_time_and_off_in_eval_mode() -> None:
    first, second = (module(network(None, nn.Dropout(0.5)), "y", "y_eval").values for _ in range(2))
    assert probe.same(first, second) and np.array_equal(first["y_eval"], X)
    dropped = first["y"] == 0
    assert 0.3 < dropped.mean() < 0.7 and np.allclose(first["y"][~dropped], 2 * X[~dropped])
    always = network(lambda layers, x: nn.functional.dropout(x, 0.5))
    assert not np.array_equal(module(always, "y_eval").values["y_eval"], X)
    maps = module(network(None, nn.Dropout2d(0.5)), "y").values["y"] == 0
    assert (maps.all((2, 3)) == maps.any((2, 3))).all()
    by_itself = network(lambda layers, x: torch.dropout(x, 0.5, layers.training))
    assert np.array_equal(module(by_itself, "y").values["y"], first["y"])


def test_a_tuple_of_outputs_has_a_gradient_through_each() -> None:
    two = network(lambda layers, x: (layers[0](x), layers[1](x)), nn.Conv2d(3, 2, 1), nn.Conv2d(3, 4, 1))
    values = module(two, "y_shape", "y", "gradients").values
    assert [y.shape for y in values["y"]] == [(2, 2, 5, 4), (2, 4, 5, 4)] == values["y_shape"]
    assert all(np.abs(values[f"gradient of ({n}, 3, 1, 1)"]).min() > 0 for n in (2, 4))


def test_a_large_network_is_counted_without_its_numbers() -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(60, 1 << 20), nn.Linear(1 << 20, 1 << 16))

    outcome = module(build, "y_shape", "parameters", "shapes")
    assert outcome.values["parameters"] == 60 * 2**20 + 2**20 + 2**36 + 2**16
    assert outcome.values["y_shape"] == (2, 1 << 16)


def test_a_lazy_layer_has_its_size_from_the_input() -> None:
    lazy = module(lambda: nn.Sequential(nn.LazyConv2d(4, 3)), "parameters", "y")
    assert probe.same(
        lazy.values, module(lambda: nn.Sequential(nn.Conv2d(3, 4, 3)), "parameters", "y").values
    )


def test_a_constructor_that_looks_at_numbers_can_be_counted_too() -> None:
    def build() -> nn.Module:
        torch.linspace(0, 0.1, 3).tolist()
        return nn.Conv2d(3, 4, 3)

    assert module(build, "parameters").values == {"parameters": 112}


def test_a_parameter_without_a_gradient_has_zeros_and_a_shared_one_counts_once() -> None:
    unused = network(lambda layers, x: layers[0](x), nn.Conv2d(3, 2, 1), nn.Linear(7, 5))
    assert not module(unused, "gradients").values["gradient of (5, 7)"].any()
    layer = nn.Conv2d(3, 3, 1)
    assert module(network(None, layer, layer), "parameters").values == {"parameters": 12}


def test_a_layer_used_in_place_of_another_like_it_is_noticed_where_gradients_are_asked_for() -> None:
    layers = [nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4)]
    right = network(None, *layers)
    first_norm_twice = network(lambda n, x: n[1](n[2](n[1](n[0](x)))), *layers)
    asked = ("parameters", "shapes", "y_eval", "y", "dx")
    assert probe.same(module(first_norm_twice, *asked).values, module(right, *asked).values)
    assert module(right, *asked, "gradients").kind == "values"
    outcome = module(first_norm_twice, *asked, "gradients")
    assert (outcome.kind, outcome.values) == ("bad output", {})
    assert outcome.message.startswith("its parameter of shape (4,) is never used in forward")
    layers[3].requires_grad_(False)  # what is frozen may be left aside
    assert module(first_norm_twice, "gradients").kind == "values"


class Subclass(torch.Tensor):
    pass


class NoForward(nn.Module):
    pass


class NoSuper(nn.Module):
    def __init__(self) -> None:
        pass


def raising(layers: Any, x: torch.Tensor) -> torch.Tensor:
    raise ValueError("my own words")


WRONG = {
    "a function of x": (lambda: torch.relu, "bad output", "it gives a builtin_function_or_method, not a"),
    "nothing built": (lambda: None, "bad output", "it returned None; is a return statement missing?"),
    "no forward": (NoForward, "bad output", "its module has no forward method; write forward(self, x)"),
    "no super": (NoSuper, "bad output", "it gives a "),
    "an argument too many": (lambda wide: None, "error", "TypeError: "),
    "another name": (lambda **more: nn.Conv2d(3, 4, 3, wide=1), "error", "TypeError: "),
    "nothing": (network(lambda n, x: None), "bad output", "its forward returned None; is a return"),
    "NumPy": (network(lambda n, x: x.detach().numpy()), "bad output", "returned a numpy.ndarray, not a torch"),
    "a subclass": (network(lambda n, x: x.as_subclass(Subclass)), "bad output", "Subclass, not a torch.Tensor"),
    "a float32": (network(lambda n, x: x.float()), "bad output", "returned torch.float32 for an x of torch.float64"),
    "detached": (network(lambda n, x: x.detach()), "bad output", "no gradient goes back from what it returns"),
    "no grad": (network(torch.no_grad()(lambda n, x: n(x)), nn.Conv2d(3, 2, 1)), "bad output", "no gradient goes"),
    "x.data": (network(lambda n, x: n(x.data), nn.Conv2d(3, 2, 1)), "bad output", "no gradient reaches x"),
    "in place": (network(lambda n, x: x.relu_()), "bad output", "it changed its input x"),
    "a wrong size": (network(None, nn.Conv2d(4, 2, 1)), "error", "RuntimeError: "),
    "its own error": (network(raising), "error", "ValueError: my own words"),
    "stub": (network(lambda n, x: stub()), "error", "it needs stub, which is not written yet"),
}  # fmt: skip


def stub() -> None:
    raise NotImplementedError


@pytest.mark.parametrize("what", WRONG)
def test_what_a_module_does_wrong_is_said_in_one_sentence(what: str) -> None:
    build, kind, words = WRONG[what]
    outcome = module(build, "y", "dx", "gradients")
    assert outcome.kind == kind
    assert words in outcome.message


def test_a_class_that_is_still_a_stub_is_not_attempted() -> None:
    class InInit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            raise NotImplementedError

    class InForward(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise NotImplementedError

    for one in (InInit, InForward, stub):
        assert module(one, "y").kind == module(one, "parameters", "y_shape").kind == "not attempted"


def test_what_it_overrides_does_not_change_what_is_counted() -> None:
    class Liar(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Conv2d(3, 2, 1)

        def parameters(self, recurse: bool = True) -> Any:
            return iter(())

        named_parameters = state_dict = buffers = modules = children = parameters

        def __getattr__(self, name: str) -> Any:
            return super().__getattr__(name)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    honest = module(network(None, nn.Conv2d(3, 2, 1)), "parameters", "shapes", "y", "gradients")
    assert probe.same(module(Liar, "parameters", "shapes", "y", "gradients").values, honest.values)


def test_settings_of_torch_that_an_answer_changes_are_put_back() -> None:
    def forward(layers: Any, x: torch.Tensor) -> torch.Tensor:
        torch.set_default_dtype(torch.float16)
        torch.set_grad_enabled(False)
        torch.set_num_threads(torch.get_num_threads() + 1)
        torch.manual_seed(3)
        return layers(x)

    torch.set_default_dtype(torch.float32)
    build = network(forward, nn.Conv2d(3, 2, 1))
    threads, chance = torch.get_num_threads(), torch.get_rng_state()
    first = module(build, "y_eval").values
    assert torch.get_default_dtype() is torch.float32 and torch.is_grad_enabled()
    assert torch.get_num_threads() == threads and torch.equal(torch.get_rng_state(), chance)
    assert probe.same(module(build, "y_eval").values, first)
    assert module(network(None, nn.Conv2d(3, 2, 1)), "dx").kind == "values"


def test_a_case_is_not_changed_by_what_is_done_with_it() -> None:
    x, before = X.copy(), X.copy()
    probe.ask(network(lambda n, x: x.mul_(2)), {"x": x}, ("y_eval",), Way(module="x"))
    assert np.array_equal(x, before)
