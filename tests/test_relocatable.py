"""A checkout whose path holds blanks, umlauts and quotes, and one that was moved: its scripts run, and so does grading."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.sample import Solved, save
from tests import ROOT

ODD = 'it\'s "a" Köln'
FOLDERS = ("autograder", "cnnlab", "solutions", "notebooks", "tools")
FILES = ("Makefile", "nbgrader_config.py", "pyproject.toml", "constraints.txt", "README.md")


def run(*command: str, cwd: Path, **environment: str) -> str:
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}
    done = subprocess.run(
        command, cwd=cwd, env={**kept, **environment}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout with its environment, elsewhere; files that are not written to are shared by hard links."""
    checkout = tmp_path_factory.mktemp("moved") / ODD / "cnnlab"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, checkout / name)
    try:
        shutil.copytree(sys.prefix, checkout / ".venv", symlinks=True, copy_function=os.link)
    except (OSError, shutil.Error):
        pytest.skip("the temporary folder is on another file system than the environment")
    run(str(checkout / ".venv/bin/python"), "tools/relocatable.py", cwd=checkout)
    return checkout


@pytest.mark.slow  # the environment has some fifty thousand files
@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="there is no virtual environment to copy")
def test_scripts_run_wherever_the_checkout_lies(moved: Path, tmp_path: Path) -> None:
    scripts = moved / ".venv" / "bin"
    for name in ("nbgrader", "alembic", "jupyter", "pytest"):
        run(str(scripts / name), "--version", cwd=tmp_path)
    (tmp_path / "autograder.py").write_text("raise SystemExit('the folder of the command is imported from')")
    (tmp_path / "link").symlink_to(scripts / "autograder")
    for command in (scripts / "autograder", tmp_path / "link"):
        assert "grade a class" in run(str(command), "--help", cwd=tmp_path)
    where = "import autograder, cnnlab; print(autograder.__file__, cnnlab.__file__, sep='\\n')"
    found = run(str(scripts / "python"), "-P", "-c", where, cwd=tmp_path).splitlines()
    assert found == [str(moved / "autograder/__init__.py"), str(moved / "cnnlab/__init__.py")]
    activated = f'. "{scripts}/activate" && command -v autograder'.replace('"a"', '\\"a\\"')
    assert run("bash", "-c", activated, cwd=tmp_path).strip() == str(scripts / "autograder")


@pytest.mark.slow
@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="there is no virtual environment to copy")
def test_a_class_is_graded_there(
    moved: Path, tmp_path: Path, course: Course, convolution: Lesson, bubblewrap: str
) -> None:
    for student in ("ann", "ben", "cem", "dan"):
        save(
            Solved(course, convolution).notebook(), tmp_path / "class" / student / f"{convolution.name}.ipynb"
        )
    script = str(moved / ".venv/bin/autograder")
    said = run(script, "grade", "1_layers", str(tmp_path / "class"), "--workers", "2", cwd=tmp_path)
    assert [line.split()[-1] for line in said.splitlines() if line.startswith(("ann", "dan"))] == ["60", "60"]
    assert (moved / "work/feedback/ann/1_layers/02_convolution.html").exists()
    assert "agree on 1_layers" in run(script, "verify", "1_layers", cwd=tmp_path)


def test_make_passes_an_odd_path_on(tmp_path: Path) -> None:
    checkout = tmp_path / ODD
    (checkout / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", checkout)
    for name in ("python", "autograder"):
        program = checkout / ".venv/bin" / name
        program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"; command -v python\n')
        program.chmod(0o755)
    said = run("make", "-o", ".venv/.ready", "lab", cwd=checkout).splitlines()
    assert said[-2:] == ["lab", str(checkout / ".venv/bin/python")]
