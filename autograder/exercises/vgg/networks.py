"""VGG as the exercises' reference; `slip` names what is wrong. Imports torch: name it with `lazy_import`."""

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
    """Convolutions, poolings and three dense layers by a configuration; `slip` names what is wrong."""

    def __init__(
        self,
        config: list[int | str],
        classes: int = 1000,
        batch_norm: bool = False,
        image: Size = 224,
        hidden: int = 4096,
        channels: int = 3,
        slip: str = "",
    ) -> None:
        super().__init__()
        self.config, self.slip = list(config), slip
        self.normed = batch_norm and slip != "batch norm ignored"
        side = 0 if slip == "padding forgotten" else 1
        bias = not (self.normed and slip == "no bias beside batch norm")
        filters = [int(entry) for entry in config if entry != "M"]
        if slip == "three channels assumed":
            channels = 3
        inputs = [channels, *filters[:-1]]
        if slip == "channels not passed on":
            inputs = [channels] * len(filters)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(c, n, 3, padding=side, bias=bias) for c, n in zip(inputs, filters, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in filters) if self.normed else None
        height, width = (image, image) if isinstance(image, int) else image
        if slip == "image ignored":
            height = width = 224
        if slip == "square image assumed":
            width = height
        halvings = 2 ** self.config.count("M")
        places = (height // halvings) * (width // halvings)
        if slip == "fixed grid" or slip == "image ignored":
            places = 7 * 7
        widths = [filters[-1] * places, hidden, hidden, classes]
        if slip == "one hidden layer":
            del widths[2]
        self.dense = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        number = 0
        for entry in self.config:
            if entry == "M":
                x = f.avg_pool2d(x, 2) if self.slip == "average pooling" else f.max_pool2d(x, 2, 2)
                continue
            x = self.convolutions[number](x)
            rectified = x if self.slip == "no ReLU after convolutions" else x.clamp(min=0)
            if self.norms is None:
                x = rectified
            elif self.slip == "batch norm after ReLU":
                x = self.norms[number](rectified)
            else:
                x = self.norms[number](x)
                x = x if self.slip == "no ReLU after convolutions" else x.clamp(min=0)
            number += 1
        if self.slip == "fixed grid":
            x = f.adaptive_avg_pool2d(x, 7)
        x = x.flatten(1)
        for layer in list(self.dense)[:-1]:
            x = layer(x)
            x = x if self.slip == "no ReLU after dense layers" else x.clamp(min=0)
            x = x if self.slip == "no dropout" else f.dropout(x, 0.5, self.training)
        x = self.dense[-1](x)
        if self.slip == "ReLU at the end":
            x = x.clamp(min=0)
        return x.softmax(1) if self.slip == "softmax at the end" else x


def deep(
    depth: int, classes: int = 1000, batch_norm: bool = False, image: Size = 224, hidden: int = 4096, slip: str = ""
) -> Vgg:
    """The network of that depth, 11, 13, 16 or 19."""
    config: list[int | str] = [entry or "M" for entry in TABLE[depth]]
    if slip == "stages reversed":
        counts = "".join("M" if entry == "M" else "c" for entry in config).rstrip("M").split("M")[::-1]
        config = [e for n, c in zip((64, 128, 256, 512, 512), counts, strict=True) for e in (*[n] * len(c), "M")]
    return Vgg(
        config,
        1000 if slip == "classes not handed on" else classes,
        False if slip == "batch norm not handed on" else batch_norm,
        224 if slip == "image not handed on" else image,
        4096 if slip == "hidden not handed on" else hidden,
    )
