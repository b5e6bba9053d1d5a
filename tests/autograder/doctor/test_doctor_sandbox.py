"""The doctor looks at the sandbox: each thing that can be wrong is made so, and must be found with its remedy."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.doctor import sandbox
from tests import ROOT
from tests.autograder.doctor.doctor_sample import said


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
