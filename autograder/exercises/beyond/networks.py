"""The blocks after ResNet, written once more: references, and with `slips` the Mistakes.

It imports torch, so nothing imports it before a reference is asked.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as f

Slips = tuple[str, ...]


class WideBlock(nn.Module):
    """A pre-activation block of two 3 x 3 convolutions."""

    def __init__(self, channels: int, filters: int, stride: int = 1, dropout: float = 0.0, slips: Slips = ()) -> None:
        super().__init__()
        self.slips, self.drop = slips, dropout
        first, second = (1, stride) if "stride" in slips else (stride, 1)
        post, bias = "post" in slips, "bias" in slips
        self.norms = nn.ModuleList([nn.BatchNorm2d(filters if post else channels), nn.BatchNorm2d(filters)])
        self.wide = nn.ModuleList(
            [nn.Conv2d(channels, filters, 3, first, 1, bias=bias), nn.Conv2d(filters, filters, 3, second, 1, bias=bias)]
        )
        self.point: nn.Module | None = None
        changes = (channels != filters and "strided" not in slips) or (stride != 1 and "channels" not in slips)
        if (changes or "always" in slips) and "projection" not in slips:
            self.point = nn.Conv2d(channels, filters, 1, stride, bias=bias)
            if "norm" in slips:
                self.point = nn.Sequential(self.point, nn.BatchNorm2d(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips = self.slips
        if "post" in slips:
            y = f.relu(self.norms[0](self.wide[0](x)))
            y = self.norms[1](self.wide[1](f.dropout(y, self.drop, self.training)))
            return f.relu(y + (x if self.point is None else self.point(x)))
        ready = f.relu(self.norms[0](x))
        y = self._dropped(ready, "before") if "before" in slips else ready
        y = self.wide[0](y)
        y = self.norms[1](self._dropped(y, "early"))
        y = f.relu(y)
        if not {"before", "early", "last", "no dropout"} & set(slips):
            y = (f.dropout2d if "maps" in slips else f.dropout)(y, self.drop, self.training)
        y = self._dropped(self.wide[1](y), "last")
        if self.point is None:
            other = ready if "identity" in slips else x
        else:
            other = self.point(x if "raw" in slips else ready)
        return f.relu(y + other) if "relu" in slips else y + other

    def _dropped(self, x: torch.Tensor, slip: str) -> torch.Tensor:
        return f.dropout(x, self.drop, self.training) if slip in self.slips else x


class ResNeXtBlock(nn.Module):
    """A bottleneck whose 3 x 3 convolution has groups."""

    def __init__(
        self, channels: int, filters: int, groups: int = 32, width: int = 4, stride: int = 1, slips: Slips = ()
    ) -> None:
        super().__init__()
        self.slips = slips
        inner = width if "total" in slips else groups * width
        middle = 1 if "groups" in slips else width if "exchanged" in slips else groups
        outer = groups if "everywhere" in slips else 1
        steps = (stride, 1) if "early" in slips else (1, stride)
        bias = "bias" in slips
        self.narrow = nn.Conv2d(channels, inner, 1, steps[0], groups=outer, bias=bias)
        self.split = nn.Conv2d(inner, inner, 3, steps[1], 1, groups=middle, bias=bias)
        self.widen = nn.Conv2d(inner, filters, 1, groups=outer, bias=bias)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in (inner, inner, filters))
        self.project: nn.Module = nn.Identity()
        changes = (channels != filters and "strided" not in slips) or (stride != 1 and "channels" not in slips)
        if (changes or "always" in slips) and "projection" not in slips:
            point = nn.Conv2d(channels, filters, 1, stride, bias=bias)
            self.project = point if "bare" in slips else nn.Sequential(point, nn.BatchNorm2d(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = f.relu(self.norms[0](self.narrow(x)))
        y = self.norms[1](self.split(y))
        y = self.norms[2](self.widen(y if "straight" in self.slips else f.relu(y)))
        if "relu" in self.slips:
            return f.relu(y) + self.project(x)
        y = y + self.project(x)
        return y if "open" in self.slips else f.relu(y)


class DenseLayer(nn.Module):
    """New maps behind those that came in."""

    def __init__(self, channels: int, growth: int, bottleneck: int = 4, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        hidden = 4 * growth if "fixed" in slips else bottleneck * growth
        hidden = bottleneck * channels if "of channels" in slips else hidden
        post, bias = "post" in slips, "bias" in slips
        if "direct" in slips:
            self.steps = nn.ModuleList([nn.Conv2d(channels, growth, 3, padding=1, bias=False)])
            self.norms = nn.ModuleList([nn.BatchNorm2d(channels)])
            return
        self.steps = nn.ModuleList(
            [nn.Conv2d(channels, hidden, 1, bias=bias), nn.Conv2d(hidden, growth, 3, padding=1, bias=bias)]
        )
        counts = (hidden, growth) if post else (channels, hidden)
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in counts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips, y, kept = self.slips, x, x
        for norm, conv in zip(self.norms, self.steps, strict=True):
            y = f.relu(norm(conv(y))) if "post" in slips else conv(f.relu(norm(y)))
        if "activated" in slips:
            kept = f.relu(self.norms[0](x))
        if "new only" in slips:
            return y
        if "added" in slips:
            return x + y
        both = (y, kept) if "order" in slips else (kept, y)
        return torch.cat(both, 0 if "axis" in slips else 1)


class Fire(nn.Module):
    """A squeeze, then two expansions side by side."""

    def __init__(self, channels: int, squeeze: int, expand1: int, expand3: int, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        bias = "no bias" not in slips
        one, three = (expand3, expand1) if "exchanged" in slips else (expand1, expand3)
        source = channels if "unsqueezed" in slips else squeeze
        self.large = nn.Conv2d(source, three, 3, padding=0 if "padding" in slips else 1, bias=bias)
        self.small = nn.Conv2d(channels if "past" in slips else source, one, 1, bias=bias)
        self.tight = nn.Conv2d(channels, squeeze, 1, bias=bias)
        counts = (squeeze, one, three) if "norm" in slips else ()
        self.norms = nn.ModuleList(nn.BatchNorm2d(count) for count in counts)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips = self.slips
        y = x if "unsqueezed" in slips else self._bent(self.tight(x), 0, "straight")
        small = self._bent(self.small(x if "past" in slips else y), 1, "open")
        large = self._bent(self.large(y), 2, "open")
        if "added" in slips:
            return small + large
        both = (large, small) if "order" in slips else (small, large)
        return torch.cat(both, 0 if "axis" in slips else 1)

    def _bent(self, x: torch.Tensor, number: int, slip: str) -> torch.Tensor:
        x = self.norms[number](x) if self.norms else x
        return x if slip in self.slips else f.relu(x)


class SqueezeExcite(nn.Module):
    """Channels weighed by what all channels' means say."""

    def __init__(self, channels: int, reduction: int = 16, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        hidden = max(1, channels // reduction)
        if "reduction" in slips:
            hidden = max(1, channels // 16)
        if "hidden" in slips:
            hidden = reduction
        if "rounded up" in slips:
            hidden = -(-channels // reduction)
        if "none left" in slips:
            hidden = channels // reduction
        bias, points = "bias" not in slips, "points" in slips
        sizes = (
            ((hidden, channels, 1, 1), (channels, hidden, 1, 1)) if points else ((hidden, channels), (channels, hidden))
        )
        self.inward, self.outward = (nn.Parameter(torch.zeros(size)) for size in sizes)
        self.bias1, self.bias2 = (nn.Parameter(torch.zeros(n)) if bias else None for n in (hidden, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips, (n, c, h, w) = self.slips, x.shape
        means = x.reshape(n, c, h * w).sum(2) / (1 if "sum" in slips else h * w)
        if "batch" in slips:
            means = means.mean(0, keepdim=True)
        if "largest" in slips:
            means = x.reshape(n, c, h * w).max(2).values
        hidden = f.linear(means, self.inward.flatten(1), self.bias1)
        hidden = hidden if "straight" in slips else hidden.clamp(min=0)
        z = f.linear(hidden, self.outward.flatten(1), self.bias2)[:, :, None, None]
        if "open" in slips:
            weights = z
        elif "relu" in slips:
            weights = z.clamp(min=0)
        elif "softmax" in slips:
            weights = z.softmax(1)
        else:
            weights = 1 / (1 + torch.exp(-z))
        if "weights" in slips:
            return weights
        return x + weights if "added" in slips else x * weights


class SeparableBlock(nn.Module):
    """A depthwise and a pointwise convolution, each with batch norm and ReLU."""

    def __init__(self, channels: int, filters: int, stride: int = 1, slips: Slips = ()) -> None:
        super().__init__()
        self.slips = slips
        first = "pointwise first" in slips
        bias = "bias" in slips
        inner = filters if first or "straight to filters" in slips else channels
        late = "late" in slips
        self.each = nn.Conv2d(
            filters if first else channels,
            inner,
            3,
            1 if late else stride,
            0 if "padding" in slips else 1,
            groups=1 if "full" in slips else filters if first else channels,
            bias=bias,
        )
        self.mix = nn.Conv2d(channels if first else inner, filters, 1, stride if late else 1, bias=bias)
        self.norms = nn.ModuleList([nn.BatchNorm2d(inner), nn.BatchNorm2d(filters)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slips = self.slips
        if "pointwise first" in slips:
            y = f.relu(self.norms[1](self.mix(x)))
            return f.relu(self.norms[0](self.each(y)))
        y = self.each(x)
        if "bare" not in slips:
            y = self.norms[0](y)
        y = self.norms[1](self.mix(y if "straight" in slips else f.relu(y)))
        if "open" in slips:
            return y
        y = f.relu(y)
        return y + x if "shortcut" in slips and y.shape == x.shape else y
