"""Gammas that start at zero: which ones, and that a block is then its shortcut."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

from cnnlab import models
from cnnlab.models.initialise import zero_last_gamma
from cnnlab.models.mobilenet import InvertedResidual
from cnnlab.models.resnet import BasicBlock, Bottleneck
from cnnlab.models.wide_resnet import WideBlock

# network: the names of the gammas that zero_last_gamma sets, as a pattern, and how many they are
LAST_GAMMAS = {
    "resnet18": (r"layer[1-4]\.[01]\.bn2\.weight", 8),
    "resnet50": (r"layer[1-4]\.[0-5]\.bn3\.weight", 16),
    "resnet20": (r"layer[1-3]\.[0-2]\.bn2\.weight", 9),
    "resnext29_8x64d": (r"layer[1-3]\.[0-2]\.bn3\.weight", 9),
    "se_resnet18": (r"layer[1-4]\.[01]\.bn2\.weight", 8),
    "se_resnet50": (r"layer[1-4]\.[0-5]\.bn3\.weight", 16),
    "mobilenet_v2": (r"features\.(3|5|6|8|9|10|12|13|15|16)\.conv\.3\.weight", 10),
}


@pytest.mark.parametrize("name", LAST_GAMMAS)
def test_zero_last_gamma_sets_the_last_gamma_of_each_block_and_nothing_else(name: str) -> None:
    network = models.get(name, classes=4, image=32)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    zero_last_gamma(network)
    after = network.state_dict()
    changed = [key for key in before if not torch.equal(after[key], before[key])]
    assert changed == [key for key in before if re.fullmatch(LAST_GAMMAS[name][0], key)]
    assert len(changed) == LAST_GAMMAS[name][1]
    assert all(before[key].eq(1).all() and after[key].eq(0).all() for key in changed)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", LAST_GAMMAS)
def test_with_its_last_gamma_at_zero_a_block_is_its_shortcut(name: str, training: bool) -> None:
    torch.manual_seed(3)
    network = models.get(name, classes=4, image=32)
    zero_last_gamma(network)
    network.train(training)
    seen = 0
    for block in network.modules():
        if isinstance(block, InvertedResidual) and block.adds:
            x = images(block.conv.get_submodule("0.0"))
            expected = x  # no ReLU after the addition
        elif isinstance(block, (BasicBlock, Bottleneck)):
            x = images(block.conv1)
            shortcut = x if block.downsample is None else block.downsample(x)
            expected = torch.relu(shortcut)
        else:
            continue
        assert torch.equal(block(x), expected)
        seen += 1
    assert seen == LAST_GAMMAS[name][1]


def images(first: nn.Module) -> torch.Tensor:
    """Return images for a block that begins with this convolution."""
    assert isinstance(first, nn.Conv2d)
    return torch.randn(2, first.in_channels, 8, 8)


def test_a_block_of_wide_resnet50_2_is_its_shortcut_too() -> None:
    torch.manual_seed(3)
    block = Bottleneck(256, 64, group_width=128).eval()
    zero_last_gamma(block)
    x = torch.randn(2, 256, 4, 4)
    with torch.no_grad():
        assert torch.equal(block(x), torch.relu(x))


@pytest.mark.parametrize("name", ["resnet18", "se_resnet18", "mobilenet_v2"])
def test_gammas_at_zero_learn(name: str) -> None:
    torch.manual_seed(3)
    network = models.get(name, classes=4, image=32)
    zero_last_gamma(network)
    network(torch.randn(2, 3, 32, 32)).square().sum().backward()
    gammas = {
        key: gamma for key, gamma in network.named_parameters() if re.fullmatch(LAST_GAMMAS[name][0], key)
    }
    assert len(gammas) == LAST_GAMMAS[name][1]
    assert all(gamma.grad is not None and gamma.grad.any() for gamma in gammas.values())


@pytest.mark.parametrize("name", ["plain20", "wrn_16_4", "densenet_bc_40_12", "mobilenet_v1", "vgg11_bn"])
def test_zero_last_gamma_leaves_networks_without_such_blocks_as_they_are(name: str) -> None:
    network = models.get(name, classes=4, image=32)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    zero_last_gamma(network)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_a_wide_block_with_its_last_gamma_at_zero_would_never_learn() -> None:
    """Therefore zero_last_gamma leaves it out."""
    torch.manual_seed(3)
    block = WideBlock(8, 8)
    nn.init.zeros_(block.bn2.weight)
    x = torch.randn(2, 8, 4, 4)
    y = block(x)
    assert torch.equal(y, x)
    y.square().sum().backward()
    assert not any(value.grad is not None and value.grad.any() for value in block.parameters())
