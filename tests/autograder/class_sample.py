"""Small classes for the tests of whole runs, what came of them, and the processes that a run has."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.exercise import Lesson
from autograder.judging.journal import Journal
from autograder.recording import gradebook, recorded
from autograder.sample import Solved, save
from autograder.sandbox.warm import close_all

ASSIGNMENT = "1_layers"
NAME = "01_why_convolution"  # its submissions are judged in a tenth of a second
PR_SET_CHILD_SUBREAPER = 36


def cheap_class(course: Course, folder: Path, count: int, mark: str = "") -> Path:
    """Write `count` submissions that all differ: every third has a wrong answer, every fifth an unfinished one."""
    lesson = course.lesson(ASSIGNMENT, NAME)
    solved = Solved(course, lesson)
    for number in range(count):
        filled = {
            name: f"{text}\n# {mark}{number}"
            for name, text in solved.answers.items()
            if _is_code(lesson, name)
        }
        if number % 3 == 2:
            filled["dense_parameters"] = solved.with_body("dense_parameters", f"return {number}")
        if number % 5 == 4:
            filled["conv_parameters"] = solved.stub("conv_parameters")
        save(solved.notebook(filled), folder / f"s{number:04}" / f"{NAME}.ipynb")
    return folder


def one_more(course: Course, folder: Path, student: str, exercise: str, body: str, top: str = "") -> None:
    """Write one submission with its own body of one exercise; top: code that its cell runs first."""
    solved = Solved(course, course.lesson(ASSIGNMENT, NAME))
    cell = solved.with_body(exercise, body) if body else solved.answers[exercise]
    save(solved.notebook({exercise: f"{top}\n{cell}" if top else cell}), folder / student / f"{NAME}.ipynb")


def _is_code(lesson: Lesson, name: str) -> bool:
    return name in lesson.exercises


def came_of(course: Course) -> dict[str, Any]:
    """Return all that a run leaves of its results: grades, graded notebooks, the Verdicts of both journals."""
    grades = [
        (g.student, g.lesson, g.exercise, g.auto, g.manual, g.max, g.needs_manual)
        for g in gradebook.grades(course, ASSIGNMENT)
    ]
    graded = course.work / "autograded"
    files = {
        path.relative_to(graded).as_posix(): path.read_bytes()
        for path in sorted(graded.rglob("*"))
        if path.is_file()
    }
    journal = Journal(course.work / "journal.jsonl")
    verdicts = {
        (one.student, name): (journal.find(lesson.judgement) or {}).get("verdicts")
        for one in recorded.records(course, ASSIGNMENT)
        for name, lesson in one.lessons.items()
    }
    return {"grades": grades, "files": files, "verdicts": verdicts}


@contextmanager
def adopting() -> Iterator[None]:
    """Have orphans of this process's children become its own children, so that none can be overlooked."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def descendants(pid: int) -> dict[int, str]:
    """Return the living processes below a process: id -> command line."""
    found: dict[int, str] = {}
    for child in _children(pid):
        try:
            state = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0]
            line = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state not in "ZX":
            found[child] = line
        found |= descendants(child)
    return found


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(word) for word in task.read_text().split()]
        except OSError:
            continue
    return found


def running_processes() -> set[int]:
    """Return the processes below this one, once none of its own sandboxes is about to be made ready for the next test."""
    close_all()
    return set(descendants(os.getpid()))


def left_after(before: set[int], seconds: float) -> dict[int, str]:
    """Return the processes below this one that were not there before, once they had some seconds to end."""
    deadline = time.monotonic() + seconds
    while True:
        left = {pid: line for pid, line in descendants(os.getpid()).items() if pid not in before}
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)
