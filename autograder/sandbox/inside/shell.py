"""The IPython shell that runs a notebook's cells, and what one of them prints."""

from __future__ import annotations

import ast
import sys
from types import CodeType
from typing import TypeAlias

import IPython
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from .agreed import MAX_PRINTED

MAX_FLOOD = 2_000_000  # characters printed by one cell before it is stopped
MAX_ERROR = 300  # characters of an exception's own words that are shown
NOT_A_STATEMENT = (
    "",
    " ",
    "\t",
    "\f",
    "\r",
    "#",
    ")",
    "]",
    "}",
)  # a line that begins with one begins no statement
SHOW_NOTHING = ("def ", "class ", "import ", "from ")  # statements after which a notebook shows nothing


class CellTimeout(BaseException):
    """Raised in a cell that ran out of time; not an Exception, so that a bare `except Exception` lets it through."""


class Printed:
    """Takes the place of stdout and stderr: keeps the first part of what a cell prints, stops it where it floods."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.length = self.total = 0

    def write(self, text: object) -> int:
        """Keep what there is room for; raise RuntimeError where the cell has printed too much."""
        text = str(text)
        self.total += len(text)
        if self.length < MAX_PRINTED:
            self.kept.append(text[: MAX_PRINTED - self.length])
            self.length += len(self.kept[-1])
        if self.total > MAX_FLOOD:
            raise RuntimeError(f"the cell printed more than {MAX_FLOOD:,} characters")
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is printed is kept at once."""

    def isatty(self) -> bool:
        """Say that this is no terminal."""
        return False

    def text(self) -> str:
        """Return what was kept, and say where that is not all."""
        return "".join(self.kept) + ("\n[cut]" if self.total > MAX_PRINTED else "")


class Shell(InteractiveShell):
    """IPython's shell without a history, with one line for an error, and quick where there is nothing for it to do."""

    def enable_gui(self, gui: object = None) -> None:
        """Accept `%matplotlib` and the like; there is nothing to show a window on."""

    def should_run_async(self, raw_cell: str, **options: object) -> bool:
        """Say whether a cell awaits something; IPython would compile it once more to find out."""
        if "await" not in raw_cell and "async" not in raw_cell:
            return False
        return super().should_run_async(raw_cell, **options)  # pyright: ignore[reportArgumentType]

    def transform_cell(self, raw_cell: str) -> str:
        """Return a cell as Python; what has no %, ! or ? in it is Python, and looking for those takes the time."""
        try:
            ast.parse(raw_cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return super().transform_cell(raw_cell)
        return raw_cell if raw_cell.endswith("\n") else raw_cell + "\n"

    def showtraceback(self, *arguments: object, **options: object) -> None:
        """Print the exception that is being handled, in one line."""
        _show_error()

    def showsyntaxerror(self, *arguments: object, **options: object) -> None:
        """Print the exception that is being handled, in one line."""
        _show_error()


ShellHooks: TypeAlias = dict[str, int]  # event of IPython -> how many functions it calls


def new_shell() -> tuple[Shell, ShellHooks]:
    """Return the shell, which has run nothing, and the hooks that it has of its own."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor" if IPython.version_info[0] >= 9 else "NoColor"
    shell = Shell.instance(config=config)
    return shell, {name: len(found) for name, found in shell.events.callbacks.items()}


def plain_code(shell: Shell, hooks: ShellHooks, source: str) -> CodeType | None:
    """Return the code of a cell that ends with a definition or an import, None for all others.

    At its end there is nothing to show, so it need not go through IPython, which makes three trees of it and takes five
    times as long. None too where the student has changed how the shell runs a cell.
    """
    changed = shell.ast_transformers or shell.custom_exceptions or "__future__" in source
    if changed or any(len(shell.events.callbacks[name]) > count for name, count in hooks.items()):
        return None
    lines = source.split("\n")
    last = next((n for n in range(len(lines), 0, -1) if lines[n - 1][:1] not in NOT_A_STATEMENT), 0)
    if not last or not lines[last - 1].startswith(SHOW_NOTHING) or ";" in lines[last - 1]:
        return None
    name = shell.compile.cache(source, shell.execution_count, raw_code=source)
    try:
        code = compile(source, name, "exec", shell.compile.flags, True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return None
    ends = [line for _, _, line in code.co_lines()]
    return code if ends[-1] == last else None  # else that line is part of a string


def _show_error() -> None:
    # One line, as the feedback shows it; a whole traceback would only show the grader's own frames.
    kind, error = sys.exc_info()[:2]
    if kind is not None and kind is not CellTimeout:
        try:
            print(f"{kind.__name__}: {' '.join(str(error).split())[:MAX_ERROR]}")
        except Exception:
            print(kind.__name__)
