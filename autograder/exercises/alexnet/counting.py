"""The table of a network's layers for comparison; `slips` get something wrong. Import it only where torch is there."""

from __future__ import annotations

import copy
from math import prod
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook


def layer_table(
    model: nn.Module, input_shape: tuple[int, int, int], slips: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """Watch every module of torch for one pass of a copy, and work each row out from the layer's settings."""
    model = copy.deepcopy(model).eval()
    names = {id(module): name for name, module in model.named_modules()}
    uses: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []

    def watch(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        if "containers" in slips or not list(module.children()):
            uses.append((module, inputs[0], output))

    handle = register_module_forward_hook(watch)
    try:
        with torch.no_grad():
            model(torch.zeros(1, *input_shape))
    finally:
        handle.remove()
    if "definition" in slips:
        order = list(names)
        uses.sort(key=lambda use: order.index(id(use[0])))
    rows, before = [], set()
    for module, x, y in uses:
        again = module in before
        before.add(module)
        if (again and "first use" in slips) or ("weights only" in slips and not list(module.parameters())):
            continue
        parameters = _parameters(module, slips) if not again or "twice" in slips else 0
        shape = tuple(y.shape) if "batch" in slips else tuple(y.shape)[1:]
        rows.append(
            {
                "name": list(names.values())[-1] if "last name" in slips else names[id(module)],
                "kind": type(module).__name__,
                "shape": shape,
                "parameters": parameters,
                "activations": y.numel(),
                "macs": _macs(module, tuple(x.shape[1:]), tuple(y.shape[1:]), slips),
            }
        )
    return rows


def _parameters(module: nn.Module, slips: tuple[str, ...]) -> int:
    learned = dict(module.named_parameters())
    if "bias" in slips:
        learned.pop("bias", None)
    found = sum(tensor.numel() for tensor in learned.values())
    return found + sum(b.numel() for b in module.buffers()) if "buffers" in slips else found


def _macs(module: nn.Module, before: tuple[int, ...], after: tuple[int, ...], slips: tuple[str, ...]) -> int:
    if isinstance(module, nn.Linear):
        found, own = module.in_features * module.out_features, module.out_features
    elif isinstance(module, nn.Conv2d):
        groups = 1 if "groups" in slips else module.groups
        high, wide = module.kernel_size
        kernel = high * high if "square" in slips else high * wide
        places = 1 if "one place" in slips else prod((before if "input places" in slips else after)[1:])
        found = module.out_channels * (module.in_channels // groups) * kernel * places
        own = prod(after)
    else:
        return 0
    if "bias macs" in slips and module.bias is not None:
        found += own
    return 2 * found if "doubled" in slips else found
