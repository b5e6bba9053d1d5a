"""A pytest plugin for long runs: `--resume FILE` leaves out the tests that passed before, of the same tree.

python -m pytest -p tests.resume --resume .proof.jsonl -m proof
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT

DECIDING = ("autograder", "benchmarks", "cnnlab", "solutions", "tests")


@cache
def tree() -> str:
    """Return a hash of all files that decide what a test says."""
    digest = hashlib.sha256()
    for folder in DECIDING:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def passed_before(path: Path) -> set[str]:
    """Return the ids of the tests that passed on this tree; a line that was cut short is passed over."""
    found = set()
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry["tree"] == tree():
            found.add(entry["test"])
    return found


class Resume:
    """Deselects what passed before; one process notes what passes, as soon as it has."""

    def __init__(self, path: Path, done: set[str], notes: bool) -> None:
        self.path, self.done, self.notes = path, done, notes

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what passed before."""
        again = [item for item in items if item.nodeid in self.done]
        if again:
            config.hook.pytest_deselected(items=again)
            items[:] = [item for item in items if item.nodeid not in self.done]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that passed."""
        if self.notes and report.when == "call" and report.passed:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"tree": tree(), "test": report.nodeid}) + "\n")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker what passed before this run: reading the file itself, it might see what passes meanwhile."""
        node.workerinput["passed before"] = sorted(self.done)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare --resume."""
    parser.addoption(
        "--resume", type=Path, metavar="FILE", help="leave out what passed before, as FILE notes it"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Read what passed before, here or, in a worker, from the process that started it."""
    path = config.getoption("resume")
    if path is None:
        return
    told = getattr(config, "workerinput", None)
    done = passed_before(path) if told is None else set(told["passed before"])
    config.pluginmanager.register(Resume(path.resolve(), done, notes=told is None), "resume")
