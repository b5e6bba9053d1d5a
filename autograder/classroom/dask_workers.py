"""Hands tasks to the workers of a Dask scheduler that stands elsewhere, and looks after those."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from autograder.classroom.attempts import ATTEMPTS, AttemptCounter, given_up
from autograder.classroom.results import could_not_grade, error_in_one_line
from autograder.classroom.tasks import Graded, GradedSubmission, Task, Work, lacking, not_graded
from autograder.course import CourseError

if TYPE_CHECKING:
    from distributed import Client, Future

AHEAD = 3  # submissions a thread of the cluster: one that runs, others so that it never waits for us
TICK = 0.5  # seconds after which whoever waits for a result hears that there is none
LOOK = 2.0  # seconds between two looks at which workers there are
PATIENCE = 60.0  # seconds that work waits where no worker is there that could do it


class DaskWorkers:
    """A Dask client that is never given more than its workers can soon do, so that nothing piles up."""

    def __init__(self, client: Client) -> None:
        self.client, self.threads = client, 0
        self.offered: list[dict[str, float]] = []  # what each worker declares
        self.looked = float("-inf")
        self.seen = time.monotonic()  # when there was a worker last
        self.fit: dict[
            tuple[tuple[str, float], ...], float
        ] = {}  # resources -> when there was a worker with them last
        self.futures: dict[Future, Task] = {}
        self.ended: queue.SimpleQueue[Future] = queue.SimpleQueue()

    def hand_out(self, work: Work, tasks: Iterable[Task]) -> Graded:
        """Have `work` done with each task and yield what came of it; None where there is nothing yet."""
        self._await_workers()
        waiting = iter(tasks)
        try:
            while True:
                while len(self.futures) < AHEAD * self.threads and (task := next(waiting, None)):
                    if problem := self._lacking(task):
                        yield not_graded(task, problem)
                    else:
                        self._submit(work, task)
                if not self.futures:
                    return
                yield self._next(work)
        finally:
            with contextlib.suppress(Exception):  # it may be gone, and then nothing is to be cancelled
                self.client.cancel(list(self.futures), force=True)
            self.futures.clear()

    def _submit(self, work: Work, task: Task) -> None:
        # Tuples as keys: Dask then sees one group of many tasks.
        key = ("grade", f"{task.student}-{os.urandom(8).hex()}")
        future = self.client.submit(work, task, key=key, pure=False, resources=dict(task.resources) or None)
        self.futures[future] = task
        future.add_done_callback(self.ended.put)

    def _next(self, work: Work) -> GradedSubmission | None:
        try:
            future = self.ended.get(timeout=TICK)
        except queue.Empty:
            return self._tick()
        task = self.futures.pop(future, None)
        if task is None:
            return None
        return self._result(future, task, work)

    def _result(self, future: Future, task: Task, work: Work) -> GradedSubmission | None:
        from distributed import KilledWorker

        try:
            return future.result()
        except CourseError:
            raise
        except KilledWorker:  # a scheduler that stands elsewhere is less patient than ours
            if AttemptCounter(task).count() >= ATTEMPTS:
                return given_up(task)
            self._submit(work, task)
            return None
        except (ImportError, AttributeError, pickle.PickleError) as error:
            raise CourseError(
                f"A worker cannot run the grader: start it from this checkout's environment ({error_in_one_line(error)})."
            ) from error
        except Exception as error:
            return not_graded(task, could_not_grade(error))

    # Workers

    def _look(self) -> None:
        """See which workers there are, now and then."""
        now = time.monotonic()
        if now - self.looked < LOOK:
            return
        self.looked = now
        found = self.client.scheduler_info(n_workers=-1)["workers"].values()
        self.offered = [dict(worker["resources"]) for worker in found]
        self.threads = max(sum(worker["nthreads"] for worker in found), 1)
        if self.offered:
            self.seen = now

    def _await_workers(self) -> None:
        while True:
            self._look()
            if self.offered:
                return
            if time.monotonic() - self.seen > PATIENCE:
                raise CourseError("No worker has come to the Dask scheduler: start some with 'dask worker'.")
            time.sleep(TICK / 5)
            self.looked = float("-inf")

    def _lacking(self, task: Task) -> str:
        """Say what a task needs that no worker declares, or ""; a worker that was there may come back."""
        if not task.resources:
            return ""
        self._look()
        now, needs = time.monotonic(), tuple(sorted(task.resources.items()))
        if any(all(has.get(name, 0) >= least for name, least in needs) for has in self.offered):
            self.fit[needs] = now
        if now - self.fit.get(needs, float("-inf")) <= PATIENCE:
            return ""
        return lacking(task.resources)

    def _tick(self) -> GradedSubmission | None:
        """Look after work that may have lost its worker."""
        self._look()
        if not self.offered and time.monotonic() - self.seen > PATIENCE:
            raise CourseError("All workers are gone from the Dask scheduler: start some and grade again.")
        for future, task in self.futures.items():
            if problem := self._lacking(task):
                del self.futures[future]
                future.cancel(force=True)
                return not_graded(task, problem)
        return None


@contextmanager
def connect(address: str) -> Iterator[DaskWorkers]:
    """Give the workers of the Dask scheduler at an address; raise CourseError where there is none."""
    from distributed import Client

    _verify_address(address)
    with _silence():
        try:
            client = Client(address, timeout=5, set_as_default=False)
        except (OSError, ValueError, TypeError, ImportError) as error:
            raise CourseError(
                f"What answers at {address} is no Dask scheduler of this version: start one with 'dask scheduler', from "
                f"this checkout's environment ({error_in_one_line(error)})."
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
            f"'dask worker {address}', from this checkout on each node ({error_in_one_line(error)})."
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's log from the terminal: a StudentResult or an error says what matters of it."""
    loggers = [logging.getLogger(name) for name in ("distributed", "asyncio", "tornado.application")]
    before = [(log, log.level) for log in loggers]
    for log in loggers:
        log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for log, level in before:
            log.setLevel(level)
