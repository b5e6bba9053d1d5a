"""Where submissions are graded: in this process, in others of this machine, or on a Dask cluster elsewhere."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path

from autograder.classroom import forkserver
from autograder.classroom.dask_workers import DaskWorkers
from autograder.classroom.forked_workers import ForkedWorkers
from autograder.classroom.grade_submission import Results, Task, Work, one_line
from autograder.course import CourseError
from autograder.sandbox import verify_available
from autograder.startup import no_interrupts, stay_on

LOCAL = "local"  # a scheduler in place of an address: a Dask cluster of this machine, for as long as the run lasts


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def start_workers(
    tasks: Sequence[Task], folder: Path, *, scheduler: str | None = None, workers: int | None = None
) -> Iterator[Callable[[Work, Iterable[Task]], Results]]:
    """Give what runs a function on tasks and yields what came of each, in the order in which they end.

    folder: for the workers' files; scheduler: the address of a Dask scheduler, or LOCAL; None for processes without Dask;
    workers: how many of this machine's processors, by default all; each worker stays on one. Raises CourseError where
    there is no cluster, and SandboxError where this machine has no sandbox.
    """
    count = min(workers or processors(), max(len(tasks), 1))
    if scheduler and scheduler != LOCAL:
        with _remote(scheduler) as cluster:
            yield cluster.run
        return
    if not all(task.bare for task in tasks):
        verify_available()
    if scheduler:
        with _local_cluster(count, folder) as cluster:
            yield cluster.run
    elif (count == 1 or len(tasks) <= forkserver.FEW) and not any(task.resources for task in tasks):
        forkserver.abandon()
        with nullcontext() if len(tasks) <= forkserver.FEW else _one_worker(tasks[0]):
            yield _here
    else:
        with _local(count, folder, tasks[0]) as forks:
            yield forks.run


def _here(work: Work, tasks: Iterable[Task]) -> Results:
    for task in tasks:
        yield work(task)


@contextmanager
def _one_worker(task: Task) -> Iterator[None]:
    """Have this process know what a worker knows, and take one processor, as each does; task: one of those to come."""
    from autograder import intake  # here, for start-up time

    intake.preload_lessons(task.course, task.chosen())
    before = os.sched_getaffinity(0)
    stay_on(min(before))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _local(count: int, folder: Path, task: Task) -> Iterator[ForkedWorkers]:
    """Start `count` processes, each of which is replaced where it dies, and end them all; task: one of those to come."""
    about = task.course, task.assignment, task.lessons, task.bare
    with no_interrupts():
        forks = ForkedWorkers(partial(forkserver.take, *about), count, folder)
    with forks:
        yield forks


@contextmanager
def _local_cluster(count: int, folder: Path) -> Iterator[DaskWorkers]:
    """Start a Dask cluster of `count` single-threaded processes of this machine, and end them all."""
    from dask import config
    from distributed import Client, LocalCluster

    settings = {
        # How often a submission may cost a worker its life is counted by AttemptCounter: Dask blames all that
        # waited there too.
        "distributed.scheduler.allowed-failures": 1000,
        "distributed.admin.low-level-log-length": 100,  # else it grows to some ten MiB
        # Dask opens web servers without asking who calls: nothing is to be seen there, and only from this machine.
        "distributed.scheduler.http.routes": [],
        "distributed.worker.http.routes": [],
    }
    with config.set(settings), _silence():
        with no_interrupts():
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,
                # A certificate of this run's own: whoever else could speak to the scheduler could run code here.
                security=True,
                memory_limit=None,  # students' code has limits of its own, and Dask would stop a worker half-way
                local_directory=str(folder),
            )
            client = Client(cluster, set_as_default=False)
        try:
            yield DaskWorkers(client)
        finally:
            with no_interrupts():
                client.close(timeout=1)
                cluster.close(timeout=10)


@contextmanager
def _remote(address: str) -> Iterator[DaskWorkers]:
    from distributed import Client

    _verify_address(address)
    with _silence():
        try:
            client = Client(address, timeout=5, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise CourseError(
                f"What answers at {address} is no Dask scheduler of this version: start one with 'dask scheduler', from "
                f"this checkout's environment ({one_line(error)})."
            ) from error
        try:
            yield DaskWorkers(client)
        finally:
            client.close(timeout=1)


def _verify_address(address: str) -> None:
    """Raise CourseError where nobody listens, or no certificate is configured: Dask would fail only after long tries."""
    from distributed import Security
    from distributed.comm.addressing import parse_address, parse_host_port

    try:
        kind, place = parse_address(address)
        host, port = parse_host_port(place)
    except (ValueError, TypeError):
        raise CourseError(
            f"{address!r} is no scheduler's address: give one such as tls://host:8786."
        ) from None
    if kind == "tls" and Security().get_connection_args("client").get("ssl_context") is None:
        raise CourseError(
            f"{address} asks for certificates: name them in Dask's settings distributed.comm.tls.ca-file and "
            "distributed.comm.tls.client (key and cert)."
        )
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise CourseError(
            f"No Dask scheduler answers at {address}: start one with 'dask scheduler' and its workers with "
            f"'dask worker {address}', from this checkout on each node ({one_line(error)})."
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's log from the terminal: what matters of it is said in a StudentResult or an error."""
    loggers = [logging.getLogger(name) for name in ("distributed", "asyncio", "tornado.application")]
    before = [(log, log.level) for log in loggers]
    for log in loggers:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in before:
            log.setLevel(level)
