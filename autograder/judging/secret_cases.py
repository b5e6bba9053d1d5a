"""Works out the secret Cases of a course with their expected values once, and keeps them in the class's folder.

The references need torch, and loading torch takes longer than judging many submissions. The kept Cases lie in
work/expected/, only their owner may read them, and they are worked out anew when the secret or the grader changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from autograder.course import Course
from autograder.exercise import SETS, Exercise, Lesson
from autograder.judging import grader_version
from cnnlab.checking import cases
from cnnlab.checking.question import Questionnaire
from cnnlab.checking.speed import IMAGES, TASKS
from cnnlab.checking.wire import Value

POLL = 0.05  # seconds between two looks for sets that are wanted: some twenty files each time, through the whole run
LARGE = 8  # inputs of races, and expected results on them, that a process remembers: some MB each
# Held while a reference runs: probing one redirects stdout for the whole process.
_working = threading.Lock()
_known: dict[tuple[Path, Lesson, bytes, int], dict[str, Questionnaire]] = {}


def work_out(course: Course, lesson: Lesson, sets: Iterable[int] = range(SETS)) -> None:
    """Work out a lesson's secret Cases, and the first turn of each race for speed, unless they are kept.

    Most races end with their first turn; those that do not have the others worked out when they need them.

    Args:
        course: the course, which holds the secret.
        lesson: the lesson.
        sets: which sets of its Cases, by default all.
    """
    for which in sets:
        questionnaires(course, lesson, which)
    for exercise in lesson.exercises.values():
        if exercise.way.speed:
            on_large_inputs(course, lesson, exercise, 0)


def questionnaires(course: Course, lesson: Lesson, which: int = 0) -> dict[str, Questionnaire]:
    """Return a set of a lesson's secret Cases by Exercise, with the results of the reference and of each Mistake.

    Args:
        course: the course, which holds the secret.
        lesson: the lesson.
        which: the set, from 0 to SETS - 1.
    """
    secret = course.secret()
    with _working:
        key = (course.work, lesson, secret, which)
        if key not in _known:
            _known[key] = _kept_or_worked_out(course, lesson, secret, which)
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
    """Read the sets of a lesson's secret Cases that are kept into memory."""
    for which in range(SETS):
        if is_kept(course, lesson, which):
            questionnaires(course, lesson, which)


def is_kept(course: Course, lesson: Lesson, which: int) -> bool:
    """Say whether a set of a lesson's secret Cases was worked out before and is kept.

    Args:
        course: the course.
        lesson: the lesson.
        which: the set, from 0 to SETS - 1.
    """
    return (course.work / "secret").exists() and _path(course, lesson, course.secret(), _of(which)).exists()


def secret_questionnaires(lesson: Lesson, secret: bytes, which: int = 0) -> dict[str, Questionnaire]:
    """Work out a set of a lesson's secret Cases, as a course with this secret draws them.

    Args:
        lesson: the lesson.
        secret: the course's.
        which: the set, from 0 to SETS - 1.
    """
    seed = hashlib.sha256(secret + f"{lesson.assignment}/{lesson.name}".encode()).digest()
    return {e.name: e.secret_questions(seed, which) for e in lesson.exercises.values()}


class Claim:
    """A set of a lesson's secret Cases that this process, or one that it forks, works out when another wants it."""

    def __init__(self, course: Course, lesson: Lesson, which: int, lock: IO[str]) -> None:
        """Take over the lock of a set; use `claim`."""
        self._course, self._lesson, self._which, self._lock = course, lesson, which, lock

    @property
    def is_wanted(self) -> bool:
        """Whether a process waits for the set."""
        return _sign_of(Path(self._lock.name)).exists()

    def work_out(self) -> None:
        """Work the set out, let go of it, and work out the first turn of each race for speed of its lesson."""
        with _working:
            _kept_or_worked_out(self._course, self._lesson, self._course.secret(), self._which, claimed=True)
        self.give_up()
        work_out(self._course, self._lesson, [])

    def give_up(self) -> None:
        """Let go of the set in this process; a process that was forked before keeps it."""
        self._lock.close()


def claim(course: Course, lessons: Iterable[Lesson]) -> list[Claim]:
    """Claim the sets of the lessons' secret Cases that are not kept and that nobody else works out.

    Args:
        course: the course, which holds the secret.
        lessons: the lessons, in order.
    """
    secret, claims = course.secret(), []
    for which, lesson in [(which, lesson) for which in range(SETS) for lesson in lessons]:
        if is_kept(course, lesson, which):
            continue
        path = _lock_of(_path(course, lesson, secret, _of(which)))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
        else:
            claims.append(Claim(course, lesson, which, lock))
    return claims


def work_out_what_is_wanted(claims: Sequence[Claim]) -> None:
    """Work out each claimed set as soon as a process waits for it, until none is left."""
    left = list(claims)
    while left:
        wanted = [one for one in left if one.is_wanted]
        for one in wanted:
            one.work_out()
            left.remove(one)
        if not wanted:
            time.sleep(POLL)


def _kept_or_worked_out(
    course: Course, lesson: Lesson, secret: bytes, which: int, claimed: bool = False
) -> dict[str, Questionnaire]:
    def make() -> dict[str, Value]:
        found = secret_questionnaires(lesson, secret, which)
        return {name: cases.value_from_questionnaire(one) for name, one in found.items()}

    path = _path(course, lesson, secret, _of(which))
    values = _once(lesson, path, lesson.exercises.keys(), make, claimed)
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
    lesson: Lesson, path: Path, names: Set[str], make: Callable[[], dict[str, Value]], claimed: bool = False
) -> dict[str, Value]:
    """Return the values that a file holds; if it does not hold just these names, make the values and write the file.

    Args:
        lesson: the lesson that they belong to.
        path: the file.
        names: of the values.
        make: works them out.
        claimed: whether this process holds the file's lock already.
    """
    from autograder.exercises import all_lessons

    if lesson not in all_lessons():  # the grader's version does not tell when its declaration changes
        return make()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = _lock_of(path)
    with nullcontext() if claimed else _alone(lock):  # the first works it out, the others wait for it
        found = _read(path)
        if found.keys() != names:
            found = make()
            _write(path, found)
        _sign_of(lock).unlink(missing_ok=True)
    return found


def _write(path: Path, found: dict[str, Value]) -> None:
    """Write the values to a file, and remove those of another secret or grader, and what a killed process left."""
    name = path.name.removesuffix("".join(path.suffixes[-2:]))
    for old in [*path.parent.glob(f"{name}.*.npz"), *path.parent.glob(f".{name}.*.npz")]:
        if old != path and old.name.lstrip(".").count(".") == path.name.count("."):
            old.unlink(missing_ok=True)
    draft = path.with_name(f".{name}.{os.getpid()}.npz")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600))
    cases.save_values(draft, found)
    draft.replace(path)


def _lock_of(path: Path) -> Path:
    """Return the file that is locked while a file is worked out: one for each set, whatever the secret or grader."""
    return path.with_name(f".{path.name.removesuffix(''.join(path.suffixes[-2:]))}.lock")


def _of(which: int) -> str:
    return f".set{which}"


def _path(course: Course, lesson: Lesson, secret: bytes, of: str = "") -> Path:
    stamp = hashlib.sha256(secret + grader_version.grader().encode()).hexdigest()
    return course.work / "expected" / lesson.assignment / f"{lesson.name}{of}.{stamp[:16]}.npz"


def _read(path: Path) -> dict[str, Value]:
    """Return the values that a file holds, {} where it is missing or damaged."""
    try:
        return cases.load_values(path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def _sign_of(lock: Path) -> Path:
    """Return the file that says that a process waits for what is locked."""
    return lock.with_suffix(".wanted")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            _sign_of(path).touch(0o600)  # who has claimed it works it out now
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
