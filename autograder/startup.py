"""Tricks that make processes start sooner and run undisturbed; each docstring says how much CPU time the trick saves.

Each trick was measured by switching it off alone, in alternation with runs that had all of them on. Loading was measured
by 9 runs (jupytext: 7) that grade two submissions of the convolution lesson, which takes 1.6 s, 0.8 of it for loading. A
further submission takes 95 ms, measured by 5 runs of 10 and of 40 submissions on a busy machine. Measure again before you
trust the numbers on another machine.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PARENT_DEATH_SIGNAL = 1  # of prctl
# Numbers of new objects, and of collections of a younger generation, after which Python looks for cycles.
COLLECT_AFTER = 20_000, 20, 50


# What is loaded


def lighten_imports() -> None:
    """Make libraries load without parts that the grader does not use; call it before any of them is loaded."""
    lighten_jsonschema()
    lighten_nbgrader()
    lighten_jupytext()


def lighten_jsonschema() -> None:
    """Make jsonschema load without the packages that verify addresses and durations: saves 1.0 s of 2.6 s.

    jsonschema comes with nbformat. It uses these packages only where a schema asks for them, which a notebook's does not,
    and it works where they are not installed.
    """
    modules: dict[str, Any] = sys.modules
    for name in ("rfc3987_syntax", "rfc3986_validator", "isoduration"):
        modules.setdefault(name, None)


def lighten_nbgrader() -> None:
    """Make nbgrader load without JupyterLab's server extensions, requests and bs4: saves 0.06, 0.04 and 0.08 s of 1.6 s."""
    found = None if "nbgrader" in sys.modules else find_spec("nbgrader")
    if found is None or not found.origin:
        return
    for part in ("assignment_list", "course_list", "formgrader", "validate_assignment"):
        extension = _stand_in(f"nbgrader.server_extensions.{part}", ["load_jupyter_server_extension"])
        if extension is not None:  # what lies below it is found
            extension.__path__ = [str(Path(found.origin).parent / "server_extensions" / part)]
    _stand_in("requests")  # with which it asks JupyterHub
    found = None if "bs4" in sys.modules else find_spec("bs4")
    if found is not None:  # with it its converters look for pictures in pages
        bs4 = _stand_in("bs4", ["BeautifulSoup"])
        if bs4 is not None:
            bs4.__path__ = found.submodule_search_locations


def lighten_jupytext() -> None:
    """Make jupytext load without its contents managers for Jupyter's server: saves 0.17 of 0.5 s of `build`."""
    _stand_in(
        "jupytext.sync_contentsmanager",
        ["build_sync_jupytext_contents_manager_class", "TextFileContentsManager"],
    )
    _stand_in(
        "jupytext.async_contentsmanager",
        ["build_async_jupytext_contents_manager_class", "AsyncTextFileContentsManager"],
    )


def _stand_in(name: str, functions: Sequence[str] = ()) -> Any:
    """Register a stand-in for a module, which loads the module when something in it is used.

    Args:
        name: the module's name.
        functions: the functions that other modules import from it by name; each loads the module when called.

    Returns: the stand-in, None where the module is loaded already.
    """
    if name in sys.modules:
        return None
    module: Any = ModuleType(name)

    def real(attribute: str) -> Any:
        if functions and attribute == "__path__":  # which is looked for when they are taken
            raise AttributeError(attribute)
        if sys.modules.get(name) is module:
            del sys.modules[name]
        return getattr(importlib.import_module(name), attribute)

    def calling(function: str) -> Callable[..., Any]:
        return lambda *arguments, **named: real(function)(*arguments, **named)

    for function in functions:
        setattr(module, function, calling(function))
    module.__getattr__ = real
    sys.modules[name] = module
    return module


# The garbage collector


def collect_nothing() -> None:
    """Switch the garbage collector off while modules load, until `collect_rarely`: saves 0.10 s of 0.8 s.

    The collector would search everything that is loaded again and again, though it all stays.
    """
    gc.disable()


def collect_rarely() -> None:
    """Exempt everything loaded so far from garbage collection, and collect the rest less often: saves 14 of 109 ms.

    Looking for cycles among all modules takes a tenth of a submission's time and finds nothing.
    """
    gc.enable()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def end_without_collecting() -> None:
    """End this process without a last search for cycles in all modules: saves 0.16 of 1.0 s with nbgrader loaded."""
    atexit.register(gc.freeze)


# Cores, signals and parents


def one_blas_thread() -> None:
    """Keep NumPy's BLAS from starting threads, which would look for work and find none: saves 16 of 111 ms a submission."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def stay_on(core: int) -> None:
    """Run this thread and the processes that it starts on one core: saves 15 of 110 ms a submission.

    The processes take turns, so they lose nothing by this, and they share the contents of the core's caches.
    """
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, {core})


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Block Ctrl-C within the block: processes started there do not receive it, and this one receives it afterwards."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with(parent: int) -> None:
    """Kill this process when its parent ends, so that no worker goes on without the run's lock."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
