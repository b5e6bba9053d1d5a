"""The subcommands of `autograder`, one module each: `add` declares its options, `run` does it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.course import Course

Subparsers = Any  # argparse's own name for it is private


def command(
    commands: Subparsers, name: str, run: Callable[[Course, argparse.Namespace], int], words: str
) -> argparse.ArgumentParser:
    """Add a subcommand; words: what it does, one line without a full stop, for the help."""
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run)
    return parser
