"""ReLU and the poolings as layers."""

from __future__ import annotations

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer
from cnnlab.sizes import Padding, Size


class ReLU(Layer):
    """Keep what is positive, `layers.relu_forward`."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.relu_forward(x)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return layers.relu_backward(dout, self._remembered())


class MaxPool2d(Layer):
    """The largest value of each window, `layers.max_pool2d_forward`; stride: by default the kernel."""

    def __init__(self, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> None:
        super().__init__()
        self.options = {"kernel": kernel, "stride": stride, "padding": padding}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.max_pool2d_forward(x, **self.options)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return layers.max_pool2d_backward(dout, self._remembered(), **self.options)


class AvgPool2d(Layer):
    """The mean of each window, `layers.avg_pool2d_forward`; stride: by default the kernel."""

    def __init__(self, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> None:
        super().__init__()
        self.options = {"kernel": kernel, "stride": stride, "padding": padding}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.avg_pool2d_forward(x, **self.options)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return layers.avg_pool2d_backward(dout, self._remembered(), **self.options)


class GlobalAvgPool2d(Layer):
    """The mean of each map, `layers.global_avg_pool2d_forward`: (N, C, H, W) to (N, C, 1, 1)."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.global_avg_pool2d_forward(x)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        return layers.global_avg_pool2d_backward(dout, self._remembered())
