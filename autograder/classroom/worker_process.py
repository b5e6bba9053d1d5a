"""What a worker process of this machine does: takes tasks from the process that coordinates, and answers each."""

from __future__ import annotations

import contextlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from autograder import intake
from autograder.classroom.grade_submission import chosen, one_line
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.judging import grader_version, secret_cases
from autograder.sandbox import Limits, SandboxError, process, warm
from autograder.startup import end_with

Begin = Callable[[Connection], None]  # what a worker does, given the way to whoever wants it done


def prepare(
    root: str, work: str, assignment: str, lessons: Sequence[str], bare: bool
) -> Callable[[], AbstractContextManager[Begin]]:
    """Load what all workers of a run need, and return what is entered around the fork of each."""
    course, found, template = Course(Path(root), Path(work)), [], None
    with contextlib.suppress(Exception):  # whatever is wrong is said when a submission is graded
        found = chosen(course, assignment, lessons)
        if found and not bare:
            template = warm.SandboxTemplate(
                tuple(found[0].without)
            )  # it is ready by the time that the rest is loaded
        _work_out(course, found)
        from autograder.recording import drafting as drafting  # it is what loads nbgrader

        grader_version.grader()
        intake.preload_lessons(course, found)
        for lesson in found:
            secret_cases.load(course, lesson)

    @contextmanager
    def forking() -> Iterator[Begin]:
        server = template.copy() if template else None
        try:
            yield lambda connection: serve(connection, found if not bare else (), server)
        finally:
            if server:
                server.close()  # it is the worker's now

    return forking


def _work_out(course: Course, lessons: Sequence[Lesson]) -> None:
    """Have a process work out what is expected of the lessons, unless that is known.

    A process of its own, since it may load torch, and a process that has loaded it had better not be forked. Nobody waits
    for it: a worker that comes to a lesson sooner waits for that one, or works it out itself.
    """
    missing = [lesson for lesson in lessons if not secret_cases.are_kept(course, lesson)]
    parent = os.getpid()
    if not missing or os.fork():
        return
    try:
        end_with(parent)
        # Else torch makes a folder among the temporary ones.
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(course.work)
        for lesson in missing:
            secret_cases.work_out(course, lesson)
    finally:
        os._exit(0)  # whoever needs what is missing now works it out, or says why it can't


def serve(connection: Connection, lessons: Sequence[Lesson] = (), server: warm.Server | None = None) -> None:
    """Do what arrives, each a function and its argument, and send back what it returned or raised, until the end.

    lessons: those that are going to be judged in sandboxes; server: of these, where there is one already.
    """
    intake.start_reader_server()
    with contextlib.suppress(SandboxError, OSError), process.free_slot() as slot:
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
            answer = _that_travels(error)
        try:
            connection.send(answer)
        except OSError:
            return  # nobody waits for it


def _that_travels(error: Exception) -> Exception:
    """Return an error that can be sent: itself, or one of its words."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return (CourseError if isinstance(error, CourseError) else RuntimeError)(one_line(error))
