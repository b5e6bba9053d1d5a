"""Runs the students' code and nothing else, and prints the CPU seconds that each submission took, as JSON.

    python alone.py STEPS      (a pickle: student -> steps, as student_code.py makes them)

A warm process, which has imported what the lesson imports, forks for each submission; the child executes the notebook's
cells and calls each Answer with each Case, without a sandbox: this is for the benchmark's own submissions.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import os
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

import cnnlab  # noqa: F401  warm, as is all below it that lessons import
from cnnlab import data, plot  # noqa: F401
from cnnlab.checking import probe


def main() -> int:
    """Run every submission's steps in a fork of its own."""
    submissions = pickle.loads(Path(sys.argv[1]).read_bytes())
    gc.collect()
    gc.freeze()  # otherwise, collecting garbage in a child copies all memory
    print(json.dumps({student: _seconds(steps) for student, steps in submissions.items()}))
    return 0


def _seconds(steps: list[Any]) -> float:
    child = os.fork()
    if child == 0:
        _run(steps)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"a submission ended its process with {status}")
    return used.ru_utime + used.ru_stime


def _run(steps: list[Any]) -> None:
    names: dict[str, Any] = {"__name__": "__main__", "np": np}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for step in steps:
            if isinstance(step, str):
                with contextlib.suppress(Exception):  # the time of a failing cell counts too
                    exec(compile(step, "cell", "exec"), names)
                continue
            name, returns, way, cases = step
            for inputs in cases:
                if probe.ask(names[name], inputs, returns, way).kind == "not attempted":
                    break  # as the grader does


if __name__ == "__main__":
    sys.exit(main())
