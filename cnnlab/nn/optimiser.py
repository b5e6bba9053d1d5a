"""Moves a network's parameters against their gradients."""

from __future__ import annotations

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer


class SGD:
    """Stochastic gradient descent with momentum and weight decay, `layers.sgd_momentum_step`.

    lr: learning rate, may be changed between steps; momentum: the share of the velocity that is kept;
    weight_decay: applied to arrays of two axes or more, not to biases, gamma and beta.
    """

    def __init__(self, network: Layer, lr: float, momentum: float = 0.9, weight_decay: float = 0.0) -> None:
        self.network, self.lr, self.momentum, self.weight_decay = network, lr, momentum, weight_decay
        self._velocity: dict[tuple[str, str], np.ndarray] = {}

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        for path, layer in self.network.layers():
            for name, gradient in layer.gradients.items():
                p = layer.parameters[name]
                velocity = self._velocity.get((path, name))
                velocity = np.zeros_like(p) if velocity is None else velocity
                decay = self.weight_decay if p.ndim > 1 else 0.0
                p, velocity = layers.sgd_momentum_step(p, gradient, velocity, self.lr, self.momentum, decay)
                layer.parameters[name], self._velocity[path, name] = p, velocity
