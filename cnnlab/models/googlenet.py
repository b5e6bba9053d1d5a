"""GoogLeNet: several kernel sizes side by side, made cheap by 1 x 1 convolutions.

Source: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich, Going deeper with convolutions,
2014, arXiv 1409.4842. Batch norm, which torchvision's has after each convolution, came a year later.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from cnnlab.models import initialise


class GoogLeNetScores(NamedTuple):
    """The outputs of GoogLeNet with auxiliary heads in training, each (N, classes).

    The heads stand in the order of the layers, as in the lesson's exercise. torchvision's GoogLeNetOutputs has them the
    other way round: the scores, then those of aux2, then those of aux1.
    """

    scores: torch.Tensor
    aux1: torch.Tensor
    aux2: torch.Tensor


class ConvNormReLU(nn.Module):
    """A convolution without bias, batch norm and ReLU.

    Args:
        inputs: channels of the input.
        filters: channels of the output.
        kernel: pixels a side; odd.
        stride: divides the height and width.
    """

    def __init__(self, inputs: int, filters: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, filters, kernel, stride, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(filters, eps=0.001)  # as in the TensorFlow weights that torchvision ported

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, filters, H/stride, W/stride)."""
        return F.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four branches on the same input, with their outputs side by side as channels.

    Args:
        inputs: channels of the input.
        one: filters of the 1 x 1 branch.
        reduce3: filters of the 1 x 1 before the 3 x 3.
        three: filters of the 3 x 3.
        reduce5: filters of the 1 x 1 before the 5 x 5.
        five: filters of the 5 x 5.
        pool: filters of the 1 x 1 after the max pooling.
        kernel5: pixels a side of the "5 x 5": 5 in the paper, 3 in torchvision.
    """

    def __init__(
        self,
        inputs: int,
        one: int,
        reduce3: int,
        three: int,
        reduce5: int,
        five: int,
        pool: int,
        kernel5: int = 3,
    ) -> None:
        super().__init__()
        self.branch1 = ConvNormReLU(inputs, one, 1)
        self.branch2 = nn.Sequential(ConvNormReLU(inputs, reduce3, 1), ConvNormReLU(reduce3, three, 3))
        self.branch3 = nn.Sequential(ConvNormReLU(inputs, reduce5, 1), ConvNormReLU(reduce5, five, kernel5))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), ConvNormReLU(inputs, pool, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, one + three + five + pool, H, W)."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class AuxiliaryHead(nn.Module):
    """A classifier on maps from halfway, which brings gradients to the early layers in training."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv = ConvNormReLU(inputs, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.fc2 = nn.Linear(1024, classes)
        self.dropout = nn.Dropout(0.7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes)."""
        x = self.conv(F.adaptive_avg_pool2d(x, 4))  # (N, 128, 4, 4)
        x = self.dropout(F.relu(self.fc1(torch.flatten(x, 1))))  # (N, 1024)
        return self.fc2(x)  # (N, classes)


class GoogLeNet(nn.Module):
    """Nine Inception modules, global average pooling in place of hidden linear layers, and two auxiliary heads.

    Args:
        classes: the number of classes.
        channels: channels of the images.
        aux: whether there are auxiliary heads, by default where not small; with them, training returns GoogLeNetScores,
            and evaluation the scores alone.
        small: for 32 pixels a side, with one 3 x 3 convolution for the layers that would shrink the image to 4 x 4.
        kernel5: as in Inception.
        transform_input: whether the images are normalised by ImageNet's mean and deviation, as torchvision's pretrained
            weights need them.
    """

    def __init__(
        self,
        classes: int = 1000,
        channels: int = 3,
        *,
        aux: bool | None = None,
        small: bool = False,
        kernel5: int = 3,
        transform_input: bool = False,
    ) -> None:
        super().__init__()
        if transform_input and channels != 3:
            raise ValueError(f"transform_input is for images of 3 channels, not {channels}: leave it out")
        self.small, self.transform_input = small, transform_input
        if aux is None:
            aux = not small
        if small:
            self.conv1 = ConvNormReLU(channels, 192, 3)
        else:
            self.conv1 = ConvNormReLU(channels, 64, 7, stride=2)
            self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
            self.conv2 = ConvNormReLU(64, 64, 1)
            self.conv3 = ConvNormReLU(64, 192, 3)
            self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32, kernel5)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64, kernel5)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64, kernel5)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64, kernel5)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64, kernel5)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64, kernel5)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128, kernel5)
        self.maxpool4 = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128, kernel5)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128, kernel5)
        self.aux1 = self.aux2 = None
        if aux:
            self.aux1 = AuxiliaryHead(512, classes)  # after 4a
            self.aux2 = AuxiliaryHead(528, classes)  # after 4d
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)  # the paper's 40 % would be Dropout(0.4)
        self.fc = nn.Linear(1024, classes)
        self._initialise()

    def _initialise(self) -> None:
        if self.small:
            initialise.he(self)
            return
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.trunc_normal_(layer.weight, std=0.01)

    def forward(self, x: torch.Tensor) -> torch.Tensor | GoogLeNetScores:
        """Return scores (N, classes) for images (N, channels, H, W), in training with those of the heads."""
        if self.transform_input:
            x = _from_imagenet(x)
        x = self._stem(x)  # (N, 192, 28, 28) of 224 pixels; (N, 192, 32, 32) where small
        x = self.inception3b(self.inception3a(x))  # (N, 256, 28, 28), then (N, 480, 28, 28)
        x = self.maxpool3(x)  # (N, 480, 14, 14)
        halfway1 = x = self.inception4a(x)  # (N, 512, 14, 14)
        x = self.inception4c(self.inception4b(x))  # (N, 512, 14, 14)
        halfway2 = x = self.inception4d(x)  # (N, 528, 14, 14)
        x = self.maxpool4(self.inception4e(x))  # (N, 832, 14, 14), then (N, 832, 7, 7)
        x = self.inception5b(self.inception5a(x))  # (N, 832, 7, 7), then (N, 1024, 7, 7)
        x = torch.flatten(self.avgpool(x), 1)  # (N, 1024)
        scores = self.fc(self.dropout(x))  # (N, classes)
        if not self.training or self.aux1 is None or self.aux2 is None:
            return scores
        aux2 = self.aux2(halfway2)  # before aux1: the order of the heads decides what a seed drops
        aux1 = self.aux1(halfway1)
        return GoogLeNetScores(scores, aux1, aux2)

    def _stem(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv1(x)  # (N, 64, 112, 112)
        if self.small:
            return x  # (N, 192, 32, 32)
        x = self.conv3(self.conv2(self.maxpool1(x)))  # (N, 64, 56, 56) twice, then (N, 192, 56, 56)
        return self.maxpool2(x)  # (N, 192, 28, 28)


def _from_imagenet(x: torch.Tensor) -> torch.Tensor:
    """Return images normalised by ImageNet's mean and deviation as (value - 0.5) / 0.5."""
    mean, deviation = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    scale = x.new_tensor(deviation) / 0.5
    shift = (x.new_tensor(mean) - 0.5) / 0.5
    return x * scale[:, None, None] + shift[:, None, None]


def googlenet(
    classes: int = 1000,
    channels: int = 3,
    *,
    aux: bool | None = None,
    small: bool = False,
    kernel5: int = 3,
    transform_input: bool = False,
) -> GoogLeNet:
    """Return GoogLeNet with batch norm: 13,004,888 parameters for a thousand classes, without aux 6,624,904.

    torchvision's pretrained weights go into googlenet(aux=False, transform_input=True).

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        aux: with auxiliary heads, by default where not small.
        small: for images of about 32 pixels a side, which keep their size at first.
        kernel5: side of the kernels that the paper calls "5 x 5": 3 as torchvision has it, 5 as published.
        transform_input: take images normalised by ImageNet's mean and deviation.
    """
    return GoogLeNet(
        classes, channels, aux=aux, small=small, kernel5=kernel5, transform_input=transform_input
    )
