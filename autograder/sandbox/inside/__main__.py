"""Starts a worker or a server: `python -I .../inside/__main__.py COURSE alone|server ARGUMENTS`.

COURSE is the folder that has cnnlab in it; `main` of alone.py and server.py say what their arguments are.
"""

import importlib
import os
import sys

sys.dont_write_bytecode = True


def main() -> None:
    """Import the program that is asked for, as part of this package, and run it on the other arguments."""
    folder = os.path.dirname(os.path.abspath(__file__))
    parent, package = os.path.split(folder)
    course, program, *arguments = sys.argv[1:]
    sys.argv[:] = [""]
    sys.path.insert(0, course)
    # Only for as long as the package is looked for: without a sandbox, other modules of the grader lie beside it.
    sys.path.insert(0, parent)
    importlib.import_module(package)
    sys.path.remove(parent)
    importlib.import_module(f"{package}.{program}").main(arguments)


if __name__ == "__main__":
    main()
