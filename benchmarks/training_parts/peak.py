"""How fast the device multiplies matrices, to hold the training against."""

from __future__ import annotations

import statistics
import time

import torch

from cnnlab.train.device import PRECISIONS

SIZES = {"cuda": (4096, 8192), "cpu": (1024, 2048)}
REPETITIONS = 9


def matrix_peak(device: torch.device, precision: str) -> float:
    """Return the most floating point operations a second that products of square matrices reach; median of 9 a size.

    precision: "fp32", "bf16" or "fp16", as `cnnlab.train` computes convolutions there.
    """
    best = 0.0
    for size in SIZES[device.type]:
        a, b = (torch.randn(size, size, device=device).to(PRECISIONS[precision]) for _ in range(2))
        times = []
        for number in range(REPETITIONS + 2):
            _wait(device)
            began = time.perf_counter()
            torch.mm(a, b)
            _wait(device)
            if number >= 2:  # the first choose an algorithm
                times.append(time.perf_counter() - began)
        best = max(best, 2 * size**3 / statistics.median(times))
    return best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
