"""Maps on their way through the networks, and their blocks against what the papers say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from autograder.exercises.googlenet.networks import BLOCKS
from autograder.exercises.googlenet.networks import GoogLeNet as LessonGoogLeNet
from cnnlab import models
from cnnlab.models.alexnet import alexnet_2012, alexnet_small
from cnnlab.models.googlenet import GoogLeNetScores, googlenet
from cnnlab.models.lenet import lenet5
from cnnlab.models.mobilenet import InvertedResidual, SeparableBlock
from cnnlab.models.resnet import BasicBlock, Bottleneck
from cnnlab.models.resnet_cifar import PaddedShortcut, PlainBlock
from cnnlab.models.senet import SqueezeExcite
from cnnlab.models.wide_resnet import WideBlock
from tests.cnnlab.models.model_parts import count, without_memory


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    yield
    torch.set_num_threads(before)


def shapes(network: nn.Module, parts: list[str], image: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes that come out of the named parts for one image."""
    found: list[tuple[int, ...]] = []
    for part in parts:
        network.get_submodule(part).register_forward_hook(
            lambda *seen: found.append(tuple(seen[2].shape[1:]))
        )
    network(torch.zeros(1, *image, device="meta"))
    return found


# --- shapes on the way


def test_alexnet_shrinks_227_to_55_27_13_and_6() -> None:
    network = without_memory(alexnet_2012)
    kept = [
        f"features.{number}"
        for number, part in enumerate(network.get_submodule("features").children())
        if isinstance(part, (nn.Conv2d, nn.MaxPool2d))
    ]
    sides = [(96, 55), (96, 27), (256, 27), (256, 13), (384, 13), (384, 13), (256, 13), (256, 6)]
    assert shapes(network, kept, (3, 227, 227)) == [(width, side, side) for width, side in sides]


@pytest.mark.parametrize(
    ("name", "parts", "large", "small"),
    [
        (
            "resnet50",
            ["layer1", "layer2", "layer3", "layer4"],
            [(256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)],
            [(256, 32, 32), (512, 16, 16), (1024, 8, 8), (2048, 4, 4)],
        ),
        (
            "googlenet",
            ["inception3b", "inception4a", "inception4e", "inception5b"],
            [(480, 28, 28), (512, 14, 14), (832, 14, 14), (1024, 7, 7)],
            [(480, 32, 32), (512, 16, 16), (832, 16, 16), (1024, 8, 8)],
        ),
        (
            "densenet121",
            ["features.transition1", "features.transition3", "features"],
            [(128, 28, 28), (512, 7, 7), (1024, 7, 7)],
            [(128, 16, 16), (512, 4, 4), (1024, 4, 4)],
        ),
        (
            "mobilenet_v1",
            ["features.0", "features"],
            [(32, 112, 112), (1024, 7, 7)],
            [(32, 32, 32), (1024, 2, 2)],
        ),
        (
            "mobilenet_v2",
            ["features.0", "features"],
            [(32, 112, 112), (1280, 7, 7)],
            [(32, 32, 32), (1280, 4, 4)],
        ),
        ("squeezenet1_0", ["features"], [(512, 13, 13)], [(512, 4, 4)]),
        ("squeezenet1_1", ["features"], [(512, 13, 13)], [(512, 4, 4)]),
        ("vgg16", ["features", "avgpool"], [(512, 7, 7), (512, 7, 7)], [(512, 1, 1), (512, 1, 1)]),
        ("alexnet", ["features", "avgpool"], [(256, 6, 6), (256, 6, 6)], [(256, 4, 4), (256, 4, 4)]),
    ],
)
def test_maps_have_the_sides_of_the_papers(
    name: str, parts: list[str], large: list[tuple[int, ...]], small: list[tuple[int, ...]]
) -> None:
    for image, expected in ((224, large), (32, small)):
        network = without_memory(lambda: models.get(name, image=image))  # noqa: B023
        assert shapes(network, parts, (3, image, image)) == expected


# --- blocks


def test_two_groups_are_one_whose_cross_weights_are_zero() -> None:
    two, one = alexnet_small(groups=2).eval(), alexnet_small().eval()
    state = one.state_dict()
    for key, value in two.state_dict().items():
        if value.shape == state[key].shape:
            state[key] = value
            continue
        filters, inputs = len(value) // 2, value.shape[1]
        state[key] = torch.zeros_like(state[key])
        state[key][:filters, :inputs] = value[:filters]
        state[key][filters:, inputs:] = value[filters:]
    one.load_state_dict(state)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(one(x), two(x))
    assert count(one) - count(two) == 9 * (192 * 64 + 256 * 384 + 256 * 256) // 2


def test_the_response_norm_is_the_papers() -> None:
    norm = without_memory(alexnet_2012).get_submodule("features.2")
    x = np.random.default_rng(2).normal(0, 40, (1, 9, 2, 3))
    expected = np.empty_like(x)
    for channel in range(9):
        near = x[:, max(channel - 2, 0) : channel + 3]
        expected[:, channel] = x[:, channel] / (2 + 1e-4 * (near**2).sum(axis=1)) ** 0.75
    np.testing.assert_allclose(norm(torch.from_numpy(x)).numpy(), expected, rtol=1e-12)


def test_the_weights_of_2012_are_drawn_as_published() -> None:
    network = alexnet_2012(classes=10)
    layers = [part for part in network.modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    assert [part.bias[0].item() for part in layers if part.bias is not None] == [0, 1, 0, 1, 1, 1, 1, 0]
    assert all(part.weight.std().item() == pytest.approx(0.01, rel=0.02) for part in layers)


def test_a_padded_shortcut_keeps_every_second_pixel_and_adds_zeros() -> None:
    x = torch.randn(2, 3, 5, 6)
    y = PaddedShortcut(3, 7, 2)(x)
    assert torch.equal(y[:, :3], x[:, :, ::2, ::2])
    assert y.shape == (2, 7, 3, 3) and not y[:, 3:].any()


@pytest.mark.parametrize("make", [BasicBlock, Bottleneck])
def test_a_block_that_adds_nothing_is_the_relu_of_its_input(make: type[nn.Module]) -> None:
    block = make(32 if make is BasicBlock else 128, 32).eval()
    nn.init.zeros_(block.get_parameter("bn2.weight" if make is BasicBlock else "bn3.weight"))
    x = torch.randn(2, 32 if make is BasicBlock else 128, 5, 4)
    with torch.no_grad():
        assert torch.equal(block(x), x.relu())


def test_a_plain_block_is_a_basic_block_without_its_input() -> None:
    plain, basic = PlainBlock(8, 8).eval(), BasicBlock(8, 8).eval()
    plain.load_state_dict(basic.state_dict())
    x = torch.randn(2, 8, 5, 4)
    with torch.no_grad():
        assert torch.equal(plain(x), basic.residual(x).relu())
        assert torch.equal(basic(x), (basic.residual(x) + x).relu())


def test_a_wide_block_activates_before_its_convolutions_only() -> None:
    block = WideBlock(8, 8).eval()
    x = torch.randn(2, 8, 5, 4)
    with torch.no_grad():
        residual = block.conv1(block.bn1(x).relu())
        residual = block.conv2(block.bn2(residual).relu())
        torch.testing.assert_close(block(x), x + residual)
        wider = WideBlock(8, 12, stride=2).eval()
        assert wider.shortcut is not None
        nn.init.zeros_(wider.conv2.weight)
        torch.testing.assert_close(wider(x), wider.shortcut(wider.bn1(x).relu()))


def test_squeeze_and_excitation_in_numpy() -> None:
    block = SqueezeExcite(32, reduction=8).double()
    x = torch.randn(2, 32, 3, 4, dtype=torch.float64)
    w1, b1, w2, b2 = (value.detach().numpy() for value in block.parameters())
    assert w1.shape == (4, 32) and w2.shape == (32, 4)
    hidden = np.maximum(x.numpy().mean((2, 3)) @ w1.T + b1, 0)
    weights = 1 / (1 + np.exp(-(hidden @ w2.T + b2)))
    np.testing.assert_allclose(block(x).detach().numpy(), x.numpy() * weights[:, :, None, None], rtol=1e-12)


def test_mobile_blocks_cost_what_the_papers_say() -> None:
    block = SeparableBlock(32, 64, stride=2)
    convolutions = [part for part in block.modules() if isinstance(part, nn.Conv2d)]
    assert [part.weight.numel() for part in convolutions] == [9 * 32, 32 * 64]
    assert block(torch.zeros(1, 32, 9, 8)).shape == (1, 64, 5, 4)
    same, wider, strided = (InvertedResidual(8, f, s, 6) for f, s in ((8, 1), (16, 1), (8, 2)))
    assert (same.adds, wider.adds, strided.adds) == (True, False, False)
    nn.init.zeros_(same.get_parameter("conv.3.weight"))
    x = torch.randn(2, 8, 5, 4)
    with torch.no_grad():
        assert torch.equal(same.eval()(x), x)  # no ReLU after the addition


def test_googlenet_returns_its_heads_scores_in_training_only() -> None:
    network = models.get("googlenet", classes=4, image=32, aux=True)
    x = torch.randn(2, 3, 32, 32)
    scores = network.train()(x)
    assert isinstance(scores, GoogLeNetScores) and scores._fields == ("scores", "aux1", "aux2")
    assert [value.shape for value in scores] == [(2, 4)] * 3
    sum(value.square().sum() for value in scores).backward()
    assert all(value.grad is not None and value.grad.any() for value in network.parameters())
    assert network.eval()(x).shape == (2, 4)
    # small ones have no heads unless asked
    assert models.get("googlenet", image=32).train()(x).shape == (2, 10)


def test_googlenet_turns_imagenets_normalisation_into_its_own() -> None:
    torch.manual_seed(7)
    turned = googlenet(classes=3, aux=False, small=True, transform_input=True).double().eval()
    torch.manual_seed(7)
    straight = googlenet(classes=3, aux=False, small=True).double().eval()
    image = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=torch.float64)
    normalised = (image - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(turned(normalised), straight((image - 0.5) / 0.5))


def test_the_papers_five_by_five_is_there_by_choice() -> None:
    branch = googlenet(small=True, kernel5=5).inception3a.branch3
    assert branch.get_submodule("1.conv").get_parameter("weight").shape[2:] == (5, 5)


@pytest.mark.parametrize("name", ["resnet18", "vgg16_bn", "densenet_bc_100_12", "wrn_16_4", "mobilenet_v1"])
def test_convolutions_start_at_hes_size(name: str) -> None:
    fan_in = name.startswith(("densenet", "mobilenet"))
    for part in models.get(name).modules():
        if isinstance(part, nn.Conv2d) and part.weight.numel() > 5000:
            fan = part.weight[0].numel() if fan_in else part.weight[:, 0].numel()
            assert part.weight.std().item() == pytest.approx((2 / fan) ** 0.5, rel=0.06)


def test_lenet_computes_what_its_numpy_twin_computes() -> None:
    from cnnlab import nn as course

    twin = course.lenet5(np.random.default_rng(3), dtype=np.float64)
    network = lenet5().double()
    values = {key.replace(".W", ".w"): value for key, value in twin.state().items()}
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            layer, kind = key.split(".")
            value = torch.from_numpy(values[f"{layer}.{kind[0]}"])
            parameter.copy_(value.T if parameter.ndim == 2 else value)
        x = np.random.default_rng(4).random((2, 1, 32, 32))
        np.testing.assert_allclose(network(torch.from_numpy(x)).numpy(), twin.forward(x), rtol=1e-9)


def test_googlenets_heads_stand_in_the_order_of_the_lessons_exercise() -> None:
    """Of the lesson's network and the course's, the second output depends on 4a only, the third on 4b to 4d as well."""
    ours = models.get("googlenet", classes=4, image=32, aux=True)
    lessons = LessonGoogLeNet(classes=4, width=8)
    after_4a = lessons.modules_in_order[list(BLOCKS).index("4b")]
    for network, later in ((ours, ours.inception4b), (lessons, after_4a)):
        network.train()
        outputs = network(torch.randn(2, 3, 64, 64))
        weight = next(later.parameters())
        first, second = (
            torch.autograd.grad(o.sum(), weight, retain_graph=True, allow_unused=True)[0] for o in outputs[1:]
        )
        assert first is None and second is not None


@pytest.mark.parametrize("image", [32, 224])
def test_resnets_layers_stand_in_torchvisions_order(image: int) -> None:
    network = without_memory(lambda: models.get("resnet18", image=image))
    stages = [f"layer{number}" for number in (1, 2, 3, 4)]
    layers = [name for name, _ in network.named_children()]
    assert layers == ["conv1", "bn1", "relu", "maxpool", *stages, "avgpool", "fc"]
