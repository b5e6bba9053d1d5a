"""Convolutions as layers."""

from __future__ import annotations

import numpy as np

from cnnlab import layers
from cnnlab.nn.layer import Layer
from cnnlab.sizes import Padding, Size, pair


class Conv2d(Layer):
    """A bank of filters over images, `layers.conv2d_forward`; its size follows conv_output_size.

    w: (filters, channels/groups, KH, KW), drawn by `layers.he_normal`; b: (filters,), zeros. Takes
    (N, channels, H, W) and gives (N, filters, OH, OW).
    """

    def __init__(
        self,
        channels: int,
        filters: int,
        kernel: Size,
        *,
        stride: Size = 1,
        padding: Padding = 0,
        dilation: Size = 1,
        groups: int = 1,
        rng: np.random.Generator,
        dtype: type = np.float32,
    ) -> None:
        super().__init__()
        kh, kw = pair(kernel)
        w = layers.he_normal((filters, channels // groups, kh, kw), rng)
        self.parameters = {"w": w.astype(dtype), "b": np.zeros(filters, dtype)}
        self.options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.conv2d_forward(x, self.parameters["w"], self.parameters["b"], **self.options)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        w, b = self.parameters["w"], self.parameters["b"]
        dx, dw, db = layers.conv2d_backward(dout, self._remembered(), w, b, **self.options)
        self.gradients = {"w": dw, "b": db}
        return dx


class DepthwiseConv2d(Layer):
    """A few filters for each channel by itself, `layers.depthwise_conv2d_forward`.

    w: (channels, multiplier, KH, KW), drawn by `layers.he_normal` as filters of one channel; b:
    (channels*multiplier,), zeros. Takes (N, channels, H, W) and gives (N, channels*multiplier, OH, OW).
    """

    def __init__(
        self,
        channels: int,
        kernel: Size,
        *,
        multiplier: int = 1,
        stride: Size = 1,
        padding: Padding = 0,
        rng: np.random.Generator,
        dtype: type = np.float32,
    ) -> None:
        super().__init__()
        kh, kw = pair(kernel)
        w = layers.he_normal((channels * multiplier, 1, kh, kw), rng)
        w = w.reshape(channels, multiplier, kh, kw)
        self.parameters = {"w": w.astype(dtype), "b": np.zeros(channels * multiplier, dtype)}
        self.options = {"stride": stride, "padding": padding}

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        return layers.depthwise_conv2d_forward(x, self.parameters["w"], self.parameters["b"], **self.options)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        w, b = self.parameters["w"], self.parameters["b"]
        dx, dw, db = layers.depthwise_conv2d_backward(dout, self._remembered(), w, b, **self.options)
        self.gradients = {"w": dw, "b": db}
        return dx
