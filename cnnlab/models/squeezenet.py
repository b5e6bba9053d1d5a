"""SqueezeNet: AlexNet's accuracy with a fiftieth of its weights.

Source: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, SqueezeNet, 2016, arXiv 1602.07360; version 1.1 is from the
authors' repository.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Fire(nn.Module):
    """Squeeze to few channels with 1 x 1, then expand with 1 x 1 and 3 x 3 side by side.

    Args:
        inputs: channels of the input.
        squeeze: channels in between.
        expand: filters of the 1 x 1 and of the 3 x 3 each.
    """

    def __init__(self, inputs: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, 2*expand, H, W)."""
        x = F.relu(self.squeeze(x))  # (N, squeeze, H, W)
        return torch.cat([F.relu(self.expand1x1(x)), F.relu(self.expand3x3(x))], dim=1)


class SqueezeNet(nn.Module):
    """Fire modules with poolings between them; a convolution with a filter for each class replaces the linear layers."""

    def __init__(self, features: nn.Sequential, classes: int) -> None:
        super().__init__()
        self.features = features
        last = nn.Conv2d(512, classes, 1)
        self.classifier = nn.Sequential(nn.Dropout(0.5), last, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                if layer is last:
                    nn.init.normal_(layer.weight, 0, 0.01)
                else:
                    nn.init.kaiming_uniform_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes), never below zero, for images (N, channels, H, W)."""
        x = self.features(x)  # (N, 512, 13, 13) of 224 pixels; (N, 512, 4, 4) of 32 where small
        return torch.flatten(self.classifier(x), 1)  # (N, classes)


def squeezenet1_0(classes: int = 1000, channels: int = 3, *, small: bool = False) -> SqueezeNet:
    """Return SqueezeNet 1.0: 1,248,424 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with a 3 x 3 convolution at stride 1 in place of the 7 x 7 at stride 2.
    """
    if small:
        first = nn.Conv2d(channels, 96, 3, padding=1)
    else:
        first = nn.Conv2d(channels, 96, 7, stride=2)
    features = nn.Sequential(
        first,
        nn.ReLU(),  # (N, 96, 109, 109)
        _pool(),  # (N, 96, 54, 54)
        Fire(96, 16, 64),
        Fire(128, 16, 64),
        Fire(128, 32, 128),
        _pool(),  # (N, 256, 27, 27)
        Fire(256, 32, 128),
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        _pool(),  # (N, 512, 13, 13)
        Fire(512, 64, 256),
    )
    return SqueezeNet(features, classes)


def squeezenet1_1(classes: int = 1000, channels: int = 3, *, small: bool = False) -> SqueezeNet:
    """Return SqueezeNet 1.1, which pools earlier and computes 2.4 times less: 1,235,496 parameters.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for 32 pixels a side, with the first convolution at stride 1.
    """
    if small:
        first = nn.Conv2d(channels, 64, 3, padding=1)
    else:
        first = nn.Conv2d(channels, 64, 3, stride=2)
    features = nn.Sequential(
        first,
        nn.ReLU(),  # (N, 64, 111, 111)
        _pool(),  # (N, 64, 55, 55)
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        _pool(),  # (N, 128, 27, 27)
        Fire(128, 32, 128),
        Fire(256, 32, 128),
        _pool(),  # (N, 256, 13, 13)
        Fire(256, 48, 192),
        Fire(384, 48, 192),
        Fire(384, 64, 256),
        Fire(512, 64, 256),
    )
    return SqueezeNet(features, classes)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)  # keeps the last pixels where windows do not fit
