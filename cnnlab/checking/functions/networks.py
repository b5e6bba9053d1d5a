"""Small torch networks that Cases hand to an Answer as an argument, by name: always the same numbers in them.

Import it only where torch is there.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as f

from cnnlab.checking.filling import fill, tensors


def build(name: str) -> nn.Module:
    """Return a new float32 network of that name, in training mode as torch makes it but for "net eval".

    torch's random numbers stay as they are.
    """
    with torch.random.fork_rng([]), torch.device("cpu"):
        network = NETWORKS[name]()
        fill(network)
    return network


def kept(network: nn.Module) -> dict[str, object]:
    """Return what an Answer must leave as it found it, by its name in words."""
    modules = list(network.modules())
    return {
        "its training mode": [module.training for module in modules],
        "its layers": [type(module) for module in modules],
        "a hook is still on it": [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules],
        "its numbers": [tensor.detach().clone() for _, tensor, _ in tensors(network)],
        "what it learns": [p.requires_grad for p in network.parameters()],
    }


def changed(network: nn.Module, before: dict[str, object]) -> str:
    """Say in words what differs from `before`, what `kept` returned; "" where nothing does."""
    after = kept(network)
    return next((words for words in before if not _same(before[words], after[words])), "")


def _same(before: object, after: object) -> bool:
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, torch.Tensor) and isinstance(after, torch.Tensor):
        return before.shape == after.shape and before.dtype == after.dtype and torch.equal(before, after)
    return before == after


def _chain() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 4, 3),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16, 5),
    )


def _in_eval_mode() -> nn.Module:
    """Return the chain as it is after training: an Answer that measures it must not leave it in training mode."""
    return _chain().eval()


def _grouped() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(4, 8, (3, 5), stride=(2, 1), padding=(1, 0), groups=2),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, dilation=2, padding=2, groups=4, bias=False),
        nn.AvgPool2d(2, stride=1),
    )


def _depthwise() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 10, 1, bias=False),
    )


def _no_bias() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 5, 3, bias=False), nn.Flatten(), nn.Linear(120, 3, bias=False))


class _Nested(nn.Module):
    """Sequentials within Sequentials, a sum around one of them, and a ReLU that is no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6, 4)  # defined first, used last
        self.body = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)),
            nn.ReLU(),
            nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6)),
        )
        self.project = nn.Conv2d(3, 6, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = f.relu(self.body(x) + self.project(x))
        return self.head(y.mean(dim=(2, 3)))


class _Shared(nn.Module):
    """One convolution that is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3)
        self.again = nn.Conv2d(4, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.again(f.relu(self.again(f.relu(self.stem(x)))))


def _scores(width: int) -> Callable[[], nn.Module]:
    """Return a classifier of images (N, 3, 8, 8) into 4 classes; one of another width holds other numbers."""

    def make() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * width, 4),
        )

    return make


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "net chain": _chain,
    "net depthwise": _depthwise,
    "net eval": _in_eval_mode,
    "net grouped": _grouped,
    "net nested": _Nested,
    "net no bias": _no_bias,
    "net score a": _scores(5),
    "net score b": _scores(6),
    "net score c": _scores(7),
    "net shared": _Shared,
}
