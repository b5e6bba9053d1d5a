"""The repository as a whole: packages, bounds, borders, pages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# conda-forge's names for what PyPI calls otherwise
CONDA = {"matplotlib": "matplotlib-base", "torch": "pytorch"}


def bounds(requirements: list[str]) -> dict[str, str]:
    return {r.name: str(r.specifier) for r in map(Requirement, requirements)}


def test_conda_environment_has_the_bounds_of_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    plain = [line for line in environment["dependencies"] if isinstance(line, str)]
    conda = bounds(plain)
    project = PYPROJECT["project"]
    wanted = {CONDA.get(name, name): spec for name, spec in bounds(project["dependencies"]).items()}
    instructor = bounds(project["optional-dependencies"]["instructor"])
    wanted |= {"jupyterlab": instructor["jupyterlab"], "python": project["requires-python"], "pip": ""}
    assert conda == wanted
    assert environment["channels"] == ["conda-forge"]


def test_constraints_are_exact_and_satisfy_the_bounds() -> None:
    lines = [
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    pinned = {}
    for requirement in map(Requirement, lines):
        (spec,) = requirement.specifier
        assert spec.operator == "=="
        pinned[requirement.name.lower().replace("_", "-")] = spec.version
    assert pinned["torch"] == "2.13.0"
    optional = PYPROJECT["project"]["optional-dependencies"]
    for requirement in map(
        Requirement, PYPROJECT["project"]["dependencies"] + optional["instructor"] + optional["developer"]
    ):
        if requirement.name != "cnnlab":
            assert Version(pinned[requirement.name.lower()]) in requirement.specifier


def test_the_wheel_holds_cnnlab_only(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    try:
        import hatchling  # noqa: F401
    except ImportError:
        pytest.skip("hatchling is not installed here, and building without it needs the network")
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"cnnlab"}
    wanted = {
        p.relative_to(ROOT).as_posix()
        for p in (ROOT / "cnnlab").rglob("*")
        if p.is_file() and p.suffix != ".pyc"
    }
    assert wanted <= set(names)


def test_cnnlab_never_imports_autograder() -> None:
    for path in (ROOT / "cnnlab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] == "autograder"], path


def test_public_doors_are_described() -> None:
    for package in ("cnnlab", "autograder"):
        for path in (ROOT / package).rglob("*.py"):
            if path.parent == ROOT / "autograder" / "sample" / "edits":
                continue  # students' answers, which nothing imports
            tree = ast.parse(path.read_text())
            assert ast.get_docstring(tree), path
            for node in tree.body:
                public = isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_")
                # the wrong implementations in exercises/ are described by their hints
                if public and "exercises" not in path.parts:
                    assert ast.get_docstring(node), f"{path}: {node.name}"


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) < 150
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


def test_nothing_is_hidden_in_the_text() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    if not tracked:
        pytest.skip("not a git checkout")
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".yml", ".txt", ".sh"} and path.exists():
            odd = re.findall(
                r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\U0001f300-\U0001faff]", path.read_text()
            )
            assert not odd, name
