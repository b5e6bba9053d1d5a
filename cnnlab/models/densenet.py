"""DenseNet: each layer's input is the output of all layers before it in its block.

Source: Huang, Liu, van der Maaten and Weinberger, Densely connected convolutional networks, 2016, arXiv 1608.06993.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.models import initialise

# Before dots in names were forbidden, torchvision called the layers norm.1 and conv.2; its pretrained files still do.
OLD_NAME = re.compile(r"(.*denselayer\d+\.(?:norm|conv))\.([12]\..*)")


class DenseLayer(nn.Module):
    """Make `growth` new channels: batch norm, ReLU and a 1 x 1 convolution, then the same with 3 x 3."""

    def __init__(self, inputs: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, 4 * growth, 1, bias=False)  # the B of DenseNet-BC, a bottleneck
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the new channels, (N, growth, H, W)."""
        x = self.conv1(F.relu(self.norm1(x)))  # (N, 4*growth, H, W)
        return self.conv2(F.relu(self.norm2(x)))  # (N, growth, H, W)


class DenseBlock(nn.Module):
    """Layers, each of which appends its new channels to those of its input.

    Args:
        layers: how many there are.
        inputs: channels of the input.
        growth: channels that each layer adds.
    """

    def __init__(self, layers: int, inputs: int, growth: int) -> None:
        super().__init__()
        for number in range(layers):
            self.add_module(f"denselayer{number + 1}", DenseLayer(inputs + number * growth, growth))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, inputs + layers*growth, H, W)."""
        for layer in self.children():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transition(nn.Sequential):
    """Halve the height and width, and reduce the number of channels (the C of DenseNet-BC, compression)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        layers: list[tuple[str, nn.Module]] = [
            ("norm", nn.BatchNorm2d(inputs)),
            ("relu", nn.ReLU()),
            ("conv", nn.Conv2d(inputs, outputs, 1, bias=False)),
            ("pool", nn.AvgPool2d(2)),
        ]
        super().__init__(OrderedDict(layers))


class DenseNet(nn.Module):
    """DenseNet-BC: dense blocks with transitions between them.

    Args:
        growth: channels that each layer adds.
        layers: the number of layers in each block.
        initial: channels before the first block.
        classes: the number of classes.
        channels: channels of the images.
        small: for 32 pixels a side, with a 3 x 3 convolution at stride 1 and no pooling before the blocks.
    """

    def __init__(
        self,
        growth: int,
        layers: Sequence[int],
        initial: int,
        classes: int = 1000,
        channels: int = 3,
        *,
        small: bool = False,
    ) -> None:
        super().__init__()
        self.features = _stem(channels, initial, small)
        width = initial
        for number, count in enumerate(layers, 1):
            self.features.add_module(f"denseblock{number}", DenseBlock(count, width, growth))
            width += count * growth
            if number < len(layers):
                self.features.add_module(f"transition{number}", Transition(width, width // 2))
                width //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(width))  # torchvision's name, whatever the number
        self.classifier = nn.Linear(width, classes)
        initialise.he(self, "fan_in")
        nn.init.zeros_(self.classifier.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        # DenseNet-121: (N, 1024, 7, 7) of 224 pixels, (N, 1024, 4, 4) of 32 where small
        x = F.relu(self.features(x))
        x = torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)  # (N, 1024)
        return self.classifier(x)  # (N, classes)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load parameters and buffers as nn.Module does, also from torchvision's older files.

        Args:
            state_dict: name -> tensor.
            strict: whether the names have to be exactly the network's.
            assign: whether the tensors themselves are taken, not copies of their values.
        """
        renamed = OrderedDict((OLD_NAME.sub(r"\1\2", name), value) for name, value in state_dict.items())
        if hasattr(state_dict, "_metadata"):
            # the version by which torch knows whether batch norms count batches
            renamed._metadata = state_dict._metadata  # type: ignore[attr-defined]
        return super().load_state_dict(renamed, strict, assign)


def _stem(channels: int, filters: int, small: bool) -> nn.Sequential:
    stem = nn.Sequential()
    if small:
        # (N, filters, 32, 32)
        stem.add_module("conv0", nn.Conv2d(channels, filters, 3, padding=1, bias=False))
        return stem
    stem.add_module("conv0", nn.Conv2d(channels, filters, 7, stride=2, padding=3, bias=False))
    stem.add_module("norm0", nn.BatchNorm2d(filters))
    stem.add_module("relu0", nn.ReLU())  # (N, filters, 112, 112)
    stem.add_module("pool0", nn.MaxPool2d(3, stride=2, padding=1))  # (N, filters, 56, 56)
    return stem


def densenet121(classes: int = 1000, channels: int = 3, *, small: bool = False) -> DenseNet:
    """Return DenseNet-121: 7,978,856 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return DenseNet(32, (6, 12, 24, 16), 64, classes, channels, small=small)


def densenet161(classes: int = 1000, channels: int = 3, *, small: bool = False) -> DenseNet:
    """Return DenseNet-161: 28,681,000 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return DenseNet(48, (6, 12, 36, 24), 96, classes, channels, small=small)


def densenet169(classes: int = 1000, channels: int = 3, *, small: bool = False) -> DenseNet:
    """Return DenseNet-169: 14,149,480 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return DenseNet(32, (6, 12, 32, 32), 64, classes, channels, small=small)


def densenet201(classes: int = 1000, channels: int = 3, *, small: bool = False) -> DenseNet:
    """Return DenseNet-201: 20,013,928 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return DenseNet(32, (6, 12, 48, 32), 64, classes, channels, small=small)


def densenet_bc(depth: int = 100, growth: int = 12, classes: int = 10, channels: int = 3) -> DenseNet:
    """Return the CIFAR DenseNet-BC; of depth 100 and growth 12 it has 769,162 parameters for ten classes.

    Args:
        depth: its number of layers.
        growth: channels that each layer adds.
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.

    Raises:
        ValueError: for a depth that is not 6n + 4.
    """
    if depth < 10 or depth % 6 != 4:
        raise ValueError(f"a DenseNet-BC is 6n + 4 layers deep, as 40 and 100 are, not {depth}")
    layers = (depth - 4) // 6
    return DenseNet(growth, (layers,) * 3, 2 * growth, classes, channels, small=True)
