"""Wide ResNet: fewer blocks, with more filters in each.

Source: Zagoruyko and Komodakis, Wide residual networks, 2016, arXiv 1605.07146.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.models import initialise
from cnnlab.models.resnet import DEPTHS, Bottleneck, ResNet


class WideBlock(nn.Module):
    """Two 3 x 3 convolutions, each after batch norm and ReLU, whose result is added to the input.

    Args:
        inputs: channels of the input.
        filters: of both convolutions.
        stride: of the first convolution, which divides the height and width.
        dropout: the part of the values dropped between the convolutions.
    """

    def __init__(self, inputs: int, filters: int, stride: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.shortcut = None
        if stride != 1 or inputs != filters:
            self.shortcut = nn.Conv2d(inputs, filters, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, filters, H/stride, W/stride); no ReLU comes after the addition."""
        active = F.relu(self.bn1(x))  # (N, inputs, H, W)
        residual = self.conv1(active)  # (N, filters, H/stride, W/stride)
        residual = self.conv2(self.dropout(F.relu(self.bn2(residual))))
        if self.shortcut is None:
            return residual + x
        return residual + self.shortcut(active)


class WideResNet(nn.Module):
    """WRN-depth-widen for CIFAR: three stages of (depth - 4)/6 wide blocks of 16, 32 and 64 times widen filters.

    Args:
        depth: the number of layers, 6n + 4.
        widen: multiplies the filters.
        classes: the number of classes.
        channels: channels of the images.
        dropout: as in WideBlock.
    """

    def __init__(
        self, depth: int, widen: int, classes: int = 10, channels: int = 3, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if depth < 10 or depth % 6 != 4:
            raise ValueError(f"a Wide ResNet is 6n + 4 layers deep, as 16, 22, 28 and 40 are, not {depth}")
        count = (depth - 4) // 6
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.layer1 = _stage(count, 16, 16 * widen, 1, dropout)
        self.layer2 = _stage(count, 16 * widen, 32 * widen, 2, dropout)
        self.layer3 = _stage(count, 32 * widen, 64 * widen, 2, dropout)
        self.bn = nn.BatchNorm2d(64 * widen)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64 * widen, classes)
        initialise.he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        x = self.layer1(self.conv1(x))  # (N, 16, 32, 32), then (N, 16*widen, 32, 32)
        x = self.layer3(self.layer2(x))  # (N, 32*widen, 16, 16), then (N, 64*widen, 8, 8)
        x = self.avgpool(F.relu(self.bn(x)))  # (N, 64*widen, 1, 1)
        return self.fc(torch.flatten(x, 1))  # (N, classes)


def _stage(count: int, inputs: int, filters: int, stride: int, dropout: float) -> nn.Sequential:
    first = WideBlock(inputs, filters, stride, dropout)
    return nn.Sequential(first, *(WideBlock(filters, filters, 1, dropout) for _ in range(count - 1)))


def wide_resnet(
    depth: int, widen: int, classes: int = 10, channels: int = 3, *, dropout: float = 0.0
) -> WideResNet:
    """Return WRN-depth-widen for CIFAR; WRN-28-10 has 36,479,194 parameters for ten classes.

    Args:
        depth: its number of layers.
        widen: how many times wider than the ResNet of that depth.
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        dropout: the share of values dropped between the two convolutions of a block.

    Raises:
        ValueError: for a depth that is not 6n + 4.
    """
    return WideResNet(depth, widen, classes, channels, dropout=dropout)


def wide_resnet50_2(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-50 with 3 x 3 convolutions of twice the filters: 68,883,240 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[50], classes, channels, group_width=128, small=small)


def wide_resnet101_2(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-101 with 3 x 3 convolutions of twice the filters: 126,886,696 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[101], classes, channels, group_width=128, small=small)
