"""Connects to the gradebook's database, and puts the database's errors into one sentence."""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from typing import Any

from nbgrader import api
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError, SAWarning, SQLAlchemyError

from autograder.course import Course
from autograder.recording.errors import RecordError

# nbgrader reads a submission's notebooks before it adds the submission: SQLAlchemy 2.1 remarks on each,
# nothing is lost.
warnings.filterwarnings("ignore", message="Object of type <Submitted", category=SAWarning)


TABLES: Any = api  # where its classes stand for tables in a query


KIB_OF_PAGES = 256  # of an SQLite gradebook in memory


SECONDS_TO_WAIT = 30  # for another program that writes to the gradebook; nbgrader by itself waits 5


def url_of(course: Course) -> str:
    """Return the gradebook's address; one of SQLite says how long to wait for other programs, if it did not yet."""
    url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(SECONDS_TO_WAIT)})
    return url.render_as_string(hide_password=False)


def engine(course: Course) -> Engine:
    """Return a pool of connections to the gradebook, which the caller has to dispose of.

    Raises:
        RecordError: where the database's driver is not installed.
    """
    try:
        made = create_engine(url_of(course), pool_pre_ping=True)  # a server may have been started anew
    except ModuleNotFoundError as error:
        raise RecordError(
            f"The gradebook {shown_url(course)} needs the package {error.name}, which is not installed; for "
            "PostgreSQL install psycopg and let the address begin with postgresql+psycopg://."
        ) from error
    if made.dialect.name == "sqlite":
        listen(made, "connect", _keep_few_pages)
    return made


def _keep_few_pages(connection: Any, _: object) -> None:
    # The system keeps the file's pages in any case; SQLite would by itself hold 2 MiB of them once more.
    connection.execute(f"PRAGMA cache_size = -{KIB_OF_PAGES}")


def gradebook_exists(course: Course) -> bool:
    """Say whether there is a gradebook, and make none by looking.

    Raises:
        RecordError: where the gradebook cannot be used.
    """
    with errors(course):
        url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and not (url.database and os.path.isfile(url.database)):
        return False
    with connection(course) as connected:
        return connected.dialect.has_table(connected, "grade")


@contextlib.contextmanager
def connection(course: Course) -> Iterator[Connection]:
    """Give a connection to the gradebook for the length of a block.

    Raises:
        RecordError: where the gradebook cannot be used, also for a database's error that the block raises.
    """
    with errors(course):
        pool = engine(course)
        try:
            with pool.connect() as connected:
                yield connected
        finally:
            pool.dispose()


@contextlib.contextmanager
def errors(course: Course) -> Iterator[None]:
    """Turn a database's error in a block into a RecordError that says in one sentence what is wrong."""
    log = logging.getLogger("tornado.application")  # where nbgrader's api writes tracebacks
    silent = log.disabled
    log.disabled = True
    try:
        yield
    except (SQLAlchemyError, api.InvalidEntry) as error:
        raise RecordError(sentence_of(error, shown_url(course))) from error
    finally:
        log.disabled = silent


def sentence_of(error: Exception, url: str) -> str:
    """Return a database's error as one sentence; url: the gradebook's address, without its password."""
    reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")
    if "database is locked" in reason or "database table is locked" in reason:
        return f"The gradebook {url} is in use by another program; try again when that has finished."
    if isinstance(error, OperationalError) and "connection" in reason:
        return f"The gradebook {url} cannot be reached: {reason}. Start its server, or set $CNNLAB_DB_URL."
    if "not a database" in reason or "malformed" in reason:
        return f"The gradebook {url} is damaged ({reason}): 'autograder verify --rebuild' writes it again from the journals."
    return f"The gradebook {url} cannot be used: {reason}."


def shown_url(course: Course) -> str:
    """Return the gradebook's address without its password."""
    try:
        return make_url(course.db_url).render_as_string()
    except SQLAlchemyError:
        return "in $CNNLAB_DB_URL"
