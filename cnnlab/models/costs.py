"""Costs of a network's layers: parameters, activations and multiply-adds."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn


def costs(network: nn.Module, shape: tuple[int, int, int]) -> list[dict[str, Any]]:
    """Return a row for each layer of a network, in the order in which one image (C, H, W) passes them.

    A layer is a module without modules in it. Each row is a dict: name, its path in the network; kind, its class;
    shape, of what it returns, without the batch; parameters, how many numbers it learns, counted where it is used first;
    activations, how many values it returns; macs, its multiply-adds: one for each weight and each place where it is
    used, in convolutions and linear layers; 0 in others, whose work is small beside theirs. The network is used
    in eval mode and left as it was, wherever it lies: on the meta device it costs no memory.
    """
    rows: list[dict[str, Any]] = []
    seen: set[int] = set()
    names = {module: name for name, module in network.named_modules() if not list(module.children())}

    def note(module: nn.Module, _: object, output: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        parameters = 0 if id(module) in seen else sum(p.numel() for p in module.parameters())
        seen.add(id(module))
        if isinstance(output, tuple):
            output = output[0]
        rows.append(
            {
                "name": names[module],
                "kind": type(module).__name__,
                "shape": tuple(output.shape[1:]),
                "parameters": parameters,
                "activations": math.prod(output.shape[1:]),
                "macs": _macs(module, tuple(output.shape[1:])),
            }
        )

    hooks = [module.register_forward_hook(note) for module in names]
    modes = {module: module.training for module in network.modules()}
    where = next(network.parameters(), torch.empty(0))
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, *shape, device=where.device, dtype=where.dtype))
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    return rows


def _macs(module: nn.Module, shape: tuple[int, ...]) -> int:
    if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)):
        weight = module.weight  # (F, C/groups, KH, KW), or (M, D)
        return math.prod(shape) * math.prod(weight.shape[1:])
    return 0
