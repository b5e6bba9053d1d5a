"""VGG: nothing but 3 x 3 convolutions, and more of them.

Source: Simonyan and Zisserman, Very deep convolutional networks for large-scale image recognition, 2014, arXiv
1409.1556. Batch norm came later: Ioffe and Szegedy, 2015, arXiv 1502.03167.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from cnnlab.models import initialise

# Convolutions in each of the five stages; with three linear layers they make the depth.
DEPTHS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """Five stages of 3 x 3 convolutions, each ending with a pooling that halves the side, then linear layers.

    Args:
        convolutions: the number of convolutions in each stage.
        classes: the number of classes.
        channels: channels of the images.
        batch_norm: whether batch norm follows each convolution.
        small: for 32 pixels a side, where the maps end at 1 x 1 and one linear layer is enough.
    """

    def __init__(
        self,
        convolutions: Sequence[int],
        classes: int = 1000,
        channels: int = 3,
        *,
        batch_norm: bool = False,
        small: bool = False,
    ) -> None:
        super().__init__()
        self.features = _stages(convolutions, channels, batch_norm)
        if small:
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.classifier: nn.Module = nn.Linear(512, classes)
        else:
            self.avgpool = nn.AdaptiveAvgPool2d(7)
            self.classifier = _classifier(classes)
        initialise.he(self)
        initialise.small_linear(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        x = self.features(x)  # (N, 512, H/32, W/32)
        x = self.avgpool(x)  # (N, 512, 7, 7), or (N, 512, 1, 1) where small
        return self.classifier(torch.flatten(x, 1))  # (N, classes)


def _stages(convolutions: Sequence[int], channels: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for count, width in zip(convolutions, WIDTHS, strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(channels, width, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(width))
            layers.append(nn.ReLU())
            channels = width
        layers.append(nn.MaxPool2d(2))  # (N, width, H/2, W/2): 112, 56, 28, 14, 7 a side of 224 pixels
    return nn.Sequential(*layers)


def _classifier(classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(512 * 7 * 7, 4096),  # 102,764,544 parameters, three quarters of VGG-16
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )


def vgg11(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-11, the paper's configuration A: 132,863,336 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[11], classes, channels, small=small)


def vgg13(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-13, configuration B: 133,047,848 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[13], classes, channels, small=small)


def vgg16(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-16, configuration D: 138,357,544 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[16], classes, channels, small=small)


def vgg19(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-19, configuration E: 143,667,240 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[19], classes, channels, small=small)


def vgg11_bn(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-11 with batch norm after each convolution: 132,868,840 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[11], classes, channels, batch_norm=True, small=small)


def vgg13_bn(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-13 with batch norm after each convolution: 133,053,736 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[13], classes, channels, batch_norm=True, small=small)


def vgg16_bn(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-16 with batch norm after each convolution: 138,365,992 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[16], classes, channels, batch_norm=True, small=small)


def vgg19_bn(classes: int = 1000, channels: int = 3, *, small: bool = False) -> VGG:
    """Return VGG-19 with batch norm after each convolution: 143,678,248 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with one linear layer in place of three.
    """
    return VGG(DEPTHS[19], classes, channels, batch_norm=True, small=small)
