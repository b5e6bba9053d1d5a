"""The doctor: each thing that can be wrong is made so, and must be found with its remedy."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder import cli, doctor
from autograder.course import Course, CourseError
from autograder.doctor import machine, records, sandbox
from tests import ROOT


def said(findings: list[doctor.Finding], kind: str = "problem") -> str:
    """The one sentence that was found."""
    (finding,) = findings
    assert finding.kind == kind and "\n" not in finding.sentence
    return finding.sentence


@pytest.fixture(scope="module")
def empty_gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An nbgrader database without an assignment."""
    path = tmp_path_factory.mktemp("empty") / "gradebook.db"
    before = os.environ["PATH"]
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), before])
    try:
        Gradebook(f"sqlite:///{path}").close()
    finally:
        os.environ["PATH"] = before
    return path


@pytest.fixture
def graded(course: Course, empty_gradebook: Path) -> Course:
    """A course in which something was graded."""
    course.secret()
    shutil.copy(empty_gradebook, course.work / "gradebook.db")
    (course.work / "recorded.jsonl").write_text("{}\n")
    return course


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


# All together


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


# The machine


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


def inside(*mounts: str, check: str, work: Path) -> str:
    """Run one check in a sandbox of this test's own, and return what it found."""
    script = (
        "import sys; from pathlib import Path; from autograder.course import Course; from autograder import doctor\n"
        "from autograder.doctor import machine, sandbox\n"
        f"for f in {check}(Course(Path(sys.argv[1]), Path(sys.argv[2]))): print(f.kind + ': ' + f.sentence)\n"
    )
    command = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", *mounts]
    command += [sys.executable, "-c", script, str(ROOT), str(work)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if "Unknown option" in done.stderr:
        pytest.skip("this bubblewrap is too old for --disable-userns")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_full_disk(bubblewrap: str, tmp_path: Path) -> None:
    small = ("--size", str(64 << 20), "--tmpfs", str(tmp_path))
    found = inside(*small, check="machine.disk", work=tmp_path / "not" / "yet" / "there")
    assert found.startswith("problem: Only 0.1 GiB are free") and "CNNLAB_WORK" in found


# The sandbox


def test_without_bubblewrap(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "sudo apt-get install bubblewrap" in said(sandbox.bubblewrap(course))
    assert sandbox.namespaces(course) == sandbox.isolation(course) == []  # said once is enough


@pytest.mark.parametrize(("version", "wrong"), [("0.4.1", True), ("0.11.0", False), ("unknown", True)])
def test_a_bubblewrap_that_is_too_old(
    version: str, wrong: bool, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\necho bubblewrap {version}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = sandbox.bubblewrap(course)
    assert ("install a newer one" in said(found)) if wrong else found == []


def test_where_user_namespaces_are_forbidden(bubblewrap: str, tmp_path: Path) -> None:
    user = ("--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns")
    found = inside(*user, check="sandbox.namespaces", work=tmp_path)
    assert found.startswith("problem: ") and "user namespaces" in found
    assert inside(*user, check="sandbox.isolation", work=tmp_path) == ""  # said once is enough


SETTINGS = {
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=10000"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_setting_that_forbids_them_is_named(
    name: str, course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, remedy = SETTINGS[name]
    settings = tmp_path / "sys"
    (settings / name).parent.mkdir(parents=True)
    (settings / name).write_text(f"{value}\n")
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert f"sudo sysctl -w {remedy}" in said(sandbox.namespaces(course, settings))
    (settings / name).write_text("7\n")
    assert "setting up uid map: Permission denied" in said(sandbox.namespaces(course, settings))
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert "--privileged" in said(sandbox.namespaces(course, settings))


def test_the_sandbox_shuts_in(bubblewrap: str, course: Course) -> None:
    assert sandbox.namespaces(course) == []
    assert sandbox.isolation(course) == []


def test_a_sandbox_that_does_not_shut_in_is_noticed(course: Course) -> None:
    course.secret()
    found = said(sandbox.isolation(course, bare=True))
    for what in (
        "connect to this machine",
        f"read {ROOT}/solutions",
        f"read {course.work}/secret",
        "do not grade here",
    ):
        assert what in found


def test_no_secret_is_touched_by_the_look(course: Course) -> None:
    before = course.secret()
    sandbox.isolation(course, bare=True)
    assert course.secret() == before and stat.S_IMODE((course.work / "secret").stat().st_mode) == 0o600


# The course


def test_a_stale_notebook_is_named(tmp_path: Path) -> None:
    for name in ("notebooks", "solutions", "cnnlab"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    stale = tmp_path / "notebooks" / "1_layers" / "04_pooling.ipynb"
    stale.write_text(stale.read_text() + " ")
    course = Course(tmp_path, tmp_path / "work")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert "notebooks/1_layers/04_pooling.ipynb is stale: run 'autograder build'" in said(
        records.derived_files(course)
    )
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_gradebook_where_all_is_well(graded: Course) -> None:
    path = graded.work / "gradebook.db"
    before = path.read_bytes()
    assert records.gradebook(graded) == records.secret(graded) == []
    assert path.read_bytes() == before and sorted(p.name for p in graded.work.iterdir()) == [
        "gradebook.db", "recorded.jsonl", "secret",
    ]  # fmt: skip


def test_a_missing_gradebook(graded: Course) -> None:
    (graded.work / "gradebook.db").unlink()
    assert "put back its copy, or grade again" in said(records.gradebook(graded))
    (graded.work / "recorded.jsonl").unlink()
    assert "the first grading makes" in said(records.gradebook(graded), "note")
    assert not (graded.work / "gradebook.db").exists()


def test_a_locked_gradebook(graded: Course) -> None:
    path = graded.work / "gradebook.db"
    holder = sqlite3.connect(path, isolation_level=None)
    for begin in ("BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"):
        holder.execute(begin)
        assert "is in use by another program" in said(records.gradebook(graded))
        holder.execute("ROLLBACK")
    holder.close()
    assert records.gradebook(graded) == []


def test_a_gradebook_that_is_none(graded: Course) -> None:
    path = graded.work / "gradebook.db"
    path.write_bytes(b"not a database, but long enough to be taken for one " * 20)
    assert "is no gradebook (file is not a database)" in said(records.gradebook(graded))
    path.write_bytes(b"")
    assert "is no gradebook of nbgrader's" in said(records.gradebook(graded))


def test_a_damaged_gradebook(graded: Course) -> None:
    path = graded.work / "gradebook.db"
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)
    assert "put back its copy, or move it away" in said(records.gradebook(graded))


@pytest.mark.parametrize(
    ("schema", "remedy"), [("b6d005d67074", "run 'nbgrader db upgrade'"), ("ffffffffffff", "update nbgrader")]
)
def test_a_gradebook_of_another_nbgrader(schema: str, remedy: str, graded: Course) -> None:
    connection = sqlite3.connect(graded.work / "gradebook.db")
    connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
    connection.commit()
    connection.close()
    assert remedy in said(records.gradebook(graded))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write to any file")
def test_a_gradebook_that_may_not_be_written(graded: Course) -> None:
    (graded.work / "gradebook.db").chmod(0o400)
    assert "mend their permissions" in said(records.gradebook(graded))


def test_a_server_that_does_not_run_and_no_password_is_shown(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed")
    monkeypatch.setenv("CNNLAB_DB_URL", "postgresql+psycopg://ann:hidden@127.0.0.1:1/none")
    sentence = said(records.gradebook(course))
    assert "see that its server runs" in sentence and "hidden" not in sentence


def test_a_driver_that_is_missing(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlalchemy")
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    monkeypatch.setenv("CNNLAB_DB_URL", "postgresql+psycopg2://ann:hidden@127.0.0.1:1/none")
    sentence = said(records.gradebook(course))
    assert "pip install" in sentence and "hidden" not in sentence
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    monkeypatch.setenv("CNNLAB_DB_URL", "mysql://ann:hidden@127.0.0.1:1/none")
    sentence = said(records.gradebook(course))
    assert "MySQLdb" in sentence and "psycopg" not in sentence and "hidden" not in sentence


def test_an_address_that_is_none(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DB_URL", "ann:hidden at the database's")
    sentence = said(records.gradebook(course))
    assert "CNNLAB_DB_URL" in sentence and "postgresql+psycopg://" in sentence and "hidden" not in sentence


def test_a_class_is_nobody_elses_to_look_into(course: Course, tmp_path: Path) -> None:
    new = replace(course, work=tmp_path / "new")
    assert records.privacy(new) == []
    new.secret()
    assert records.privacy(new) == []
    new.work.chmod(0o755)
    assert f"chmod o-rwx {new.work}" in said(records.privacy(new), "note")


def test_a_secret_that_is_lost_open_or_damaged(graded: Course) -> None:
    path = graded.work / "secret"
    path.chmod(0o640)
    assert f"chmod 600 {path}" in said(records.secret(graded))
    path.chmod(0o600)
    path.write_bytes(b"short")
    assert "is damaged" in said(records.secret(graded))
    path.unlink()
    assert "is missing though there are grades" in said(records.secret(graded))
    assert records.secret(replace(graded, work=graded.work / "other")) == []
    assert not path.exists()
