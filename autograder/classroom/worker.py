"""What a worker process of this machine does: takes tasks from the process that coordinates, and answers each."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from autograder import expected, fingerprint
from autograder.classroom.task import chosen, one_line
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.intake import forked, graft
from autograder.recording import drafting as drafting  # it is what loads nbgrader
from autograder.sandbox import Limits, SandboxError, process, warm


def prepare(
    root: str, work: str, assignment: str, lessons: Sequence[str], bare: bool
) -> Callable[[Connection], None]:
    """Load what all workers of a run need, before they are forked, and return what a worker does."""
    course, found = Course(Path(root), Path(work)), []
    with contextlib.suppress(Exception):  # whatever is wrong is said when a submission is graded
        found = chosen(course, assignment, lessons)
        fingerprint.grader()
        for lesson in found:
            graft.pristine(course, lesson)
            expected.load(course, lesson)
    return lambda connection: serve(connection, found, bare)


def serve(connection: Connection, lessons: Sequence[Lesson] = (), bare: bool = True) -> None:
    """Do what arrives, each a function and its argument, and send back what it returned or raised, until the end.

    lessons: those that are going to be judged; bare: whether without a sandbox.
    """
    forked.start()
    if lessons and not bare:
        # Its server takes as long to start as some submissions to judge, and the first tasks are still to come.
        with contextlib.suppress(SandboxError, OSError), process.free_slot() as slot:
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
