"""The workers of this machine: forked from a process that is started first, each given a task when it is free."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from autograder.classroom import forked_workers, forkserver
from autograder.classroom.forked_workers import ForkedWorkers
from autograder.classroom.results import StudentResult
from autograder.classroom.tasks import GradedSubmission, Task
from autograder.classroom.workers import start_workers
from autograder.course import Course, CourseError
from tests.autograder.class_sample import ASSIGNMENT, adopting, left_after, running_processes

HERE = Path("/")


@contextmanager
def workers(course: Course, folder: Path, count: int = 2) -> Iterator[ForkedWorkers]:
    with ForkedWorkers(partial(forkserver.take, course, ASSIGNMENT, (), True), count, folder) as found:
        yield found


def tasks(course: Course, *students: str) -> list[Task]:
    return [Task(course, ASSIGNMENT, student, HERE, "") for student in students]


def say(task: Task) -> GradedSubmission:
    """What the workers of these tests do: the student's id says what."""
    if task.student == "slow":
        time.sleep(1.0)
    if task.student == "bad":
        raise CourseError("The disk is full.")
    if task.student == "odd":
        raise UnicodeDecodeError("utf-8", b"x", 0, 1, "a defect")
    if task.student == "dies":
        os._exit(1)
    return GradedSubmission(StudentResult(task.student, problem=f"{os.getpid()} {os.environ['TMPDIR']}"))


def done(found: ForkedWorkers, todo: list[Task]) -> list[StudentResult]:
    return [one.result for one in found.hand_out(say, todo) if one is not None]


def test_each_gets_a_task_when_it_is_free(course: Course, tmp_path: Path) -> None:
    before = running_processes()
    with adopting():
        with workers(course, tmp_path) as found:
            rows = done(found, tasks(course, "slow", *(f"s{number}" for number in range(6))))
        assert not left_after(before, 5)
    assert rows[-1].student == "slow", "nothing waits behind it"
    assert len({row.problem for row in rows}) == 2
    assert {row.problem.split()[1] for row in rows} == {str(tmp_path)}


def test_errors_travel(course: Course, tmp_path: Path) -> None:
    with workers(course, tmp_path) as found:
        (row,) = done(found, tasks(course, "odd"))
        assert row.problem.startswith("It could not be graded: UnicodeDecodeError: 'utf-8'")
        with pytest.raises(CourseError, match=r"The disk is full\."):
            done(found, tasks(course, "bad"))


def test_workers_that_only_die_are_given_up(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forked_workers, "DEATHS", 2)
    with workers(course, tmp_path) as found, pytest.raises(CourseError, match="Worker after worker died"):
        done(found, tasks(course, "dies"))


def test_what_was_begun_is_taken_once_and_only_for_the_same(course: Course) -> None:
    forkserver.begin(course, ASSIGNMENT, ("b", "a"))
    one = forkserver.take(course, ASSIGNMENT, ("a", "b"))
    forkserver.begin(course, ASSIGNMENT)
    other = forkserver.take(course, ASSIGNMENT, bare=True)
    assert one.process.pid != other.process.pid and other.about[-1] is True
    begun = forkserver.begin(course, ASSIGNMENT)
    forkserver.abandon()
    forkserver.abandon()
    assert begun.process.poll() is not None
    for each in (one, other):
        each.close()
        assert each.process.poll() is not None


def test_a_task_that_needs_what_no_worker_has_is_reported(course: Course, tmp_path: Path) -> None:
    (task,) = tasks(course, "s0")
    needy = Task(**{**vars(task), "resources": {"GPU": 1.0}})
    with workers(course, tmp_path, 1) as found:
        (row,) = done(found, [needy])
    assert row.problem.startswith("It needs a worker that declares GPU=1, and there is none")


def where(task: Task) -> GradedSubmission:
    time.sleep(0.2)  # so that each worker gets some
    return GradedSubmission(
        StudentResult(task.student, problem=f"{os.getpid()} {sorted(os.sched_getaffinity(0))}")
    )


def test_each_worker_has_a_core_of_its_own(course: Course, tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        pytest.skip("there is one core only")
    with workers(course, tmp_path) as found:
        todo = tasks(course, *(f"s{number}" for number in range(6)))
        rows = [one.result.problem for one in found.hand_out(where, todo) if one is not None]
    cores = dict(row.split(" ", 1) for row in rows)
    assert len(cores) == len(set(cores.values())) == 2
    assert os.sched_getaffinity(0) == mine


def test_one_worker_takes_one_core_for_as_long_as_it_works(course: Course, tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    if len(mine) < 2:
        pytest.skip("there is one core only")
    todo = [replace(task, bare=True) for task in tasks(course, "s0", "s1", "s2")]
    with start_workers(todo, tmp_path, workers=1) as hand_out:
        rows = [one.result.problem for one in hand_out(where, todo) if one is not None]
    assert rows == [f"{os.getpid()} [{min(mine)}]"] * 3
    assert os.sched_getaffinity(0) == mine
