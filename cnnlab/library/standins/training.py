"""Stand-ins for lesson 07: the layers, the loss and the step with which a network is trained."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.library.standins.common import floating, gradients, like, torch_for

if TYPE_CHECKING:
    from torch import Tensor


def linear_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x @ W + b: (N, M).

    Args:
        x: (N, D).
        W: (D, M).
        b: (M,).
    """
    torch = torch_for("linear_forward")
    return like(_linear(torch, *(floating(torch, array) for array in (x, W, b))), x)


def linear_backward(dout: np.ndarray, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return dx, dW, db of linear_forward.

    Args:
        dout: the gradient of the output, (N, M).
        x: (N, D).
        W: (D, M).
        b: (M,).
    """
    torch = torch_for("linear_backward")
    return gradients(torch, lambda x, W, b: _linear(torch, x, W, b), dout, x, W, b)


def softmax_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean loss of scores (N, M) for labels (N,), and its gradient dscores (N, M)."""
    torch = torch_for("softmax_cross_entropy")
    classes = torch.from_numpy(np.array(labels, np.int64))

    def forward(scores: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(scores, classes)

    loss = float(forward(floating(torch, scores)))
    return loss, gradients(torch, forward, np.ones((), np.asarray(scores).dtype), scores)[0]


def dropout_forward(x: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Set values to 0 at random, and return y and the mask of those that were kept.

    Args:
        x: an array of any shape.
        rate: the probability that a value is dropped; the others are divided by 1 - rate.
        rng: draws one number for each value.
    """
    torch = torch_for("dropout_forward")
    x_ = floating(torch, x)
    mask = torch.from_numpy(rng.random(x_.shape)) >= rate
    return like(x_ * mask / (1 - rate), x), mask.numpy()


def dropout_backward(dout: np.ndarray, mask: np.ndarray, rate: float) -> np.ndarray:
    """Return dx of dropout_forward.

    Args:
        dout: the gradient of y.
        mask: True where a value was kept.
        rate: the probability that a value is dropped.
    """
    torch = torch_for("dropout_backward")
    return like(floating(torch, dout) * torch.from_numpy(np.array(mask)) / (1 - rate), dout)


def batchnorm2d_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, ...]:
    """Normalise each channel over the batch, and return y, mean and var.

    Args:
        x: (N, C, H, W).
        gamma: the scale, (C,).
        beta: the offset, (C,).
        eps: added to the variance.

    Returns: y (N, C, H, W), mean (C,) and var (C,), the variance that is divided by N*H*W.
    """
    torch = torch_for("batchnorm2d_forward")
    x_, gamma_, beta_ = (floating(torch, array) for array in (x, gamma, beta))
    var, mean = torch.var_mean(x_, dim=(0, 2, 3), correction=0)
    y = torch.nn.functional.batch_norm(x_, None, None, gamma_, beta_, training=True, eps=eps)
    return like(y, x), like(mean, x), like(var, x)


def batchnorm2d_backward(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, ...]:
    """Return dx, dgamma, dbeta of batchnorm2d_forward.

    Args:
        dout: the gradient of y, (N, C, H, W).
        x: (N, C, H, W).
        gamma: the scale, (C,).
        beta: the offset, (C,).
        eps: added to the variance.
    """
    torch = torch_for("batchnorm2d_backward")

    def forward(x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)

    return gradients(torch, forward, dout, x, gamma, beta)


def sgd_momentum_step(
    p: np.ndarray, g: np.ndarray, velocity: np.ndarray, lr: float, momentum: float, weight_decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Take one step of gradient descent, as torch.optim.SGD does, and return p and velocity.

    Args:
        p: a parameter of any shape.
        g: its gradient.
        velocity: its velocity after the step before, zeros at first.
        lr: the learning rate.
        momentum: the part of the velocity that is kept.
        weight_decay: the part of p that is added to its gradient.
    """
    torch = torch_for("sgd_momentum_step")
    p_, g_, velocity_ = (floating(torch, array) for array in (p, g, velocity))
    velocity_ = momentum * velocity_ + g_ + weight_decay * p_
    return like(p_ - lr * velocity_, p), like(velocity_, p)


def he_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw weights with standard deviation sqrt(2 / fan in).

    shape: (F, C, KH, KW) or (D, M).
    """
    torch = torch_for("he_normal")
    fan_in = torch.empty(tuple(shape), device="meta")[0].numel() if len(shape) != 2 else shape[0]
    return (torch.from_numpy(rng.standard_normal(tuple(shape))) * math.sqrt(2 / fan_in)).numpy()


def _linear(torch: ModuleType, x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, W.T.to(x.dtype), b.to(x.dtype))
