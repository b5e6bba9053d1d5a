"""What is done once for all workers that are forked from one process: imports, a shell, torch on one thread, a rehearsal."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType

import numpy as np

from cnnlab.checking import wire
from cnnlab.checking.way import Way

from .shell import new_shell
from .worker import Prepared, Worker

REHEARSALS = 20  # runs after which Python has adapted the code that they run
REHEARSED_CELLS = (
    """import numpy as np


def halved(x, n=2):
    '''A cell as lessons have them.'''
    if n < 1:
        raise ValueError(f"{n} is too small")
    total = np.sum(x) + np.max(x) + np.mean(x)
    return np.pad(x, 1)[1:-1, 1:-1] / n + 0 * total
""",
    "total = halved(np.ones((2, 3)))",  # which IPython runs
)


def prepare(modules: Sequence[str] = (), likely: Sequence[str] = ()) -> Prepared:
    """Import what every worker needs, and return a shell that has run nothing.

    Args:
        modules: what else is imported.
        likely: modules that are imported too where this lesson does not do without them.
    """
    for name in modules:
        importlib.import_module(name)
    for name in likely:
        try:
            importlib.import_module(name)
        except ImportError:
            pass
    if "torch" in modules:
        _tame(sys.modules["torch"])
    prepared = Prepared(*new_shell())
    settle()
    return prepared


def settle() -> None:
    """Have the garbage collector leave alone what is there: in a copy of this process it would copy all these pages."""
    gc.collect()
    gc.freeze()


def rehearse(prepared: Prepared) -> None:
    """Run cells of our own and ask Cases until Python has adapted the code that every worker runs.

    Each copy of this process would do that again otherwise, and copy the pages that it writes to.
    """
    shell = prepared.shell
    names, nowhere = set(shell.user_ns), os.open(os.devnull, os.O_RDWR)
    alarm = signal.getsignal(signal.SIGALRM)
    rehearsal = Worker(nowhere, prepared)
    sources = [np.frombuffer(text.encode(), np.uint8) for text in REHEARSED_CELLS]
    good, bad = ({"x": np.ones((2, 3)), "n": n} for n in (2, 0))
    asked = {"exercise": "halved", "returns": ["out"], "way": Way().as_value(), "cases": [good, bad, good]}
    for _ in range(REHEARSALS):
        for source in sources:
            request = wire.unpack(wire.pack({"source": source, "seconds": 60.0}))
            wire.pack(rehearsal.cell(**request))
        rehearsal.ask_all(**wire.unpack(wire.pack(asked)))
    os.close(nowhere)
    signal.signal(signal.SIGALRM, alarm)
    for name in set(shell.user_ns) - names:
        del shell.user_ns[name]
    settle()


def _tame(torch: ModuleType) -> None:
    """Keep torch to one thread for good, and have it do once what else each fork would do at its first step.

    A copy of a process whose torch has started more threads hangs at its first parallel step.
    """
    # It imports torch, which most lessons do without.
    from cnnlab.checking import modules

    torch.set_num_threads(1)
    for where in (torch, torch._C):
        for name in ("set_num_threads", "set_num_interop_threads"):
            if hasattr(where, name):
                setattr(where, name, lambda number: None)

    def network() -> object:
        return torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3), torch.nn.BatchNorm2d(1), torch.nn.Dropout())

    environment = dict(os.environ)
    for outputs in (modules.OUTPUTS, modules.WITHOUT_NUMBERS):
        modules.ask(network, {"x": np.ones((2, 1, 4, 4))}, tuple(outputs), "x")
    # Torch's compiler, which is imported with this, notes a folder of its own and makes it.
    folder = os.environ.get("TORCHINDUCTOR_CACHE_DIR", "")
    os.environ.clear()
    os.environ.update(environment)
    try:
        os.rmdir(folder)
    except OSError:  # there is none, or it is in use
        pass
