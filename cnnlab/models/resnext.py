"""ResNeXt: bottlenecks whose 3 x 3 convolution is cut into groups.

Source: Xie, Girshick, Dollár, Tu and He, Aggregated residual transformations for deep neural networks, 2016, arXiv
1611.05431.
"""

from __future__ import annotations

from cnnlab.models.resnet import DEPTHS, Bottleneck, ResNet


def resnext50_32x4d(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNeXt-50, 32 groups of 4 filters: 25,028,904 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[50], classes, channels, groups=32, group_width=4, small=small)


def resnext101_32x8d(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNeXt-101, 32 groups of 8 filters: 88,791,336 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[101], classes, channels, groups=32, group_width=8, small=small)


def resnext101_64x4d(classes: int = 1000, channels: int = 3, *, small: bool = False) -> ResNet:
    """Return ResNeXt-101, 64 groups of 4 filters: 83,455,272 parameters for a thousand classes.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        small: for images of about 32 pixels a side, which keep their size at first.
    """
    return ResNet(Bottleneck, DEPTHS[101], classes, channels, groups=64, group_width=4, small=small)


def resnext29(classes: int = 10, channels: int = 3, *, groups: int = 8, group_width: int = 64) -> ResNet:
    """Return the CIFAR ResNeXt-29, three stages of three bottlenecks; 8 groups of 64 have 34,426,698 parameters.

    Args:
        classes: the number of scores for each image.
        channels: of the images: 3 for colour, 1 for grey.
        groups: of each 3 x 3 convolution.
        group_width: filters of each group in the first stage.
    """
    # (N, 256, 32, 32), then (N, 512, 16, 16), then (N, 1024, 8, 8)
    return ResNet(
        Bottleneck, (3, 3, 3), classes, channels, groups=groups, group_width=group_width, small=True
    )
