"""Stand-ins for lesson 04: ReLU and the kinds of pooling."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from cnnlab.library.standins.common import floating, gradients, like, padded, torch_for
from cnnlab.sizes import Padding, Size, must_fit, pair

if TYPE_CHECKING:
    from torch import Tensor


def relu_forward(x: np.ndarray) -> np.ndarray:
    """Return x where it is positive, else 0."""
    torch = torch_for("relu_forward")
    return like(torch.nn.functional.relu(floating(torch, x)), x)


def relu_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return dx of relu_forward."""
    torch = torch_for("relu_backward")
    return gradients(torch, torch.nn.functional.relu, dout, x)[0]


def max_pool2d_forward(
    x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the largest value of each window: (N, C, OH, OW).

    Args:
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("max_pool2d_forward")
    return like(_max_pool(torch, floating(torch, x), kernel, stride, padding), x)


def min_pool2d_forward(
    x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the smallest value of each window, padding counted as plus infinity: (N, C, OH, OW).

    Args:
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("min_pool2d_forward")
    return like(-_max_pool(torch, -floating(torch, x), kernel, stride, padding), x)


def max_pool2d_backward(
    dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return dx of max_pool2d_forward; at a tie the first in row-major order takes the gradient.

    Args:
        dout: the gradient of the output, (N, C, OH, OW).
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("max_pool2d_backward")
    return gradients(torch, lambda x: _max_pool(torch, x, kernel, stride, padding), dout, x)[0]


def avg_pool2d_forward(
    x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the mean of each window, padding counted as zeros: (N, C, OH, OW).

    Args:
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("avg_pool2d_forward")
    return like(_avg_pool(torch, floating(torch, x), kernel, stride, padding), x)


def avg_pool2d_backward(
    dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return dx of avg_pool2d_forward.

    Args:
        dout: the gradient of the output, (N, C, OH, OW).
        x: (N, C, H, W).
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
        padding: pixels around each image, as `cnnlab.sizes.sides` reads it.
    """
    torch = torch_for("avg_pool2d_backward")
    return gradients(torch, lambda x: _avg_pool(torch, x, kernel, stride, padding), dout, x)[0]


def lp_pool2d(x: np.ndarray, p: float, kernel: Size, stride: Size | None = None) -> np.ndarray:
    """Return (mean of |x|^p)^(1/p) of each window: (N, C, OH, OW).

    Args:
        x: (N, C, H, W).
        p: the power.
        kernel: the window's (KH, KW), or one size for both.
        stride: the window's step, one number or (rows, columns); None for the size of the window.
    """
    torch = torch_for("lp_pool2d")
    must_fit(x.shape, kernel, 0)
    windows = _windows(torch, floating(torch, x), kernel, stride)
    most = windows.abs().amax(dim=2, keepdim=True).clamp_min(torch.finfo(windows.dtype).tiny)
    # Scaled by the largest, since a high power of a small or large value leaves the range of floats.
    mean = (windows.abs() / most).pow(float(p)).mean(dim=2)
    return like(mean.pow(1 / float(p)) * most[:, :, 0], x)


def global_avg_pool2d_forward(x: np.ndarray) -> np.ndarray:
    """Return the mean of each map of x (N, C, H, W): (N, C, 1, 1)."""
    torch = torch_for("global_avg_pool2d_forward")
    return like(torch.nn.functional.adaptive_avg_pool2d(floating(torch, x), 1), x)


def global_avg_pool2d_backward(dout: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return dx of global_avg_pool2d_forward, given dout (N, C, 1, 1)."""
    torch = torch_for("global_avg_pool2d_backward")
    return gradients(torch, lambda x: torch.nn.functional.adaptive_avg_pool2d(x, 1), dout, x)[0]


def _max_pool(torch: ModuleType, x: Tensor, kernel: Size, stride: Size | None, padding: Padding) -> Tensor:
    must_fit(x.shape, kernel, padding)
    images = padded(torch, x, padding, float("-inf"))
    return torch.nn.functional.max_pool2d(images, pair(kernel), pair(kernel if stride is None else stride))


def _avg_pool(torch: ModuleType, x: Tensor, kernel: Size, stride: Size | None, padding: Padding) -> Tensor:
    must_fit(x.shape, kernel, padding)
    images = padded(torch, x, padding)
    return torch.nn.functional.avg_pool2d(images, pair(kernel), pair(kernel if stride is None else stride))


def _windows(torch: ModuleType, x: Tensor, kernel: Size, stride: Size | None) -> Tensor:
    """Return the windows of x (N, C, H, W) as (N, C, KH*KW, OH, OW)."""
    (kh, kw), (sh, sw) = pair(kernel), pair(kernel if stride is None else stride)
    return x.unfold(2, kh, sh).unfold(3, kw, sw).flatten(4).permute(0, 1, 4, 2, 3)
