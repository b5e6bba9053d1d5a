"""AlexNet for comparison, in the functional style; `slips` get something wrong. Import it only where torch is there."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as f


class Features(nn.Module):
    """The five convolutions with what stands between them."""

    def __init__(self, groups: int = 1, width: int = 96, slips: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.slips = slips
        third = width // 3
        parts = {
            "all": (1, groups, groups, groups, groups),
            "ignored": (1, 1, 1, 1, 1),
            "": (1, groups, 1, groups, groups),
        }
        g = parts["all" if "groups everywhere" in slips else "ignored" if "groups ignored" in slips else ""]
        self.fifth = nn.Conv2d(12 * third, 8 * third, (3, 3), padding=1, groups=g[4])
        self.fourth = nn.Conv2d(12 * third, 12 * third, (3, 3), padding=1, groups=g[3])
        self.third = nn.Conv2d(8 * third, 12 * third, (3, 3), padding=1, groups=g[2])
        self.second = nn.Conv2d(width, 8 * third, (5, 5), padding=2, groups=g[1])
        self.first = nn.Conv2d(3, width, (11, 11), stride=4, padding=2 if "first padded" in slips else 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stage(self.first(x))
        x = self.stage(self.second(x))
        x = f.relu(self.fourth(f.relu(self.third(x))))
        x = self.fifth(x)
        if "last ReLU" not in self.slips:
            x = x.clamp(min=0)
        return x if "last pooling" in self.slips else self.pool(x)

    def stage(self, z: torch.Tensor) -> torch.Tensor:
        """ReLU, normalisation, pooling."""
        if "norm first" in self.slips:
            return self.pool(f.relu(self.norm(z)))
        if "norm last" in self.slips:
            return self.norm(self.pool(f.relu(z)))
        return self.pool(self.norm(f.relu(z)))

    def pool(self, x: torch.Tensor) -> torch.Tensor:
        return f.max_pool2d(x, 2 if "no overlap" in self.slips else 3, 2)

    def norm(self, a: torch.Tensor) -> torch.Tensor:
        if "no norm" in self.slips:
            return a
        alpha = 1e-4 / 5 if "alpha" in self.slips else 1e-4
        k = 1.0 if "k" in self.slips else 2.0
        windows = f.pad(a.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1)  # (N, C, H, W, 5)
        return a * (k + alpha * windows.sum(-1)) ** -0.75


class AlexNet(nn.Module):
    """The features and three linear layers."""

    def __init__(
        self,
        classes: int = 1000,
        groups: int = 1,
        width: int = 96,
        hidden: int = 4096,
        image: int = 227,
        slips: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.slips = slips
        side = (image - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        self.scores = nn.Linear(hidden, classes)
        if "one hidden" not in slips:
            self.second = nn.Linear(hidden, hidden)
        self.first = nn.Linear(width // 3 * 8 * side * side, hidden)
        self.features = Features(1 if "groups" in slips else groups, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x).reshape(len(x), -1)
        after = not {"before", "no dropout"} & set(self.slips)
        hidden = [self.first] if "one hidden" in self.slips else [self.first, self.second]
        for layer in hidden:
            x = layer(self.drop(x) if "before" in self.slips else x)
            if "no ReLU" not in self.slips:
                x = f.relu(x)
            x = self.drop(x) if after else x
        x = self.scores(x)
        if "drop scores" in self.slips:
            x = self.drop(x)
        if "ReLU scores" in self.slips:
            x = f.relu(x)
        return f.softmax(x, 1) if "softmax" in self.slips else x

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        return f.dropout(x, 0.5, self.training or "always" in self.slips)
