"""The blocks after ResNet, written once more: references, and with `slip` the Mistakes.

It imports torch, so nothing imports it before a reference is asked.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as f


def projects(channels: int, filters: int, stride: int, slip: str) -> bool:
    """Say whether the shortcut of a residual block needs a 1 x 1 convolution."""
    widens = channels != filters and slip != "projection for a stride only"
    strides = stride != 1 and slip != "projection for channels only"
    return (widens or strides or slip == "projection always") and slip != "no projection"


class WideBlock(nn.Module):
    """A pre-activation block of two 3 x 3 convolutions."""

    def __init__(self, channels: int, filters: int, stride: int = 1, dropout: float = 0.0, slip: str = "") -> None:
        super().__init__()
        self.slip, self.drop = slip, dropout
        first, second = (1, stride) if slip == "stride in the second convolution" else (stride, 1)
        post, bias = slip == "order of ResNet", slip == "biases"
        self.norms = nn.ModuleList([nn.BatchNorm2d(filters if post else channels), nn.BatchNorm2d(filters)])
        self.wide = nn.ModuleList(
            [nn.Conv2d(channels, filters, 3, first, 1, bias=bias), nn.Conv2d(filters, filters, 3, second, 1, bias=bias)]
        )
        self.point: nn.Module | None = None
        if projects(channels, filters, stride, slip):
            self.point = nn.Conv2d(channels, filters, 1, stride, bias=bias)
            if slip == "norm on the projection":
                self.point = nn.Sequential(self.point, nn.BatchNorm2d(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip = self.slip
        if slip == "order of ResNet":
            y = f.relu(self.norms[0](self.wide[0](x)))
            y = self.norms[1](self.wide[1](f.dropout(y, self.drop, self.training)))
            return f.relu(y + (x if self.point is None else self.point(x)))
        ready = f.relu(self.norms[0](x))
        y = self.wide[0](self._dropped(ready, "dropout before the first convolution"))
        y = f.relu(self.norms[1](self._dropped(y, "dropout before the second norm")))
        if not slip.startswith("dropout"):  # those put it elsewhere
            y = (f.dropout2d if slip == "whole maps dropped" else f.dropout)(y, self.drop, self.training)
        y = self._dropped(self.wide[1](y), "dropout at the end")
        if self.point is None:
            other = ready if slip == "activated shortcut" else x
        else:
            other = self.point(x if slip == "projection of the raw input" else ready)
        return f.relu(y + other) if slip == "ReLU after the addition" else y + other

    def _dropped(self, x: torch.Tensor, slip: str) -> torch.Tensor:
        return f.dropout(x, self.drop, self.training) if slip == self.slip else x


class ResNeXtBlock(nn.Module):
    """A bottleneck whose 3 x 3 convolution has groups."""

    def __init__(
        self, channels: int, filters: int, groups: int = 32, width: int = 4, stride: int = 1, slip: str = ""
    ) -> None:
        super().__init__()
        self.slip = slip
        inner = width if slip == "width of all groups" else groups * width
        middle = 1 if slip == "groups ignored" else width if slip == "groups and width exchanged" else groups
        outer = groups if slip == "groups in every convolution" else 1
        steps = (stride, 1) if slip == "stride in the first 1 x 1" else (1, stride)
        bias = slip == "biases"
        self.narrow = nn.Conv2d(channels, inner, 1, steps[0], groups=outer, bias=bias)
        self.split = nn.Conv2d(inner, inner, 3, steps[1], 1, groups=middle, bias=bias)
        self.widen = nn.Conv2d(inner, filters, 1, groups=outer, bias=bias)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in (inner, inner, filters))
        self.project: nn.Module = nn.Identity()
        if projects(channels, filters, stride, slip):
            point = nn.Conv2d(channels, filters, 1, stride, bias=bias)
            self.project = point if slip == "projection without norm" else nn.Sequential(point, nn.BatchNorm2d(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = f.relu(self.norms[0](self.narrow(x)))
        y = self.norms[1](self.split(y))
        y = self.norms[2](self.widen(y if self.slip == "ReLU missing after the 3 x 3" else f.relu(y)))
        if self.slip == "ReLU before the addition":
            return f.relu(y) + self.project(x)
        y = y + self.project(x)
        return y if self.slip == "ReLU missing at the end" else f.relu(y)


class DenseLayer(nn.Module):
    """New maps behind those that came in."""

    def __init__(self, channels: int, growth: int, bottleneck: int = 4, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        hidden = 4 * growth if slip == "bottleneck ignored" else bottleneck * growth
        hidden = bottleneck * channels if slip == "bottleneck of the channels" else hidden
        post, bias = slip == "convolution first", slip == "biases"
        if slip == "no bottleneck":
            self.steps = nn.ModuleList([nn.Conv2d(channels, growth, 3, padding=1, bias=False)])
            self.norms = nn.ModuleList([nn.BatchNorm2d(channels)])
            return
        self.steps = nn.ModuleList(
            [nn.Conv2d(channels, hidden, 1, bias=bias), nn.Conv2d(hidden, growth, 3, padding=1, bias=bias)]
        )
        counts = (hidden, growth) if post else (channels, hidden)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in counts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip, y, kept = self.slip, x, x
        for norm, conv in zip(self.norms, self.steps, strict=True):
            y = f.relu(norm(conv(y))) if slip == "convolution first" else conv(f.relu(norm(y)))
        if slip == "activated input kept":
            kept = f.relu(self.norms[0](x))
        if slip == "new maps only":
            return y
        if slip == "added":
            return x + y
        both = (y, kept) if slip == "new maps first" else (kept, y)
        return torch.cat(both, 0 if slip == "wrong axis" else 1)


class Fire(nn.Module):
    """A squeeze, then two expansions side by side."""

    def __init__(self, channels: int, squeeze: int, expand1: int, expand3: int, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        bias = slip != "no biases"
        one, three = (expand3, expand1) if slip == "branches exchanged" else (expand1, expand3)
        source = channels if slip == "branches read the input" else squeeze
        self.large = nn.Conv2d(source, three, 3, padding=0 if slip == "padding missing" else 1, bias=bias)
        self.small = nn.Conv2d(channels if slip == "1 x 1 reads the input" else source, one, 1, bias=bias)
        self.tight = nn.Conv2d(channels, squeeze, 1, bias=bias)
        counts = (squeeze, one, three) if slip == "batch norm" else ()
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in counts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip = self.slip
        y = x if slip == "branches read the input" else self._bent(self.tight(x), 0, "squeeze not bent")
        small = self._bent(self.small(x if slip == "1 x 1 reads the input" else y), 1, "branches not bent")
        large = self._bent(self.large(y), 2, "branches not bent")
        if slip == "added":
            return small + large
        both = (large, small) if slip == "3 x 3 first" else (small, large)
        return torch.cat(both, 0 if slip == "wrong axis" else 1)

    def _bent(self, x: torch.Tensor, number: int, slip: str) -> torch.Tensor:
        x = self.norms[number](x) if self.norms else x
        return x if slip == self.slip else f.relu(x)


class SqueezeExcite(nn.Module):
    """Channels weighed by what all channels' means say."""

    def __init__(self, channels: int, reduction: int = 16, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        hidden = max(1, channels // reduction)
        if slip == "reduction ignored":
            hidden = max(1, channels // 16)
        if slip == "reduction as the hidden size":
            hidden = reduction
        if slip == "rounded up":
            hidden = -(-channels // reduction)
        if slip == "nothing left":
            hidden = channels // reduction
        bias, points = slip != "biases missing", slip == "1 x 1 convolutions"
        sizes = (
            ((hidden, channels, 1, 1), (channels, hidden, 1, 1)) if points else ((hidden, channels), (channels, hidden))
        )
        self.inward, self.outward = (nn.Parameter(torch.zeros(size)) for size in sizes)
        self.bias1, self.bias2 = (nn.Parameter(torch.zeros(n)) if bias else None for n in (hidden, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip, (n, c, h, w) = self.slip, x.shape
        means = x.reshape(n, c, h * w).sum(2) / (1 if slip == "sum in place of the mean" else h * w)
        if slip == "mean over the batch too":
            means = means.mean(0, keepdim=True)
        if slip == "largest in place of the mean":
            means = x.reshape(n, c, h * w).max(2).values
        hidden = f.linear(means, self.inward.flatten(1), self.bias1)
        hidden = hidden if slip == "ReLU missing between" else hidden.clamp(min=0)
        z = f.linear(hidden, self.outward.flatten(1), self.bias2)[:, :, None, None]
        if slip == "no sigmoid":
            weights = z
        elif slip == "ReLU in place of the sigmoid":
            weights = z.clamp(min=0)
        elif slip == "softmax in place of the sigmoid":
            weights = z.softmax(1)
        else:
            weights = 1 / (1 + torch.exp(-z))
        if slip == "weights returned":
            return weights
        return x + weights if slip == "added" else x * weights


class SeparableBlock(nn.Module):
    """A depthwise and a pointwise convolution, each with batch norm and ReLU."""

    def __init__(self, channels: int, filters: int, stride: int = 1, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        first = slip == "1 x 1 first"
        bias = slip == "biases"
        inner = filters if first or slip == "depthwise straight to filters" else channels
        late = slip == "stride in the 1 x 1"
        self.each = nn.Conv2d(
            filters if first else channels,
            inner,
            3,
            1 if late else stride,
            0 if slip == "padding missing" else 1,
            groups=1 if slip == "depthwise without groups" else filters if first else channels,
            bias=bias,
        )
        self.mix = nn.Conv2d(channels if first else inner, filters, 1, stride if late else 1, bias=bias)
        self.norms = nn.ModuleList([nn.BatchNorm2d(inner), nn.BatchNorm2d(filters)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slip = self.slip
        if slip == "1 x 1 first":
            y = f.relu(self.norms[1](self.mix(x)))
            return f.relu(self.norms[0](self.each(y)))
        y = self.each(x)
        if slip != "norm missing between":
            y = self.norms[0](y)
        y = self.norms[1](self.mix(y if slip == "ReLU missing between" else f.relu(y)))
        if slip == "ReLU missing at the end":
            return y
        y = f.relu(y)
        return y + x if slip == "shortcut added" and y.shape == x.shape else y
