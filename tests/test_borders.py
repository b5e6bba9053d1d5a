"""The borders between the packages, which import-linter holds, and that it would notice if one were crossed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import ROOT

COPIED = ("autograder", "cnnlab", "pyproject.toml")
pytest.importorskip("importlinter", reason="import-linter is not installed")
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def broken_contracts(folder: Path) -> list[str]:
    """Return the names of the contracts that the packages in a folder break."""
    done = subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    broken = [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if line.endswith(" BROKEN")]
    assert bool(broken) == bool(done.returncode), done.stdout + done.stderr
    return broken


def with_imports(folder: Path, lines: Mapping[str, str]) -> Path:
    """Copy the packages, with a line added to some of their files."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc", "files", "*.npz")
            )
        else:
            shutil.copyfile(ROOT / name, folder / name)
    for name, line in lines.items():
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    return folder


def test_no_import_crosses_a_border() -> None:
    assert broken_contracts(ROOT) == []


@pytest.mark.parametrize(
    "lines, contract",
    [
        (
            {"cnnlab/progress.py": "import autograder.words"},
            "what a student imports knows nothing of the grader",
        ),
        (
            {"autograder/intake/records.py": "import autograder.judging.journal"},
            "a submission passes the stages in one direction",
        ),
        (
            {"autograder/words.py": "def late():\n    import autograder.recording.gradebook"},
            "a submission passes the stages in one direction",
        ),
        (
            {
                "cnnlab/data/photo.py": "import cnnlab.data.digits",
                "cnnlab/data/digits.py": "import cnnlab.data.photo",
            },
            "no circle between packages",
        ),
        (
            {"autograder/sandbox/inside/server.py": "import autograder.exercises"},
            "what runs beside hostile code holds no reference and no gradebook",
        ),
    ],
    ids=[
        "to the grader",
        "to a later stage",
        "to a later stage, in a function",
        "a circle",
        "into the sandbox",
    ],
)
def test_an_import_that_crosses_one_is_found(tmp_path: Path, lines: dict[str, str], contract: str) -> None:
    assert contract in broken_contracts(with_imports(tmp_path, lines))


def test_the_page_shows_the_layers_that_are_held() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    shown = (ROOT / "docs" / "architecture.md").read_text().rsplit("```text\n", 1)[1].split("\n```")[0]
    assert shown.splitlines() == [*layers[1:], "cnnlab"], "__main__ is left out, which only calls cli"


def test_every_file_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = set(re.findall(r"`([\w./]+\.py)`", page))
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    missing = [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)]
    assert len(named) > 40 and not missing
