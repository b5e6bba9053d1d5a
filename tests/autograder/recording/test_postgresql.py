"""A gradebook on a real PostgreSQL server holds what one in SQLite holds, whichever way it is written."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, text

from autograder.course import CourseError
from autograder.recording import database, gradebook, registration, verify
from autograder.recording.recorder import Recorder
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME
from tests.autograder.recording.recording_sample import (
    RIGHT,
    a_class,
    copy_of,
    files,
    grade_by_hand,
    record_fast,
    record_slowly,
    tables,
    two_lessons,
)

Course = sample.SampleCourse
SECONDS = 60


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs, the newest; skips where there is none."""
    found = shutil.which(name)
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda p: float(p.parts[-3]))
    if not found and not places:
        pytest.skip("PostgreSQL is not installed: sudo apt-get install postgresql")
    return found or str(places[-1])


def owner() -> dict[str, object]:
    """Whom the server is to run as: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("there is no user but root to run PostgreSQL as")


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of the local socket of a server that listens nowhere else."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    initdb, control = program("initdb"), program("pg_ctl")
    folder = Path(
        tempfile.mkdtemp(prefix="pg-", dir="/tmp")
    )  # a socket's path may have some hundred characters
    run = owner()
    if run:
        os.chown(folder, int(str(run["user"])), int(str(run["group"])))

    def do(*command: str) -> None:
        done = subprocess.run(
            command, cwd=folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, timeout=SECONDS,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **run,  # type: ignore[call-overload]
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    data = folder / "data"
    try:
        do(initdb, "-D", str(data), "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        do(control, "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield folder
        finally:
            do(control, "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def url(server: Path, database: str) -> str:
    return f"postgresql+psycopg://grader@/{database}?host={server}"


def make_database(server: Path, name: str) -> str:
    engine = create_engine(url(server, "postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url(server, name)


def on_postgresql(course: Course, patch: pytest.MonkeyPatch, address: str) -> Course:
    patch.setenv("CNNLAB_DB_URL", address)
    assert course.db_url == address
    return course


def test_both_ways_write_into_postgresql_what_sqlite_holds(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = two_lessons(_made(tmp_path / "lite"))
    judgements = a_class(lite)
    fast, slow = copy_of(lite.root, tmp_path / "fast"), copy_of(lite.root, tmp_path / "slow")
    assert _graded_twice(lite, record_fast, judgements)
    with monkeypatch.context() as patch:
        on_postgresql(fast, patch, make_database(server, "fast"))
        assert gradebook.grades(fast, ASSIGNMENT) == []
        by_batch = _graded_twice(fast, record_fast, judgements)
        in_batches = tables(fast.db_url)
        assert verify.differences(fast, ASSIGNMENT) and not [
            one for one in verify.differences(fast, ASSIGNMENT) if one.exercise
        ], "only the Judgements, which no judge wrote here, are missing"
        with Recorder(fast, ASSIGNMENT) as recorder:
            assert recorder.recorded_whole("bob")
    with monkeypatch.context() as patch:
        on_postgresql(slow, patch, make_database(server, "slow"))
        by_nbgrader = _graded_twice(slow, record_slowly, judgements)
        assert tables(slow.db_url) == in_batches
    assert by_batch == by_nbgrader == gradebook.grades(lite, ASSIGNMENT)
    assert in_batches == tables(lite.db_url)
    assert files(lite) == files(fast) == files(slow)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _graded_twice(course: Course, how, judgements) -> list[gradebook.Grade]:
    assert how(course, judgements) == {}
    with Gradebook(database.url_of(course)) as book:
        book.update_or_create_assignment(ASSIGNMENT, duedate="2026-01-01 12:00:00 UTC")
    grade_by_hand(course)
    assert how(course, {**judgements, "bob": {NAME: RIGHT}}) == {}
    return gradebook.grades(course, ASSIGNMENT)


def test_registering_is_idempotent_there_too(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = sample.make_course(tmp_path)
    on_postgresql(course, monkeypatch, make_database(server, "again"))
    assert registration.sync(course, ASSIGNMENT)
    assert not registration.sync(course, ASSIGNMENT)
    assert not (course.work / "gradebook.db").exists()


def test_a_database_that_is_not_there_is_said(
    server: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = sample.make_course(tmp_path)
    on_postgresql(course, monkeypatch, url(server, "nowhere"))
    with pytest.raises(CourseError, match=r'database "nowhere" does not exist') as said:
        registration.sync(course, ASSIGNMENT)
    assert "\n" not in str(said.value)


def test_a_server_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'psycopg[binary]'")
    course = sample.make_course(tmp_path)
    monkeypatch.setenv("CNNLAB_DB_URL", f"postgresql+psycopg://grader:secret@/x?host={tmp_path}")
    with pytest.raises(
        CourseError, match=r"cannot be reached: .*Start its server, or set \$CNNLAB_DB_URL"
    ) as said:
        registration.sync(course, ASSIGNMENT)
    assert "\n" not in str(said.value) and "secret" not in str(said.value)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql+psycopg2://grader@/x", "needs the package psycopg2, which is not installed"),
        ("nodatabase://x", "cannot be used: Can't load plugin"),
        ("no address", "cannot be used: Could not parse SQLAlchemy URL"),
    ],
)
def test_a_driver_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    course = sample.make_course(tmp_path)
    monkeypatch.setenv("CNNLAB_DB_URL", address)
    with pytest.raises(CourseError) as said:
        registration.sync(course, ASSIGNMENT)
    assert words in str(said.value) and "\n" not in str(said.value)
