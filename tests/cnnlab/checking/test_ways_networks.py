"""Networks and tensors as arguments: handed in by name and as arrays, judged by what comes back and what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cnnlab.checking import probe  # noqa: E402
from cnnlab.checking.functions import named, networks  # noqa: E402
from cnnlab.checking.outcome import Outcome  # noqa: E402
from cnnlab.checking.way import Way  # noqa: E402

X = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
SHAPES = {
    "net chain": (3, 10, 8),
    "net depthwise": (3, 9, 7),
    "net eval": (3, 9, 11),
    "net grouped": (4, 12, 12),
    "net nested": (3, 6, 5),
    "net no bias": (2, 6, 8),
    "net score a": (3, 8, 8),
    "net score b": (3, 8, 8),
    "net score c": (3, 8, 8),
    "net shared": (1, 12, 9),
}


def scored(function: Callable[..., Any], *models: str) -> Outcome:
    way = Way(functions=("models",), tensors=("images",))
    return probe.ask(function, {"models": list(models), "images": X}, ("y",), way)


def summed(models: list[Any], images: Any) -> Any:
    modes = [model.training for model in models]
    with torch.no_grad():
        y = sum(model.eval()(images) for model in models)
    for model, mode in zip(models, modes, strict=True):
        model.train(mode)
    return y


def test_every_network_has_a_shape_that_it_takes() -> None:
    assert set(SHAPES) == set(networks.NETWORKS)
    for name, shape in SHAPES.items():
        network = named(name)
        assert {module.training for module in network.modules()} == {name != "net eval"}
        assert network(torch.zeros(2, *shape)).dtype == torch.float32


def test_a_network_is_new_each_time_with_the_same_numbers() -> None:
    before = torch.get_rng_state()
    one, other = named("net chain"), named("net chain")
    assert one is not other
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert torch.equal(torch.get_rng_state(), before)


def test_names_of_networks_become_networks_and_arrays_tensors() -> None:
    outcome = scored(summed, "net score a", "net score b")
    assert outcome.kind == "values"
    expected = sum(named(name).eval()(torch.from_numpy(X)) for name in ("net score a", "net score b"))
    y = outcome.values["y"]
    assert type(y) is np.ndarray and y.dtype == np.float32
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-5, atol=1e-6)
    only = scored(summed, "net score c").values["y"]
    assert not np.allclose(only, scored(summed, "net score a").values["y"])


def in_eval_mode(models: list[Any], images: Any) -> Any:
    return models[0].eval()(images)


def in_training_mode(models: list[Any], images: Any) -> Any:
    return models[0].train()(images)


def hooked(models: list[Any], images: Any) -> Any:
    models[0][0].register_forward_hook(lambda *_: None)
    return images


def trained(models: list[Any], images: Any) -> Any:
    with torch.no_grad():
        models[0][0].weight += 1
    return images


def frozen(models: list[Any], images: Any) -> Any:
    models[0].requires_grad_(False)
    return images


def normalised(models: list[Any], images: Any) -> Any:
    return models[0](images)  # in train mode the running statistics move


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (in_eval_mode, "its training mode"),
        (hooked, "a hook is still on it"),
        (trained, "its numbers"),
        (frozen, "what it learns"),
        (normalised, "its numbers"),
    ],
)
def test_a_network_must_be_left_as_it_was(function: Callable[..., Any], words: str) -> None:
    outcome = scored(function, "net score a")
    assert outcome.kind == "bad output"
    assert outcome.message == f"it left models changed ({words}); put back what you change"


def test_a_network_in_eval_mode_must_stay_in_it() -> None:
    assert scored(in_training_mode, "net eval").message.startswith(
        "it left models changed (its training mode)"
    )
    assert scored(in_eval_mode, "net eval").kind == "values"


def test_sizes_of_torch_are_plain_tuples() -> None:
    def sizes(model: Any, shape: tuple[int, ...]) -> Any:
        return [("last", model(torch.zeros(1, *shape)).shape)]

    way = Way(functions=("model",), table=("name", "shape"))
    outcome = probe.ask(sizes, {"model": "net shared", "shape": (1, 12, 9)}, ("rows",), way)
    assert outcome.values == {"rows": [{"name": "last", "shape": (1, 4, 6, 3)}]}
    assert type(outcome.values["rows"][0]["shape"]) is tuple


def test_a_tensor_that_is_changed_is_an_argument_changed() -> None:
    way = Way(tensors=("x",))
    outcome = probe.ask(lambda x: x.mul_(2), {"x": X}, ("y",), way)
    assert outcome.message == "it changed its argument x; work on a copy instead"
    assert probe.ask(lambda x: x * 2, {"x": X}, ("y",), way).kind == "values"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint8])
def test_dtypes_go_through_torch_as_they_are(dtype: Any) -> None:
    outcome = probe.ask(lambda x: x + x, {"x": np.ones((2, 3), dtype)}, ("y",), Way(tensors=("x",)))
    assert outcome.values["y"].dtype == dtype


def test_settings_of_torch_are_as_a_student_finds_them_and_put_back() -> None:
    def told(x: Any) -> Any:
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float16)
        return torch.rand(3)

    way = Way(tensors=("x",))
    one, other = (probe.ask(told, {"x": X}, ("y",), way).values["y"] for _ in range(2))
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
    np.testing.assert_array_equal(one, other)


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(LookupError, match="there is no public function 'net x'; there are net chain"):
        named("net x")


def test_the_way_travels() -> None:
    way = Way(functions=("models",), tensors=("images", "x"))
    assert Way.from_value(way.as_value()) == way
    assert "tensors" not in Way(functions=("f",)).as_value()
