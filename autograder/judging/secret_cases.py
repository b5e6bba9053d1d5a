"""Works out the secret Cases of a course with their expected values once, and keeps them in the class's folder.

The references need torch, and loading torch takes longer than judging many submissions. The kept Cases lie in
work/expected/, only their owner may read them, and they are worked out anew when the secret or the grader changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np

from autograder.course import Course
from autograder.exercise import Exercise, Lesson
from autograder.judging import grader_version
from cnnlab.checking import cases
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.speed import IMAGES, TASKS
from cnnlab.checking.wire import Value

LARGE = 8  # inputs of races, and expected results on them, that a process remembers: some MB each
# Held while a reference runs: probing one redirects stdout for the whole process.
_working = threading.Lock()
_known: dict[tuple[Path, Lesson, bytes], dict[str, Questionnaire]] = {}


def work_out(course: Course, lesson: Lesson) -> None:
    """Work out a lesson's secret Cases, and the first turn of each race for speed, unless they are kept.

    Most races end with their first turn; those that do not have the others worked out when they need them.
    """
    questionnaires(course, lesson)
    for exercise in lesson.exercises.values():
        if exercise.way.speed:
            on_large_inputs(course, lesson, exercise, 0)


def questionnaires(course: Course, lesson: Lesson) -> dict[str, Questionnaire]:
    """Return a lesson's secret Cases by Exercise, with the results of the reference and of each Mistake."""
    secret = course.secret()
    with _working:
        key = (course.work, lesson, secret)
        if key not in _known:
            _known[key] = _kept_or_worked_out(course, lesson, secret)
        return _known[key]


def large_inputs(exercise: Exercise, secret: bytes, turn: int) -> dict[str, Value]:
    """Return the inputs on which an Exercise is timed.

    Args:
        exercise: an Exercise with a race for speed.
        secret: the course's, from which the inputs are drawn.
        turn: the turn of the race, from 0.
    """
    with _working:
        return _drawn(exercise.name, exercise.way.speed, secret, turn)


def on_large_inputs(course: Course, lesson: Lesson, exercise: Exercise, turn: int) -> dict[str, Value]:
    """Return the expected results on the `large_inputs` of one turn of a race, by name.

    Args:
        course: the course, which holds the secret.
        lesson: the Exercise's lesson.
        exercise: an Exercise with a race for speed.
        turn: the turn of the race, from 0.
    """
    secret = course.secret()
    with _working:
        return _on_drawn(course, lesson, exercise.name, secret, turn)


def load(course: Course, lesson: Lesson) -> None:
    """Read a lesson's secret Cases into memory if they are kept; do nothing if they are not."""
    if are_kept(course, lesson):
        questionnaires(course, lesson)


def are_kept(course: Course, lesson: Lesson) -> bool:
    """Say whether a lesson's secret Cases were worked out before and are kept."""
    return (course.work / "secret").exists() and _path(course, lesson, course.secret()).exists()


def secret_questionnaires(lesson: Lesson, secret: bytes) -> dict[str, Questionnaire]:
    """Work out a lesson's secret Cases, as a course with this secret draws them."""
    seed = hashlib.sha256(secret + f"{lesson.assignment}/{lesson.name}".encode()).digest()
    return {e.name: e.secret_questions(seed) for e in lesson.exercises.values()}


def _kept_or_worked_out(course: Course, lesson: Lesson, secret: bytes) -> dict[str, Questionnaire]:
    def make() -> dict[str, Value]:
        found = secret_questionnaires(lesson, secret)
        return {name: cases.value_from_questionnaire(one) for name, one in found.items()}

    values = _once(lesson, _path(course, lesson, secret), lesson.exercises.keys(), make)
    return {name: cases.questionnaire_from_value(value) for name, value in values.items()}


@lru_cache(maxsize=LARGE)
def _drawn(name: str, task: str, secret: bytes, turn: int) -> dict[str, Value]:
    seed = hashlib.sha256(secret + f"speed of {name}, {turn}".encode()).digest()
    return TASKS[task].draw(np.random.default_rng(np.frombuffer(seed, np.uint32)), IMAGES)


@lru_cache(maxsize=LARGE)
def _on_drawn(course: Course, lesson: Lesson, name: str, secret: bytes, turn: int) -> dict[str, Value]:
    exercise = lesson.exercises[name]

    def make() -> dict[str, Value]:
        result = exercise.reference(**_drawn(name, exercise.way.speed, secret, turn))
        returned = result if len(exercise.returns) > 1 else [result]
        return dict(zip(exercise.returns, returned, strict=True))

    return _once(lesson, _path(course, lesson, secret, f".{name}.{turn}"), set(exercise.returns), make)


def _once(
    lesson: Lesson, path: Path, names: Set[str], make: Callable[[], dict[str, Value]]
) -> dict[str, Value]:
    """Return the values that a file holds; if it does not hold just these names, make the values and write the file."""
    from autograder.exercises import all_lessons

    if lesson not in all_lessons():  # the grader's version does not tell when its declaration changes
        return make()
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder / f".{lesson.name}.lock"):  # the first works it out, the others wait for it
        found = _read(path)
        if found.keys() != names:
            found = make()
            for old in folder.glob(f"{lesson.name}.*.npz"):
                if old.suffixes[-2:] != path.suffixes[-2:]:  # of another secret or grader
                    old.unlink()
            for old in folder.glob(f".{lesson.name}.*.npz"):  # of a process that was killed while it wrote
                old.unlink()
            draft = folder / f".{lesson.name}.{os.getpid()}.npz"
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600))
            cases.save_values(draft, found)
            draft.replace(path)
    return found


def _path(course: Course, lesson: Lesson, secret: bytes, of: str = "") -> Path:
    stamp = hashlib.sha256(secret + grader_version.grader().encode()).hexdigest()
    return course.work / "expected" / lesson.assignment / f"{lesson.name}{of}.{stamp[:16]}.npz"


def _read(path: Path) -> dict[str, Value]:
    """Return the values that a file holds, {} where it is missing or damaged."""
    try:
        return cases.load_values(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
