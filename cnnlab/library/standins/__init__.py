"""Stand-ins made with torch for what lessons 01 to 07 define: lent where a student has not written it yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache, wraps
from importlib import import_module

from cnnlab.library.catalogue import STAND_IN_MODULE
from cnnlab.torch_settings import one_thread


@cache
def standin(name: str) -> Callable[..., object]:
    """Return the stand-in for the Exercise `name`; raise LookupError where there is none."""
    if name not in STAND_IN_MODULE:
        raise LookupError(f"there is no stand-in for {name}")
    function = getattr(import_module(f"cnnlab.library.standins.{STAND_IN_MODULE[name]}"), name)

    @wraps(function)
    def on_one_thread(*arguments: object, **named: object) -> object:
        if sys.modules.get("torch") is None:  # the stand-in says where it is missing
            return function(*arguments, **named)
        with one_thread():
            return function(*arguments, **named)

    return on_one_thread
