"""Batch normalisation as a layer."""

from __future__ import annotations

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer


class BatchNorm2d(Layer):
    """Give each channel mean beta and standard deviation gamma, `layers.batchnorm2d_forward`.

    In training with the batch's own statistics, else with running ones: running = (1 - momentum)*running +
    momentum*batch, the variance unbiased, as in torch.nn.BatchNorm2d.
    Source: Ioffe and Szegedy, Batch normalization, 2015, arXiv 1502.03167.
    """

    def __init__(
        self, channels: int, *, eps: float = 1e-5, momentum: float = 0.1, dtype: type = np.float32
    ) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.parameters = {"gamma": np.ones(channels, dtype), "beta": np.zeros(channels, dtype)}
        self.buffers = {"mean": np.zeros(channels, dtype), "var": np.ones(channels, dtype)}

    def forward(self, x: np.ndarray) -> np.ndarray:
        gamma, beta = self.parameters["gamma"], self.parameters["beta"]
        self._x = x
        if not self.training:
            mean, var = (self.buffers[name][:, None, None] for name in ("mean", "var"))
            return (x - mean) / np.sqrt(var + self.eps) * gamma[:, None, None] + beta[:, None, None]
        y, mean, var = layers.batchnorm2d_forward(x, gamma, beta, self.eps)
        count = x[:, 0].size
        unbiased = var * (count / max(count - 1, 1))
        for name, batch in (("mean", mean), ("var", unbiased)):
            running = self.buffers[name]
            updated = (1 - self.momentum) * running + self.momentum * batch
            self.buffers[name] = updated.astype(running.dtype)
        return y

    def backward(self, dout: np.ndarray) -> np.ndarray:
        if not self.training:
            raise RuntimeError("batch norm has gradients in training only: call train() first")
        gamma, beta = self.parameters["gamma"], self.parameters["beta"]
        dx, dgamma, dbeta = layers.batchnorm2d_backward(dout, self._remembered(), gamma, beta, self.eps)
        self.gradients = {"gamma": dgamma, "beta": dbeta}
        return dx
