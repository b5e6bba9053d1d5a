"""AlexNet: the network that won ImageNet in 2012, as published, as torchvision has it, and for small images.

Sources: Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012;
Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014, arXiv 1404.5997.
"""

from __future__ import annotations

import torch
from torch import nn

from cnnlab.models import initialise


class AlexNet(nn.Module):
    """Five convolutions, then linear layers.

    Args:
        features: the convolutions, from (N, channels, H, W) to (N, 256, h, w).
        side: height and width in pixels to which the maps are brought, whatever h and w are.
        classifier: the linear layers, from (N, 256*side*side) to (N, classes).
    """

    def __init__(self, features: nn.Sequential, side: int, classifier: nn.Sequential) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(side)  # changes nothing for images of the size it was made for
        self.classifier = classifier

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores (N, classes) for images (N, channels, H, W)."""
        x = self.avgpool(self.features(x))  # (N, 256, side, side)
        return self.classifier(torch.flatten(x, 1))  # (N, classes)


def alexnet(classes: int = 1000, channels: int = 3, *, small: bool = False, groups: int = 1) -> AlexNet:
    """Return the AlexNet of 2014, which torchvision has: 61,100,840 parameters for a thousand classes.

    For images of 224 or 227 pixels a side.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: return `alexnet_small` instead, for 32 pixels a side.
        groups: 2 cuts the second, fourth and fifth convolution in two halves that do not see each other.
    """
    if small:
        return alexnet_small(classes, channels, groups=groups)
    features = nn.Sequential(
        nn.Conv2d(channels, 64, 11, stride=4, padding=2),  # (N, 64, 55, 55); 56 of an image of 227
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),  # (N, 64, 27, 27): windows overlap by one
        nn.Conv2d(64, 192, 5, padding=2, groups=groups),  # (N, 192, 27, 27)
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),  # (N, 192, 13, 13)
        nn.Conv2d(192, 384, 3, padding=1),  # (N, 384, 13, 13)
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=groups),  # (N, 256, 13, 13)
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1, groups=groups),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),  # (N, 256, 6, 6)
    )
    return AlexNet(features, 6, _classifier(256 * 6 * 6, 4096, classes))


def alexnet_2012(classes: int = 1000, channels: int = 3, *, groups: int = 2) -> AlexNet:
    """Return AlexNet as published, for images of 227 pixels a side, with its weights drawn as there.

    The paper says 224 pixels, which does not fit a kernel of 11 at stride 4 without padding.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        groups: 2 as on its two GPUs, 60,965,224 parameters for a thousand classes; 1 has 62,378,344.
    """
    features = nn.Sequential(
        nn.Conv2d(channels, 96, 11, stride=4),  # (N, 96, 55, 55)
        nn.ReLU(),
        _response_norm(),
        nn.MaxPool2d(3, stride=2),  # (N, 96, 27, 27)
        nn.Conv2d(96, 256, 5, padding=2, groups=groups),  # (N, 256, 27, 27)
        nn.ReLU(),
        _response_norm(),
        nn.MaxPool2d(3, stride=2),  # (N, 256, 13, 13)
        nn.Conv2d(256, 384, 3, padding=1),  # (N, 384, 13, 13): here both halves meet
        nn.ReLU(),
        nn.Conv2d(384, 384, 3, padding=1, groups=groups),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1, groups=groups),  # (N, 256, 13, 13)
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),  # (N, 256, 6, 6)
    )
    classifier = nn.Sequential(
        nn.Linear(256 * 6 * 6, 4096),
        nn.ReLU(),
        # dropout of what the hidden layers return, as the paper has it; torchvision drops what they are given
        nn.Dropout(0.5),
        nn.Linear(4096, 4096),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(4096, classes),
    )
    network = AlexNet(features, 6, classifier)
    _initialise_2012(network)
    return network


def alexnet_small(classes: int = 10, channels: int = 3, *, groups: int = 1) -> AlexNet:
    """Return AlexNet for images of about 32 pixels a side, with batch norm, which the paper's did not have.

    The five convolutions of `alexnet`, all 3 x 3 at stride 1, and its overlapping pooling, padded by one so that
    each halves the side; batch norm, in place of the dropout before the linear layers, lets it learn in few epochs.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        groups: as in `alexnet`.
    """
    features = nn.Sequential(
        *_conv_norm_relu(channels, 64),
        nn.MaxPool2d(3, stride=2, padding=1),  # (N, 64, 16, 16)
        *_conv_norm_relu(64, 192, groups),
        nn.MaxPool2d(3, stride=2, padding=1),  # (N, 192, 8, 8)
        *_conv_norm_relu(192, 384),
        *_conv_norm_relu(384, 256, groups),
        *_conv_norm_relu(256, 256, groups),
        nn.MaxPool2d(3, stride=2, padding=1),  # (N, 256, 4, 4)
    )
    classifier = nn.Sequential(
        # a quarter of the width: with 4096 these layers would hold 34 million weights
        nn.Linear(256 * 4 * 4, 1024),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(1024, 1024),
        nn.ReLU(),
        nn.Linear(1024, classes),
    )
    network = AlexNet(features, 4, classifier)
    initialise.he(network)
    return network


def _classifier(inputs: int, hidden: int, classes: int) -> nn.Sequential:
    """Return the three linear layers that hold some 95 % of the weights, with dropout before the first two."""
    return nn.Sequential(
        nn.Dropout(0.5),
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(hidden, hidden),
        nn.ReLU(),
        nn.Linear(hidden, classes),
    )


def _response_norm() -> nn.LocalResponseNorm:
    """Return the paper's normalisation by five neighbouring channels: x / (2 + 1e-4 * sum of squares)^0.75."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2)  # torch divides alpha by the five channels


def _conv_norm_relu(inputs: int, filters: int, groups: int = 1) -> tuple[nn.Module, ...]:
    """Return a 3 x 3 convolution that keeps the side, batch norm and ReLU."""
    conv = nn.Conv2d(inputs, filters, 3, padding=1, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(filters), nn.ReLU()


def _initialise_2012(network: AlexNet) -> None:
    """Draw weights with deviation 0.01; biases are 1 where the paper wants ReLUs to start active, else 0."""
    layers = [layer for layer in network.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    active = {1, 3, 4, 5, 6}  # the second, fourth and fifth convolution, and the hidden linear layers
    for number, layer in enumerate(layers):
        nn.init.normal_(layer.weight, 0, 0.01)
        if layer.bias is not None:
            nn.init.constant_(layer.bias, float(number in active))
