"""Trained weights that are handed in beside a notebook: written and read as safetensors, never as pickles."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.outcome import Outcome

MAX_BYTES = 2 << 20  # a LeNet-5 in float32 takes a quarter of a MiB
MAX_TENSORS = 64


def save_weights(path: str | Path, weights: Mapping[str, np.ndarray]) -> Path:
    """Write named arrays to a safetensors file, whole or not at all, and return its path.

    Raises:
        TypeError: for anything but named arrays.
        ValueError: where they would make a larger file than may be handed in.
    """
    from safetensors.numpy import save

    if not isinstance(weights, Mapping) or not all(isinstance(a, np.ndarray) for a in weights.values()):
        raise TypeError("save_weights takes a dict of arrays by name, as network.state() returns it")

    path = Path(path)
    data = save({name: np.ascontiguousarray(array) for name, array in weights.items()})
    if len(data) > MAX_BYTES or len(weights) > MAX_TENSORS:
        raise ValueError(
            f"{path.name} would hold {len(weights)} arrays in {len(data):,} bytes; a hand-in has at most "
            f"{MAX_TENSORS} in {MAX_BYTES:,}"
        )
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def read_weights(path: Path) -> Outcome:
    """Read a safetensors file as an Outcome whose one value, `weights`, maps names to arrays.

    A missing file is "not attempted", and one that is too large, damaged or of another kind "bad output"; the
    file may be hostile.
    """
    try:
        # One byte more than allowed, so that a file that grows meanwhile is not read whole.
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Outcome("not attempted", message=f"{path.name} is not beside the notebook")
    except OSError as error:
        return Outcome("bad output", message=f"{path.name} cannot be read: {error.strerror}")
    if len(data) > MAX_BYTES:
        return Outcome("bad output", message=f"{path.name} is larger than the {MAX_BYTES:,} bytes allowed")
    return weights_from_bytes(data, path.name)


def weights_from_bytes(data: bytes, name: str) -> Outcome:
    """Read the bytes of a safetensors file as `read_weights` does; name: what to call it in a sentence."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    unreadable = Outcome("bad output", message=f"{name} is not a complete safetensors file; save it again")
    try:
        weights = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError):
        return unreadable  # KeyError: a dtype that NumPy does not have
    if len(weights) > MAX_TENSORS:
        return Outcome("bad output", message=f"{name} holds more than {MAX_TENSORS} arrays")
    try:
        tree, arrays = wire.flatten({"weights": weights})
    except wire.WireError as error:
        return Outcome("bad output", message=f"{name} holds {error}; save plain NumPy arrays")
    return Outcome("values", wire.restore(tree, [array.copy() for array in arrays]))
