"""Grades a whole class: takes every submission in, judges them side by side, records the Verdicts."""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder import gradebook, intake
from autograder.beside import Beside
from autograder.course import Course, CourseError
from autograder.exercise import Lesson
from autograder.journal import Journal
from autograder.judge import Judgement, judge_notebook, judgement_key
from autograder.sandbox import Limits, SandboxError
from autograder.verdict import Verdict


@dataclass
class Row:
    """What grading found for one student.

    verdicts: by lesson and exercise; flags: for the instructor; seconds: in the sandbox; problem: why nothing was
    recorded, or ""; submission: a hash of what was judged and by what.
    """

    student: str
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""
    submission: str = ""

    @property
    def points(self) -> float:
        """All points of this row."""
        return sum(v.points for lesson in self.verdicts.values() for v in lesson.values())


@dataclass(frozen=True)
class ClassResult:
    """A graded class: one Row a student in the order of their ids, and the wall time in seconds."""

    assignment: str
    rows: tuple[Row, ...]
    seconds: float


def students_in(folder: Path) -> dict[str, Path]:
    """Return student id -> folder for a folder that holds one folder per student; raise CourseError for anything else."""
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give one that holds a folder per student.")
    found, odd = {}, []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_symlink() or not path.is_dir() or not _is_student(path.name):
            odd.append(path.name)
        else:
            found[path.name] = path
    if odd:
        raise CourseError(
            f"{folder} holds what is no student's folder: {', '.join(map(repr, odd[:5]))}; a student id is made of letters, "
            "digits and . _ @ - and its folder is no link."
        )
    if not found:
        raise CourseError(
            f"{folder} holds no student's folder; put each student's notebooks into a folder named by the id."
        )
    return found


def grade(
    course: Course,
    assignment: str,
    folder: Path | None = None,
    *,
    workers: int | None = None,
    limits: Limits | None = None,
    bare: bool = False,
    on_done: Callable[[Row, int, int], None] | None = None,
) -> ClassResult:
    """Grade a class and record it in the gradebook.

    folder: one folder per student, named by the student id, with the notebooks in it; those who handed in before, and
    whose notebooks lie in work/submitted, are graded with them, which costs little where nothing changed. workers:
    submissions judged at a time, by default one a core; on_done(row, done, of): called for each judged submission. Raises
    CourseError or SandboxError where the run as a whole cannot go on; a bad submission never stops it.
    """
    began = time.perf_counter()
    folders = students_in(folder) if folder is not None else {}
    lessons = course.lessons(assignment)
    standing = [name for name in gradebook.students_with(course.submitted, assignment) if _is_student(name)]
    students = sorted({*folders, *standing})
    if not students:
        raise CourseError(f"Nobody has handed in {assignment}: give the folder with the class's notebooks.")
    with _alone(course):
        rows = _graded(
            course,
            lessons,
            students,
            folders,
            workers,
            partial(judge_notebook, limits=limits, bare=bare),
            on_done,
        )
    return ClassResult(assignment, tuple(rows), time.perf_counter() - began)


def _graded(
    course: Course,
    lessons: Sequence[Lesson],
    students: Sequence[str],
    folders: Mapping[str, Path],
    workers: int | None,
    judging: Callable[..., Judgement],
    on_done: Callable[[Row, int, int], None] | None,
) -> list[Row]:
    assignment = lessons[0].assignment
    course.secret()  # made here, before threads ask for it

    stop = threading.Event()

    def judge(student: str) -> Row:
        row = Row(student)
        handed_in = folders.get(student) or course.submitted / student / assignment
        try:
            # What lies in work/submitted/ may be as a student wrote it; what intake wrote there it leaves alone.
            intake.take_in_safely(course, assignment, student, handed_in)
        except CourseError as error:
            row.problem = str(error)
            return row
        return _judge_student(course, assignment, lessons, row, partial(judging, stop=stop))

    rows = []
    # The gradebook is written here, one submission at a time, while the next ones run in their sandboxes.
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        futures: list[Future[Row]] = [pool.submit(judge, student) for student in students]
        try:
            record = gradebook.recorder(course, assignment)
            recorded = _Recorded(course, assignment)
            for future in as_completed(futures):
                row = future.result()
                if not row.problem and not recorded.holds(row):
                    row.problem = record(row.student)
                    recorded.add(row)
                rows.append(row)
                if on_done:
                    on_done(row, len(rows), len(students))
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return sorted(rows, key=lambda row: row.student)


class _Recorded:
    """Which submissions the gradebook holds as they are.

    nbgrader asks for manual grading anew whenever a submission is recorded, so what did not change is left alone.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self.course, self.assignment = course, assignment
        self.journal = Journal(course.work / "recorded.jsonl")
        self.in_gradebook = {grade.student for grade in gradebook.grades(course, assignment)}

    def holds(self, row: Row) -> bool:
        """Say whether this very submission was recorded, and is still there."""
        known = self.journal.find(f"{self.assignment}/{row.student}")
        same = known is not None and known["submission"] == row.submission
        there = (self.course.work / "autograded" / row.student / self.assignment).is_dir()
        return same and there and row.student in self.in_gradebook

    def add(self, row: Row) -> None:
        """Note that a row was recorded."""
        if not row.problem:
            self.journal.add(f"{self.assignment}/{row.student}", {"submission": row.submission})


@contextmanager
def _alone(course: Course) -> Iterator[None]:
    """Hold the class's folder for one run; raise CourseError where another holds it."""
    course.work.mkdir(parents=True, exist_ok=True)
    with (course.work / "grading.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(
                f"{course.work} is being graded by another run: wait until it has ended."
            ) from None
        yield


def _is_student(name: str) -> bool:
    try:
        return intake.verify_student(name) == name
    except CourseError:
        return False


def _judge_student(
    course: Course,
    assignment: str,
    lessons: Sequence[Lesson],
    row: Row,
    judge: Callable[[Course, Lesson, NotebookNode, Beside], Judgement],
) -> Row:
    record = intake.record(course, assignment, row.student)
    row.flags += dict.fromkeys(record.flags if record else ())
    beside = Beside.of(course, assignment, row.student)
    for lesson in lessons:
        try:
            notebook = beside.notebook(lesson)
            if notebook is None:
                continue
            judgement = judge(course, lesson, notebook, beside)
        except SandboxError:
            raise
        except Exception as error:  # a defect of ours must not stop the class, and must not become a zero
            row.problem = f"{lesson.name} could not be judged: {type(error).__name__}: {error}"
            continue
        row.verdicts[lesson.name] = judgement.verdicts
        row.flags += [flag for flag in judgement.flags if flag not in row.flags]
        row.seconds += judgement.seconds
        row.submission = _hash(
            row.submission, judgement_key(course, lesson, notebook, beside), nbformat.writes(notebook)
        )
    return row


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
