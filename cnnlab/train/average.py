"""A moving average of a network's weights: a better network than any single step's, at no cost in training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cnnlab.train.wrapping import buffers_by_name, parameters_by_name


class Average:
    """The exponential moving average of a network's weights and of the statistics of its norms.

    Averaged are parameters that train, and buffers of floating point such as running means and variances: averaged
    weights need the statistics that go with them. Frozen parameters and counters are left as they are in the network.

    Sources: B. T. Polyak and A. B. Juditsky, 1992; A. Tarvainen and H. Valpola, arXiv 1703.01780.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """decay: how much of the average a step keeps once it has run in, so about 1 / (1 - decay) steps count."""
        self.decay, self.count = decay, 0
        self.names = [name for name, _ in _averaged(network)]
        self.live = [tensor for _, tensor in _averaged(network)]
        self.tensors = [tensor.clone() for tensor in self.live]

    @torch.no_grad()
    def update(self) -> None:
        """Take a step's weights into the average; early on it keeps less, so that the untrained start fades."""
        self.count += 1
        decay = min(self.decay, self.count / (self.count + 9))
        if self.tensors:
            get_ema_multi_avg_fn(decay)(self.tensors, self.live, self.count)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the average into the network for a while; its own weights come back bit for bit, whatever happens."""
        with torch.no_grad():
            own = [tensor.clone() for tensor in self.live]
            try:
                self.put()
                yield
            finally:
                _copy(self.live, own)

    @torch.no_grad()
    def put(self) -> None:
        """Put the average into the network for good."""
        _copy(self.live, self.tensors)

    def named(self) -> dict[str, torch.Tensor]:
        """Return the averaged tensors by their names in the network."""
        return dict(zip(self.names, self.tensors, strict=True))


def _copy(into: list[torch.Tensor], tensors: list[torch.Tensor]) -> None:
    for target, tensor in zip(into, tensors, strict=True):
        target.copy_(tensor)


def _averaged(network: nn.Module) -> list[tuple[str, torch.Tensor]]:
    parameters = [(name, p.detach()) for name, p in parameters_by_name(network).items() if p.requires_grad]
    return parameters + [(name, b) for name, b in buffers_by_name(network).items() if b.is_floating_point()]
