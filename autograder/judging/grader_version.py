"""Tells whether two Judgements come from the same grader: a hash of the code and the data that decide a grade.

What decides is found by following imports, from the judge and from intake, through autograder and cnnlab: a module that
judging comes to import is covered without being listed anywhere. Modules are read as syntax trees, so that comments,
docstrings and formatting judge nobody anew. To parse them all takes a second; what was found in each is therefore kept
beside Python's own compiled files, by the hash of the module's text, and a start takes some 20 ms.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from autograder import files
from autograder.course import CHECKOUT

PACKAGES = ("autograder", "cnnlab")
ROOTS = ("autograder/judging/judge.py", "autograder/intake/__init__.py", "autograder/intake/reader/server.py")
KEPT = "autograder/judging/__pycache__/grader_version.json"  # in the checkout
MODULE = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+")  # as it is named in code or in a string
FILE = re.compile(r"[\w./-]+\.\w+")  # a string that may name a file
EVERY_MODULE = "__path__"  # a package that looks at its own path imports all that lies in it

Module = tuple[str, list[str]]  # a module's syntax tree as a hash, and the modules and files that it names


@cache
def grader() -> str:
    """Return a hash of what decides a Verdict, so that a changed grader judges anew."""
    return hash_of(CHECKOUT)


def hash_of(checkout: Path) -> str:
    """Return the hash of what decides a Verdict in a checkout, as it is now on disk."""
    kept, stamp = _kept(checkout), files.sha256(Path(__file__).read_bytes())
    known: dict[str, Module] = kept.get(stamp, {})
    parts, used = {}, {}
    for place, data in _deciding(checkout, known, used):
        text_hash = files.sha256(data)
        parts[place] = used[text_hash][0] if place.endswith(".py") else text_hash
    if used != known:
        with contextlib.suppress(OSError):  # a checkout that nobody may write to costs a second at each start
            files.write(checkout / KEPT, json.dumps({stamp: used}).encode())
    return files.sha256(json.dumps(sorted(parts.items())).encode())


def _kept(checkout: Path) -> dict[str, dict[str, Module]]:
    try:
        found = json.loads((checkout / KEPT).read_bytes())
        return {
            stamp: {key: (tree, list(names)) for key, (tree, names) in modules.items()}
            for stamp, modules in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _deciding(
    checkout: Path, known: Mapping[str, Module], used: dict[str, Module]
) -> Iterator[tuple[str, bytes]]:
    """Go through the files that decide a Verdict, each with its bytes, in no order that matters.

    Args:
        checkout: where they lie.
        known: what is known of modules by the hash of their text.
        used: to which what was used of that, and what was found besides, is added.
    """
    there = _Files(checkout)
    todo: list[str] = list(ROOTS)
    seen = set(todo)
    while todo:
        place = todo.pop()
        data = (checkout / place).read_bytes()
        if place.endswith(".py"):
            key = files.sha256(data)
            if key not in used:
                used[key] = known[key] if key in known else _read(data)
            new = set(there.named(place, used[key][1])) - seen
            seen |= new
            todo += new
        yield place, data


class _Files:
    """The files of the packages by their places in the checkout, as in "cnnlab/checking/compare.py"."""

    def __init__(self, checkout: Path) -> None:
        self.folders: dict[str, set[str]] = {}  # folder -> the names in it
        self.data: dict[str, list[str]] = {}  # name -> places of files that are no modules
        for package in PACKAGES:
            for path, folders, names in os.walk(checkout / package):
                folders[:] = [name for name in folders if name != "__pycache__"]
                folder = os.path.relpath(path, checkout).replace(os.sep, "/")
                self.folders[folder] = set(names)
                for name in names:
                    if not name.endswith(".py"):
                        self.data.setdefault(name, []).append(f"{folder}/{name}")

    def named(self, place: str, names: Iterable[str]) -> Iterator[str]:
        """Go through the files that a module names, and the packages that it lies in."""
        folder = place.rpartition("/")[0]
        yield from self._packages(folder)
        for name in names:
            if name == EVERY_MODULE:
                yield from self._all_in(folder)
            elif name.endswith(".*"):
                yield from self._all_in(name.removesuffix(".*").replace(".", "/"))
            elif name.endswith(".py"):  # a program, which is started and not imported
                program = name.rpartition("/")[2]
                if program in self.folders[folder]:
                    yield f"{folder}/{program}"
            elif name.startswith("."):
                levels = len(name) - len(name.lstrip("."))
                above = "/".join(folder.split("/")[: 1 - levels or None])
                yield from self._module(f"{above}/{name.lstrip('.').replace('.', '/')}")
            elif MODULE.fullmatch(name):
                yield from self._module(name.replace(".", "/"))
            else:
                yield from self.data.get(name.rpartition("/")[2], ())

    def _module(self, path: str) -> Iterator[str]:
        """Go through the module or package at a path, or the module of which it names something."""
        while path:
            above, _, name = path.rpartition("/")
            if "__init__.py" in self.folders.get(path, ()):
                yield from self._packages(path)
                return
            if f"{name}.py" in self.folders.get(above, ()):
                yield f"{path}.py"
                yield from self._packages(above)
                return
            path = above

    def _packages(self, folder: str) -> Iterator[str]:
        while folder:
            if "__init__.py" in self.folders[folder]:
                yield f"{folder}/__init__.py"
            folder = folder.rpartition("/")[0]

    def _all_in(self, folder: str) -> Iterator[str]:
        yield from (f"{folder}/{name}" for name in self.folders.get(folder, ()) if name.endswith(".py"))
        for other, names in self.folders.items():
            if other.rpartition("/")[0] == folder and "__init__.py" in names:
                yield f"{other}/__init__.py"


def _read(data: bytes) -> Module:
    """Parse a module, and return the hash of what it does and the modules and files that it names."""
    tree = ast.parse(data)
    _strip(tree)
    digest, names = hashlib.sha256(), set()
    for part in _canonical(tree):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            names.update(f"{start}.{a.name}" if node.module else start + a.name for a in node.names)
        elif isinstance(node, ast.Name) and node.id == EVERY_MODULE:
            names.add(EVERY_MODULE)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.update(MODULE.findall(node.value))
            if MODULE.fullmatch(node.value.removesuffix(".")) and node.value.endswith("."):
                names.add(f"{node.value}*")  # to which the name of a module is added
            if FILE.fullmatch(node.value):
                names.add(node.value)
    ours = (EVERY_MODULE, ".", *PACKAGES)
    return digest.hexdigest(), sorted(n for n in names if n.startswith(ours) or FILE.fullmatch(n))


def _strip(tree: ast.AST) -> None:
    """Take away docstrings, and what only a type checker reads."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [statement for statement in body if not _does_nothing(statement)]  # type: ignore[attr-defined]


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" and not node.orelse
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _canonical(node: object) -> Iterator[str]:
    """Write a syntax tree out, the same in every version of Python: without places, and without what is empty."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if value is not None and value != [] and name not in ("ctx", "kind", "type_ignores"):
                yield name
                yield from _canonical(value)
        yield ")"
    elif isinstance(node, list):
        yield f"[{len(node)}"
        for one in node:
            yield from _canonical(one)
    else:
        yield repr(node)
