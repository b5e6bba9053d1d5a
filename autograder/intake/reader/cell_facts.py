"""Parse a cell's source and note what it defines and whether it imports."""

from __future__ import annotations

import ast
import hashlib
import re
from typing import TypedDict

MAX_PARSED = 100_000  # characters of a cell that is parsed as Python; longer ones are searched line by line
DIGEST_LENGTH = (
    16  # hexadecimal digits of a digest that are kept: 64 bits tell the definitions of a class apart
)

MAGIC_LINE = re.compile(r"^(\s*+)(?:[%!?].*|.*\?)$")
MAGIC_VALUE = re.compile(r"=\s*[%!].*$")
PYTHON_CELL_MAGICS = re.compile(r"%%(?:time|capture|prun)\b")
DEFINED_LINE = re.compile(
    r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE
)
IMPORT_LINE = re.compile(r"^(?:import|from)[ \t]", re.MULTILINE)


class CellFacts(TypedDict):
    """The names that a cell's source defines, and whether it imports.

    defines: name that the cell defines at its top level -> digest of the definition, "" where unknown.
    imports: whether it imports anything at its top level.
    """

    defines: dict[str, str]
    imports: bool


def parse_facts(source: str, *, code: bool, use_ast: bool) -> CellFacts:
    """Note what a cell defines at its top level and whether it imports.

    Args:
        source: the cell's text.
        code: whether it is a code cell; of a text cell only what is Python as a whole counts.
        use_ast: parse the text as Python; otherwise, and where it does not parse, code is searched line by line.
    """
    tree = _parsed(source, code) if use_ast and len(source) <= MAX_PARSED else None
    if tree is not None:
        return _from_tree(tree, code)
    if not code:  # prose may begin a line with "def" or "class"
        return {"defines": {}, "imports": False}
    names = {name for match in DEFINED_LINE.finditer(source) for name in match.groups() if name}
    return {"defines": dict.fromkeys(sorted(names), ""), "imports": IMPORT_LINE.search(source) is not None}


def _parsed(source: str, code: bool) -> ast.Module | None:
    for text in (source, _without_magics(source)) if code else (source,):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
        except (RecursionError, MemoryError, ValueError):
            return None
    return None


def _without_magics(source: str) -> str:
    """Return what is Python in a cell that may hold IPython's lines: %matplotlib inline, !pip list, help?"""
    if source.startswith("%%") and not PYTHON_CELL_MAGICS.match(source):
        return ""
    lines = (MAGIC_LINE.sub(r"\1pass", line) for line in source.split("\n"))
    return "\n".join(MAGIC_VALUE.sub("= None", line) for line in lines)


def _from_tree(tree: ast.Module, code: bool) -> CellFacts:
    defines: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defines[node.name] = _digest(node)
        elif code and isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            digest = _digest(node.value)
            defines |= {name: digest for target in targets for name in _assigned_names(target)}
    imports = any(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body)
    return {"defines": defines, "imports": imports}


def _assigned_names(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for item in target.elts for name in _assigned_names(item)]
    return []


def _digest(node: ast.AST) -> str:
    """Return a digest of a definition that comments, layout, decorators and the docstring do not change."""
    try:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            head = [node.args] if not isinstance(node, ast.ClassDef) else [*node.bases, *node.keywords]
            parts = [type(node).__name__, *map(ast.dump, head), *map(ast.dump, body)]
        else:
            parts = [ast.dump(node)]
    except (RecursionError, MemoryError):
        return ""
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
