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


def zero_last_gamma(network: nn.Module) -> None:
    """Set gamma to 0 in the last batch norm of each residual block, so that each block starts as its shortcut alone.

    The blocks of ResNet, ResNeXt, SENet, wide_resnet50_2 and MobileNetV2 name their last batch norm `last_norm`. All else
    stays as it is, WideBlock too: the ReLU after its last norm passes no gradient at zero, so it would never learn.

    Sources: Goyal et al., Accurate, large minibatch SGD, 2017, arXiv 1706.02677, section 5.1; T. He et al., Bag of
    tricks, 2018, arXiv 1812.01187, section 3.1.
    """
    for block in network.modules():
        norm = getattr(block, "last_norm", None)
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.zeros_(norm.weight)
