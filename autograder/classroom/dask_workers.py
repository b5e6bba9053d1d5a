"""Hands tasks to a Dask cluster, looks after the workers, and yields what came of each task."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import time
from collections.abc import Iterable
from typing import Any

from autograder.classroom.attempts import AttemptCounter
from autograder.classroom.grade_submission import (
    ATTEMPTS,
    GradedSubmission,
    Results,
    Task,
    Work,
    given_up,
    lacking,
    one_line,
)
from autograder.classroom.results import StudentResult
from autograder.course import CourseError

AHEAD = 3  # submissions a thread of the cluster: one that runs, others so that it never waits for us
TICK = 0.5  # seconds after which whoever waits for a result hears that there is none
LOOK = 2.0  # seconds between two looks at which workers there are
PATIENCE = 60.0  # seconds that work waits where no worker is there that could do it


class DaskWorkers:
    """A Dask client that is never given more than its workers can soon do, so that nothing piles up."""

    def __init__(self, client: Any) -> None:
        self.client, self.threads = client, 0
        self.offered: list[dict[str, float]] = []  # what each worker declares
        self.looked = float("-inf")
        self.seen = time.monotonic()  # when there was a worker last
        self.fit: dict[tuple[Any, ...], float] = {}  # resources -> when there was a worker with them last
        self.futures: dict[Any, Task] = {}
        self.ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run(self, work: Work, tasks: Iterable[Task]) -> Results:
        """Run `work` on each task and yield what came of it; None where there is nothing yet."""
        self._await_workers()
        waiting = iter(tasks)
        try:
            while True:
                while len(self.futures) < AHEAD * self.threads and (task := next(waiting, None)):
                    if problem := self._lacking(task):
                        yield GradedSubmission(StudentResult(task.student, problem=problem))
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

    def _result(self, future: Any, task: Task, work: Work) -> GradedSubmission | None:
        from distributed import KilledWorker

        try:
            return future.result()
        except CourseError:
            raise
        except KilledWorker:  # a scheduler that stands elsewhere is less patient than ours
            if AttemptCounter(task.course, task.assignment, task.student).count() >= ATTEMPTS:
                return GradedSubmission(given_up(task.student))
            self._submit(work, task)
            return None
        except (ImportError, AttributeError, pickle.PickleError) as error:
            raise CourseError(
                f"A worker cannot run the grader: start it from this checkout's environment ({one_line(error)})."
            ) from error
        except Exception as error:
            return GradedSubmission(
                StudentResult(task.student, problem=f"It could not be graded: {one_line(error)}.")
            )

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
        """Look after work that nobody may be left to do."""
        self._look()
        if not self.offered and time.monotonic() - self.seen > PATIENCE:
            raise CourseError("All workers are gone from the Dask scheduler: start some and grade again.")
        for future, task in self.futures.items():
            if problem := self._lacking(task):
                del self.futures[future]
                future.cancel(force=True)
                return GradedSubmission(StudentResult(task.student, problem=problem))
        return None
