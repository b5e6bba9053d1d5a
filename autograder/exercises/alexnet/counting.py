"""The table of a network's layers for comparison; `slip` names what is wrong. Import it only where torch is there."""

from __future__ import annotations

import copy
from math import prod

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

from cnnlab.checking.wire import Value


def layer_table(model: nn.Module, input_shape: tuple[int, int, int], slip: str = "") -> list[dict[str, Value]]:
    """Watch every module of torch for one pass of a copy, and work each row out from the layer's settings."""
    model = copy.deepcopy(model).eval()
    names = {id(module): name for name, module in model.named_modules()}
    uses: list[tuple[nn.Module, torch.Tensor, torch.Tensor]] = []

    def watch(module: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
        if slip == "containers counted" or not list(module.children()):
            uses.append((module, inputs[0], output))

    handle = register_module_forward_hook(watch)
    try:
        with torch.no_grad():
            model(torch.zeros(1, *input_shape))
    finally:
        handle.remove()
    if slip == "order of definition":
        order = list(names)
        uses.sort(key=lambda use: order.index(id(use[0])))
    rows, before = [], set()
    for module, x, y in uses:
        again = module in before
        before.add(module)
        if (again and slip == "second use left out") or (
            slip == "layers without weights left out" and not list(module.parameters())
        ):
            continue
        parameters = _parameters(module, slip) if not again or slip == "shared parameters counted twice" else 0
        shape = tuple(y.shape) if slip == "batch in the shape" else tuple(y.shape)[1:]
        rows.append(
            {
                "name": list(names.values())[-1] if slip == "one name for all" else names[id(module)],
                "kind": type(module).__name__,
                "shape": shape,
                "parameters": parameters,
                "activations": y.numel(),
                "macs": _macs(module, tuple(x.shape[1:]), tuple(y.shape[1:]), slip),
            }
        )
    return rows


def _parameters(module: nn.Module, slip: str) -> int:
    learned = dict(module.named_parameters())
    if slip == "biases left out":
        learned.pop("bias", None)
    found = sum(tensor.numel() for tensor in learned.values())
    return found + sum(b.numel() for b in module.buffers()) if slip == "running statistics counted" else found


def _macs(module: nn.Module, before: tuple[int, ...], after: tuple[int, ...], slip: str) -> int:
    if isinstance(module, nn.Linear):
        found, own = module.in_features * module.out_features, module.out_features
    elif isinstance(module, nn.Conv2d):
        groups = 1 if slip == "groups ignored" else module.groups
        high, wide = module.kernel_size
        kernel = high * high if slip == "kernel taken for square" else high * wide
        places = 1 if slip == "one place" else prod((before if slip == "places of the input" else after)[1:])
        found = module.out_channels * (module.in_channels // groups) * kernel * places
        own = prod(after)
    else:
        return 0
    if slip == "biases as multiply-adds" and module.bias is not None:
        found += own
    return 2 * found if slip == "multiplications and additions apart" else found
