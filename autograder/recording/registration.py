"""Registers an assignment with its cells in nbgrader's gradebook."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import Any

from nbgrader import api, dbutil
from sqlalchemy import select

from autograder.course import Course
from autograder.recording.database import TABLES, connection, errors, gradebook_exists, url_of
from autograder.recording.errors import RecordError
from autograder.recording.released_cells import Rows, current, exercise_of


def sync(course: Course, assignment: str) -> bool:
    """Register an assignment with its cells in the gradebook, and return whether anything was changed.

    Builds the lessons, writes them to work/source/, and changes the gradebook only where it differs from them.
    So calling it again is cheap, and it repairs a gradebook that was replaced or half written, and follows
    lessons that changed after submissions came in.

    Raises:
        RecordError: where an exercise that a person graded is gone from its lesson, or the gradebook cannot be used.
    """
    lessons = course.lessons(assignment)
    with errors(course), _one_at_a_time(course):
        wanted = current(course, assignment, lessons)
        if gradebook_exists(course):
            if registered_rows(course, assignment) == wanted:
                return False
        else:
            _create_tables(course)
        with api.Gradebook(url_of(course)) as gradebook, _one_commit(gradebook):
            _write_rows(gradebook, assignment, wanted)
        return True


def registered_rows(course: Course, assignment: str) -> Rows:
    """Return the cells that the gradebook holds of an assignment, in the form of `released_cells.released`."""
    notebook, grade, source = TABLES.Notebook, TABLES.GradeCell, TABLES.SourceCell
    with connection(course) as connected:

        def stored(cell: Any, *columns: Any) -> dict[tuple[str, str], tuple[Any, ...]]:
            query = select(notebook.name, cell.name, *columns)
            query = query.join_from(cell, notebook, notebook.id == cell.notebook_id)
            query = query.join(TABLES.Assignment).where(TABLES.Assignment.name == assignment)
            return {(lesson, name): tuple(rest) for lesson, name, *rest in connected.execute(query)}

        named = select(notebook.name, notebook.kernelspec).join(TABLES.Assignment)
        named = named.where(TABLES.Assignment.name == assignment)
        return {
            "notebooks": {(lesson, ""): (kernelspec,) for lesson, kernelspec in connected.execute(named)},
            "grade": stored(grade, grade.max_score, grade.cell_type),
            "solution": stored(TABLES.SolutionCell),
            "source": stored(source, source.cell_type, source.locked, source.source, source.checksum),
        }


@contextlib.contextmanager
def _one_commit(gradebook: api.Gradebook) -> Iterator[None]:
    """Commit what a block writes once, at its end: nbgrader commits each row, and hundreds of commits take seconds."""
    session = gradebook.db()
    commit = session.commit
    session.commit = session.flush
    try:
        yield
    finally:
        session.commit = commit
    session.commit()


def _write_rows(gradebook: api.Gradebook, assignment: str, wanted: Rows) -> None:
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
    """Remove the cells that the lessons no longer have, unless a person graded them."""
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
        raise RecordError(
            f"{exercise_of(cell.name)} was graded by hand, but {lesson} no longer has it: put it back under "
            "this name, or delete all grades of the assignment with 'nbgrader db assignment remove "
            f"{lesson.split('/')[0]} --force'."
        )


def _complete_submissions(gradebook: api.Gradebook, assignment: str) -> None:
    """Give submissions that are older than a lesson or cell the rows that nbgrader makes for newer ones."""
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


def _create_tables(course: Course) -> None:
    """Make nbgrader's tables, all or none, as nbgrader's Gradebook would.

    The Gradebook would start `alembic` as a program to ask for the newest version, which takes a second and fails
    where the environment is not active.
    """
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(dbutil.ALEMBIC_DIR).get_current_head()
    with connection(course) as connected:
        if connected.dialect.name == "sqlite":
            connected.exec_driver_sql("BEGIN IMMEDIATE")  # else each table would be a transaction of its own
        api.Base.metadata.create_all(connected)
        if not connected.dialect.has_table(connected, "alembic_version"):
            connected.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            connected.exec_driver_sql(f"INSERT INTO alembic_version (version_num) VALUES ('{head}')")
        connected.commit()


@contextlib.contextmanager
def _one_at_a_time(course: Course) -> Iterator[None]:
    """Let one process at a time make and change the gradebook's structure."""
    try:
        course.make_work()
        with (course.work / ".sync.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise RecordError(f"{error.filename or course.work} cannot be written: {error.strerror}.") from error
