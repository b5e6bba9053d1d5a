"""Grades a class: lists the submissions, starts workers, hands out tasks, commits the drafts, reports what changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.classroom.changes import GradeSnapshot
from autograder.classroom.grade_submission import grade_submission
from autograder.classroom.results import ClassResult, StudentResult, VerdictInterner
from autograder.classroom.submissions import find_submissions
from autograder.classroom.tasks import Graded, GradedSubmission, Task, list_tasks
from autograder.classroom.workers import start_workers
from autograder.course import Course
from autograder.recording.class_lock import class_lock
from autograder.sandbox import Limits
from autograder.startup import collect_rarely

if TYPE_CHECKING:
    from autograder.recording.recorder import Recorder

BATCH = 20  # submissions in one commit
MAX_WAIT = 2.0  # seconds that a graded submission waits for others to be committed with

OnDone = Callable[[StudentResult, int, int], None]


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
    on_done: OnDone | None = None,
) -> ClassResult:
    """Grade a class and record it in the gradebook.

    Args:
        course, assignment: what is graded.
        folder: one folder per student, named by the student id, with the notebooks in it. Those who handed in before, and
            whose notebooks lie in work/submitted, are graded with them, which costs little where nothing changed.
        students: the ids of those to be graded, by default all.
        lessons: the names of the lessons to be graded, by default all.
        workers: processes of this machine, by default one a core.
        scheduler: the address of a Dask scheduler whose workers share the checkout and the class's folder.
        limits: of the sandboxes, by default the usual ones.
        bare: without a sandbox.
        on_begin: called as on_begin(of) when it is known how many there are.
        on_done: called as on_done(result, done, of) for each that is recorded.

    Raises:
        CourseError, SandboxError: where the run as a whole cannot go on; a bad submission never stops it.
    """
    began = time.perf_counter()
    submissions = find_submissions(course, assignment, folder)
    tasks = list_tasks(
        course, assignment, submissions.folders, students=students, lessons=lessons, limits=limits, bare=bare
    )
    if on_begin:
        on_begin(len(tasks))
    with class_lock(course) as scratch, start_workers(tasks, scratch, scheduler, workers) as hand_out:
        from autograder.recording.recorder import Recorder  # takes a second, in which the workers start

        before = GradeSnapshot(course, assignment, [task.student for task in tasks])
        collect_rarely()
        with Recorder(course, assignment) as recorder:
            todo = (with_recorded_state(task, recorder) for task in tasks)
            with closing(hand_out(grade_submission, todo)) as graded:
                results = commit(graded, recorder, len(tasks), on_done)
        changes = before.changes()
    results.sort(key=lambda result: result.student)
    return ClassResult(assignment, tuple(results), time.perf_counter() - began, changes, submissions.left_out)


def with_recorded_state(task: Task, recorder: Recorder) -> Task:
    """Return a Task that knows what was recorded of its student.

    nbgrader asks for manual grading anew whenever a submission is recorded, so what did not change is left alone.
    """
    known = recorder.recorded_whole(task.student)
    if known is None:
        return task
    return replace(
        task, recorded={name: (one.judgement, one.notebook) for name, one in known.lessons.items()}
    )


def commit(graded: Graded, recorder: Recorder, of: int, on_done: OnDone | None) -> list[StudentResult]:
    """Commit what the workers drafted, some at a time, as it comes.

    Args:
        graded: what the workers send back.
        recorder: writes the gradebook; where it cannot, the result says so.
        of: how many there are in all.
        on_done: as grade_class has it.

    Returns: all results.
    """
    results: list[StudentResult] = []
    interner, since = VerdictInterner(), time.monotonic()
    batch: list[GradedSubmission] = []

    def commit_batch() -> None:
        nonlocal since
        drafts = [one.draft for one in batch if one.draft is not None]
        problems = recorder.commit(drafts) if drafts else {}
        for one in batch:
            one.result.problem = problems.get(one.result.student) or one.result.problem
            results.append(interner.intern(one.result))
            if on_done:
                on_done(one.result, len(results), of)
        batch.clear()
        since = time.monotonic()

    for one in graded:
        if one is not None:
            batch.append(one)
        if len(batch) >= BATCH or (batch and time.monotonic() - since > MAX_WAIT):
            commit_batch()
    commit_batch()
    return results
