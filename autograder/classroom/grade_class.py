"""One run over a class: hands out the submissions, records what comes back, in the one process that writes grades."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.classroom.changes import GradeSnapshot
from autograder.classroom.grade_submission import GradedSubmission, Results, grade_submission
from autograder.classroom.results import ClassResult, StudentResult, VerdictInterner
from autograder.classroom.submissions import find_submissions
from autograder.classroom.tasks import tasks
from autograder.classroom.workers import start_workers
from autograder.course import Course
from autograder.recording.class_lock import class_lock
from autograder.sandbox import Limits
from autograder.startup import collect_rarely

if TYPE_CHECKING:
    from autograder.classroom.book import Book

BATCH = 20  # submissions recorded at once
SECONDS = 2.0  # after which what is there is recorded


def grade_class(
    course: Course,
    assignment: str,
    folder: Path | None = None,
    *,
    students: tuple[str, ...] = (),
    lessons: tuple[str, ...] = (),
    workers: int | None = None,
    scheduler: str | None = None,
    limits: Limits | None = None,
    bare: bool = False,
    on_begin: Callable[[int], None] | None = None,
    on_done: Callable[[StudentResult, int, int], None] | None = None,
) -> ClassResult:
    """Grade a class and record it in the gradebook.

    folder: one folder per student, named by the student id, with the notebooks in it; those who handed in before, and
    whose notebooks lie in work/submitted, are graded with them, which costs little where nothing changed. students and
    lessons: by name, where not all are to be graded. workers: processes of this machine, by default one a core;
    scheduler: the address of a Dask scheduler whose workers share the checkout and the class's folder. on_begin(of):
    called when it is known how many there are; on_done(row, done, of): for each that is recorded. Raises CourseError or
    SandboxError where the run as a whole cannot go on; a bad submission never stops it.
    """
    began = time.perf_counter()
    folders = find_submissions(course, assignment, folder)
    todo = tasks(course, assignment, folders, students=students, lessons=lessons, limits=limits, bare=bare)
    if on_begin:
        on_begin(len(todo))
    with (
        class_lock(course) as scratch,
        start_workers(todo, scratch, scheduler=scheduler, workers=workers) as run,
    ):
        # Loaded here, while the workers start.
        from autograder.classroom.book import Book

        before = GradeSnapshot(course, assignment, [task.student for task in todo])
        collect_rarely()
        with (
            Book(course, assignment) as book,
            closing(run(grade_submission, map(book.noted, todo))) as results,
        ):
            rows = _recorded(results, book, len(todo), on_done)
        changes = before.changes()
    rows.sort(key=lambda row: row.student)
    return ClassResult(assignment, tuple(rows), time.perf_counter() - began, changes)


def _recorded(
    results: Results, book: Book, of: int, on_done: Callable[[StudentResult, int, int], None] | None
) -> list[StudentResult]:
    """Record what comes, some at a time, and return all rows."""
    rows: list[StudentResult] = []
    shared, since = VerdictInterner(), time.monotonic()
    waiting: list[GradedSubmission] = []

    def record() -> None:
        nonlocal since
        book.record(waiting)
        for done in waiting:
            rows.append(shared.share(done.row))
            if on_done:
                on_done(done.row, len(rows), of)
        waiting.clear()
        since = time.monotonic()

    for done in results:
        if done is not None:
            waiting.append(done)
        if len(waiting) >= BATCH or (waiting and time.monotonic() - since > SECONDS):
            record()
    record()
    return rows
