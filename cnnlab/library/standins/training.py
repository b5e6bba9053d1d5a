"""Stand-ins for lesson 07: what is needed to train a network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cnnlab.library.standins.common import floating, gradients, like, torch_for


def linear_forward(x: np.ndarray, W: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return x @ W + b for x (N, D), W (D, M), b (M,)."""
    torch = torch_for("linear_forward")
    return like(_linear(torch, *(floating(torch, array) for array in (x, W, b))), x)


def linear_backward(dout: np.ndarray, x: np.ndarray, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return dx, dW, db of linear_forward."""
    torch = torch_for("linear_backward")
    return gradients(torch, lambda x, W, b: _linear(torch, x, W, b), dout, x, W, b)


def softmax_cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean loss of scores (N, M) for labels (N,), and its gradient dscores (N, M)."""
    torch = torch_for("softmax_cross_entropy")
    classes = torch.from_numpy(np.array(labels, np.int64))

    def forward(scores: Any) -> Any:
        return torch.nn.functional.cross_entropy(scores, classes)

    loss = float(forward(floating(torch, scores)))
    return loss, gradients(torch, forward, np.ones((), np.asarray(scores).dtype), scores)[0]


def dropout_forward(x: np.ndarray, rate: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return y, mask: each value is dropped with probability `rate`, the others grow by 1/(1 - rate)."""
    torch = torch_for("dropout_forward")
    x_ = floating(torch, x)
    mask = torch.from_numpy(rng.random(x_.shape)) >= rate
    return like(x_ * mask / (1 - rate), x), mask.numpy()


def dropout_backward(dout: np.ndarray, mask: np.ndarray, rate: float) -> np.ndarray:
    """Return dx of dropout_forward."""
    torch = torch_for("dropout_backward")
    return like(floating(torch, dout) * torch.from_numpy(np.array(mask)) / (1 - rate), dout)


def batchnorm2d_forward(
    x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, ...]:
    """Normalise each channel of x (N, C, H, W) over the batch; return y, mean (C,), var (C,), divided by N*H*W."""
    torch = torch_for("batchnorm2d_forward")
    x_, gamma_, beta_ = (floating(torch, array) for array in (x, gamma, beta))
    var, mean = torch.var_mean(x_, dim=(0, 2, 3), correction=0)
    y = torch.nn.functional.batch_norm(x_, None, None, gamma_, beta_, training=True, eps=eps)
    return like(y, x), like(mean, x), like(var, x)


def batchnorm2d_backward(
    dout: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, eps: float = 1e-5
) -> tuple[np.ndarray, ...]:
    """Return dx, dgamma, dbeta of batchnorm2d_forward."""
    torch = torch_for("batchnorm2d_backward")

    def forward(x: Any, gamma: Any, beta: Any) -> Any:
        return torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)

    return gradients(torch, forward, dout, x, gamma, beta)


def sgd_momentum_step(
    p: np.ndarray, g: np.ndarray, velocity: np.ndarray, lr: float, momentum: float, weight_decay: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return p, velocity after one step of gradient descent, as torch.optim.SGD takes it."""
    torch = torch_for("sgd_momentum_step")
    p_, g_, velocity_ = (floating(torch, array) for array in (p, g, velocity))
    velocity_ = momentum * velocity_ + g_ + weight_decay * p_
    return like(p_ - lr * velocity_, p), like(velocity_, p)


def he_normal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw weights with the standard deviation sqrt(2 / fan in), of (F, C, KH, KW) or (D, M)."""
    torch = torch_for("he_normal")
    fan_in = torch.empty(tuple(shape), device="meta")[0].numel() if len(shape) != 2 else shape[0]
    return (torch.from_numpy(rng.standard_normal(tuple(shape))) * math.sqrt(2 / fan_in)).numpy()


def _linear(torch: Any, x: Any, W: Any, b: Any) -> Any:
    return torch.nn.functional.linear(x, W.T.to(x.dtype), b.to(x.dtype))
