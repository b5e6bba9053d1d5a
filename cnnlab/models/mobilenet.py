"""MobileNet: convolutions split into one filter for each channel and a 1 x 1 across the channels.

Sources: Howard and others, MobileNets, 2017, arXiv 1704.04861; Sandler, Howard, Zhu, Zhmoginov and Chen, MobileNetV2:
inverted residuals and linear bottlenecks, 2018, arXiv 1801.04381.
"""

from __future__ import annotations

import torch
from torch import nn

from cnnlab.models import initialise

# Version 1, after the first convolution: (filters, stride) of each separable block.
SEPARABLE = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)
# Version 2: (expansion, filters, blocks, stride of the first block) of each stage.
INVERTED = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class ConvNorm(nn.Sequential):
    """A convolution without bias, batch norm and an activation; at stride 1 height and width stay.

    Args:
        inputs: channels of the input.
        filters: channels of the output.
        kernel: pixels a side; odd.
        stride: divides the height and width.
        groups: the number of groups that the channels are divided into.
        activation: nn.ReLU or nn.ReLU6.
    """

    def __init__(
        self,
        inputs: int,
        filters: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        activation: type[nn.Module] = nn.ReLU,
    ) -> None:
        conv = nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(filters), activation())


class SeparableBlock(nn.Sequential):
    """A depthwise 3 x 3 and a pointwise 1 x 1 convolution, for little more than a ninth of the cost of a full 3 x 3.

    Args:
        inputs: channels of the input.
        filters: channels of the output.
        stride: divides the height and width.
    """

    def __init__(self, inputs: int, filters: int, stride: int = 1) -> None:
        super().__init__(
            ConvNorm(inputs, inputs, 3, stride, groups=inputs),  # (N, inputs, H/stride, W/stride)
            ConvNorm(inputs, filters, 1),  # (N, filters, H/stride, W/stride)
        )


class InvertedResidual(nn.Module):
    """Widen with 1 x 1, filter each channel with 3 x 3, and narrow with 1 x 1 without a ReLU.

    The input is added where the output has its shape.

    Args:
        inputs: channels of the input.
        filters: channels of the output.
        stride: divides the height and width.
        expansion: inner channels for each input channel.
    """

    def __init__(self, inputs: int, filters: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers.append(ConvNorm(inputs, inner, 1, activation=nn.ReLU6))  # (N, inner, H, W)
        # (N, inner, H/stride, W/stride)
        layers.append(ConvNorm(inner, inner, 3, stride, groups=inner, activation=nn.ReLU6))
        # (N, filters, H/stride, W/stride)
        layers += [nn.Conv2d(inner, filters, 1, bias=False), nn.BatchNorm2d(filters)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == filters

    @property
    def last_norm(self) -> nn.Module | None:
        """The norm before the addition; None where nothing is added."""
        return self.conv[-1] if self.adds else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, filters, H/stride, W/stride)."""
        residual = self.conv(x)
        if self.adds:
            return x + residual
        return residual


class MobileNet(nn.Module):
    """Blocks, then the mean of each channel, dropout and a linear layer.

    Args:
        features: the blocks, from (N, channels, H, W) to (N, width, h, w).
        width: channels after the blocks.
        classes: the number of classes.
    """

    def __init__(self, features: nn.Sequential, width: int, classes: int) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(width, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        x = self.avgpool(self.features(x))  # (N, width, 7, 7) of 224 pixels, then (N, width, 1, 1)
        return self.classifier(torch.flatten(x, 1))  # (N, classes)


def mobilenet_v1(classes: int = 1000, channels: int = 3, *, small: bool = False) -> MobileNet:
    """Return MobileNet: 4,231,976 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with the first convolution at stride 1; the blocks end at 2 x 2.
    """
    first = 1 if small else 2
    blocks: list[nn.Module] = [ConvNorm(channels, 32, 3, first)]  # (N, 32, 112, 112)
    width = 32
    for filters, stride in SEPARABLE:
        blocks.append(SeparableBlock(width, filters, stride))  # 112, 56, 28, 14, 7 a side
        width = filters
    network = MobileNet(nn.Sequential(*blocks), width, classes)
    initialise.he(network, "fan_in")  # by fan_out a depthwise filter would count every channel's weights
    initialise.small_linear(network)
    return network


def mobilenet_v2(classes: int = 1000, channels: int = 3, *, small: bool = False) -> MobileNet:
    """Return MobileNetV2: 3,504,872 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with the first convolution and the second stage at stride 1; the blocks end at
            4 x 4.
    """
    first = 1 if small else 2
    blocks: list[nn.Module] = [ConvNorm(channels, 32, 3, first, activation=nn.ReLU6)]  # (N, 32, 112, 112)
    width = 32
    for stage, (expansion, filters, count, stride) in enumerate(INVERTED):
        for number in range(count):
            # only a stage's first block shrinks: to 112, 56, 28, 14, 14, 7, 7 a side
            shrinks = number == 0 and not (small and stage == 1)
            step = stride if shrinks else 1
            blocks.append(InvertedResidual(width, filters, step, expansion))
            width = filters
    blocks.append(ConvNorm(width, 1280, 1, activation=nn.ReLU6))  # (N, 1280, 7, 7)
    network = MobileNet(nn.Sequential(*blocks), 1280, classes)
    initialise.he(network)
    initialise.small_linear(network)
    return network
