"""The secret Cases of a course with their expected values: worked out once, then kept in the class's folder.

The references need torch, which takes longer to load than many submissions to judge. What is kept lies in
work/expected/, is nobody's but its owner's to read, and is worked out anew when the secret or the grader changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from autograder import fingerprint
from autograder.course import Course
from autograder.exercise import Lesson
from cnnlab.checking import cases, wire
from cnnlab.checking.assess import Questionnaire

working = (
    threading.Lock()
)  # whoever asks a reference holds it: probing one redirects stdout for the whole process
_known: dict[tuple[Path, Lesson, bytes], dict[str, Questionnaire]] = {}


def questionnaires(course: Course, lesson: Lesson) -> dict[str, Questionnaire]:
    """Return the secret Cases of a lesson by exercise, with what the reference and each Mistake make of them."""
    secret = course.secret()
    with working:
        key = (course.work, lesson, secret)
        if key not in _known:
            _known[key] = _kept_or_worked_out(course, lesson, secret)
        return _known[key]


def load(course: Course, lesson: Lesson) -> None:
    """Read the secret Cases of a lesson where they were worked out before; nothing is made."""
    if are_kept(course, lesson):
        questionnaires(course, lesson)


def are_kept(course: Course, lesson: Lesson) -> bool:
    """Say whether the secret Cases of a lesson were worked out before."""
    return (course.work / "secret").exists() and _path(course, lesson, course.secret()).exists()


def secret_questionnaires(lesson: Lesson, secret: bytes) -> dict[str, Questionnaire]:
    """Work out the secret Cases of a lesson in a course that holds `secret`."""
    seed = hashlib.sha256(secret + f"{lesson.assignment}/{lesson.name}".encode()).digest()
    return {e.name: e.secret_questions(seed) for e in lesson.exercises.values()}


def _kept_or_worked_out(course: Course, lesson: Lesson, secret: bytes) -> dict[str, Questionnaire]:
    from autograder.exercises import all_lessons

    if lesson not in all_lessons():  # the fingerprint does not tell when its declaration changes
        return secret_questionnaires(lesson, secret)
    path = _path(course, lesson, secret)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(folder / f".{lesson.name}.lock"):  # the first works it out, the others wait for it
        found = _read(path)
        if found.keys() != lesson.exercises.keys():
            found = secret_questionnaires(lesson, secret)
            for old in folder.glob(f"{lesson.name}.*.npz"):
                old.unlink()
            draft = folder / f".{lesson.name}.{os.getpid()}.npz"
            os.close(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600))
            cases.save(draft, found.values())
            draft.replace(path)
    return found


def _path(course: Course, lesson: Lesson, secret: bytes) -> Path:
    stamp = hashlib.sha256(secret + fingerprint.grader().encode()).hexdigest()
    return course.work / "expected" / lesson.assignment / f"{lesson.name}.{stamp[:16]}.npz"


def _read(path: Path) -> dict[str, Questionnaire]:
    """Return what a file holds; {} where there is none, or one that is cut short."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            values = [wire.unpack(archive[name].tobytes()) for name in archive.files]
            return {q.exercise: q for q in map(cases.questionnaire_from_value, values)}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
