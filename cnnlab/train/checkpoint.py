"""Checkpoints: one safetensors file with named tensors and, as text, everything that is no tensor. No pickles."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from cnnlab.train.errors import TrainError
from cnnlab.train.wrapping import buffers_by_name, parameters_by_name

FORMAT = "cnnlab.train 2"
Tensors = dict[str, torch.Tensor]


def write(path: Path, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all: whatever happens, a file at path is the old one or the new one.

    Args:
        path: of the file.
        tensors: by name, groups parted by a slash.
        state: values that JSON knows.

    Raises:
        OSError, SafetensorError: where it cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    plain = _apart(tensors)
    try:
        save_file(plain, draft, metadata={"format": FORMAT, "state": json.dumps(state)})
        _flush(draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def read(path: Path, remedy: str = "give another file") -> tuple[Tensors, dict[str, Any]]:
    """Read a checkpoint: its tensors, on the CPU, and its values.

    Args:
        path: of the file.
        remedy: what to do where it cannot be read, for the message.

    Raises:
        TrainError: where there is no such file, or another one than a checkpoint.
    """
    if not path.is_file():
        there = "is a folder" if path.is_dir() else "is not there"
        raise TrainError(f"{path} {there}: give the name of a checkpoint that `fit` has written.")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            if about.get("format") != FORMAT:
                raise TrainError(
                    f"{path} is not a checkpoint of this version of cnnlab.train: give another name."
                )
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(about["state"])  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise TrainError(f"The checkpoint {path} cannot be read ({error}): {remedy}.") from error


def of_group(tensors: Mapping[str, torch.Tensor], group: str) -> Tensors:
    """Return the tensors whose names begin with the group, without it."""
    start = f"{group}/"
    return {name[len(start) :]: tensor for name, tensor in tensors.items() if name.startswith(start)}


def tensors_of(network: nn.Module) -> Tensors:
    """Return a network's parameters and buffers by name, those that are used twice once.

    A network has the same names whether it is compiled or wrapped (torch.compile, DataParallel) or not.
    """
    named = {**parameters_by_name(network), **buffers_by_name(network)}
    return {name: tensor.detach() for name, tensor in named.items()}


@torch.no_grad()
def put(
    into: Mapping[str, torch.Tensor],
    tensors: Mapping[str, torch.Tensor],
    where: str,
    remedy: str = "Give another name for the checkpoint.",
) -> None:
    """Copy tensors into others of the same names and shapes.

    Args:
        into: the tensors that are changed, by name.
        tensors: the tensors that are copied, by name.
        where: what the tensors are from, for the message.
        remedy: what to do about it, for the message.

    Raises:
        TrainError: where names or shapes differ; then nothing is changed.
    """
    if {n: t.shape for n, t in into.items()} != {n: t.shape for n, t in tensors.items()}:
        odd = sorted(
            name
            for name in {*into, *tensors}
            if name not in into or name not in tensors or into[name].shape != tensors[name].shape
        )
        raise TrainError(f"{where} is of another network: {odd[0]} differs. {remedy}")
    for name, tensor in tensors.items():
        into[name].copy_(tensor)


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Put a checkpoint's weights into a network: the moving average where the run had one, else those of its last epoch.

    Raises TrainError for a file that is no checkpoint and for another network.
    """
    tensors, _ = read(Path(path).expanduser())
    merged = {**of_group(tensors, "network"), **of_group(tensors, "average")}
    put(tensors_of(network), merged, str(path), "Give the file of this network.")


def _apart(tensors: Mapping[str, torch.Tensor]) -> Tensors:
    """Return contiguous tensors on the CPU that share no memory, as safetensors wants them.

    It knows no strides, so a weight in channels_last is copied; and a buffer may be a view of a parameter.
    """
    apart, taken = Tensors(), set[int]()
    for name, tensor in tensors.items():
        plain = tensor.detach().cpu().contiguous()
        if plain.untyped_storage().data_ptr() in taken:
            plain = plain.clone()
        taken.add(plain.untyped_storage().data_ptr())
        apart[name] = plain
    return apart


def _flush(path: Path) -> None:
    """Wait until a file is on the disk: a machine that stops now must not leave a name without content."""
    with open(path, "rb+") as file:
        os.fsync(file.fileno())
