"""The `autograder` command: build the notebooks, grade a class, try it all on a sample class."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from autograder.commands import build, demo, doctor, export, grade, kit, lab, matrix, sync, verify
from autograder.course import Course, CourseError
from autograder.startup import end_without_collecting

COMMANDS = (lab, build, kit, grade, export, matrix, sync, verify, demo, doctor)  # in the order of the help

end_without_collecting()

ADVICE = {
    errno.EACCES: "; give yourself the right to write there, or name another folder by CNNLAB_WORK",
    errno.EROFS: "; name a folder that can be written by CNNLAB_WORK",
    errno.ENOSPC: "; make room on the disk, then give the same command again, which goes on where it was",
    errno.EEXIST: ", and it is no folder; name a folder by CNNLAB_WORK",
    errno.ENOTDIR: "; name a folder by CNNLAB_WORK",
    errno.EISDIR: "; give the name of a file",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 1 after one sentence about what is wrong, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    course = Course.here()
    try:
        status: int = options.run(course, options)
        sys.stdout.flush()
        return status
    except CourseError as error:
        print(f"autograder: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads what is printed has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        words = ADVICE.get(error.errno or 0, "")
        place = error.filename or course.work
        print(f"autograder: {place}: {error.strerror or error}{words}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nautograder: stopped; what was judged so far is kept, and the same command goes on.",
            file=sys.stderr,
        )
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="autograder", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for one in COMMANDS:
        one.add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
