"""Layers for vectors."""

from __future__ import annotations

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer


class Linear(Layer):
    """A matrix product and a bias, `layers.linear_forward`: (N, inputs) to (N, outputs).

    W: (inputs, outputs), drawn by `layers.he_normal`; b: (outputs,), zeros.
    """

    def __init__(
        self, inputs: int, outputs: int, *, rng: np.random.Generator, dtype: type = np.float32
    ) -> None:
        super().__init__()
        W = layers.he_normal((inputs, outputs), rng)
        self.parameters = {"W": W.astype(dtype), "b": np.zeros(outputs, dtype)}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.linear_forward(x, self.parameters["W"], self.parameters["b"])

    def backward(self, dout: np.ndarray) -> np.ndarray:
        dx, dW, db = layers.linear_backward(
            dout, self._remembered(), self.parameters["W"], self.parameters["b"]
        )
        self.gradients = {"W": dW, "b": db}
        return dx


class Dropout(Layer):
    """Set a share `rate` of the values to zero in training, `layers.dropout_forward`; else do nothing."""

    def __init__(self, rate: float, *, rng: np.random.Generator) -> None:
        super().__init__()
        self.rate, self.rng = rate, rng
        self._mask: np.ndarray | None = None

    def forward(self, x: np.ndarray) -> np.ndarray:
        if not self.training:
            self._mask = None
            return x
        y, self._mask = layers.dropout_forward(x, self.rate, self.rng)
        return y

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return dout if self._mask is None else layers.dropout_backward(dout, self._mask, self.rate)
