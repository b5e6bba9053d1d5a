"""The subcommands of `autograder`, one module each: its function `add` declares the options, `run` does the work."""

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
    """Add a subcommand.

    Args:
        commands: the subcommands of `autograder`.
        name: the subcommand's name.
        run: does the work and returns the exit status.
        words: what it does, in one line without a full stop, for the help.
    """
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".")
    parser.set_defaults(run=run)
    return parser
