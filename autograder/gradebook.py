"""nbgrader's gradebook: registers assignments, records Verdicts, writes feedback, reads the grades back.

nbgrader stays the system of record: all of this goes through its own tables, converters and configuration,
so that formgrader, manual grading, late penalties and `nbgrader export` go on working.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from sys import intern
from typing import Any

from nbgrader import api, dbutil
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import create_engine, select
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError, SAWarning, SQLAlchemyError
from traitlets.config import Config

from autograder import registered
from autograder.course import PRIVATE, Course, CourseError
from autograder.registered import CONFIG as CONFIG
from autograder.registered import Rows, exercise_of
from autograder.registered import is_usual as is_usual
from autograder.registered import released as released

# nbgrader reads a submission's notebooks before it adds the submission: SQLAlchemy 2.1 remarks on each,
# nothing is lost.
warnings.filterwarnings("ignore", message="Object of type <Submitted", category=SAWarning)

TABLES: Any = api  # where its classes stand for tables in a query
KIB_OF_PAGES = 256  # of an SQLite gradebook in memory
SECONDS_TO_WAIT = 30  # for another program that writes to the gradebook; nbgrader by itself waits 5


@dataclass(frozen=True, slots=True)
class Grade:
    """One line of the gradebook.

    exercise: an Exercise's or a question's name; auto: points the grader gave, None before grading and for
    an answer that a person grades; manual: points a person gave, None where nobody did; extra: extra
    credit; max: the points there are; score: what counts; needs_manual: whether a person has to look at it.
    """

    student: str
    lesson: str
    exercise: str
    auto: float | None
    manual: float | None
    extra: float
    max: float
    needs_manual: bool

    @property
    def score(self) -> float:
        """The points that count: a person's before the grader's, and the extra credit."""
        given = self.manual if self.manual is not None else self.auto
        return 0.0 if given is None else given + self.extra


def sync(course: Course, assignment: str) -> bool:
    """Register an assignment with its cells in the gradebook, and return whether anything was changed.

    Builds the lessons, writes them to work/source/, and compares the gradebook with them: so it is cheap to
    call again, repairs a gradebook that was replaced or half written, and follows lessons that changed
    after submissions came in. Raises CourseError where an exercise that a person graded is gone from its
    lesson, or the gradebook is locked.
    """
    lessons = course.lessons(assignment)
    with errors(course), _one_at_a_time(course):
        wanted = registered.current(course, assignment, lessons)
        if _exists(course):
            if _registered(course, assignment) == wanted:
                return False
        else:
            _create(course)
        with api.Gradebook(_url(course)) as gradebook:
            _register(gradebook, assignment, wanted)
        return True


def record(
    course: Course,
    assignment: str,
    students: Sequence[str] | None = None,
    on_done: Callable[[str], None] | None = None,
    *,
    take_in: Callable[[Course, list[str]], None] | None = None,
    judge: Callable[..., Any] | None = None,
) -> dict[str, str]:
    """Run nbgrader's autograde for `students`, by default all; return student -> why nothing was recorded.

    on_done(student): called after each; take_in and judge: by default intake's take_in_submitted and
    judge_notebook, which find what they did before. Where one fails, nothing is recorded for that student,
    what was recorded before stays, and the others go on. Raises CourseError where the gradebook is locked.
    """
    record_one = recorder(course, assignment, take_in=take_in, judge=judge)
    problems = {}
    for student in students_with(course.submitted, assignment) if students is None else students:
        problem = record_one(student)
        if problem:
            problems[student] = problem
        if on_done:
            on_done(student)
    return problems


def recorder(
    course: Course,
    assignment: str,
    *,
    take_in: Callable[[Course, list[str]], None] | None = None,
    judge: Callable[..., Any] | None = None,
) -> Callable[[str], str]:
    """Register the assignment, and return what records one student and returns "" or why nothing was recorded.

    The arguments and errors are those of `record`.
    """
    from autograder.intake import take_in_submitted
    from autograder.nbgrader_step import Autograder

    sync(course, assignment)
    config = configuration(course)
    if judge:
        config.JudgeStep.judge = judge

    def record_one(student: str) -> str:
        with errors(course):
            directory = _directory(config, assignment, student)
            return Autograder(directory, config, partial(take_in or take_in_submitted, course)).run()

    return record_one


def feedback(course: Course, assignment: str, students: Sequence[str] | None = None) -> dict[str, list[Path]]:
    """Write the feedback pages of `students` (by default of all that are graded) and return student -> pages.

    Raises CourseError naming those whose page could not be written, after the others are.
    """
    from autograder.nbgrader_step import FeedbackWriter

    config = configuration(course)
    graded = students_with(course.work / "autograded", assignment)
    chosen = graded if students is None else [student for student in students if student in graded]
    if not chosen:
        return {}
    with errors(course):
        problem = FeedbackWriter(_directory(config, assignment), config, chosen).run()
    if problem:
        raise CourseError(problem)
    return {student: sorted((course.feedback / student / assignment).glob("*.html")) for student in chosen}


def grades(course: Course, assignment: str) -> list[Grade]:
    """Read the grades of an assignment, by student, lesson and name; [] before any is recorded."""
    return list(each_grade(course, assignment))


def each_grade(course: Course, assignment: str) -> Iterator[Grade]:
    """Read the same one by one, as somebody who adds up those of a large class wants them."""
    with errors(course):
        if not _exists(course):
            return
    cell, grade = TABLES.GradeCell, TABLES.Grade
    submitted, handed_in = TABLES.SubmittedNotebook, TABLES.SubmittedAssignment
    query = (
        select(
            handed_in.student_id, TABLES.Notebook.name, cell.name, grade.auto_score, grade.manual_score,
            grade.extra_credit, cell.max_score, grade.needs_manual_grade,
        )
        .join_from(grade, submitted, submitted.id == grade.notebook_id)
        .join(handed_in, handed_in.id == submitted.assignment_id)
        .join(TABLES.Assignment, TABLES.Assignment.id == handed_in.assignment_id)
        .join(TABLES.Notebook, TABLES.Notebook.id == submitted.notebook_id)
        .join(cell, cell.id == grade.cell_id)
        .where(TABLES.Assignment.name == assignment)
        .order_by(handed_in.student_id, TABLES.Notebook.name, cell.name)
    )  # fmt: skip
    with connection(course) as connected:
        for student, lesson, name, auto, manual, extra, points, needs in connected.execute(query):
            yield Grade(
                intern(student),
                intern(lesson),
                intern(exercise_of(name)),
                auto,
                manual,
                extra or 0.0,
                points,
                bool(needs),
            )


def configuration(course: Course) -> Config:
    """Return the settings of nbgrader_config.py for a course, for running nbgrader inside this process."""
    config = registered.settings(course)
    config.CourseDirectory.db_url = _url(course)
    return config


# What is registered


def _registered(course: Course, assignment: str) -> Rows:
    """Return what the gradebook holds of an assignment, in the form of _rows_of."""
    notebook, grade, source = TABLES.Notebook, TABLES.GradeCell, TABLES.SourceCell
    with _connection(course) as connection:

        def stored(cell: Any, *columns: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
            query = select(notebook.name, cell.name, *columns)
            query = query.join_from(cell, notebook, notebook.id == cell.notebook_id)
            query = query.join(TABLES.Assignment).where(TABLES.Assignment.name == assignment)
            return {(lesson, name): tuple(rest) for lesson, name, *rest in connection.execute(query)}

        named = select(notebook.name, notebook.kernelspec).join(TABLES.Assignment)
        named = named.where(TABLES.Assignment.name == assignment)
        return {
            "notebooks": {(lesson, ""): (kernelspec,) for lesson, kernelspec in connection.execute(named)},
            "grade": stored(grade, grade.max_score, grade.cell_type),
            "solution": stored(TABLES.SolutionCell),
            "source": stored(source, source.cell_type, source.locked, source.source, source.checksum),
        }


def _register(gradebook: api.Gradebook, assignment: str, wanted: Rows) -> None:
    gradebook.update_or_create_assignment(assignment)
    _drop_stale(gradebook, assignment, wanted)
    for (lesson, _), (kernelspec,) in wanted["notebooks"].items():
        gradebook.update_or_create_notebook(lesson, assignment, kernelspec=kernelspec)
    for (lesson, name), (points, kind) in wanted["grade"].items():
        gradebook.update_or_create_grade_cell(name, lesson, assignment, max_score=points, cell_type=kind)
    for lesson, name in wanted["solution"]:
        gradebook.update_or_create_solution_cell(name, lesson, assignment)
    for (lesson, name), (kind, locked, source, checksum) in wanted["source"].items():
        gradebook.update_or_create_source_cell(
            name, lesson, assignment, cell_type=kind, locked=locked, source=source, checksum=checksum
        )
    _complete_submissions(gradebook, assignment)


def _drop_stale(gradebook: api.Gradebook, assignment: str, wanted: Rows) -> None:
    """Remove what the lessons no longer have, unless a person's work hangs on it."""
    for notebook in list(gradebook.find_assignment(assignment).notebooks):
        lesson = notebook.name
        gone = (lesson, "") not in wanted["notebooks"]
        graded = [c for c in notebook.grade_cells if gone or (lesson, c.name) not in wanted["grade"]]
        written = [c for c in notebook.solution_cells if gone or (lesson, c.name) not in wanted["solution"]]
        for cell in graded + written:
            _verify_untouched(cell, f"{assignment}/{lesson}")
        if gone:
            gradebook.remove_notebook(lesson, assignment)
            continue
        for cell in graded:
            for grade in list(cell.grades):
                gradebook.db.delete(grade)
            gradebook.db.delete(cell)
        for cell in written:
            for comment in list(cell.comments):
                gradebook.db.delete(comment)
            gradebook.db.delete(cell)
        for source in list(notebook.source_cells):
            if (lesson, source.name) not in wanted["source"]:
                gradebook.db.delete(source)
        gradebook.db.commit()


def _verify_untouched(cell: Any, lesson: str) -> None:
    by_hand = any(g.manual_score is not None or g.extra_credit for g in cell.grades or ())
    if by_hand or any(c.manual_comment for c in cell.comments or ()):
        raise CourseError(
            f"{exercise_of(cell.name)} was graded by hand, but {lesson} no longer has it: put it back under "
            "this name, or delete all grades of the assignment with 'nbgrader db assignment remove "
            f"{lesson.split('/')[0]} --force'."
        )


def _complete_submissions(gradebook: api.Gradebook, assignment: str) -> None:
    """Give submissions older than a lesson or cell the rows that nbgrader makes for newer ones."""
    found, session = gradebook.find_assignment(assignment), gradebook.db
    for submission in found.submissions:
        held = {notebook.notebook_id: notebook for notebook in submission.notebooks}
        for notebook in found.notebooks:
            mine = held.get(notebook.id)
            if mine is None:
                mine = api.SubmittedNotebook(notebook_id=notebook.id, assignment_id=submission.id)
                session.add(mine)
                session.flush()  # gives it its id
            for kind, cells in ((api.Grade, notebook.grade_cells), (api.Comment, notebook.solution_cells)):
                there = {row.cell_id for row in session.query(kind).filter_by(notebook_id=mine.id)}
                session.add_all(kind(cell_id=c.id, notebook_id=mine.id) for c in cells if c.id not in there)
    session.commit()


# The database


def _url(course: Course) -> str:
    """Return the gradebook's address; for SQLite with our patience, unless it says its own."""
    url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and "timeout" not in url.query:
        url = url.update_query_dict({"timeout": str(SECONDS_TO_WAIT)})
    return url.render_as_string(hide_password=False)


def engine(course: Course) -> Engine:
    """Return a connection pool to the gradebook, which the caller disposes of.

    Raises CourseError where the database's driver is not installed.
    """
    try:
        made = create_engine(_url(course), pool_pre_ping=True)  # a server may have been started anew
    except ModuleNotFoundError as error:
        raise CourseError(
            f"The gradebook {_shown_url(course)} needs the package {error.name}, which is not installed; for "
            "PostgreSQL install psycopg and let the address begin with postgresql+psycopg://."
        ) from error
    if made.dialect.name == "sqlite":
        listen(made, "connect", _keep_few_pages)
    return made


def _keep_few_pages(connection: Any, _: object) -> None:
    # The system keeps the file's pages in any case; SQLite would by itself hold 2 MiB of them once more.
    connection.execute(f"PRAGMA cache_size = -{KIB_OF_PAGES}")


def _exists(course: Course) -> bool:
    """Say whether there is a gradebook; looking must not make one."""
    url = make_url(course.db_url)
    if url.get_backend_name() == "sqlite" and not (url.database and os.path.isfile(url.database)):
        return False
    with _connection(course) as connection:
        return connection.dialect.has_table(connection, "grade")


def _create(course: Course) -> None:
    """Make nbgrader's tables, all or none, as its Gradebook would.

    That one starts `alembic` as a program to ask for its newest version, which takes a second and fails where
    the environment is not active.
    """
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()
    with _connection(course) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # else each table would be a transaction of its own
        api.Base.metadata.create_all(connection)
        if not connection.dialect.has_table(connection, "alembic_version"):
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            connection.exec_driver_sql(f"INSERT INTO alembic_version (version_num) VALUES ('{head}')")
        connection.commit()


@contextlib.contextmanager
def connection(course: Course) -> Iterator[Connection]:
    """Give a connection to the gradebook; raise CourseError where it cannot be used."""
    with errors(course), _connection(course) as connected:
        yield connected


@contextlib.contextmanager
def _connection(course: Course) -> Iterator[Connection]:
    pool = engine(course)
    try:
        with pool.connect() as connection:
            yield connection
    finally:
        pool.dispose()


@contextlib.contextmanager
def errors(course: Course) -> Iterator[None]:
    """Say in one sentence what is wrong with the gradebook."""
    log = logging.getLogger("tornado.application")  # where nbgrader's api writes tracebacks
    silent = log.disabled
    log.disabled = True
    try:
        yield
    except (SQLAlchemyError, api.InvalidEntry) as error:
        raise CourseError(said_of_database(error, _shown_url(course))) from error
    finally:
        log.disabled = silent


def said_of_database(error: Exception, url: str) -> str:
    """Put a database's error into one sentence."""
    reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")
    if "database is locked" in reason or "database table is locked" in reason:
        return f"The gradebook {url} is in use by another program; try again when that has finished."
    if isinstance(error, OperationalError) and "connection" in reason:
        return f"The gradebook {url} cannot be reached: {reason}. Start its server, or set $CNNLAB_DB_URL."
    if "not a database" in reason or "malformed" in reason:
        return f"The gradebook {url} is damaged ({reason}): 'autograder verify --rebuild' writes it again from the journals."
    return f"The gradebook {url} cannot be used: {reason}."


def _shown_url(course: Course) -> str:
    """Return the gradebook's address without a password."""
    try:
        return make_url(course.db_url).render_as_string()
    except SQLAlchemyError:
        return "in $CNNLAB_DB_URL"


@contextlib.contextmanager
def _one_at_a_time(course: Course) -> Iterator[None]:
    """Let one process at a time make and change the gradebook's structure."""
    try:
        course.work.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        with (course.work / ".sync.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise CourseError(f"{error.filename or course.work} cannot be written: {error.strerror}.") from error


# Folders


def students_with(folder: Path, assignment: str) -> list[str]:
    """Return the names of the students whose folder in `folder` holds the assignment."""
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if (path / assignment).is_dir())


def _directory(config: Config, assignment: str, student: str = "*") -> CourseDirectory:
    return CourseDirectory(config=config, assignment_id=assignment, student_id=student)
