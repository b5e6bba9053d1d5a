"""Makes a virtual environment work wherever its checkout lies, also after that was moved or copied.

Usage: VENV/bin/python tools/relocatable.py

pip writes the environment's path into its scripts, where a blank or a long path breaks the `#!` line, and the checkout's
path into the file by which Python finds the course. Here each script finds the Python beside it, and the file says where
the checkout lies from there.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
# What sh runs of a script; to Python it is a string.
START = b"""#!/bin/sh
'''exec' "$(dirname -- "$(realpath -- "$0")")/python" "$0" "$@"
' '''
"""
# What pip writes: the path of Python, or where that holds a blank or is long, what sh runs.
ABSOLUTE = re.compile(rb"#![^\n]*/python[\d.]*\n|#!/bin/sh\n'''exec' [^\n]*\n' '''\n")
AUTOGRADER = b"""#!/bin/sh
# -P: nothing is imported from the folder that the command is given in.
exec "$(dirname -- "$(realpath -- "$0")")/python" -P -m autograder "$@"
"""
ACTIVATE = re.compile(rb"^VIRTUAL_ENV=.*$", re.MULTILINE)
# bash says in BASH_SOURCE which file it reads, zsh in $0.
HERE = b'VIRTUAL_ENV="$(cd -- "$(dirname -- "${BASH_SOURCE:-$0}")/.." && pwd)"'


def main() -> None:
    """Rewrite the scripts of the environment that runs this, and what points to the checkout."""
    scripts = Path(sys.prefix) / "bin"
    for path in sorted(scripts.iterdir()):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            if path.name == "activate":
                _replace(path, ACTIVATE.sub(lambda _: HERE, data, count=1))
            elif found := ABSOLUTE.match(data):
                _replace(path, START + data[found.end() :])
    _replace(scripts / "autograder", AUTOGRADER)
    (scripts / "autograder").chmod(0o755)
    packages = Path(sysconfig.get_path("purelib"))
    _replace(packages / "_cnnlab.pth", os.path.relpath(CHECKOUT, packages.resolve()).encode() + b"\n")


def _replace(path: Path, data: bytes) -> None:
    """Give a file another content and leave alone what shares its old one by a hard link."""
    if path.exists() and path.read_bytes() == data:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(data)
    if path.exists():
        shutil.copymode(path, draft)
    draft.replace(path)


if __name__ == "__main__":
    main()
