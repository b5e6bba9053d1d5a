"""The course's settings: chosen in one place, whole for every network, and learning in the small size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cnnlab.torch_settings import one_thread
from cnnlab.train import TrainError, fit, recipes
from cnnlab.train.device import has_gpu


@pytest.fixture(autouse=True)
def single() -> Iterator[None]:
    with one_thread():
        yield


def test_the_budget_is_the_argument_else_the_environments_else_by_the_gpu(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(recipes.VARIABLE, raising=False)
    assert recipes.choose_budget() == ("full" if has_gpu() else "small")
    monkeypatch.setenv(recipes.VARIABLE, "full")
    assert recipes.choose_budget() == "full" and recipes.get("resnet20").budget == "full"
    assert recipes.choose_budget("small") == "small" and recipes.get("resnet20", "small").budget == "small"
    monkeypatch.setenv(recipes.VARIABLE, "medium")
    with pytest.raises(ValueError, match=r"CNNLAB_BUDGET.*'medium'"):
        recipes.get("resnet20")
    with pytest.raises(ValueError, match=r"budget is.*'large'"):
        recipes.get("resnet20", "large")


def test_unknown_names_are_said() -> None:
    with pytest.raises(ValueError, match=r"no recipe for 'resnet19'.*resnet20"):
        recipes.get("resnet19")
    with pytest.raises(ValueError, match=r"no data set 'imagenet'.*shapes"):
        recipes.get("resnet20", "small", dataset="imagenet")


@pytest.mark.parametrize("name", recipes.names())
@pytest.mark.parametrize("budget", ["small", "full"])
def test_every_network_takes_its_images(name: str, budget: str) -> None:
    for dataset, of in recipes.DATASETS.items():
        if dataset == "fashion_mnist" and name == "vgg16_bn":
            continue  # five poolings need 32 pixels
        setting = recipes.get(name, budget, dataset)
        network = setting.network().eval()
        with torch.no_grad():
            assert network(torch.zeros(2, of.channels, of.image, of.image)).shape == (2, of.classes)


def test_a_network_follows_its_seed_and_leaves_torchs_random_numbers_alone() -> None:
    setting = recipes.get("resnet20", "small")
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    a, b, c = setting.network(1), setting.network(1), setting.network(2)
    assert torch.equal(torch.rand(2), expected)
    assert torch.equal(a.conv1.weight, b.conv1.weight) and not torch.equal(a.conv1.weight, c.conv1.weight)


def test_the_small_sizes_need_no_network_and_their_test_images_are_others() -> None:
    for name in recipes.names():
        assert recipes.get(name, "small").dataset == "shapes"
    (images, labels), (test, _) = recipes.get("resnet20", "small").data()
    assert images.dtype == np.uint8 and len(images) == len(labels) == recipes.get("resnet20", "small").images
    assert not {image.tobytes() for image in images} & {image.tobytes() for image in test}


def test_plain_networks_are_trained_as_the_residual_ones_of_their_depth() -> None:
    for depth in (20, 56):
        for budget in ("small", "full"):
            plain, residual = recipes.get(f"plain{depth}", budget), recipes.get(f"resnet{depth}", budget)
            assert plain.recipe == residual.recipe and plain.images == residual.images


@pytest.mark.skipif(has_gpu(), reason="there is a GPU here")
def test_the_full_size_without_a_gpu_is_said_before_anything_is_downloaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", "/dev/null/nowhere")
    with pytest.raises(TrainError, match=r'no GPU here.*budget="small"'):
        recipes.get("resnet18", "full").run(show=False)


@pytest.mark.slow
def test_a_small_setting_learns_in_seconds() -> None:
    """The thin ResNet-18, on fewer images and epochs than it has."""
    setting = recipes.get("resnet18", "small")
    shorter = replace(setting, images=1000, recipe=replace(setting.recipe, epochs=4))
    _, history = shorter.run(device="cpu", show=False)
    # 0.2 is a guess
    assert history.test_accuracy[-1] > 0.5


def proofs() -> list[Any]:
    """List each network with three seeds; where there is no accuracy to reach, `make slow` has nothing to prove."""
    return [
        pytest.param(
            name,
            seed,
            id=f"{name}-{seed}",
            marks=pytest.mark.slow if seed == 0 and recipes.get(name, "small").bar else pytest.mark.proof,
        )
        for name in recipes.names()
        for seed in range(3)
    ]


@pytest.mark.parametrize("name, seed", proofs())
def test_every_small_setting_reaches_its_bar(name: str, seed: int) -> None:
    setting = recipes.get(name, "small")
    _, history = setting.run(seed, device="cpu", show=False)
    assert history.test_accuracy[-1] >= setting.bar


def test_run_is_fit_with_the_settings_parts() -> None:
    setting = replace(recipes.get("resnet20", "small"), images=100)
    setting = replace(setting, recipe=replace(setting.recipe, epochs=1))
    network, history = setting.run(seed=3, device="cpu", show=False)
    other = setting.network(3)
    assert (
        fit(other, *setting.data(), setting.recipe, seed=3, device="cpu", show=False).losses == history.losses
    )
    assert torch.equal(other.fc.weight, network.fc.weight)
