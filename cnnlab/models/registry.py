"""Networks by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from cnnlab.models import (
    alexnet,
    densenet,
    googlenet,
    lenet,
    mobilenet,
    resnet,
    resnet_cifar,
    resnext,
    senet,
    squeezenet,
    vgg,
    wide_resnet,
)

SMALL = 64  # pixels a side up to which a network keeps the image's size at first, where it has a choice

Builder = Callable[..., nn.Module]

# Made for ImageNet, and with `small` for CIFAR-10: the number is the fewest pixels a side of a small image.
EITHER: dict[str, tuple[Builder, int]] = {
    "alexnet": (alexnet.alexnet, 1),
    "densenet121": (densenet.densenet121, 8),
    "densenet161": (densenet.densenet161, 8),
    "densenet169": (densenet.densenet169, 8),
    "densenet201": (densenet.densenet201, 8),
    "googlenet": (googlenet.googlenet, 2),
    "mobilenet_v1": (mobilenet.mobilenet_v1, 1),
    "mobilenet_v2": (mobilenet.mobilenet_v2, 1),
    "resnet18": (resnet.resnet18, 1),
    "resnet34": (resnet.resnet34, 1),
    "resnet50": (resnet.resnet50, 1),
    "resnet101": (resnet.resnet101, 1),
    "resnet152": (resnet.resnet152, 1),
    "resnext50_32x4d": (resnext.resnext50_32x4d, 1),
    "resnext101_32x8d": (resnext.resnext101_32x8d, 1),
    "resnext101_64x4d": (resnext.resnext101_64x4d, 1),
    "se_resnet18": (senet.se_resnet18, 1),
    "se_resnet34": (senet.se_resnet34, 1),
    "se_resnet50": (senet.se_resnet50, 1),
    "se_resnet101": (senet.se_resnet101, 1),
    "se_resnet152": (senet.se_resnet152, 1),
    "squeezenet1_0": (squeezenet.squeezenet1_0, 8),
    "squeezenet1_1": (squeezenet.squeezenet1_1, 8),
    "vgg11": (vgg.vgg11, 32),
    "vgg11_bn": (vgg.vgg11_bn, 32),
    "vgg13": (vgg.vgg13, 32),
    "vgg13_bn": (vgg.vgg13_bn, 32),
    "vgg16": (vgg.vgg16, 32),
    "vgg16_bn": (vgg.vgg16_bn, 32),
    "vgg19": (vgg.vgg19, 32),
    "vgg19_bn": (vgg.vgg19_bn, 32),
    "wide_resnet50_2": (wide_resnet.wide_resnet50_2, 1),
    "wide_resnet101_2": (wide_resnet.wide_resnet101_2, 1),
}

# The same whatever the image's size, again with the fewest pixels a side.
ONE: dict[str, tuple[Builder, int]] = {
    "alexnet_2012": (alexnet.alexnet_2012, 67),
    "densenet_bc_40_12": (partial(densenet.densenet_bc, 40, 12), 4),
    "densenet_bc_100_12": (partial(densenet.densenet_bc, 100, 12), 4),
    "resnext29_8x64d": (partial(resnext.resnext29, groups=8), 1),
    "resnext29_16x64d": (partial(resnext.resnext29, groups=16), 1),
    **{f"resnet{d}": (partial(resnet_cifar.resnet_cifar, d), 1) for d in (20, 32, 44, 56, 110)},
    **{f"plain{d}": (partial(resnet_cifar.plain_cifar, d), 1) for d in (20, 32, 44, 56, 110)},
    **{f"se_resnet{d}": (partial(senet.se_resnet_cifar, d), 1) for d in (20, 32, 44, 56, 110)},
    **{
        f"wrn_{d}_{k}": (partial(wide_resnet.wide_resnet, d, k), 1)
        for d, k in ((16, 4), (16, 8), (28, 10), (40, 1), (40, 2), (40, 4))
    },
}

LENET = "lenet5"


def names() -> list[str]:
    """Return the names that `get` knows, in alphabetical order."""
    return sorted((*EITHER, *ONE, LENET))


def get(name: str, classes: int = 10, image: int = 32, *, channels: int = 3, **options: Any) -> nn.Module:
    """Return a new network that gives scores (N, classes) for images (N, channels, image, image).

    The weights are drawn from torch's generator: call torch.manual_seed before for the same ones.

    Args:
        name: one of `names()`.
        classes: the number of classes.
        image: pixels a side; up to 64, a network that was made for ImageNet begins without shrinking the image.
        channels: channels of the images.
        options: further arguments of the network's own function, such as groups=2, shortcut="B", or small to choose
            otherwise.

    Raises:
        ValueError: for an unknown name, for no classes or channels, and for images that are too small for the network.
    """
    if classes < 1 or channels < 1:
        raise ValueError(f"a network has at least one class and one channel, not {classes} and {channels}")
    if name == LENET:
        return lenet.lenet5(classes, channels, image=image, **options)
    if name not in EITHER and name not in ONE:
        raise ValueError(_unknown(name))
    build, least = EITHER[name] if name in EITHER else ONE[name]
    if image < least:
        raise ValueError(
            f"{name} takes images of at least {least} pixels a side, not {image}: make them larger, or take another network"
        )
    if name in EITHER:
        options = {"small": image <= SMALL, **options}
    return build(classes=classes, channels=channels, **options)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(str(name)[:40].lower(), names(), n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"there is no network {name!r:.42}: {hint}cnnlab.models.names() lists them"
