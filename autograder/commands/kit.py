"""`autograder kit`: write the kit that students are handed."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from pathlib import Path

from autograder.commands import Subparsers, command
from autograder.course import Course, private_files


def add(commands: Subparsers) -> None:
    """Declare the command and its options."""
    parser = command(commands, "kit", run, "write what students are handed: notebooks, cnnlab, a how-to")
    parser.add_argument("assignment", help="as in 1_layers")
    parser.add_argument("--out", type=Path, metavar="FILE.zip", help="where to write (default: in work/kit)")


def run(course: Course, options: argparse.Namespace) -> int:
    """Write the kit and list its content."""
    import zipfile

    from autograder.authoring import kit

    # Files in the class's folder are private to its owner; files written elsewhere are for students.
    with nullcontext() if options.out else private_files():
        path = kit.write_kit(course, options.assignment, options.out)
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            print(f"  {entry.filename}  {entry.file_size / 1024:.0f} KiB")
    print(f"{path} is ready for students: no solution and no reference is in it.")
    return 0
