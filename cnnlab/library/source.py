"""An Answer's source from the text of cells: the definition that counts, and everything that it names.

Pure work on text: nothing here runs or imports what a student wrote, and the text may be hostile.
"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cnnlab.library.errors import MissingHelper

MAX_CELL = 1 << 20  # characters of one cell that are read
MAX_MAGICS = 100  # lines of one cell that are not Python; each costs a parse
MAX_STEPS = 100_000  # names followed for one Answer
MAX_PLACES = 1_000_000  # blocks looked at meanwhile
END = 1 << 60  # after all cells

PYTHON_MAGICS = ("%%time", "%%capture", "%%prun")  # their cells' names stay, other cell magics' do not
NOT_PYTHON = re.compile(r"^\s*+[%!?]|^\s*+[\w., \[\]]++=\s*+[%!]|\?\s*$")
COMPREHENSIONS = ("listcomp", "setcomp", "dictcomp", "genexpr")
# What IPython and the import system add to every namespace, beside Python's own names.
GIVEN = {"display", "get_ipython", "__name__", "__file__", "__doc__", "__builtins__"}
FUTURE = re.compile(r"^from __future__ import .*\bannotations\b", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """One or more statements that stand on lines of their own.

    Args:
        text: the statements.
        binds: the names that they bind.
        now: the names that they read when they run.
        later: the names that the functions in them read when those run.
        changes: the names whose value they change in place.
        kind: "import", "definition", "future" or "" for anything else.
    """

    text: str
    binds: frozenset[str]
    now: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    kind: str = ""


def extract(name: str, cells: Sequence[str], *, partial: bool = False) -> str:
    """Return the source of an Answer with the helpers, imports, constants and Answers that it names.

    The latest definition of a name counts; lines and cells that are IPython's and cells that are no Python are skipped.

    Args:
        name: the Answer's name.
        cells: texts in the order in which they ran.
        partial: leave out what is missing, as long as the Answer itself is there.

    Raises:
        MissingHelper: naming what no cell defines.
    """
    # Where one cell says so, IPython leaves annotations unread in all that follow.
    future = any(FUTURE.search(cell) for cell in cells)
    blocks = [block for cell in cells for block in blocks_of(cell, future)]
    chosen, missing = _Search(blocks).follow(name)
    if name in missing or not any(name in blocks[at].binds for at in chosen):
        raise MissingHelper(name, (name,))
    if missing and not partial:
        raise MissingHelper(name, tuple(missing))
    futures = dict.fromkeys(block.text for block in blocks if block.kind == "future")
    return _written([*(Block(text, frozenset(), kind="import") for text in futures)], blocks, chosen)


def defines(name: str, cells: Sequence[str]) -> bool:
    """Say whether a cell defines `name` itself; an import of it does not count."""
    found = [block for cell in cells for block in blocks_of(cell) if name in block.binds]
    return bool(found) and found[-1].kind != "import"


class _Search:
    """Finds what a name stands for, and what that needs in turn."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.binders: dict[str, list[int]] = {}
        self.changers: dict[str, list[int]] = {}
        for at, block in enumerate(blocks):
            for name in block.binds:
                self.binders.setdefault(name, []).append(at)
            for name in block.changes:
                self.changers.setdefault(name, []).append(at)

    def follow(self, name: str) -> tuple[list[int], list[str]]:
        """Return the places of all blocks that `name` needs, in order, and the names that none defines.

        A function sees what its names stand for when it is called; so each name is looked up as of a place:
        the end for what the Answer calls, the place of the statement for what a statement calls.
        """
        waiting = [(name, END)]
        seen = {(name, END)}
        chosen: set[int] = set()
        missing: dict[str, None] = {}
        looked = 0
        while waiting:
            wanted, before = waiting.pop()
            places = self._places(wanted, before, own=wanted == name and before == END)
            if not places and not (hasattr(builtins, wanted) or wanted in GIVEN):
                missing[wanted] = None
            for at in places:
                chosen.add(at)
                block = self.blocks[at]
                # What a statement reads and binds itself, as in `n = n + 1`, may or may not stand before it.
                own = {n for n in block.now & block.binds if not self._places(n, at)}
                reads = {(n, at) for n in block.now - own} | {(n, before) for n in block.later}
                waiting += sorted(reads - seen)
                seen |= reads
            looked += len(places)
            if len(seen) > MAX_STEPS or looked > MAX_PLACES:
                raise MissingHelper(name, (name,))
        return sorted(chosen), sorted(missing)

    def _places(self, name: str, before: int, own: bool = False) -> list[int]:
        """Return the block that binds `name` last before a place, and those that change it from there on."""
        binders = self.binders.get(name, [])
        index = bisect_left(binders, before)
        if not index:
            stars = self.binders.get("*", [])
            return [] if own or hasattr(builtins, name) else stars[: bisect_left(stars, before)]
        at = binders[index - 1]
        if self.blocks[at].kind == "import":
            if own:
                return []
            # `import a.b` adds to what an earlier `import a.c` bound.
            return [b for b in binders[:index] if self.blocks[b].text.startswith(f"import {name}.")] + [at]
        changers = self.changers.get(name, [])
        return [at, *changers[bisect_left(changers, at + 1) : bisect_left(changers, before)]]


def _written(futures: list[Block], blocks: Sequence[Block], chosen: Iterable[int]) -> str:
    """Write blocks one below the other; what was imported or defined alike before is not repeated."""
    last: dict[str, str] = {}
    out: list[Block] = list(futures)
    for at in chosen:
        block = blocks[at]
        again = block.kind and block.binds and all(last.get(name) == block.text for name in block.binds)
        if not again and block.kind != "future":
            out.append(block)
        last.update(dict.fromkeys(block.binds, block.text))
    text = ""
    for before, block in zip([None, *out], out, strict=False):
        if before:
            both = {before.kind, block.kind}
            text += "\n" * (1 if both <= {"import"} else 3 if "definition" in both else 2)
        text += block.text
    return text + "\n"


def blocks_of(cell: str, future: bool = False) -> tuple[Block, ...]:
    """Return the blocks of one cell, none where it is not Python; future: annotations are not evaluated."""
    return _blocks_of(cell, future) if len(cell) <= MAX_CELL else ()


@lru_cache(maxsize=1024)
def _blocks_of(cell: str, future: bool) -> tuple[Block, ...]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lines, statements = _parsed(cell)
            return tuple(block for group in _groups(statements) for block in _read(lines, group, future))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()


def _parsed(cell: str) -> tuple[list[str], list[ast.stmt]]:
    """Parse a cell after replacing IPython's own lines; raise SyntaxError where it is no Python."""
    lines = cell.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[first].startswith("%%"):
        if lines[first].split()[0] not in PYTHON_MAGICS:
            return lines, []
        lines[first] = ""
    for _ in range(MAX_MAGICS):
        try:
            return lines, ast.parse("\n".join(lines)).body
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            if not 0 <= at < len(lines) or not NOT_PYTHON.search(lines[at]):
                raise
            _blank(lines, at)
    raise SyntaxError("too many lines that are no Python")


def _blank(lines: list[str], at: int) -> None:
    """Put `pass` in place of a line that is IPython's, and nothing in place of those that continue it."""
    goes_on = lines[at].rstrip().endswith("\\")
    lines[at] = lines[at][: len(lines[at]) - len(lines[at].lstrip())] + "pass"
    while goes_on and at + 1 < len(lines):
        at += 1
        goes_on = lines[at].rstrip().endswith("\\")
        lines[at] = ""


def _groups(statements: list[ast.stmt]) -> list[list[ast.stmt]]:
    """Put statements that share a line into one group."""
    groups: list[list[ast.stmt]] = []
    for statement in statements:
        if groups and _first(statement) <= _last(groups[-1][-1]):
            groups[-1].append(statement)
        else:
            groups.append([statement])
    return groups


def _first(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(d.lineno for d in decorators)])


def _last(statement: ast.stmt) -> int:
    return statement.end_lineno or statement.lineno


def _read(lines: list[str], group: list[ast.stmt], future: bool) -> list[Block]:
    """Return the blocks of a group of statements: one, or one for each name that an import binds."""
    only = group[0] if len(group) == 1 else None
    if isinstance(only, (ast.Import, ast.ImportFrom)):
        return _imports(only)
    first, last = _first(group[0]) - 1, _last(group[-1])
    code = "\n".join(lines[first:last])
    while first and lines[first - 1].startswith("#") and not lines[first - 1].startswith("# %%"):
        first -= 1
    table = symtable.symtable("from __future__ import annotations\n" * future + code, "cell", "exec")
    binds, now, later = set(), set(), set()
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported():
            binds.add(symbol.get_name())
        if symbol.is_referenced():
            now.add(symbol.get_name())
    for child in table.get_children():
        _globals(child, True, now, later)
    if future:
        binds.discard("annotations")
    defined = isinstance(only, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    if not defined and not isinstance(only, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
        now -= binds  # a loop or a branch that binds a name reads its own
    added, changed = _changed(group)
    changes = frozenset(changed - binds)
    text = "\n".join(lines[first:last])
    kind = "definition" if defined else ""
    return [Block(text, frozenset(binds), frozenset(now | added | changes), frozenset(later), changes, kind)]


def _imports(statement: ast.Import | ast.ImportFrom) -> list[Block]:
    blocks = []
    for alias in statement.names:
        name = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
        if isinstance(statement, ast.Import):
            binds = frozenset({alias.asname or alias.name.split(".")[0]})
            blocks.append(Block(f"import {name}", binds, kind="import"))
        else:
            module = "." * statement.level + (statement.module or "")
            future = module == "__future__"
            binds = frozenset() if future else frozenset({alias.asname or alias.name})
            kind = "future" if future else "import"
            blocks.append(Block(f"from {module} import {name}", binds, kind=kind))
    return blocks


def _globals(table: symtable.SymbolTable, running: bool, now: set[str], later: set[str]) -> None:
    """Collect the global names that a scope reads, and whether it does when its statement runs."""
    if table.get_type() == "function":
        running = running and table.get_name() in COMPREHENSIONS
    for symbol in table.get_symbols():
        if symbol.is_global() and symbol.is_referenced():
            (now if running else later).add(symbol.get_name())
    for child in table.get_children():
        _globals(child, running, now, later)


def _changed(group: list[ast.stmt]) -> tuple[set[str], set[str]]:
    """Return the names that statements add to, as `n += 1` does, and those whose value they change in place.

    The latter is what `table[0] = 1` and `names.append(x)` do.
    """
    added: set[str] = set()
    changed: set[str] = set()
    waiting: list[ast.AST] = list(group)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        targets: list[ast.expr] = []
        if isinstance(node, (ast.Assign, ast.Delete)):
            targets = node.targets
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
            targets = [node.target]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            targets = [node.value.func]
        for target in targets:
            root = target
            while isinstance(root, (ast.Attribute, ast.Subscript)):
                root = root.value
            if isinstance(root, ast.Name) and root is not target:
                changed.add(root.id)
            elif isinstance(root, ast.Name) and isinstance(node, ast.AugAssign):
                added.add(root.id)
        inner = (ast.stmt, ast.excepthandler, ast.match_case)
        waiting += [child for child in ast.iter_child_nodes(node) if isinstance(child, inner)]
    return added, changed
