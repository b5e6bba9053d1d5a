"""Reference networks of lesson 11, written apart from the solution and from `cnnlab.models`; `slip` names what goes wrong.

It imports torch: name what is in it with `autograder.exercises.common.lazy_import`.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as f

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
    """Units, as planned, whose result is added to the input."""

    def __init__(self, channels: int, plan: Plan, slip: str, padded: bool = False) -> None:
        super().__init__()
        self.slip = slip
        norm, bias = slip != "batch norm forgotten", slip == "convolutions with biases"
        units, inputs, stride = [], channels, 1
        for number, (kernel, filters, step) in enumerate(plan, 1):
            relu = number < len(plan) and slip != "no ReLU inside"
            units.append(Unit(inputs, filters, kernel, step, relu, norm, bias))
            inputs, stride = filters, max(stride, step)
        self.units = nn.ModuleList(units)
        strided, widened = stride != 1, channels != inputs
        wanted = {
            "never a projection": False,
            "projection only for a stride": strided,
            "projection only for channels": widened,
            "projection only where both change": strided and widened,
            "always a projection": True,
        }
        differs = wanted.get(slip, strided or widened) and slip != "shortcut from after the ReLU"
        self.shortcut: nn.Module = nn.Identity()
        if differs and padded:
            self.shortcut = Padded(channels, inputs, stride)
        elif differs and slip != "no shortcut":
            with_norm = norm and slip != "projection without batch norm"
            with_bias, with_relu = bias or slip == "projection with a bias", slip == "ReLU on the projection"
            self.shortcut = Unit(channels, inputs, 1, stride, with_relu, with_norm, with_bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip, maps = self.slip, x
        for unit in self.units:
            maps = unit(maps)
            if slip == "shortcut from after the ReLU" and unit is self.units[0]:
                x = maps
        if slip in {"ReLU before the addition", "ReLU before and after"}:
            maps = f.relu(maps)
        if slip != "no shortcut":
            maps = maps + self.shortcut(x)
        return maps if slip in {"ReLU before the addition", "no ReLU after the addition"} else f.relu(maps)


class BasicBlock(Residual):
    """Two 3 x 3 convolutions around a shortcut."""

    def __init__(self, channels: int, filters: int, stride: int = 1, slip: str = "") -> None:
        second = stride if slip in {"stride in both convolutions", "stride on the second convolution"} else 1
        first = 1 if slip == "stride on the second convolution" else stride
        super().__init__(channels, [(3, filters, first), (3, filters, second)], slip)


class Bottleneck(Residual):
    """1 x 1, 3 x 3, 1 x 1 around a shortcut."""

    def __init__(self, channels: int, reduced: int, stride: int = 1, slip: str = "") -> None:
        filters = reduced if slip == "no expansion" else 4 * reduced
        filters = 4 * channels if slip == "expands the input's channels" else filters
        strides = [1, stride, 1]
        if slip == "stride on the first convolution":
            strides = [stride, 1, 1]
        if slip == "stride on the last convolution":
            strides = [1, 1, stride]
        kernels = [1, 3, 3 if slip == "two 3 x 3 convolutions" else 1]
        super().__init__(channels, list(zip(kernels, [reduced, reduced, filters], strides, strict=True)), slip)


class CifarResNet(nn.Module):
    """The network of `make_resnet`."""

    def __init__(self, depth: int, classes: int = 10, width: int = 16, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        self.stem = Unit(
            3,
            width,
            3,
            1,
            slip != "no ReLU after the first convolution",
            slip != "no batch norm after the first convolution",
            False,
        )
        count = (depth - 2) // (3 if slip == "two layers counted as one" else 6)
        self.blocks = nn.ModuleList()
        channels = width
        for stage in range(3):
            filters = width if slip == "one width" else width * 2**stage
            for block in range(count):
                stride = 2 if block == 0 and (stage > 0 or slip == "first stage strided") else 1
                stride = 1 if slip == "never strided" else stride
                plan = [(3, filters, stride), (3, filters, 1)]
                self.blocks.append(Residual(channels, plan, "", padded=slip != "shortcuts that project"))
                channels = filters
        self.scores = nn.Linear(channels, classes, bias=slip != "linear layer without bias")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        if self.slip == "pooling before the stages":
            x = f.max_pool2d(x, 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        scores = self.scores(x.amax((2, 3)) if self.slip == "largest instead of mean" else x.mean((2, 3)))
        return scores.softmax(1) if self.slip == "softmax at the end" else scores


class ResNet18(nn.Module):
    """ResNet-18 for large images."""

    def __init__(self, classes: int = 1000, width: int = 64, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        self.stem = Unit(
            3,
            width,
            3 if slip == "small first convolution" else 7,
            2,
            slip != "no ReLU after the first convolution",
            True,
            False,
        )
        depths = [3, 4, 6, 3] if slip == "blocks of ResNet-34" else [2, 2, 2] if slip == "three stages" else [2] * 4
        self.blocks = nn.ModuleList()
        channels = width
        for stage, depth in enumerate(depths):
            filters = width if slip == "one width" else width * 2**stage
            for block in range(depth):
                stride = 2 if block == 0 and (stage > 0 or slip == "first stage strided") else 1
                stride = 1 if slip == "never strided" else stride
                plan = [(3, filters, stride), (3, filters, 1)]
                self.blocks.append(Residual(channels, plan, "", padded=slip == "padded shortcuts"))
                channels = filters
        self.scores = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        if self.slip == "average pooling":
            x = f.avg_pool2d(x, 3, 2, 1)
        elif self.slip == "pooling of 2 x 2":
            x = f.max_pool2d(x, 2)
        elif self.slip != "no pooling":
            x = f.max_pool2d(x, 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        scores = self.scores(x.mean((2, 3)))
        return scores.softmax(1) if self.slip == "softmax at the end" else scores
