"""autograder: what an instructor runs, from a checkout. Nothing in here is ever installed on a student's machine."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

# By these jsonschema, which comes with nbformat, verifies international addresses, addresses and durations where a schema
# asks for that; a notebook's does not. They take long to load, and jsonschema does without those that are not installed.
_modules: dict[str, Any] = sys.modules
for _name in ("rfc3987_syntax", "rfc3986_validator", "isoduration"):
    _modules.setdefault(_name, None)


def _stand_in(name: str, functions: Sequence[str] = ()) -> Any:
    """Put in a module's place one that loads it when something in it is used, unless it is loaded.

    functions: those that others take from it by name when they are loaded themselves; they load it when called.
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
    _modules[name] = module
    return module


def _lighten_nbgrader() -> None:
    """Have nbgrader loaded without what takes most of the time: extensions of JupyterLab's server, and setuptools."""
    found = None if "nbgrader" in sys.modules else find_spec("nbgrader")
    if found is None or not found.origin:
        return
    for part in ("assignment_list", "course_list", "formgrader", "validate_assignment"):
        extension = _stand_in(f"nbgrader.server_extensions.{part}", ["load_jupyter_server_extension"])
        if extension is not None:  # what lies below it is found
            extension.__path__ = [str(Path(found.origin).parent / "server_extensions" / part)]
    _stand_in("setuptools.archive_util", ["unpack_archive", "unpack_tarfile", "unpack_zipfile"])
    _stand_in("requests")  # with which it asks JupyterHub
    found = None if "bs4" in sys.modules else find_spec("bs4")
    if found is not None:  # with it its converters look for pictures in pages
        _stand_in("bs4", ["BeautifulSoup"]).__path__ = found.submodule_search_locations


_lighten_nbgrader()
# By this jupytext serves text files as notebooks, in Jupyter's server; here it only reads lessons.
_stand_in(
    "jupytext.sync_contentsmanager", ["build_sync_jupytext_contents_manager_class", "TextFileContentsManager"]
)
_stand_in(
    "jupytext.async_contentsmanager",
    ["build_async_jupytext_contents_manager_class", "AsyncTextFileContentsManager"],
)
