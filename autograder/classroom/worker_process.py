"""Runs in a worker process of this machine: takes tasks from the coordinator, and answers each."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection

from autograder import intake
from autograder.classroom.results import error_in_one_line
from autograder.classroom.tasks import chosen_lessons
from autograder.course import Course, CourseError
from autograder.exercise import SETS, Lesson
from autograder.judging import grader_version, secret_cases
from autograder.sandbox import Limits, SandboxError, slots, warm
from autograder.sandbox.server import Server
from autograder.startup import end_with


class Prepared:
    """All that every worker of a run needs, loaded before the first of them is forked.

    Args:
        course: the course.
        assignment: its name.
        lessons: the names of the lessons to be graded, () for all.
        bare: whether students' code runs without a sandbox.
    """

    def __init__(self, course: Course, assignment: str, lessons: Sequence[str], bare: bool) -> None:
        self.in_sandboxes: Sequence[Lesson] = ()  # the lessons that are going to be judged in sandboxes
        self._template: warm.SandboxTemplate | None = None
        with contextlib.suppress(Exception):  # whatever is wrong is said when a submission is graded
            found = chosen_lessons(course, assignment, lessons)
            if found and not bare:
                self.in_sandboxes = found
                self._template = warm.SandboxTemplate(
                    tuple(found[0].without)
                )  # ready by the time that the rest is loaded
            _work_out(course, found)
            from autograder.recording import drafting as drafting  # it is what loads nbgrader

            grader_version.grader()
            intake.preload_lessons(course, found)
            for lesson in found:
                secret_cases.load(course, lesson)

    @contextmanager
    def sandbox_server(self) -> Iterator[Server | None]:
        """Give a server of sandboxes to the worker that is forked meanwhile, None without a sandbox."""
        server = self._template.copy() if self._template else None
        try:
            yield server
        finally:
            if server:
                server.close()  # it is the worker's now


def _work_out(course: Course, lessons: Sequence[Lesson]) -> None:
    """Have a process work out the sets of secret Cases that are not kept, as soon as a worker wants one.

    It is a process of its own because it may load torch, and a process that has loaded torch is better not forked. Where
    it ends too soon, a worker that wants a set works it out itself.
    """
    claims = secret_cases.claim(course, lessons)
    parent = os.getpid()
    if not claims or os.fork():
        for claim in claims:
            claim.give_up()
        return
    try:
        end_with(parent)
        # Else torch makes a folder among the temporary ones.
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(course.work)
        if len(claims) == SETS * len(lessons):  # a new course: the first hand-in is not to wait for it
            import torch as torch
        secret_cases.work_out_what_is_wanted(claims)
    finally:
        os._exit(0)  # whoever needs what is missing now works it out, or says why it can't


def serve(connection: Connection, lessons: Sequence[Lesson] = (), server: Server | None = None) -> None:
    """Do what arrives until the end, and send back what it returned or raised.

    Args:
        connection: each message is a function and its argument.
        lessons: those that are going to be judged in sandboxes.
        server: of these sandboxes, where there is one already.
    """
    intake.start_reader_server()
    with contextlib.suppress(SandboxError, OSError), slots.free_slot() as slot:
        if server:
            warm.adopt(slot, server)
            os.sched_setaffinity(server.pid, os.sched_getaffinity(0))
        elif lessons:
            # It takes as long to start as some submissions to judge, and the first tasks are still to come.
            warm.place(slot, tuple(lessons[0].without), Limits())
    while True:
        try:
            work, task = connection.recv()
        except EOFError:
            return
        try:
            answer: object = work(task)
        except Exception as error:
            answer = _picklable(error)
        try:
            connection.send(answer)
        except OSError:
            return  # nobody waits for it


def _picklable(error: Exception) -> Exception:
    """Return an error that can be sent: the error itself, or one with its words."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return (CourseError if isinstance(error, CourseError) else RuntimeError)(error_in_one_line(error))
