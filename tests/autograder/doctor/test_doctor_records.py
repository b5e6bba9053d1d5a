"""The doctor looks at the gradebook, the secret and the class's folder: each thing that can be wrong must be found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.doctor import records
from tests.autograder.doctor.doctor_sample import said


@pytest.fixture
def graded(course: Course, empty_gradebook: Path) -> Course:
    """A course in which something was graded."""
    course.secret()
    shutil.copy(empty_gradebook, course.work / "gradebook.db")
    (course.work / "recorded.jsonl").write_text("{}\n")
    return course


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
