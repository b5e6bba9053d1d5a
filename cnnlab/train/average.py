"""A moving average of a network's weights: a better network than any single step's, for one more pass over the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from cnnlab.train.wrapping import buffers_by_name, parameters_by_name

RUN_IN = 9  # steps: after that many the average keeps half of itself, after nine times as many nine tenths


class Average:
    """The exponential moving average of a network's weights and of the statistics of its norms.

    Averaged are parameters that train, and buffers of floating point such as running means and variances: averaged
    weights need the statistics that go with them. Frozen parameters and counters are left as they are in the network.

    Sources: B. T. Polyak and A. B. Juditsky, 1992; A. Tarvainen and H. Valpola, arXiv 1703.01780.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        """decay: how much of the average a step keeps once it has run in, so about 1 / (1 - decay) steps count."""
        self.decay, self.count = decay, 0
        self.parameters = {name: p for name, p in parameters_by_name(network).items() if p.requires_grad}
        floating = {
            name: buffer for name, buffer in buffers_by_name(network).items() if buffer.is_floating_point()
        }
        places = {
            id(buffer): (module, key)
            for module in network.modules()
            for key, buffer in module._buffers.items()
        }
        self.buffers = {name: places[id(buffer)] for name, buffer in floating.items()}
        self.tensors = [tensor.clone() for tensor in self.live]

    @property
    def live(self) -> list[torch.Tensor]:
        """The network's own tensors, as they are now: another layout gives it others."""
        parameters = [parameter.detach() for parameter in self.parameters.values()]
        return parameters + [getattr(module, key) for module, key in self.buffers.values()]

    @torch.no_grad()
    def update(self) -> None:
        """Take a step's weights into the average; early on it keeps less, so that the untrained start fades."""
        self.count += 1
        decay = min(self.decay, self.count / (self.count + RUN_IN))
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
        return dict(zip((*self.parameters, *self.buffers), self.tensors, strict=True))


def _copy(into: list[torch.Tensor], tensors: list[torch.Tensor]) -> None:
    for target, tensor in zip(into, tensors, strict=True):
        target.copy_(tensor)
