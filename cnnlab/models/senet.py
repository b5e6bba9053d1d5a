"""SE-ResNet: residual blocks that weigh their channels by the content of the whole image.

Source: Hu, Shen, Albanie, Sun and Wu, Squeeze-and-excitation networks, 2017, arXiv 1709.01507.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.models.resnet import DEPTHS, BasicBlock, Bottleneck, ResNet
from cnnlab.models.resnet_cifar import resnet_cifar


class SqueezeExcite(nn.Module):
    """Multiply each channel by a number from 0 to 1, found from the means of all channels.

    Args:
        channels: channels of the input.
        reduction: how many channels share one hidden unit.
    """

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        hidden = max(channels // reduction, 1)
        self.fc1 = nn.Linear(channels, hidden)
        self.fc2 = nn.Linear(hidden, channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, C, H, W)."""
        squeezed = x.mean(dim=(2, 3))  # (N, C)
        weights = torch.sigmoid(self.fc2(F.relu(self.fc1(squeezed))))  # (N, C/reduction), then (N, C)
        return x * weights[:, :, None, None]


class SEBasicBlock(BasicBlock):
    """A basic block that weighs the channels of its result before they are added.

    Args:
        inputs: channels of the input.
        width: filters of both convolutions.
        args: further arguments of BasicBlock.
        kwargs: further arguments of BasicBlock.
    """

    def __init__(self, inputs: int, width: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(inputs, width, *args, **kwargs)
        self.se = SqueezeExcite(width)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is added to the input, (N, width, H/stride, W/stride)."""
        return self.se(super().residual(x))


class SEBottleneck(Bottleneck):
    """A bottleneck that weighs the channels of its result before they are added.

    Args:
        inputs: channels of the input.
        width: a quarter of the output's channels.
        args: further arguments of Bottleneck.
        kwargs: further arguments of Bottleneck.
    """

    def __init__(self, inputs: int, width: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(inputs, width, *args, **kwargs)
        self.se = SqueezeExcite(width * self.expansion)

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is added to the input, (N, 4*width, H/stride, W/stride)."""
        return self.se(super().residual(x))


def se_resnet18(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return SE-ResNet-18: 11,778,592 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(SEBasicBlock, DEPTHS[18], classes, channels, small=small)


def se_resnet34(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return SE-ResNet-34: 21,958,868 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(SEBasicBlock, DEPTHS[34], classes, channels, small=small)


def se_resnet50(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return SE-ResNet-50: 28,088,024 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(SEBottleneck, DEPTHS[50], classes, channels, small=small)


def se_resnet101(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return SE-ResNet-101: 49,326,872 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(SEBottleneck, DEPTHS[101], classes, channels, small=small)


def se_resnet152(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return SE-ResNet-152: 66,821,848 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(SEBottleneck, DEPTHS[152], classes, channels, small=small)


def se_resnet_cifar(depth: int, classes: int = 10, channels: int = 3) -> ResNet:
    """Return a CIFAR ResNet of 6n + 2 layers with squeeze-and-excitation in each block.

    Args:
        depth: its number of layers.
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
    """
    return resnet_cifar(depth, classes, channels, block=SEBasicBlock)
