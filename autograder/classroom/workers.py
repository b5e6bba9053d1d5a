"""Starts the workers of a run: this process, others forked on this machine, or those of a Dask scheduler elsewhere."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from autograder import intake
from autograder.classroom import dask_workers, forkserver
from autograder.classroom.forked_workers import ForkedWorkers
from autograder.classroom.tasks import Graded, HandOut, Task, Work
from autograder.sandbox import verify_available
from autograder.startup import no_interrupts, stay_on


@contextmanager
def start_workers(
    tasks: Sequence[Task], folder: Path, scheduler: str | None = None, workers: int | None = None
) -> Iterator[HandOut]:
    """Start what the tasks are going to be handed to, and end it.

    Args:
        tasks: those to come.
        folder: for the workers' temporary files.
        scheduler: the address of a Dask scheduler; None for processes of this machine.
        workers: how many of this machine's processors, by default all; each worker stays on one.

    Returns: what hands tasks to the workers and yields what came of each, in the order in which they end.
    Raises:
        CourseError: where there is no Dask cluster.
        SandboxError: where this machine has no sandbox.
    """
    if scheduler:
        with dask_workers.connect(scheduler) as cluster:
            yield cluster.hand_out
        return
    if not all(task.bare for task in tasks):
        verify_available()
    count = min(workers or len(os.sched_getaffinity(0)), max(len(tasks), 1))
    few = len(tasks) <= forkserver.FEW
    if (few or count == 1) and not any(task.resources for task in tasks):
        forkserver.abandon()
        with nullcontext() if few else _as_worker(tasks[0]):
            yield _do_here
    else:
        with _forked(count, folder, tasks[0]) as forked:
            yield forked.hand_out


def _do_here(work: Work, tasks: Iterable[Task]) -> Graded:
    for task in tasks:
        yield work(task)


@contextmanager
def _as_worker(task: Task) -> Iterator[None]:
    """Have this process know what a worker knows, and take one processor, as each does; task: one of those to come."""
    intake.preload_lessons(task.course, task.chosen_lessons())
    before = os.sched_getaffinity(0)
    stay_on(min(before))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _forked(count: int, folder: Path, task: Task) -> Iterator[ForkedWorkers]:
    """Start `count` processes, each of which is replaced where it dies, and end them all; task: one of those to come."""

    def server() -> forkserver.WorkerForkServer:
        return forkserver.take(task.course, task.assignment, task.lessons, task.bare)

    with no_interrupts():
        forked = ForkedWorkers(server, count, folder)
    with forked:
        yield forked
