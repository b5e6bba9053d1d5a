"""Grading a class: in this process, or over workers that die, that declare what they have, or that lie elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from dask import config
from distributed import LocalCluster, Security

from autograder import exercises
from autograder.classroom.grade_class import grade_class
from autograder.classroom.grade_submission import grade_submission
from autograder.classroom.replay import replay_class
from autograder.classroom.results import ClassResult
from autograder.classroom.submissions import find_submissions
from autograder.classroom.tasks import list_tasks
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.recording import gradebook
from tests.autograder.class_sample import (
    ASSIGNMENT,
    NAME,
    adopting,
    cheap_class,
    descendants,
    left_after,
    one_more,
    running_processes,
)

pytestmark = pytest.mark.usefixtures("bubblewrap")


def points(result: ClassResult) -> dict[str, float]:
    return {row.student: row.points for row in result.rows}


MARK = "autograder-workers"  # in the command line of workers
EXPECTED = {"s0000": 30, "s0001": 30, "s0002": 27, "s0003": 30, "s0004": 26}


@pytest.fixture
def course(ready: Course) -> Course:
    """The course with a class folder in which nothing need be worked out first."""
    return ready


@pytest.fixture
def folder(course: Course, tmp_path: Path) -> Path:
    """A class of five."""
    return cheap_class(course, tmp_path / "class", len(EXPECTED))


def workers() -> dict[int, str]:
    """The worker processes of this process: each has readers and sandboxes, which the one that works out Cases has not."""
    found = {pid: line for one in forkservers() for pid, line in descendants(one).items() if MARK in line}
    return {pid: line for pid, line in found.items() if descendants(pid)}


def forkservers() -> list[int]:
    """The processes that they are forked from."""
    marked = {pid for pid, line in descendants(os.getpid()).items() if MARK in line}
    return [pid for pid in marked if not marked & _ancestors(pid)]


def _ancestors(pid: int) -> set[int]:
    """The processes above a process, up to this one."""
    found = set()
    with contextlib.suppress(OSError):
        while pid not in (0, os.getpid()):
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            found.add(pid)
    return found


def judging(course: Course) -> list[int]:
    """Those of them that are at work, while a submission is being graded."""
    return list(workers()) if being_graded(course) else []


def being_graded(course: Course) -> set[str]:
    """The students whose submissions are being graded now."""
    marks = course.work / "started" / ASSIGNMENT
    return {path.name for path in marks.iterdir()} if marks.exists() else set()


@contextmanager
def meanwhile(work: Callable[[threading.Event], None]) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
def test_one_process_and_several_come_to_the_same(
    course: Course, folder: Path, tmp_path: Path, ready_folder: Path
) -> None:
    other = Course(course.root, shutil.copytree(ready_folder, tmp_path / "other"))
    alone = grade_class(course, ASSIGNMENT, folder, workers=1)
    before, seen = running_processes(), set()
    with adopting():
        many = grade_class(other, ASSIGNMENT, folder, workers=2, on_done=lambda *_: seen.update(workers()))
        assert not {p: line for p, line in left_after(before, 5).items() if "resource_tracker" not in line}
    assert points(alone) == points(many) == EXPECTED
    assert [row.verdicts for row in alone.rows] == [row.verdicts for row in many.rows]
    assert len(seen) == 2
    assert gradebook.grades(course, ASSIGNMENT) == gradebook.grades(other, ASSIGNMENT)


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(course: Course, folder: Path) -> None:
    one_more(course, folder, "slow", "dense_parameters", "", top="import time; time.sleep(1.5)")
    killed: list[int] = []

    def kill_one(stop: threading.Event) -> None:
        while not killed and not stop.wait(0.01):
            for pid in judging(course)[:1]:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    with meanwhile(kill_one):
        result = grade_class(course, ASSIGNMENT, folder, workers=2)
    assert killed
    assert not [row.problem for row in result.rows if row.problem]
    assert points(result) == {**EXPECTED, "slow": 30}
    assert {grade.student for grade in gradebook.grades(course, ASSIGNMENT)} == {*EXPECTED, "slow"}


@pytest.mark.slow
def test_where_workers_come_from_is_replaced_as_well(course: Course, folder: Path) -> None:
    one_more(course, folder, "slow", "dense_parameters", "", top="import time; time.sleep(1.5)")
    killed: list[int] = []

    def kill_it(stop: threading.Event) -> None:
        while not killed and not stop.wait(0.01):
            if judging(course):
                (pid,) = forkservers()
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    with meanwhile(kill_it):
        result = grade_class(course, ASSIGNMENT, folder, workers=2)
    assert killed
    assert not [row.problem for row in result.rows if row.problem]
    assert points(result) == {**EXPECTED, "slow": 30}


def test_who_costs_worker_after_worker_is_reported_alone(course: Course, folder: Path) -> None:
    one_more(course, folder, "zoe", "dense_parameters", "", top="import time; time.sleep(4.5)")
    killed: list[int] = []

    def kill_hers(stop: threading.Event) -> None:
        while not stop.wait(0.01):
            if being_graded(course) == {"zoe"}:
                for pid in judging(course):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
                    time.sleep(0.3)

    with meanwhile(kill_hers):
        result = grade_class(course, ASSIGNMENT, folder, workers=2)
    assert len(set(killed)) >= 3  # an idle worker is killed as well
    rows = {row.student: row for row in result.rows}
    assert rows.pop("zoe").problem == "3 workers in turn died while grading it; nothing was recorded."
    assert {name: row.points for name, row in rows.items()} == EXPECTED
    assert not [row.problem for row in rows.values() if row.problem]
    assert {grade.student for grade in gradebook.grades(course, ASSIGNMENT)} == set(EXPECTED)


@contextmanager
def cluster(*, processes: bool = False, **resources: float) -> Iterator[str]:
    """A Dask cluster that stands somewhere: in threads of this process, which see what tests patch, or in processes.

    Whoever talks to its processes needs the certificate of this run, which Dask's settings name meanwhile.
    """
    security = Security.temporary() if processes else None
    names = security.get_tls_config_for_role("client") if security else {}
    settings = {
        "distributed.comm.tls.ca-file": names.get("ca_file"),
        "distributed.comm.tls.client.cert": names.get("cert"),
        "distributed.comm.tls.client.key": names.get("key"),
    }
    with (
        config.set(settings),
        LocalCluster(
            n_workers=2 if processes else 1,
            threads_per_worker=1 if processes else 2,
            processes=processes,
            protocol="tls" if processes else "tcp",
            dashboard_address="127.0.0.1:0",
            security=security,
            memory_limit=None,
            resources=resources,
        ) as found,
    ):
        yield found.scheduler_address


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> Lesson:
    """The lesson, as if it needed a GPU."""
    lesson = next(one for one in exercises.all_lessons() if one.name == NAME)
    needy = replace(lesson, resources={"GPU": 1})
    monkeypatch.setattr(exercises, "all_lessons", lambda: (needy,))
    return needy


def test_a_scheduler_elsewhere_does_the_same(course: Course, folder: Path) -> None:
    with cluster() as address:
        result = grade_class(course, ASSIGNMENT, folder, scheduler=address)
    assert points(result) == EXPECTED and not [row.problem for row in result.rows if row.problem]


@pytest.mark.slow  # the same once more: in `make test` by threads, without certificates
def test_a_dask_cluster_of_processes_with_certificates_does_the_same(course: Course, folder: Path) -> None:
    with cluster(processes=True) as address:
        assert address.startswith("tls://")
        result = grade_class(course, ASSIGNMENT, folder, scheduler=address)
    assert points(result) == EXPECTED and not [row.problem for row in result.rows if row.problem]
    names = [path.read_text() for path in Path("/proc").glob("[0-9]*/cmdline") if _is_child(path)]
    assert not [name for name in names if "dask" in name or "distributed" in name]


def _is_child(path: Path) -> bool:
    try:
        return f"PPid:\t{os.getpid()}\n" in path.with_name("status").read_text()
    except OSError:
        return False


def test_what_needs_a_gpu_goes_where_there_is_one(course: Course, folder: Path, on_a_gpu: Lesson) -> None:
    with cluster(GPU=1) as address:
        result = grade_class(course, ASSIGNMENT, folder, scheduler=address, students=("s0000", "s0002"))
    assert points(result) == {"s0000": 30, "s0002": 27}


def test_what_needs_a_gpu_is_reported_where_there_is_none(
    course: Course, folder: Path, on_a_gpu: Lesson
) -> None:
    with cluster() as address:
        result = grade_class(course, ASSIGNMENT, folder, scheduler=address, students=("s0000",))
    (row,) = result.rows
    assert row.problem.startswith("It needs a worker that declares GPU=1, and there is none: start one with")
    assert not row.verdicts and not gradebook.grades(course, ASSIGNMENT)


def test_a_scheduler_that_is_not_there_is_one_sentence(course: Course, folder: Path) -> None:
    with pytest.raises(CourseError, match=r"No Dask scheduler answers at tcp://127.0.0.1:9: start one with"):
        grade_class(course, ASSIGNMENT, folder, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(CourseError, match="is no scheduler's address"):
        grade_class(course, ASSIGNMENT, folder, scheduler="nowhere://x")


def test_a_worker_that_does_not_share_the_folder_draws_no_cases_of_its_own(
    course: Course, folder: Path, tmp_path: Path
) -> None:
    (task, *_) = list_tasks(course, ASSIGNMENT, find_submissions(course, ASSIGNMENT, folder).folders)
    elsewhere = replace(task, course=Course(course.root, tmp_path / "elsewhere"))
    with pytest.raises(CourseError, match="all nodes must share the checkout"):
        grade_submission(elsewhere)
    assert not (tmp_path / "elsewhere").exists()


def test_some_students_or_lessons_only(course: Course, folder: Path) -> None:
    result = grade_class(course, ASSIGNMENT, folder, students=("s0002", "s0000"), lessons=(NAME,))
    assert points(result) == {"s0000": 30, "s0002": 27}
    assert {grade.student for grade in gradebook.grades(course, ASSIGNMENT)} == {"s0000", "s0002"}
    assert not (course.submitted / "s0001").exists()
    with pytest.raises(CourseError, match="'eve' has not handed in"):
        grade_class(course, ASSIGNMENT, students=("eve",))
    with pytest.raises(CourseError, match="no lesson '99_none'"):
        grade_class(course, ASSIGNMENT, lessons=("99_none",))


def test_replay_judges_again_and_records_nothing(course: Course, folder: Path) -> None:
    chosen = ("s0000", "s0002")
    grade_class(course, ASSIGNMENT, folder, students=chosen)
    kept = {path: path.read_bytes() for path in course.work.rglob("*") if path.is_file()}
    found = replay_class(course, ASSIGNMENT)
    assert [(one.result.student, one.same, one.result.points) for one in found] == [
        ("s0000", True, 30),
        ("s0002", True, 27),
    ]
    assert all(one.result.seconds > 0 for one in found)
    assert {path: path.read_bytes() for path in course.work.rglob("*") if path.is_file()} == kept


def test_replay_says_what_differs(course: Course, folder: Path) -> None:
    grade_class(course, ASSIGNMENT, folder, students=("s0000",))
    journal = course.work / "journal.jsonl"
    journal.write_text(journal.read_text().replace('"points": 3.0', '"points": 1.0', 1))
    (one,) = replay_class(course, ASSIGNMENT)
    assert not one.same and len(one.differences) == 1
    assert "1 of 3, passed before, 3 of 3, passed now" in one.differences[0]


def test_replay_of_what_was_never_judged_says_so(course: Course, folder: Path) -> None:
    grade_class(course, ASSIGNMENT, folder, students=("s0000",))
    (course.work / "journal.jsonl").unlink()
    (one,) = replay_class(course, ASSIGNMENT)
    assert not one.same and "this grader has not judged it yet; grade it first" in one.result.problem
