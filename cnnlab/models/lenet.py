"""LeNet-5: convolutions that learn to read digits.

Source: LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, 1998.
"""

from __future__ import annotations

import torch
from torch import nn


class LeNet5(nn.Module):
    """LeNet-5 with ReLU and max pooling, as in `cnnlab.nn.lenet5`.

    It has 61,706 parameters for ten classes and one channel.

    Args:
        classes: the number of classes.
        channels: channels of the images.
        image: pixels a side, 28 or 32.
        classic: tanh and average pooling instead, which are nearer to the paper's. Its trained subsampling, its partial
            table of connections and its radial output are in neither.
    """

    def __init__(
        self, classes: int = 10, channels: int = 1, *, image: int = 32, classic: bool = False
    ) -> None:
        super().__init__()
        if image not in (28, 32):
            raise ValueError(f"LeNet-5 takes images of 28 or 32 pixels a side, not {image}: resize them")
        if classic:
            bend, pool = nn.Tanh, nn.AvgPool2d
        else:
            bend, pool = nn.ReLU, nn.MaxPool2d
        self.conv1 = nn.Conv2d(channels, 6, 5, padding=(32 - image) // 2)  # the paper's digits lie on 32 x 32
        self.bend1 = bend()
        self.pool1 = pool(2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.bend2 = bend()
        self.pool2 = pool(2)
        self.linear1 = nn.Linear(16 * 5 * 5, 120)
        self.bend3 = bend()
        self.linear2 = nn.Linear(120, 84)
        self.bend4 = bend()
        self.linear3 = nn.Linear(84, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, image, image)."""
        x = self.pool1(self.bend1(self.conv1(x)))  # (N, 6, 28, 28), then (N, 6, 14, 14)
        x = self.pool2(self.bend2(self.conv2(x)))  # (N, 16, 10, 10), then (N, 16, 5, 5)
        x = self.bend3(self.linear1(torch.flatten(x, 1)))  # (N, 400), then (N, 120)
        x = self.bend4(self.linear2(x))  # (N, 84)
        return self.linear3(x)  # (N, classes)


def lenet5(classes: int = 10, channels: int = 1, *, image: int = 32, classic: bool = False) -> LeNet5:
    """Return LeNet-5 for images of 28 or 32 pixels a side.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        image: pixels a side, 28 or 32.
        classic: with tanh and average pooling in place of ReLU and max pooling.
    """
    return LeNet5(classes, channels, image=image, classic=classic)
