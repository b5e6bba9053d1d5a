"""GoogLeNet's parts in the functional style, right or with the slips of students. Import it only where torch is there."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

Slips = tuple[str, ...]
# ones, reduce3, threes, reduce5, fives, pooled; a "pool" before it where the maps shrink
BLOCKS: dict[str, tuple[int, ...]] = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class Unit(nn.Module):
    """A square convolution at its own size, batch norm and ReLU; without the norm it has a bias."""

    def __init__(
        self, channels: int, filters: int, kernel: int, stride: int = 1, norm: bool = True, bend: bool = True
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(filters, channels, kernel, kernel))
        self.bias = None if norm else nn.Parameter(torch.zeros(filters))
        self.norm = nn.BatchNorm2d(filters) if norm else None
        self.stride, self.around, self.bend = stride, kernel // 2, bend

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, filters, H/stride, W/stride)."""
        y = F.conv2d(x, self.weight, self.bias, self.stride, self.around)
        if self.norm is not None:
            y = self.norm(y)
        return torch.clamp(y, min=0) if self.bend else y


class Inception(nn.Module):
    """The module of four branches; `slips` says what is wrong with it."""

    def __init__(
        self,
        channels: int,
        ones: int,
        reduce3: int,
        threes: int,
        reduce5: int,
        fives: int,
        pooled: int,
        slips: Slips = (),
    ) -> None:
        super().__init__()
        self.slips = slips
        norm = "norm" not in slips
        bare = {"norm": norm and "bare" not in slips, "bend": not {"relu", "bare"} & set(slips)}
        whole = "reduction" in slips  # both large convolutions on all channels
        self.reduce3 = None if whole else Unit(channels, reduce3, 1, **bare)
        self.reduce5 = None if whole else Unit(channels, reduce5, 1, **bare)
        self.three = Unit(channels if whole else reduce3, threes, 3, norm=norm)
        self.five = Unit(channels if whole else reduce5, fives, 3 if "kernel" in slips else 5, norm=norm)
        self.one = Unit(channels, ones, 1, norm=norm)
        self.last = None if "projection" in slips else Unit(channels, pooled, 1, norm=norm)
        if "padding" in slips:
            self.three.around = self.five.around = 0
        ends = {"one": self.one, "three": self.three, "five": self.five, "last": self.last}
        for name, unit in ends.items():
            if unit is not None and f"open {name}" in slips:
                unit.bend = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, ones + threes + fives + pooled, H, W)."""
        small = x if self.reduce5 is None else self.reduce5(x)
        five = self.five(small)
        three = self.three(x if self.reduce3 is None else self.reduce3(x))
        parts = [self.one(x), three, five, self._pooled(x)]
        if "pooled first" in self.slips:
            parts = [parts[3], *parts[:3]]
        if "fives first" in self.slips:
            parts = [parts[0], parts[2], parts[1], parts[3]]
        axis = 0 if "batch" in self.slips else 2 if "rows" in self.slips else 1
        return torch.cat(parts, axis)

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        if "pooled last" in self.slips and self.last is not None:
            return self._largest(self.last(x))
        pooled = self._largest(x)
        return pooled if self.last is None else self.last(pooled)

    def _largest(self, x: torch.Tensor) -> torch.Tensor:
        if "average" in self.slips:
            return F.avg_pool2d(x, 3, 1, 1)
        return F.max_pool2d(x, 3, 1, 1)


class AuxiliaryHead(nn.Module):
    """A classifier on maps from halfway."""

    def __init__(self, channels: int, classes: int, reduced: int = 128, hidden: int = 1024, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        self.side = 1 if "global" in slips else 4
        self.unit = Unit(channels, reduced, 1)
        self.first = nn.Linear(reduced * self.side**2, hidden)
        self.second = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, classes)."""
        x = self._pooled(self.unit(x)) if "pooled last" in self.slips else self.unit(self._pooled(x))
        x = self.first(x.reshape(len(x), -1))
        if "relu" not in self.slips:
            x = torch.clamp(x, min=0)
        if "dropout" not in self.slips:
            x = F.dropout(x, 0.3 if "kept" in self.slips else 0.7, self.training or "always" in self.slips)
        x = self.second(x)
        return torch.softmax(x, dim=1) if "softmax" in self.slips else x

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        if "published" in self.slips:
            return F.avg_pool2d(x, 5, 3)
        pool = F.adaptive_max_pool2d if "largest" in self.slips else F.adaptive_avg_pool2d
        return pool(x, self.side)


class GoogLeNet(nn.Module):
    """The whole network, its nine modules in one list."""

    def __init__(self, classes: int = 1000, aux: bool = True, width: int = 64, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips

        def thin(filters: int) -> int:
            return filters * width // 64

        stem: list[nn.Module] = [Unit(3, thin(64), 7, stride=2)]
        if "stem" not in slips:
            stem.append(Unit(thin(64), thin(64), 1))
        stem.append(Unit(thin(64), thin(192), 3))
        self.stem = nn.ModuleList(stem)
        self.modules_in_order = nn.ModuleList()
        made = {}
        channels = thin(192)
        for name, filters in BLOCKS.items():
            self.modules_in_order.append(_inception(channels, [thin(n) for n in filters]))
            channels = made[name] = sum(thin(filters[i]) for i in (0, 2, 4, 5))
        self.heads = ("4b", "4e") if "late heads" in slips else ("4a", "4d")
        of_head = (128, 1024) if "wide heads" in slips else (thin(128), thin(1024))
        self.aux = nn.ModuleList(AuxiliaryHead(made[name], classes, *of_head) for name in self.heads) if aux else None
        self.scores = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> Any:
        """Return scores (N, classes), in training with heads (scores, aux1, aux2)."""
        x = self._shrink(self.stem[0](x))
        for unit in list(self.stem)[1:]:
            x = unit(x)
        x = self._shrink(x)
        seen = {}
        for name, block in zip(BLOCKS, self.modules_in_order, strict=True):
            if name == "4a" or (name == "5a" and "last pooling" not in self.slips):
                x = self._shrink(x)
            x = seen[name] = block(x)
        x = x.amax((2, 3)) if "largest" in self.slips else x.mean((2, 3))
        if "dropout" not in self.slips:
            share = 0.6 if "kept" in self.slips else 0.5 if "default" in self.slips else 0.4
            x = F.dropout(x, share, self.training or "always" in self.slips)
        scores = self.scores(x)
        if "softmax" in self.slips:
            scores = scores.softmax(1)
        if self.aux is None and self.training and "tuple" in self.slips:
            return (scores,)
        if self.aux is None or "no heads" in self.slips:
            return scores
        if not self.training and "always heads" not in self.slips:
            return scores
        sides = [head(seen[name]) for head, name in zip(self.aux, self.heads, strict=True)]
        if "heads swapped" in self.slips:
            sides.reverse()
        return (scores, *sides)

    def _shrink(self, x: torch.Tensor) -> torch.Tensor:
        if "average" in self.slips:
            return F.avg_pool2d(x, 3, 2, 1)
        return F.max_pool2d(x, 3, 2, 0 if "bare pooling" in self.slips else 1)


def _inception(channels: int, filters: list[int]) -> Inception:
    ones, reduce3, threes, reduce5, fives, pooled = filters
    return Inception(channels, ones, reduce3, threes, reduce5, fives, pooled)
