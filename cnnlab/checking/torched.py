"""Calls with torch in them: arrays go in as tensors and come back as arrays, networks must be left as they were.

Import it only where torch is there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from cnnlab.checking.errors import InvalidAnswer
from cnnlab.checking.functions import networks
from cnnlab.checking.wire import Value


def invoke(function: Callable[..., Value], given: dict[str, Value], tensors: Sequence[str]) -> Value:
    """Return what `function(**given)` returns, with its tensors as arrays and its sizes as tuples.

    Args:
        function: the Answer.
        given: its arguments by name; a network among them must be left as it was.
        tensors: the arguments whose arrays become tensors that share their numbers.

    Raises:
        InvalidAnswer: where a network is not left as it was.
    """
    lent = {name: found for name, value in given.items() if (found := _networks(value))}
    before = {name: [networks.kept(one) for one in found] for name, found in lent.items()}
    returned = function(**{n: _tensors(value) if n in tensors else value for n, value in given.items()})
    for name, found in lent.items():
        for network, as_it_was in zip(found, before[name], strict=True):
            if words := networks.changed(network, as_it_was):
                raise InvalidAnswer(f"it left {name} changed ({words}); put back what you change")
    return _arrays(returned)


def _networks(value: Value) -> list[torch.nn.Module]:
    several = value if type(value) is list else [value]
    return [one for one in several if isinstance(one, torch.nn.Module)]


def _tensors(value: Value) -> Value:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    if type(value) in (tuple, list):
        return type(value)(map(_tensors, value))
    return {key: _tensors(item) for key, item in value.items()} if type(value) is dict else value


def _arrays(value: Value) -> Value:
    if type(value) in (torch.Tensor, torch.nn.Parameter):
        return value.detach().cpu().numpy()
    if type(value) is torch.Size:
        return tuple(value)
    if type(value) in (tuple, list):
        return type(value)(map(_arrays, value))
    return {key: _arrays(item) for key, item in value.items()} if type(value) is dict else value
