"""GoogLeNet's parts in the functional style, right, or wrong as `slip` names it. Import it only where torch is there."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

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
    """The module of four branches; `slip` names what is wrong with it."""

    def __init__(
        self, channels: int, ones: int, reduce3: int, threes: int, reduce5: int, fives: int, pooled: int, slip: str = ""
    ) -> None:
        super().__init__()
        self.slip = slip
        norm = slip != "no batch norm"
        bend = slip not in {"no ReLU after the reductions", "bare reductions"}
        bare = {"norm": norm and slip != "bare reductions", "bend": bend}
        whole = slip == "reductions left out"  # both large convolutions on all channels
        self.reduce3 = None if whole else Unit(channels, reduce3, 1, **bare)
        self.reduce5 = None if whole else Unit(channels, reduce5, 1, **bare)
        self.three = Unit(channels if whole else reduce3, threes, 3, norm=norm)
        large = 3 if slip == "3 x 3 in the 5 x 5 branch" else 5
        self.five = Unit(channels if whole else reduce5, fives, large, norm=norm)
        self.one = Unit(channels, ones, 1, norm=norm)
        self.last = None if slip == "pooling without its 1 x 1" else Unit(channels, pooled, 1, norm=norm)
        if slip == "sizes do not fit":
            self.three.around = self.five.around = 0
        ends = {"1 x 1": self.one, "3 x 3": self.three, "5 x 5": self.five, "pooling": self.last}
        for name, unit in ends.items():
            if unit is not None and slip == f"no ReLU at the end of the {name} branch":
                unit.bend = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, ones + threes + fives + pooled, H, W)."""
        small = x if self.reduce5 is None else self.reduce5(x)
        five = self.five(small)
        three = self.three(x if self.reduce3 is None else self.reduce3(x))
        parts = [self.one(x), three, five, self._pooled(x)]
        if self.slip == "pooling branch first":
            parts = [parts[3], *parts[:3]]
        if self.slip == "5 x 5 before 3 x 3":
            parts = [parts[0], parts[2], parts[1], parts[3]]
        axis = 0 if self.slip == "joined along the batch" else 2 if self.slip == "joined along the rows" else 1
        return torch.cat(parts, axis)

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        if self.slip == "pooled after the 1 x 1" and self.last is not None:
            return self._largest(self.last(x))
        pooled = self._largest(x)
        return pooled if self.last is None else self.last(pooled)

    def _largest(self, x: torch.Tensor) -> torch.Tensor:
        if self.slip == "average pooling":
            return F.avg_pool2d(x, 3, 1, 1)
        return F.max_pool2d(x, 3, 1, 1)


class AuxiliaryHead(nn.Module):
    """A classifier on maps from halfway."""

    def __init__(self, channels: int, classes: int, reduced: int = 128, hidden: int = 1024, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        self.side = 1 if slip == "pooled to one value" else 4
        self.unit = Unit(channels, reduced, 1)
        self.first = nn.Linear(reduced * self.side**2, hidden)
        self.second = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, classes)."""
        x = self._pooled(self.unit(x)) if self.slip == "pooled after the convolution" else self.unit(self._pooled(x))
        x = self.first(x.reshape(len(x), -1))
        if self.slip != "no ReLU between the linear layers":
            x = torch.clamp(x, min=0)
        if self.slip != "no dropout":
            share = 0.3 if self.slip == "0.7 kept" else 0.7
            x = F.dropout(x, share, self.training or self.slip == "dropout in evaluation too")
        x = self.second(x)
        return torch.softmax(x, dim=1) if self.slip == "softmax at the end" else x

    def _pooled(self, x: torch.Tensor) -> torch.Tensor:
        if self.slip == "pooled as published":
            return F.avg_pool2d(x, 5, 3)
        pool = F.adaptive_max_pool2d if self.slip == "max pooling" else F.adaptive_avg_pool2d
        return pool(x, self.side)


class GoogLeNet(nn.Module):
    """The whole network, its nine modules in one list."""

    def __init__(self, classes: int = 1000, aux: bool = True, width: int = 64, slip: str = "") -> None:
        super().__init__()
        self.slip = slip

        def thin(filters: int) -> int:
            return filters * width // 64

        stem: list[nn.Module] = [Unit(3, thin(64), 7, stride=2)]
        if slip != "no 1 x 1 in the stem":
            stem.append(Unit(thin(64), thin(64), 1))
        stem.append(Unit(thin(64), thin(192), 3))
        self.stem = nn.ModuleList(stem)
        self.modules_in_order = nn.ModuleList()
        made = {}
        channels = thin(192)
        for name, filters in BLOCKS.items():
            self.modules_in_order.append(_inception(channels, [thin(n) for n in filters]))
            channels = made[name] = sum(thin(filters[i]) for i in (0, 2, 4, 5))
        self.heads = ("4b", "4e") if slip == "heads one module late" else ("4a", "4d")
        of_head = (128, 1024) if slip == "heads at full width" else (thin(128), thin(1024))
        self.aux = nn.ModuleList(AuxiliaryHead(made[name], classes, *of_head) for name in self.heads) if aux else None
        self.scores = nn.Linear(channels, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """Return scores (N, classes), in training with heads (scores, aux1, aux2)."""
        x = self._shrink(self.stem[0](x))
        for unit in list(self.stem)[1:]:
            x = unit(x)
        x = self._shrink(x)
        seen = {}
        for name, block in zip(BLOCKS, self.modules_in_order, strict=True):
            if name == "4a" or (name == "5a" and self.slip != "no pooling before 5a"):
                x = self._shrink(x)
            x = seen[name] = block(x)
        x = x.amax((2, 3)) if self.slip == "largest value at the end" else x.mean((2, 3))
        if self.slip != "no dropout":
            share = 0.6 if self.slip == "0.4 kept" else 0.5 if self.slip == "dropout of 0.5" else 0.4
            x = F.dropout(x, share, self.training or self.slip == "dropout in evaluation too")
        scores = self.scores(x)
        if self.slip == "softmax at the end":
            scores = scores.softmax(1)
        if self.aux is None and self.training and self.slip == "a tuple without heads":
            return (scores,)
        if self.aux is None or self.slip == "no heads in training":
            return scores
        if not self.training and self.slip != "heads in evaluation":
            return scores
        sides = [head(seen[name]) for head, name in zip(self.aux, self.heads, strict=True)]
        if self.slip == "heads swapped":
            sides.reverse()
        return (scores, *sides)

    def _shrink(self, x: torch.Tensor) -> torch.Tensor:
        if self.slip == "average pooling between the stages":
            return F.avg_pool2d(x, 3, 2, 1)
        return F.max_pool2d(x, 3, 2, 0 if self.slip == "pooling without padding" else 1)


def _inception(channels: int, filters: list[int]) -> Inception:
    ones, reduce3, threes, reduce5, fives, pooled = filters
    return Inception(channels, ones, reduce3, threes, reduce5, fives, pooled)
