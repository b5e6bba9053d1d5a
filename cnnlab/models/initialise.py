"""Initial weights as the papers after 2015 draw them."""

from __future__ import annotations

from typing import Literal

from torch import nn


def he(network: nn.Module, fan: Literal["fan_in", "fan_out"] = "fan_out") -> None:
    """Draw each convolution's weights from a normal distribution of variance 2/fan; its biases start at zero.

    Such weights keep the size of what flows through layers that ReLU follows: forward with `fan_in` (KH*KW*C/groups),
    backward with `fan_out` (KH*KW*F). Batch norms start as torch makes them, gamma 1 and beta 0.
    Source: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015, arXiv 1502.01852.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode=fan, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def small_linear(network: nn.Module, deviation: float = 0.01) -> None:
    """Draw each linear layer's weights with that standard deviation, so that all scores start near zero."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, deviation)
            nn.init.zeros_(layer.bias)
