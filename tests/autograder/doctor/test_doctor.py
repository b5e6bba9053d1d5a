"""The doctor: each thing that can be wrong with a machine or a course is made so, and must be found with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from autograder import cli, doctor
from autograder.course import Course, CourseError
from autograder.doctor import machine, records
from tests import ROOT
from tests.autograder.doctor.doctor_sample import said


@pytest.fixture
def bent(tmp_path: Path) -> Course:
    """A course with a pyproject.toml and constraints.txt of the test's own."""
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return Course(tmp_path, tmp_path / "work")


def bend(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_machine_where_all_is_well(bubblewrap: str, tmp_path: Path) -> None:
    environment = {**os.environ, "CNNLAB_WORK": str(tmp_path / "work")}
    environment.pop("CNNLAB_DB_URL", None)
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "doctor"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("\nNothing is wrong.\n") and "note: There is no gradebook yet" in done.stdout
    assert not (tmp_path / "work").exists()


def test_the_command_counts_problems_and_ends_with_1(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", (records.secret, machine.system))
    course.secret()
    (course.work / "secret").chmod(0o644)
    options = cli._parser().parse_args(["doctor"])
    assert options.run(course, options) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("problem: ") and "chmod 600" in out[0] and out[1] == "1 problem to mend."


def breaks(course: Course) -> list[doctor.Finding]:
    raise ValueError("two\nlines")


def refuses(course: Course) -> list[doctor.Finding]:
    raise CourseError("The lesson is broken: mend it.")


def lacks(course: Course) -> list[doctor.Finding]:
    import no_such_package  # type: ignore[import-not-found]

    return [no_such_package]


def test_a_check_that_fails_is_a_finding_and_the_others_go_on(course: Course) -> None:
    found = list(doctor.examine(course, (breaks, refuses, lacks, machine.system)))
    assert [finding.kind for finding in found] == ["problem"] * 3
    assert found[0].sentence == "The check of breaks failed itself (ValueError: two lines): report it."
    assert found[1].sentence == "The lesson is broken: mend it."
    assert "The check of lacks needs no_such_package: run '" in found[2].sentence


def test_where_packages_are_missing_it_still_speaks(course: Course) -> None:
    script = (
        "import sys\n"
        "for name in ('sqlalchemy', 'nbformat', 'packaging', 'alembic', 'nbgrader'): sys.modules[name] = None\n"
        "from pathlib import Path; from autograder import doctor; from autograder.course import Course\n"
        "for f in doctor.examine(Course(Path(sys.argv[1]), Path(sys.argv[2]))): print(f.kind, f.sentence)\n"
    )
    command = [sys.executable, "-c", script, str(ROOT), str(course.work)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and not done.stderr
    for check, package in (
        ("gradebook", "sqlalchemy"),
        ("packages", "packaging"),
        ("derived files", "nbformat"),
    ):
        assert f"problem The check of {check} needs {package}" in done.stdout


def test_a_python_or_package_out_of_bounds(bent: Course) -> None:
    assert machine.python(bent) == []
    pyproject = bent.root / "pyproject.toml"
    bend(pyproject, 'requires-python = ">=3.11"', 'requires-python = ">=3.99"')
    assert ">=3.99" in said(machine.python(bent))
    bend(pyproject, '"numpy>=2.0"', '"numpy>=99", "no-such-package>=1"')
    sentences = [finding.sentence for finding in machine.packages(bent) if finding.kind == "problem"]
    assert len(sentences) == 2
    assert sentences[0].startswith("numpy is ") and ">=99 is needed: run '" in sentences[0]
    assert sentences[1].startswith("The package no-such-package is not installed: run '")


def test_the_extras_of_a_package_are_looked_at(bent: Course) -> None:
    bend(bent.root / "pyproject.toml", '"ipython>=7.34"', '"ipython[black]>=7.34"')
    try:
        metadata.version("black")
        pytest.skip("black is installed, so it cannot stand for what is missing")
    except metadata.PackageNotFoundError:
        pass
    assert any("black is not installed" in finding.sentence for finding in machine.packages(bent))


def test_other_versions_than_the_constraints_are_a_note(bent: Course) -> None:
    assert not [f for f in machine.packages(bent) if "numpy" in f.sentence]
    (bent.root / "constraints.txt").write_text("# exact\nnumpy==1.0\nnot-installed==3\n")
    (found,) = [f for f in machine.packages(bent) if f.kind == "note"]
    assert "numpy " in found.sentence and "not-installed" not in found.sentence


def test_alembic_is_looked_for_beside_python_and_on_the_path(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert machine.alembic(course) == []
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert "alembic" in said(machine.alembic(course))


def test_absent_programs_that_grading_does_without_are_notes(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert [finding.kind for finding in machine.optional_tools(course)] == ["note", "note"]


def test_a_stale_notebook_is_named(tmp_path: Path) -> None:
    for name in ("notebooks", "solutions", "cnnlab"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    stale = tmp_path / "notebooks" / "1_layers" / "04_pooling.ipynb"
    stale.write_text(stale.read_text() + " ")
    course = Course(tmp_path, tmp_path / "work")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert "notebooks/1_layers/04_pooling.ipynb is not what solutions/ gives now" in said(
        records.derived_files(course)
    )
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
