"""Reference networks of lesson 11, written apart from the solution and from `cnnlab.models`; `slips` names what goes wrong.

It imports torch: name what is in it with `autograder.exercises.common.lazy_import`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as f

Slips = tuple[str, ...]
Plan = Sequence[tuple[int, int, int]]  # (kernel, filters, stride) of each convolution


class Unit(nn.Module):
    """A convolution that keeps the size at stride 1, batch normalisation, and ReLU where `relu`."""

    def __init__(
        self, channels: int, filters: int, kernel: int, stride: int, relu: bool, norm: bool, bias: bool
    ) -> None:
        super().__init__()
        self.relu = relu
        self.convolve = nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=bias)
        self.normalise = nn.BatchNorm2d(filters) if norm else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.normalise(self.convolve(x))
        return x.clamp(min=0) if self.relu else x


class Padded(nn.Module):
    """Every stride-th pixel, and channels of zeros behind those that there are."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        self.missing, self.stride = filters - channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        zeros = x.new_zeros(len(x), self.missing, *x.shape[2:])
        return torch.cat([x, zeros], dim=1)


class Residual(nn.Module):
    """Units, as planned, whose result is added to the input.

    slips: "no addition", "relu before" the addition in place of after, "relu twice", "no last relu", "no inner relu",
    "shortcut late" (from after the first unit), "no norm", "bias", of the projection: "bare projection" (without norm),
    "projection bias", "projection relu", and where the shortcut projects: "never", "stride" or "width" only, "both" (only
    where both change), "always".
    """

    def __init__(self, channels: int, plan: Plan, slips: Slips, padded: bool = False) -> None:
        super().__init__()
        self.slips = slips
        norm, bias = "no norm" not in slips, "bias" in slips
        units, inputs, stride = [], channels, 1
        for number, (kernel, filters, step) in enumerate(plan, 1):
            relu = number < len(plan) and "no inner relu" not in slips
            units.append(Unit(inputs, filters, kernel, step, relu, norm, bias))
            inputs, stride = filters, max(stride, step)
        self.units = nn.ModuleList(units)
        strided, widened = stride != 1, channels != inputs
        both = strided and widened
        wanted = {"never": False, "stride": strided, "width": widened, "both": both, "always": True}
        chosen = [wanted[slip] for slip in slips if slip in wanted]
        differs = (chosen or [strided or widened])[0] and "shortcut late" not in slips
        self.shortcut: nn.Module = nn.Identity()
        if differs and padded:
            self.shortcut = Padded(channels, inputs, stride)
        elif differs and "no addition" not in slips:
            with_norm = norm and "bare projection" not in slips
            with_bias, with_relu = bias or "projection bias" in slips, "projection relu" in slips
            self.shortcut = Unit(channels, inputs, 1, stride, with_relu, with_norm, with_bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips, maps = self.slips, x
        for unit in self.units:
            maps = unit(maps)
            if "shortcut late" in slips and unit is self.units[0]:
                x = maps
        if "relu before" in slips or "relu twice" in slips:
            maps = f.relu(maps)
        if "no addition" not in slips:
            maps = maps + self.shortcut(x)
        return maps if "relu before" in slips or "no last relu" in slips else f.relu(maps)


class BasicBlock(Residual):
    """Two 3 x 3 convolutions around a shortcut; further slips: "stride twice", "stride second"."""

    def __init__(self, channels: int, filters: int, stride: int = 1, slips: Slips = ()) -> None:
        second = stride if {"stride twice", "stride second"} & set(slips) else 1
        first = 1 if "stride second" in slips else stride
        super().__init__(channels, [(3, filters, first), (3, filters, second)], slips)


class Bottleneck(Residual):
    """1 x 1, 3 x 3, 1 x 1 around a shortcut.

    Further slips: "stride first" (on the first 1 x 1), "stride last", "no expansion", "expands channels" (to
    4*channels), "two 3 x 3" (the last is 3 x 3 too).
    """

    def __init__(self, channels: int, reduced: int, stride: int = 1, slips: Slips = ()) -> None:
        filters = reduced if "no expansion" in slips else 4 * reduced
        filters = 4 * channels if "expands channels" in slips else filters
        strides = [1, stride, 1]
        if "stride first" in slips:
            strides = [stride, 1, 1]
        if "stride last" in slips:
            strides = [1, 1, stride]
        kernels = [1, 3, 3 if "two 3 x 3" in slips else 1]
        super().__init__(channels, list(zip(kernels, [reduced, reduced, filters], strides, strict=True)), slips)


class CifarResNet(nn.Module):
    """The network of `make_resnet`.

    slips: "projection", "too many blocks", "stride in stage 1", "no stride", "one width", "no stem relu", "no stem norm",
    "stem pooled", "largest" (global maximum), "softmax", "no bias".
    """

    def __init__(self, depth: int, classes: int = 10, width: int = 16, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        self.stem = Unit(3, width, 3, 1, "no stem relu" not in slips, "no stem norm" not in slips, False)
        count = (depth - 2) // (3 if "too many blocks" in slips else 6)
        self.blocks = nn.ModuleList()
        channels = width
        for stage in range(3):
            filters = width if "one width" in slips else width * 2**stage
            for block in range(count):
                stride = 2 if block == 0 and (stage > 0 or "stride in stage 1" in slips) else 1
                stride = 1 if "no stride" in slips else stride
                plan = [(3, filters, stride), (3, filters, 1)]
                self.blocks.append(Residual(channels, plan, (), padded="projection" not in slips))
                channels = filters
        self.scores = nn.Linear(channels, classes, bias="no bias" not in slips)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        if "stem pooled" in self.slips:
            x = f.max_pool2d(x, 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        scores = self.scores(x.amax((2, 3)) if "largest" in self.slips else x.mean((2, 3)))
        return scores.softmax(1) if "softmax" in self.slips else scores


class ResNet18(nn.Module):
    """ResNet-18 for large images.

    slips: "no pooling", "average pooling", "small pooling" (2 x 2), "small stem" (3 x 3), "stride in stage 1", "no stride",
    "stages of 34", "three stages", "one width", "padded shortcuts", "no stem relu", "softmax".
    """

    def __init__(self, classes: int = 1000, width: int = 64, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        self.stem = Unit(3, width, 3 if "small stem" in slips else 7, 2, "no stem relu" not in slips, True, False)
        depths = [3, 4, 6, 3] if "stages of 34" in slips else [2, 2, 2] if "three stages" in slips else [2] * 4
        self.blocks = nn.ModuleList()
        channels = width
        for stage, depth in enumerate(depths):
            filters = width if "one width" in slips else width * 2**stage
            for block in range(depth):
                stride = 2 if block == 0 and (stage > 0 or "stride in stage 1" in slips) else 1
                stride = 1 if "no stride" in slips else stride
                plan = [(3, filters, stride), (3, filters, 1)]
                self.blocks.append(Residual(channels, plan, (), padded="padded shortcuts" in slips))
                channels = filters
        self.scores = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        if "average pooling" in self.slips:
            x = f.avg_pool2d(x, 3, 2, 1)
        elif "small pooling" in self.slips:
            x = f.max_pool2d(x, 2)
        elif "no pooling" not in self.slips:
            x = f.max_pool2d(x, 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        scores = self.scores(x.mean((2, 3)))
        return scores.softmax(1) if "softmax" in self.slips else scores
