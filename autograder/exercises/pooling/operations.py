"""What the references and Mistakes of this lesson share: torch's pooling in float64, and windows in plain loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from autograder.exercise import Case, Random, normal
from autograder.exercises.common.cases import Things
from autograder.exercises.common.operations import gradients, pad, tensor
from autograder.exercises.common.sizes import Padding, Size, pair, sides
from cnnlab.checking.wire import Value
from cnnlab.torch_settings import one_thread

if TYPE_CHECKING:
    from torch import Tensor


Pool = Callable[[np.ndarray], np.ndarray]  # (N, C, KH, KW) -> (N, C)
Share = Callable[[np.ndarray, tuple[int, int]], np.ndarray]


def step(kernel: Size, stride: Size | None) -> tuple[int, int]:
    """Return the stride as (h, w); it defaults to the kernel."""
    return pair(kernel if stride is None else stride)


def max_pool(x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> np.ndarray:
    """Take the largest value of each window, by torch."""
    padded = tensor(pad(x, padding, -np.inf))
    with one_thread() as torch:
        y = torch.nn.functional.max_pool2d(padded, pair(kernel), step(kernel, stride))
    return y.numpy().astype(x.dtype)


def avg_pool(x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0) -> np.ndarray:
    """Average each window, the padding's zeros included, by torch."""
    padded = tensor(pad(x, padding))
    with one_thread() as torch:
        y = torch.nn.functional.avg_pool2d(padded, pair(kernel), step(kernel, stride))
    return y.numpy().astype(x.dtype)


def max_pool_gradient(
    dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the gradient of `max_pool` with respect to x, by torch's autograd: at a tie the first takes all."""
    (top, bottom), (left, right) = sides(padding)

    def pool(torch: ModuleType, leaf: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(leaf, (left, right, top, bottom), value=-np.inf)
        return torch.nn.functional.max_pool2d(padded, pair(kernel), step(kernel, stride))

    (dx,) = gradients(pool, dout, x)
    return dx


def avg_pool_gradient(
    dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
) -> np.ndarray:
    """Return the gradient of `avg_pool` with respect to x, by torch's autograd."""
    (top, bottom), (left, right) = sides(padding)

    def pool(torch: ModuleType, leaf: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(leaf, (left, right, top, bottom))
        return torch.nn.functional.avg_pool2d(padded, pair(kernel), step(kernel, stride))

    (dx,) = gradients(pool, dout, x)
    return dx


def out_size(shape: tuple[int, ...], kernel: Size, stride: Size | None = None, padding: Padding = 0) -> tuple[int, int]:
    """Return how many windows fit, down and across."""
    height, width = (
        (n + sum(side) - k) // s + 1
        for n, side, k, s in zip(shape[2:], sides(padding), pair(kernel), step(kernel, stride), strict=True)
    )
    return height, width


def places(size: tuple[int, int], kernel: Size, stride: Size | None) -> Iterator[tuple[int, int, tuple[slice, ...]]]:
    """Go through the output positions, each with the index of its window in the padded image."""
    (kh, kw), (sh, sw) = pair(kernel), step(kernel, stride)
    for i in range(size[0]):
        for j in range(size[1]):
            yield i, j, np.s_[:, :, i * sh : i * sh + kh, j * sw : j * sw + kw]


def rounded_up(
    x: np.ndarray, pool: Pool, kernel: Size, stride: Size | None = None, padding: Padding = 0, value: float = 0.0
) -> np.ndarray:
    """Pool with sizes rounded up; the last windows hold what is left."""
    padded = pad(x, padding, value)
    lengths, steps = padded.shape[2:], step(kernel, stride)
    height, width = (-(-(n - k) // s) + 1 for n, k, s in zip(lengths, pair(kernel), steps, strict=True))
    y = np.empty((*x.shape[:2], height, width), x.dtype)
    for i, j, window in places((height, width), kernel, stride):
        y[:, :, i, j] = pool(padded[window])
    return y


def routed(share: Share, value: float, *, adds: str = "all", crops: bool = True) -> Callable[..., np.ndarray]:
    """Return a backward that gives each pixel of a window its share of the window's gradient, in plain loops.

    Args:
        share: the pixels of one window, (N, C, KH, KW), and the kernel -> the factor of each.
        value: what surrounds x.
        adds: "all" adds up what overlapping windows give, "none" lets a later window overwrite the earlier ones,
            "taken" does so only where its share is not zero.
        crops: whether the padding is cut off at the end.
    """

    def backward(
        dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
    ) -> np.ndarray:
        padded = pad(x, padding, value)
        dx = np.zeros_like(padded)
        for i, j, window in places(dout.shape[2:], kernel, stride):
            factor = share(padded[window], pair(kernel))
            given = factor * dout[:, :, i, j, None, None]
            if adds == "taken":
                given = np.where(factor != 0, given, dx[window])
            dx[window] = given if adds != "all" else dx[window] + given
        (top, _), (left, _) = sides(padding)
        return dx[:, :, top : top + x.shape[2], left : left + x.shape[3]] if crops else dx

    return backward


def overwritten_by_position(share: Share, value: float) -> Callable[..., np.ndarray]:
    """Return a backward like `routed`'s that visits the positions in the window, and where the last one wins."""

    def backward(
        dout: np.ndarray, x: np.ndarray, kernel: Size, stride: Size | None = None, padding: Padding = 0
    ) -> np.ndarray:
        padded = pad(x, padding, value)
        dx = np.zeros_like(padded)
        windows = list(places(dout.shape[2:], kernel, stride))
        given = [share(padded[window], pair(kernel)) * dout[:, :, i, j, None, None] for i, j, window in windows]
        for u, v in np.ndindex(*pair(kernel)):
            for (_, _, window), values in zip(windows, given, strict=True):
                dx[window][:, :, u, v] = values[:, :, u, v]
        (top, _), (left, _) = sides(padding)
        return dx[:, :, top : top + x.shape[2], left : left + x.shape[3]]

    return backward


def pool_case(key: str, group: str, x: Value, kernel: Size, dtype: str = "float64", **how: Value) -> Case:
    """Return a Case of a pooling forward.

    Args:
        key, group: of the Case.
        x: a shape, for normal values, or what draws them.
        kernel: of the windows.
        dtype: of normal values.
        how: the other arguments.
    """
    values = x if isinstance(x, (Random, np.ndarray)) else normal(*x, dtype=dtype)
    return Case(key, group=group, x=values, kernel=kernel, **how)


def back_case(
    key: str, group: str, shape: tuple[int, ...], kernel: Size, x: Value = None, dtype: str = "float64", **how: Value
) -> Case:
    """Return a Case of a pooling backward, with a random dout.

    Args:
        key, group: of the Case.
        shape: of x.
        kernel: of the windows.
        x: what draws x, by default normal values.
        dtype: of x and dout.
        how: the other arguments.
    """
    values = normal(*shape, dtype=dtype) if x is None else x
    dout = normal(*shape[:2], *out_size(shape, kernel, **how), dtype=dtype)
    return Case(key, group=group, dout=dout, x=values, kernel=kernel, **how)


def pools(shape: str) -> tuple[dict[str, Value], Things]:
    """Return the inputs of a plain pooling, kernel 2 on a 4x4 image, and of poolings that differ in one thing each.

    shape: the input that holds the shape of x.
    """
    return {shape: (1, 1, 4, 4), "kernel": 2}, {
        "stride": {"stride": 1},
        "stride as (h, w)": {"stride": (2, 1)},
        "kernel that is not square": {"kernel": (2, 1)},
        "image that is not square": {shape: (1, 1, 4, 6)},
        "odd size": {shape: (1, 1, 5, 5)},
        "batch": {shape: (2, 1, 4, 4)},
        "channels": {shape: (1, 3, 4, 4)},
        "float32": {"dtype": "float32"},
    }
