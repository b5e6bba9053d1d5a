"""Tells which exercises of a lesson may behave otherwise once one cell is another."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

CODE = (
    FunctionType,
    BuiltinFunctionType,
    type,
    ModuleType,
)  # what only an assignment to its attributes changes


@dataclass(frozen=True)
class Names:
    """The global names of a cell: those that it binds, those that it uses, those whose attributes or items it sets."""

    bound: frozenset[str]
    used: frozenset[str]
    altered: frozenset[str]


@cache
def names_of(source: str) -> Names:
    """Read a cell's names from its text, those in its functions and classes as well."""
    top = symtable.symtable(source, "cell", "exec")
    symbols = [(table is top, symbol) for table in _tables(top) for symbol in table.get_symbols()]
    here = [symbol for is_top, symbol in symbols if is_top or symbol.is_global()]
    targets = [n for n in ast.walk(ast.parse(source)) if isinstance(n, (ast.Attribute, ast.Subscript))]
    roots = {_root(target) for target in targets if not isinstance(target.ctx, ast.Load)}
    used = frozenset(symbol.get_name() for symbol in here if symbol.is_referenced())
    bound = frozenset(s.get_name() for s in here if s.is_assigned() or s.is_imported())
    return Names(bound, used, frozenset(roots & (used | bound)))


def touched(cells: Sequence[str], edited: int, was: str, values: Mapping[str, Any]) -> set[int]:
    """Return the cells that may behave otherwise: the edited one and all that use, through others too, what it changes.

    It changes the names that it binds, now or before, and may change every value that it reaches and that is no function,
    class or module: two cells may share a list. One that sets an attribute of those may change all.

    Args:
        cells: the sources of all cells, in order, with the edited one as it is now.
        edited: its place among them.
        was: its source before.
        values: the global names and their values once all cells have run.
    """
    known = [names_of(source) for source in cells]
    reached = [_reached(known, place) for place in range(len(cells))]
    if any(isinstance(values.get(name), CODE) for name in known[edited].altered):
        return set(range(len(cells)))
    bound = {name for one in known for name in one.bound}
    shared = {name for name in reached[edited] & bound if not isinstance(values.get(name), CODE)}
    changed = known[edited].bound | names_of(was).bound | shared
    return {place for place, names in enumerate(reached) if place == edited or names & changed}


def _reached(known: Sequence[Names], place: int) -> frozenset[str]:
    """Return the names that a cell uses and all that the cells which bind these use in turn."""
    found = set(known[place].used)
    while more := {n for one in known if one.bound & found for n in one.used} - found:
        found |= more
    return frozenset(found)


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for inner in table.get_children():
        yield from _tables(inner)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
