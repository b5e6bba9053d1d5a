"""Hands tasks to worker processes forked on this machine, and replaces those that die."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

from autograder.classroom.forkserver import WorkerForkServer
from autograder.classroom.results import could_not_grade
from autograder.classroom.tasks import Graded, GradedSubmission, Task, Work, lacking, not_graded
from autograder.course import CourseError
from autograder.startup import no_interrupts

AHEAD = 2  # tasks a worker: one that runs, another so that it never waits for us
TICK = 0.5  # seconds after which whoever waits for a result hears that there is none
DEATHS = 20  # of a worker's in a row, with nothing done between them, after which it is given up
SECONDS_TO_END = 2.0  # for a worker that was killed


class ForkedWorkers:
    """Workers forked from a WorkerForkServer, and the thread that gives each its next task as soon as it is free.

    A task whose worker died is given to another; the function that does the task limits how often (attempts.py).

    Args:
        start: starts the forkserver, again where it dies.
        count: the number of workers.
        folder: for their temporary files.
    """

    def __init__(self, start: Callable[[], WorkerForkServer], count: int, folder: Path) -> None:
        self.start, self.count, self.folder = start, count, str(folder)
        self.forkserver: WorkerForkServer = start()
        self.waiting: deque[tuple[Work, Task]] = deque()
        self.idle: list[Connection] = []
        self.busy: dict[Connection, tuple[Work, Task]] = {}
        self.ended: queue.SimpleQueue[GradedSubmission | Exception] = queue.SimpleQueue()
        self.deaths = 0
        self.woken, self.wake = Pipe(duplex=False)
        self.thread = threading.Thread(target=self._serve, name="workers", daemon=True)

    def __enter__(self) -> ForkedWorkers:
        for _ in range(self.count):
            self._fork()
        self.thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        with no_interrupts():
            self.wake.close()
            self.thread.join()
            self.forkserver.close()
            for worker in (*self.idle, *self.busy):
                _await_end(worker)  # then nobody writes to the run's folder any more
            self.woken.close()

    def hand_out(self, work: Work, tasks: Iterable[Task]) -> Graded:
        """Have `work` done with each task and yield what came of it; None where there is nothing yet."""
        coming, out = iter(tasks), 0
        while True:
            while out < AHEAD * self.count and (task := next(coming, None)):
                if task.resources:  # these workers declare none
                    yield not_graded(task, lacking(task.resources))
                    continue
                self.waiting.append((work, task))
                self.wake.send_bytes(b"task")
                out += 1
            if not out:
                return
            try:
                found = self.ended.get(timeout=TICK)
            except queue.Empty:
                yield None
                continue
            out -= 1
            if isinstance(found, Exception):
                raise found
            yield found

    # In the thread

    def _serve(self) -> None:
        try:
            while self._step():
                pass
        except Exception as error:
            self.ended.put(error)

    def _step(self) -> bool:
        for one in wait([self.woken, *self.busy, *self.idle]):
            if one is self.woken:
                try:
                    self.woken.recv_bytes()
                except EOFError:
                    return False
            elif isinstance(one, Connection):
                self._hear(one)
        while self.idle and self.waiting:
            worker, task = self.idle.pop(), self.waiting.popleft()
            self.busy[worker] = task
            try:
                worker.send(task)
            except OSError:
                pass  # it has died, and is heard of next
        return True

    def _hear(self, worker: Connection) -> None:
        """Take what a worker has done, or replace one that has died."""
        task = self.busy.pop(worker, None)
        if task is None:
            self.idle.remove(worker)
        try:
            said: Any = worker.recv()
        except (EOFError, OSError):
            worker.close()
            if task is not None:
                self.waiting.appendleft(task)
            self._replace()
            return
        self.idle.append(worker)
        if task is None:
            return
        self.deaths = 0
        if isinstance(said, Exception) and not isinstance(said, CourseError):
            said = not_graded(task[1], could_not_grade(said))
        self.ended.put(said)

    def _replace(self) -> None:
        self.deaths += 1
        if self.deaths > DEATHS * self.count:
            raise CourseError(
                "Worker after worker died before it had graded anything: look for what kills processes on this machine."
            )
        self._fork()

    def _fork(self) -> None:
        try:
            worker = self.forkserver.fork(self.folder)
        except OSError:  # it has died as well, and all its workers with it
            self.forkserver.close()
            self.forkserver = self.start()
            worker = self.forkserver.fork(self.folder)
        self.idle.append(worker)


def _await_end(worker: Connection) -> None:
    with contextlib.suppress(EOFError, OSError), worker:
        while worker.poll(SECONDS_TO_END):
            worker.recv_bytes()
