"""AlexNet for comparison, in the functional style; `slip` names what is wrong. Import it only where torch is there."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as f


class Features(nn.Module):
    """The five convolutions with what stands between them."""

    def __init__(self, groups: int = 1, width: int = 96, slip: str = "") -> None:
        super().__init__()
        self.slip = slip
        third = width // 3
        groups = 1 if slip == "groups ignored" else groups
        of_third = groups if slip == "groups everywhere" else 1
        self.fifth = nn.Conv2d(12 * third, 8 * third, (3, 3), padding=1, groups=groups)
        self.fourth = nn.Conv2d(12 * third, 12 * third, (3, 3), padding=1, groups=groups)
        self.third = nn.Conv2d(8 * third, 12 * third, (3, 3), padding=1, groups=of_third)
        self.second = nn.Conv2d(width, 8 * third, (5, 5), padding=2, groups=groups)
        self.first = nn.Conv2d(3, width, (11, 11), stride=4, padding=2 if slip == "first convolution padded" else 0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stage(self.first(x))
        x = self.stage(self.second(x))
        x = f.relu(self.fourth(f.relu(self.third(x))))
        x = self.fifth(x)
        if self.slip != "no ReLU after the fifth":
            x = x.clamp(min=0)
        return x if self.slip == "no pooling at the end" else self.pool(x)

    def stage(self, z: torch.Tensor) -> torch.Tensor:
        """ReLU, normalisation, pooling."""
        if self.slip == "norm before ReLU":
            return self.pool(f.relu(self.norm(z)))
        if self.slip == "norm after pooling":
            return self.norm(self.pool(f.relu(z)))
        return self.pool(self.norm(f.relu(z)))

    def pool(self, x: torch.Tensor) -> torch.Tensor:
        return f.max_pool2d(x, 2 if self.slip == "no overlap" else 3, 2)

    def norm(self, a: torch.Tensor) -> torch.Tensor:
        if self.slip == "no norm":
            return a
        alpha = 1e-4 / 5 if self.slip in {"alpha of the paper given to torch", "torch's own constants"} else 1e-4
        k = 1.0 if self.slip in {"k left at 1", "torch's own constants"} else 2.0
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
        slip: str = "",
    ) -> None:
        super().__init__()
        self.slip = slip
        side = (image - 11) // 4 + 1
        for _ in range(3):
            side = (side - 3) // 2 + 1
        self.scores = nn.Linear(hidden, classes)
        if slip != "one hidden layer":
            self.second = nn.Linear(hidden, hidden)
        self.first = nn.Linear(width // 3 * 8 * side * side, hidden)
        self.features = Features(1 if slip == "groups not handed on" else groups, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x).reshape(len(x), -1)
        after = self.slip not in {"dropout before the layers", "no dropout"}
        hidden = [self.first] if self.slip == "one hidden layer" else [self.first, self.second]
        for layer in hidden:
            x = layer(self.drop(x) if self.slip == "dropout before the layers" else x)
            if self.slip != "no ReLU between the dense layers":
                x = f.relu(x)
            x = self.drop(x) if after else x
        x = self.scores(x)
        if self.slip == "scores dropped":
            x = self.drop(x)
        if self.slip == "ReLU on the scores":
            x = f.relu(x)
        return f.softmax(x, 1) if self.slip == "softmax at the end" else x

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        return f.dropout(x, 0.5, self.training or self.slip == "dropout never off")
