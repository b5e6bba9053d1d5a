"""ResNet for CIFAR-10: 6n+2 layers deep, thin, with shortcuts that have no parameters; and its plain counterpart.

Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, 2015, arXiv 1512.03385, section 4.2.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.models.resnet import BasicBlock, Block, ResNet, projection


class PaddedShortcut(nn.Module):
    """The paper's shortcut A: keep every stride-th pixel, and append channels of zeros.

    Args:
        inputs: channels of the input.
        outputs: channels of the output.
        stride: divides the height and width.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.missing, self.stride = outputs - inputs, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, outputs, H/stride, W/stride)."""
        x = x[:, :, :: self.stride, :: self.stride]  # (N, inputs, H/stride, W/stride)
        # F.pad counts the axes from the last: none before and after W, none around H, zeros after the C channels
        return F.pad(x, (0, 0, 0, 0, 0, self.missing))


class PlainBlock(BasicBlock):
    """The two convolutions of a basic block without the addition, with which the paper compares residual blocks."""

    @property
    def last_norm(self) -> None:
        """None: with a gamma of zero there, nothing would pass the block."""
        return None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, width, H/stride, W/stride)."""
        return self.relu(self.residual(x))


def resnet_cifar(
    depth: int,
    classes: int = 10,
    channels: int = 3,
    *,
    shortcut: Literal["A", "B"] = "A",
    block: Block = BasicBlock,
) -> ResNet:
    """Return a CIFAR ResNet: a convolution, three stages of (depth - 2)/6 blocks of 16, 32, 64 filters, a linear layer.

    Args:
        depth: its number of layers, 6n + 2.
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        shortcut: where the shape changes, "A" pads with zeros, as in the paper, and "B" projects.
        block: the class of the blocks.

    Raises:
        ValueError: for a depth that is not 6n + 2, and for another shortcut.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"a CIFAR ResNet is 6n + 2 layers deep, as 20, 32, 44, 56 and 110 are, not {depth}")
    if shortcut not in ("A", "B"):
        raise ValueError(f"the shortcut is 'A' (padded) or 'B' (projected), not {shortcut!r:.40}")
    makes = PaddedShortcut if shortcut == "A" else projection
    count = (depth - 2) // 6
    # (N, 16, 32, 32), then (N, 32, 16, 16), then (N, 64, 8, 8)
    return ResNet(block, (count,) * 3, classes, channels, width=16, small=True, shortcut=makes)


def plain_cifar(depth: int, classes: int = 10, channels: int = 3) -> ResNet:
    """Return a CIFAR ResNet without its additions: the same convolutions and as many parameters.

    Args:
        depth: its number of layers.
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
    """
    return resnet_cifar(depth, classes, channels, block=PlainBlock)
