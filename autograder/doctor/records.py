"""Checks of the course: the files derived from the lessons, the gradebook, the secret.

Each check imports the packages that it needs itself, so that a missing package costs only that check.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.course import SECRET_BYTES, Course
from autograder.doctor.finding import Finding, note, problem

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SECONDS = 1.0  # to wait for a lock
RENEW = "put back its copy, or move it away and grade again"
# In the class's folder as soon as something was graded.
GRADED = ("recorded.jsonl", "journal.jsonl", "autograded")


def derived_files(course: Course) -> list[Finding]:
    """Compare notebooks and README with the output of a build, leaving the public cases to `build --check`."""
    from autograder.authoring import build

    lessons = [lesson for one in course.assignments() for lesson in course.lessons(one)]
    stale = build.drift(course, lessons, public_cases=False)
    remedy = "run 'autograder build' and commit what it writes."
    unread = "not what solutions/ gives now, though grading does not read it"
    return [problem(f"{p} is {unread if p.parts[0] == 'notebooks' else 'stale'}: {remedy}") for p in stale]


def gradebook(course: Course) -> list[Finding]:
    """Check that the gradebook exists, can be read and written now, and has nbgrader's schema."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    try:
        url = make_url(course.db_url)
    except ArgumentError:
        return [
            problem(
                "What CNNLAB_DB_URL holds is no address of a database: write it as "
                "postgresql+psycopg://USER@HOST/NAME, or unset it."
            )
        ]
    name = url.render_as_string()  # which hides a password
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            return _missing(course, path)
        found = _sqlite(path)
        if found:
            return found
        name = str(path)
    try:
        return _schema(url, name)
    except ModuleNotFoundError as error:
        if url.get_backend_name() != "postgresql":
            return [problem(f"{name} needs {error.name}: install that database's driver.")]
        return [problem(f"{name} needs {error.name}: {sys.executable} -m pip install 'psycopg[binary]'")]
    except SQLAlchemyError as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())[:300].rstrip(".")
        return [problem(f"The gradebook {name} cannot be used ({reason}): see that its server runs.")]


def secret(course: Course) -> list[Finding]:
    """Check that the secret from which the secret Cases are drawn exists, is whole, and can be read by its owner only."""
    path = course.work / "secret"
    if not path.exists():
        if not _graded(course):
            return []
        return [
            problem(
                f"{path} is missing though there are grades: put back its copy, else later submissions meet other "
                "secret cases than earlier ones."
            )
        ]
    status = path.stat()
    found = []
    if status.st_mode & 0o077:
        found.append(problem(f"{path} can be read by others: chmod 600 {path}"))
    if status.st_size != SECRET_BYTES:
        found.append(problem(f"{path} is damaged: put back its copy, or delete it for new secret cases."))
    return found


def folder(course: Course) -> list[Finding]:
    """Check that the path of the class's folder is not that of a file."""
    if course.work.exists() and not course.work.is_dir():
        return [problem(f"{course.work} is no folder: name one by CNNLAB_WORK.")]
    return []


def privacy(course: Course) -> list[Finding]:
    """Check that other users of this machine cannot read the students' submissions and grades."""
    if not course.work.is_dir() or not course.work.stat().st_mode & 0o007:
        return []
    return [note(f"Other users of this machine can look into {course.work}: chmod o-rwx {course.work}")]


def _graded(course: Course) -> bool:
    return any((course.work / name).exists() for name in GRADED)


def _missing(course: Course, path: Path) -> list[Finding]:
    if not _graded(course):
        return [note(f"There is no gradebook yet; the first grading makes {path}.")]
    return [
        problem(
            f"{path} is missing though submissions were graded: put back its copy, or grade again for a new one."
        )
    ]


def _sqlite(path: Path) -> list[Finding]:
    """Check a SQLite file and take its lock for a moment, without changing anything."""
    if not os.access(path, os.R_OK | os.W_OK) or not os.access(path.parent, os.W_OK):
        return [problem(f"{path} or its folder cannot be read and written by you: mend their permissions.")]
    address = f"file:{quote(str(path.absolute()))}?mode=rw"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=SECONDS, isolation_level=None)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if answer != "ok":
                return [problem(f"{path} is damaged ({' '.join(str(answer).split())}): {RENEW}.")]
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        if "locked" in str(error):
            return [
                problem(f"{path} is in use by another program: wait for that, or end it, then try again.")
            ]
        return [problem(f"{path} is no gradebook ({error}): {RENEW}.")]
    return []


def _schema(url: URL, name: str) -> list[Finding]:
    """Compare the schema of a gradebook with that of the installed nbgrader."""
    have, head, known = _schema_of(url), *_schemas()
    if have == head:
        return []
    if not have:
        return [problem(f"{name} is no gradebook of nbgrader's: {RENEW}.")]
    if have in known:
        return [problem(f"{name} was made by an older nbgrader: run 'nbgrader db upgrade' in the checkout.")]
    return [problem(f"{name} was made by a newer nbgrader (schema {have[:40]!r}): update nbgrader.")]


def _schema_of(url: URL) -> str:
    from sqlalchemy import create_engine

    arguments = {"connect_timeout": 5} if url.get_backend_name() == "postgresql" else {}
    engine = create_engine(url, connect_args=arguments)
    try:
        with engine.connect() as connection:
            if not connection.dialect.has_table(connection, "alembic_version"):
                return ""
            return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")
    finally:
        engine.dispose()


def _schemas() -> tuple[str, set[str]]:
    """Return nbgrader's newest schema and all schemas that it knows."""
    from alembic.script import ScriptDirectory
    from nbgrader import dbutil

    scripts = ScriptDirectory(dbutil.ALEMBIC_DIR)
    return str(scripts.get_current_head()), {script.revision for script in scripts.walk_revisions()}
