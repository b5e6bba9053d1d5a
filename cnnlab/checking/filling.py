"""Fills a torch module's tensors with numbers that depend on nothing but each tensor's role and shape.

So two modules that compute the same get the same numbers, whatever their attributes are called and in whichever order they
were defined; tensors of one role and shape get equal ones. Import it only where torch is there.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch

STATISTICS = ("running_mean", "running_var")  # buffers that are filled; others are the module's own constants
SCALES = ("weight", "scale", "gamma", "g")  # names of parameters of one axis that multiply

# Networks repeat their layers, and a Mistake's network those of the reference: what is drawn for the small ones is kept,
# 8 MiB at most.
SMALL = 4096  # numbers
REMEMBERED = 256  # arrays


def tensors(module: torch.nn.Module) -> Iterator[tuple[str, torch.Tensor, bool]]:
    """Yield each parameter and buffer of a module and of those in it once: its last name, itself, whether a parameter.

    Reads what torch keeps of a module: `parameters()` and the like may be overridden.
    """
    seen: set[int] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        inside = one.__dict__
        for kept, is_parameter in ((inside["_parameters"], True), (inside["_buffers"], False)):
            for name, tensor in kept.items():
                if tensor is not None and id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield name, tensor, is_parameter
        waiting += [child for child in inside["_modules"].values() if isinstance(child, torch.nn.Module)]


def parameters(module: torch.nn.Module) -> list[torch.Tensor]:
    """Return the parameters of a module and of those in it, each once."""
    return [tensor for _, tensor, is_parameter in tensors(module) if is_parameter]


def fill(module: torch.nn.Module) -> None:
    """Fill every parameter and every running statistic of a module in place.

    Roles: a parameter of two or more axes is a weight, from -s to s where s keeps a signal's size through the layer and
    a ReLU (He's start); one of one axis is a scale, from 0.5 to 1.5, where it is called weight, scale or gamma or starts as
    ones, else a bias, from -0.5 to 0.5. Running means are from -0.5 to 0.5, running variances from 0.5 to 1.5.
    """
    with torch.no_grad():
        for name, tensor, is_parameter in tensors(module):
            if is_parameter or name in STATISTICS:
                role = _role(name, tensor) if is_parameter else name
                low, high = _range(role, tensor)
                tensor.copy_(torch.from_numpy(low + (high - low) * fixed(role, tuple(tensor.shape))))


def fixed(role: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return float64 numbers from 0 to 1, always the same for a role and shape, on every machine; not to be written to."""
    shape = tuple(shape)
    return _remembered(role, shape) if math.prod(shape) <= SMALL else _drawn(role, shape)


def _drawn(role: str, shape: tuple[int, ...]) -> np.ndarray:
    seed = zlib.crc32(f"{role} {shape}".encode())
    # The raw stream is what NumPy promises never to change.
    raw = np.random.PCG64(seed).random_raw(max(1, math.prod(shape)))
    values = (np.asarray(raw) >> np.uint64(11)) * 2.0**-53
    return values[: math.prod(shape)].reshape(shape)


@lru_cache(maxsize=REMEMBERED)
def _remembered(role: str, shape: tuple[int, ...]) -> np.ndarray:
    values = _drawn(role, shape)
    values.setflags(write=False)
    return values


def _role(name: str, parameter: torch.Tensor) -> str:
    if parameter.ndim >= 2:
        return "weight"
    starts_as_ones = bool(parameter.numel()) and bool((parameter == 1).all())
    return "scale" if name in SCALES or starts_as_ones else "bias"


def _range(role: str, tensor: torch.Tensor) -> tuple[float, float]:
    if role == "weight":
        spread = math.sqrt(6 / max(1, math.prod(tensor.shape[1:])))  # uniform, with the variance 2 / fan_in
        return -spread, spread
    return (0.5, 1.5) if role in ("scale", "running_var") else (-0.5, 0.5)
