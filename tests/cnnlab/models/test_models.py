"""Networks by name, and the number of their parameters."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from torch import nn

from cnnlab import models
from cnnlab.models import registry
from cnnlab.models.alexnet import alexnet_2012
from cnnlab.models.googlenet import googlenet
from cnnlab.models.lenet import lenet5
from cnnlab.models.resnet_cifar import plain_cifar, resnet_cifar
from cnnlab.models.wide_resnet import wide_resnet
from tests.cnnlab.models.model_parts import count, without_memory

# Of a thousand classes and 224 pixels: published, or torchvision's where the paper rounds. Those that torchvision has
# are in test_models_parity.py.
IMAGENET = {
    "mobilenet_v1": 4_231_976,
    "se_resnet18": 11_778_592,
    "se_resnet34": 21_958_868,
    "se_resnet50": 28_088_024,
    "se_resnet101": 49_326_872,
    "se_resnet152": 66_821_848,
}


# Of ten classes and 32 pixels, as widely used implementations of the same networks have them.
CIFAR = {
    "densenet121": 6_956_298,
    "densenet_bc_100_12": 769_162,
    "mobilenet_v1": 3_217_226,
    "resnet18": 11_173_962,
    "resnet34": 21_282_122,
    "resnet50": 23_520_842,
    "vgg11_bn": 9_231_114,
    "vgg16_bn": 14_728_266,
    "vgg19_bn": 20_040_522,
}


# One or more of each family, with the pixels a side that keep its gradients quick to compute.
FAMILIES = {
    "alexnet": 16,
    "alexnet_2012": 67,
    "densenet121": 16,
    "densenet_bc_40_12": 16,
    "googlenet": 16,
    "lenet5": 28,
    "mobilenet_v1": 16,
    "mobilenet_v2": 16,
    "plain20": 16,
    "resnet18": 16,
    "resnet20": 16,
    "resnet50": 16,
    "resnext50_32x4d": 16,
    "se_resnet18": 16,
    "se_resnet50": 16,
    "squeezenet1_0": 16,
    "squeezenet1_1": 16,
    "vgg11": 32,
    "vgg16_bn": 32,
    "wide_resnet50_2": 16,
    "wrn_16_4": 16,
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield
    torch.set_num_threads(before)


# --- by name


def test_importing_cnnlab_does_not_import_torch() -> None:
    told = "import cnnlab, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], check=False).returncode == 0


@pytest.mark.parametrize("name", models.names())
def test_every_name_gives_scores(name: str) -> None:
    image = {"lenet5": 28, "alexnet_2012": 227}.get(name, 224 if name in registry.EITHER else 32)
    network = without_memory(lambda: models.get(name, classes=7, image=image, channels=1))
    assert network(torch.zeros(2, 1, image, image, device="meta")).shape == (2, 7)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_reach_every_parameter(name: str) -> None:
    side = FAMILIES[name]
    network = models.get(name, classes=5, image=side).train()
    scores = network(torch.randn(4, 3, side, side))
    nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2, 3])).backward()
    still = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert still == []
    assert all(value.grad.isfinite().all() for value in network.parameters() if value.grad is not None)


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "resnet20", "wrn_16_4", "densenet_bc_40_12"])
def test_the_same_seed_draws_the_same_weights(name: str) -> None:
    def drawn(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return models.get(name).state_dict()

    first, again, other = drawn(4), drawn(4), drawn(5)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", ["resnet20", "vgg11_bn", "googlenet", "densenet_bc_40_12", "mobilenet_v2"])
def test_what_a_hook_is_handed_stays_as_it_was(name: str) -> None:
    network = models.get(name).train()
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    for part in network.modules():
        if isinstance(part, (nn.Conv2d, nn.BatchNorm2d)):
            part.register_forward_hook(lambda *call: seen.append((call[2], call[2].clone())))
    with torch.no_grad():
        network(torch.randn(2, 3, 32, 32))
    assert seen and all(torch.equal(kept, copy) for kept, copy in seen)


def test_names_are_in_order_and_without_repetition() -> None:
    assert models.names() == sorted(set(models.names()))
    assert {"lenet5", "alexnet", "vgg16_bn", "resnet110", "wrn_28_10", "se_resnet50"} <= {*models.names()}


@pytest.mark.parametrize(
    ("name", "near"), [("resnet19", "resnet1"), ("VGG16", "vgg16"), ("densnet121", "densenet121")]
)
def test_an_unknown_name_is_answered_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"there is no network '{name}': did you mean .*{near}.*names"):
        models.get(name)


@pytest.mark.parametrize("name", ["", "x" * 100_000, "\n\x1b[31m<script>"])
def test_an_unknown_name_is_shown_short_and_plain(name: str) -> None:
    with pytest.raises(ValueError, match="there is no network") as raised:
        models.get(name)
    assert len(str(raised.value)) < 300 and str(raised.value).isprintable()


@pytest.mark.parametrize(
    "name", [*registry.EITHER, "alexnet_2012", "densenet_bc_40_12", "resnet20", "wrn_16_4"]
)
def test_the_smallest_image_is_the_smallest_that_fits(name: str) -> None:
    build, least = registry.EITHER.get(name) or registry.ONE[name]
    options = {"small": True} if name in registry.EITHER else {}
    network = without_memory(lambda: build(classes=3, **options))
    assert network(torch.zeros(2, 3, least, least, device="meta")).shape == (2, 3)
    if least > 1:
        with pytest.raises(RuntimeError):
            network(torch.zeros(2, 3, least - 1, least - 1, device="meta"))
        with pytest.raises(ValueError, match=f"{name} takes images of at least {least} pixels a side"):
            models.get(name, image=least - 1)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="at least one class"):
        models.get("resnet20", classes=0)
    with pytest.raises(ValueError, match="28 or 32 pixels a side, not 30"):
        models.get("lenet5", image=30)
    with pytest.raises(ValueError, match="6n \\+ 2 layers deep"):
        resnet_cifar(18)
    with pytest.raises(ValueError, match="6n \\+ 4 layers deep"):
        wide_resnet(20, 4)
    with pytest.raises(ValueError, match="'A' \\(padded\\) or 'B'"):
        models.get("resnet20", shortcut="C")
    with pytest.raises(ValueError, match="images of 3 channels"):
        models.get("googlenet", channels=1, transform_input=True)


# --- how many parameters


@pytest.mark.parametrize(("name", "expected"), IMAGENET.items())
def test_imagenet_counts(name: str, expected: int) -> None:
    assert count(without_memory(lambda: models.get(name, classes=1000, image=224))) == expected


@pytest.mark.parametrize(("name", "expected"), CIFAR.items())
def test_cifar_counts(name: str, expected: int) -> None:
    assert count(without_memory(lambda: models.get(name))) == expected


def test_lenet_has_the_parameters_of_its_numpy_twin() -> None:
    assert count(lenet5()) == 61_706
    assert count(lenet5(image=28, classic=True)) == 61_706


def test_googlenets_heads_hold_half_of_its_parameters() -> None:
    assert count(without_memory(googlenet)) == 13_004_888
    assert count(without_memory(lambda: googlenet(aux=False))) == 6_624_904


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_cifar_resnets_have_the_parameters_of_the_paper(depth: int, millions: float) -> None:
    blocks = (depth - 2) // 6
    filters = (16, 32, 64)
    # the first convolution with its batch norm, and the linear layer
    expected = 9 * 3 * 16 + 2 * 16 + 65 * 10
    for before, width in pairwise((16, *filters)):
        expected += 9 * before * width + (2 * blocks - 1) * 9 * width**2 + 2 * blocks * 2 * width
    network = without_memory(lambda: resnet_cifar(depth))
    assert count(network) == expected
    assert round(expected / 1e6, 2 if millions < 1 else 1) == millions
    assert count(without_memory(lambda: plain_cifar(depth))) == expected
    projected = 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64
    assert count(without_memory(lambda: resnet_cifar(depth, shortcut="B"))) == expected + projected
    assert sum(isinstance(part, nn.Conv2d) for part in network.modules()) + 1 == depth


def test_the_two_cifar_resnets_of_the_lessons_in_full() -> None:
    assert count(without_memory(lambda: resnet_cifar(20))) == 269_722
    assert count(without_memory(lambda: resnet_cifar(56))) == 853_018


@pytest.mark.parametrize(
    ("depth", "widen", "millions"), [(40, 1, 0.6), (40, 2, 2.2), (40, 4, 8.9), (16, 8, 11.0), (28, 10, 36.5)]
)
def test_wide_resnets_have_the_parameters_of_the_paper(depth: int, widen: int, millions: float) -> None:
    blocks = (depth - 4) // 6
    widths = [16, 16 * widen, 32 * widen, 64 * widen]
    expected = 9 * 3 * 16 + 2 * widths[-1] + (widths[-1] + 1) * 10
    for before, width in pairwise(widths):
        expected += 9 * before * width + 2 * before + (before * width if before != width else 0)
        expected += (2 * blocks - 1) * (9 * width**2 + 2 * width)
    assert count(without_memory(lambda: wide_resnet(depth, widen))) == expected
    assert round(expected / 1e6, 1) == millions


@pytest.mark.parametrize(("groups", "millions"), [(8, 34.4), (16, 68.2)])
def test_cifar_resnexts_have_the_parameters_of_the_paper(groups: int, millions: float) -> None:
    expected = 9 * 3 * 64 + 2 * 64 + 1025 * 10
    before = 64
    for stage in range(3):
        inner, outputs = groups * 64 * 2**stage, 256 * 2**stage
        for _ in range(3):
            expected += (before + outputs) * inner + 9 * inner**2 // groups + 4 * inner + 2 * outputs
            expected += before * outputs + 2 * outputs if before != outputs else 0
            before = outputs
    assert count(without_memory(lambda: models.get(f"resnext29_{groups}x64d"))) == expected
    assert round(expected / 1e6, 1) == millions  # the paper says 34.4 and 68.1


def test_alexnet_of_2012_in_one_group_and_in_two() -> None:
    # the lecture's own sum, layer by layer: filters * (KH*KW*C/groups + 1)
    def expected(groups: int) -> int:
        convolutions = 96 * 364 + 256 * (25 * 96 // groups + 1) + 384 * 2305
        convolutions += 384 * (9 * 384 // groups + 1) + 256 * (9 * 384 // groups + 1)
        return convolutions + 4096 * 9217 + 4096 * 4097 + 1000 * 4097

    assert expected(2) == 60_965_224 and expected(1) == 62_378_344
    assert count(without_memory(lambda: alexnet_2012(groups=2))) == expected(2)
    assert count(without_memory(lambda: alexnet_2012(groups=1))) == expected(1)
