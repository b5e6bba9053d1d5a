"""ResNet: blocks that learn what to add to their input.

Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2015, arXiv 1512.03385.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from cnnlab.models import initialise

# (inputs, outputs, stride) -> what brings a block's input to the shape of its output
Shortcut = Callable[[int, int, int], nn.Module]

# Blocks in each of the four stages, by depth; 18 and 34 are of basic blocks, the others of bottlenecks.
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions, whose result is added to the input.

    Args:
        inputs: channels of the input.
        width: filters of both convolutions.
        stride: of the first convolution, which divides the height and width.
        downsample: brings the input to the output's shape where stride or width change it.
        groups: 1; only bottlenecks have more.
        group_width: 64; only bottlenecks have another.
    """

    expansion = 1  # output channels for each of `width`

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        group_width: int = 64,
    ) -> None:
        super().__init__()
        if groups != 1 or group_width != 64:
            raise ValueError("groups and group_width are for bottlenecks: basic blocks have one group of 64")
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = downsample

    @property
    def last_norm(self) -> nn.Module | None:
        """The norm before the addition."""
        return self.bn2

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is added to the input, (N, width, H/stride, W/stride)."""
        x = self.relu(self.bn1(self.conv1(x)))
        return self.bn2(self.conv2(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, width, H/stride, W/stride): the ReLU comes after the addition."""
        shortcut = x
        if self.downsample is not None:
            shortcut = self.downsample(x)
        return self.relu(self.residual(x) + shortcut)


class Bottleneck(nn.Module):
    """A 3 x 3 convolution between two of 1 x 1, of which the last widens fourfold; the result is added to the input.

    Args:
        inputs: channels of the input.
        width: a quarter of the output's channels.
        stride: of the 3 x 3, as in torchvision; in the paper the first 1 x 1 has it, which drops three inputs of four.
        downsample: brings the input to the output's shape where stride or width change it.
        groups: of the 3 x 3; 32 groups of group_width 4 make ResNeXt, one of 128 Wide ResNet.
        group_width: the 3 x 3 has width * group_width/64 filters in each group.
    """

    expansion = 4

    def __init__(
        self,
        inputs: int,
        width: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        group_width: int = 64,
    ) -> None:
        super().__init__()
        inner, outputs = width * group_width // 64 * groups, width * self.expansion
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.downsample = downsample

    @property
    def last_norm(self) -> nn.Module | None:
        """The norm before the addition."""
        return self.bn3

    def residual(self, x: torch.Tensor) -> torch.Tensor:
        """Return what is added to the input, (N, 4*width, H/stride, W/stride)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, inner, H, W)
        x = self.relu(self.bn2(self.conv2(x)))  # (N, inner, H/stride, W/stride)
        return self.bn3(self.conv3(x))  # (N, 4*width, H/stride, W/stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, 4*width, H/stride, W/stride): the ReLU comes after the addition."""
        shortcut = x
        if self.downsample is not None:
            shortcut = self.downsample(x)
        return self.relu(self.residual(x) + shortcut)


Block = type[BasicBlock] | type[Bottleneck]


def projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """Return the paper's shortcut B: a 1 x 1 convolution and batch norm.

    Args:
        inputs: channels of what the block is given.
        outputs: channels of what it returns.
        stride: of the block.
    """
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """Stages of residual blocks, each half as high and wide and with twice the filters of the one before.

    Args:
        block: the class of the blocks.
        depths: the number of blocks in each stage.
        classes: the number of classes.
        channels: channels of the images.
        width: filters of the first stage's blocks.
        groups: as in Bottleneck.
        group_width: as in Bottleneck.
        small: for 32 pixels a side, with a 3 x 3 convolution at stride 1 and no pooling before the stages.
        shortcut: makes the layer that brings a block's input to its output's shape.
    """

    def __init__(
        self,
        block: Block,
        depths: Sequence[int],
        classes: int = 1000,
        channels: int = 3,
        *,
        width: int = 64,
        groups: int = 1,
        group_width: int = 64,
        small: bool = False,
        shortcut: Shortcut = projection,
    ) -> None:
        super().__init__()
        if small:
            self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        else:
            self.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, stride=2, padding=1)
        self.stages = [f"layer{number}" for number in range(1, len(depths) + 1)]  # torchvision's names
        inputs = width
        for number, (name, depth) in enumerate(zip(self.stages, depths, strict=True)):
            filters = width * 2**number
            stride = 1 if number == 0 else 2
            stage = _stage(block, inputs, filters, depth, stride, groups, group_width, shortcut)
            self.add_module(name, stage)
            inputs = filters * block.expansion
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, classes)
        initialise.he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, width, 112, 112) of 224 pixels
        x = self.maxpool(x)  # (N, width, 56, 56); where small, still as large as the image
        for name in self.stages:
            # (N, filters*expansion, ...): 56, 28, 14, 7 a side; small 32, 16, 8, 4
            x = self.get_submodule(name)(x)
        return self.fc(torch.flatten(self.avgpool(x), 1))  # (N, classes)


def _stage(
    block: Block,
    inputs: int,
    filters: int,
    depth: int,
    stride: int,
    groups: int,
    group_width: int,
    shortcut: Shortcut,
) -> nn.Sequential:
    """Return `depth` blocks, of which the first changes the shape."""
    outputs = filters * block.expansion
    downsample = None
    if stride != 1 or inputs != outputs:
        downsample = shortcut(inputs, outputs, stride)
    blocks = [block(inputs, filters, stride, downsample, groups, group_width)]
    blocks += [block(outputs, filters, groups=groups, group_width=group_width) for _ in range(depth - 1)]
    return nn.Sequential(*blocks)


def resnet18(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-18: 11,689,512 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(BasicBlock, DEPTHS[18], classes, channels, small=small)


def resnet34(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-34: 21,797,672 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(BasicBlock, DEPTHS[34], classes, channels, small=small)


def resnet50(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-50: 25,557,032 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[50], classes, channels, small=small)


def resnet101(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-101: 44,549,160 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[101], classes, channels, small=small)


def resnet152(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNet-152: 60,192,808 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[152], classes, channels, small=small)
