"""Public functions and networks that Cases hand to an Answer as an argument, by name."""

from __future__ import annotations

import sys
from collections.abc import Callable

from cnnlab.checking.functions import maps, scalars, stacks
from cnnlab.checking.wire import Value

FUNCTIONS: dict[str, Callable[..., Value]] = {**scalars.FUNCTIONS, **maps.FUNCTIONS, **stacks.FUNCTIONS}
NETWORK = "net "  # how the names of networks begin


def named(name: Value) -> Value:
    """Return the public function of that name, or a new network; for a list of names, a list of them.

    Raises:
        LookupError: where there is none of that name; it names those that exist.
    """
    if isinstance(name, (list, tuple)):
        return [named(one) for one in name]
    if name.startswith(NETWORK):
        from cnnlab.checking.functions import networks  # needs torch, which many lessons do without

        known: dict[str, Value] = networks.NETWORKS
        if name in known:
            return networks.build(name)
    else:
        known = FUNCTIONS
        if name in known:
            return known[name]
    raise LookupError(f"there is no public function {name!r}; there are {', '.join(sorted(known))}")


def is_network(thing: object) -> bool:
    """Say whether `thing`, as `named` returned it, is a network or a list with one in it; imports nothing."""
    several = thing if type(thing) is list else [thing]
    torch = sys.modules.get("torch")
    return torch is not None and any(isinstance(one, torch.nn.Module) for one in several)
