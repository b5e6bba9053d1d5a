"""VGG as the exercises' reference, and with slips. Imports torch: name it with `lazy_import`."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as f

Size = int | tuple[int, int]

# Table 1 of the paper, columns A, B, D and E: filters of each convolution, 0 for a pooling.
TABLE = {
    11: (64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    13: (64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0),
    16: (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0),
    19: (64, 64, 0, 128, 128, 0, *(256,) * 4, 0, *(512,) * 4, 0, *(512,) * 4, 0),
}


class Vgg(nn.Module):
    """Convolutions, poolings and three dense layers by a configuration; `slips` does something else."""

    def __init__(
        self,
        config: list[int | str],
        classes: int = 1000,
        batch_norm: bool = False,
        image: Size = 224,
        hidden: int = 4096,
        channels: int = 3,
        slips: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.config, self.slips = list(config), slips
        self.normed = batch_norm and "norm ignored" not in slips
        side = 0 if "padding" in slips else 1
        bias = not (self.normed and "no bias" in slips)
        filters = [int(entry) for entry in config if entry != "M"]
        if "colour" in slips:
            channels = 3
        inputs = [channels, *filters[:-1]]
        if "channels" in slips:
            inputs = [channels] * len(filters)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(c, n, 3, padding=side, bias=bias) for c, n in zip(inputs, filters, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in filters) if self.normed else None
        height, width = (image, image) if isinstance(image, int) else image
        if "image ignored" in slips:
            height = width = 224
        if "square" in slips:
            width = height
        halvings = 2 ** self.config.count("M")
        places = (height // halvings) * (width // halvings)
        if "fixed grid" in slips or "image ignored" in slips:
            places = 7 * 7
        widths = [filters[-1] * places, hidden, hidden, classes]
        if "one hidden" in slips:
            del widths[2]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        number = 0
        for entry in self.config:
            if entry == "M":
                x = f.avg_pool2d(x, 2) if "average" in self.slips else f.max_pool2d(x, 2, 2)
                continue
            x = self.convolutions[number](x)
            rectified = x if "linear convolutions" in self.slips else x.clamp(min=0)
            if self.norms is None:
                x = rectified
            elif "norm after" in self.slips:
                x = self.norms[number](rectified)
            else:
                x = self.norms[number](x)
                x = x if "linear convolutions" in self.slips else x.clamp(min=0)
            number += 1
        if "fixed grid" in self.slips:
            x = f.adaptive_avg_pool2d(x, 7)
        x = x.flatten(1)
        for layer in list(self.dense)[:-1]:
            x = layer(x)
            x = x if "linear dense" in self.slips else x.clamp(min=0)
            x = x if "no dropout" in self.slips else f.dropout(x, 0.5, self.training)
        x = self.dense[-1](x)
        if "last relu" in self.slips:
            x = x.clamp(min=0)
        return x.softmax(1) if "softmax" in self.slips else x


def deep(
    depth: int,
    classes: int = 1000,
    batch_norm: bool = False,
    image: Size = 224,
    hidden: int = 4096,
    slips: tuple[str, ...] = (),
) -> Vgg:
    """The network of that depth, 11, 13, 16 or 19."""
    config: list[int | str] = [entry or "M" for entry in TABLE[depth]]
    if "reversed" in slips:
        counts = "".join("M" if entry == "M" else "c" for entry in config).rstrip("M").split("M")[::-1]
        config = [e for n, c in zip((64, 128, 256, 512, 512), counts, strict=True) for e in (*[n] * len(c), "M")]
    return Vgg(
        config,
        1000 if "classes" in slips else classes,
        False if "norm" in slips else batch_norm,
        224 if "image" in slips else image,
        4096 if "hidden" in slips else hidden,
    )
