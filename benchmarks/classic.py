"""The usual NumPy layers, for comparison: all windows of a batch as a strided view, copied into one matrix.

Convolution keeps its columns from the forward to the backward pass, as such code usually does; the lessons' layers compute
them again.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

Array = np.ndarray
Results = tuple[Array, ...]  # y, dx, and dw, db where the layer has weights


def columns(x: Array, kernel: tuple[int, int], stride: int, padding: int) -> Array:
    """Copy all windows of a batch (N, C, H, W) into one array (C, KH, KW, N, OH, OW).

    Args:
        x: the batch.
        kernel: (KH, KW).
        stride, padding: the same for both axes.
    """
    n, c, height, width = x.shape
    kh, kw = kernel
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    oh, ow = (height + 2 * padding - kh) // stride + 1, (width + 2 * padding - kw) // stride + 1
    image, channel, row, column = padded.strides
    strides = (channel, row, column, image, stride * row, stride * column)
    return np.ascontiguousarray(as_strided(padded, (c, kh, kw, n, oh, ow), strides))


def convolution(
    dout: Array, x: Array, w: Array, b: Array, stride: int = 1, padding: int = 0, groups: int = 1
) -> Results:
    """Run a convolution forward and backward, with one matrix product each for the outputs, dw and dx.

    Args:
        dout: the gradient of the outputs, (N, F, OH, OW).
        x: the batch, (N, C, H, W).
        w: the filters, (F, C / groups, KH, KW).
        b: the bias, (F,).
        stride, padding: the same for both axes.
        groups: the number of groups of channels.

    Returns: y, dx, dw, db.
    """
    n, c, height, width = x.shape
    f, _, kh, kw = w.shape
    oh, ow = dout.shape[2:]
    filters = w.reshape(groups, f // groups, -1)
    cols = columns(x, (kh, kw), stride, padding).reshape(groups, filters.shape[2], -1)
    y = (filters @ cols).reshape(f, n, oh, ow) + b[:, None, None, None]

    grad = np.ascontiguousarray(dout.transpose(1, 0, 2, 3)).reshape(groups, f // groups, -1)
    dw = grad @ cols.transpose(0, 2, 1)
    dcols = (filters.transpose(0, 2, 1) @ grad).reshape(c, kh, kw, n, oh, ow)
    padded = np.zeros((n, c, height + 2 * padding, width + 2 * padding), x.dtype)
    for u in range(kh):
        for v in range(kw):
            here = padded[:, :, u : u + stride * oh : stride, v : v + stride * ow : stride]
            here += dcols[:, u, v].transpose(1, 0, 2, 3)
    dx = padded[:, :, padding : padding + height, padding : padding + width]
    return np.ascontiguousarray(y.transpose(1, 0, 2, 3)), dx, dw.reshape(w.shape), dout.sum(axis=(0, 2, 3))


def max_pool(dout: Array, x: Array, kernel: int, stride: int) -> Results:
    """Run max pooling forward and backward, with argmax over every window and np.add.at.

    Args:
        dout: the gradient of the outputs, (N, C, OH, OW).
        x: the batch, (N, C, H, W).
        kernel, stride: the same for both axes.

    Returns: y, dx.
    """
    n, c, oh, ow = dout.shape
    windows = sliding_window_view(x, (kernel, kernel), axis=(2, 3))[:, :, ::stride, ::stride]
    flat = windows.reshape(n, c, oh, ow, kernel * kernel)
    winner = flat.argmax(axis=-1)
    y = np.take_along_axis(flat, winner[..., None], axis=-1)[..., 0]
    images, channels, rows, cols = np.ogrid[:n, :c, :oh, :ow]
    dx = np.zeros_like(x)
    np.add.at(dx, (images, channels, rows * stride + winner // kernel, cols * stride + winner % kernel), dout)
    return y, dx


class Products:
    """The three matrix products of a convolution alone, with columns and result arrays made beforehand."""

    def __init__(
        self, dout: Array, x: Array, w: Array, stride: int = 1, padding: int = 0, groups: int = 1
    ) -> None:
        f, _, kh, kw = w.shape
        self.shapes = dout.shape, w.shape
        self.filters = w.reshape(groups, f // groups, -1)
        self.cols = columns(x, (kh, kw), stride, padding).reshape(groups, self.filters.shape[2], -1)
        grad = np.ascontiguousarray(dout.transpose(1, 0, 2, 3))
        self.grad = grad.reshape(groups, f // groups, -1)
        self.y, self.dw, self.dcols = map(np.empty_like, (self.grad, self.filters, self.cols))

    def __call__(self) -> Results:
        """Compute the products; return y without its bias, and dw."""
        np.matmul(self.filters, self.cols, out=self.y)
        np.matmul(self.grad, self.cols.transpose(0, 2, 1), out=self.dw)
        np.matmul(self.filters.transpose(0, 2, 1), self.grad, out=self.dcols)
        (n, f, oh, ow), w_shape = self.shapes
        return self.y.reshape(f, n, oh, ow).transpose(1, 0, 2, 3), self.dw.reshape(w_shape)
