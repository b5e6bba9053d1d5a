"""The device's peak speed of matrix products, as a yardstick for the training."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial

import torch

from cnnlab.train.device import PRECISIONS

SIZES = {"cuda": (4096, 8192), "cpu": (1024, 2048)}
REPETITIONS = 9


def matrix_peak(device: torch.device, precision: str) -> float:
    """Return the most floating-point operations a second that products of square matrices reach.

    Each size counts by the median of 9 times. Each product is computed by matrix multiplication and by a 1x1 convolution,
    for which some processors have the faster library.

    Args:
        device: the device to measure.
        precision: "fp32", "bf16" or "fp16", as `cnnlab.train` computes convolutions there.
    """
    best = 0.0
    for size in SIZES[device.type]:
        a, b = (torch.randn(size, size, device=device).to(PRECISIONS[precision]) for _ in range(2))
        image = a.reshape(1, 32, size // 32, size).permute(0, 3, 1, 2)  # channels_last
        filters = b[:, :, None, None]
        for product in (partial(torch.mm, a, b), partial(torch.nn.functional.conv2d, image, filters)):
            best = max(best, 2 * size**3 / _seconds(product, device))
    return best


def _seconds(product: Callable[[], torch.Tensor], device: torch.device) -> float:
    times = []
    for number in range(REPETITIONS + 2):
        _wait(device)
        began = time.perf_counter()
        product()
        _wait(device)
        if number >= 2:  # the first two choose an algorithm
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
