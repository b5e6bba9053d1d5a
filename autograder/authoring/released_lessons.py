"""The lessons as students get them, in work/released/: built from solutions/, each notebook known by its digest.

Grading reads these and never notebooks/, where anybody may have opened a file and saved answers in it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from nbformat.notebooknode import NotebookNode

from autograder import files, notebook_io
from autograder.authoring import frame
from autograder.authoring.release import release
from autograder.course import CHECKOUT, Course, CourseError
from autograder.exercise import Lesson
from cnnlab.checking.speed import TASKS

# What decides how a lesson is built.
BUILDERS = (
    "build.py",
    "cover.py",
    "frame.py",
    "notebooks.py",
    "release.py",
    "released_lessons.py",
    "script.py",
)
MAX_BYTES = (
    64 << 20
)  # of a notebook or of what is noted about it; the largest lesson has a thousandth of that


@dataclass(frozen=True)
class ReleasedLesson:
    """A lesson's student notebook in work/released/.

    path: of the notebook.
    digest: the SHA-256 of its bytes.
    """

    path: Path
    digest: str


def released(course: Course, lesson: Lesson) -> ReleasedLesson:
    """Return a lesson's student notebook, written anew where it is not what solutions/ gives now.

    Raises:
        CourseError: where the lesson cannot be read or built, or the notebook not be written.
    """
    key, signature = _key(course, lesson), _signature(course, lesson)
    if key not in _seen or _seen[key][0] != signature:
        found = _verified(course, lesson) or _written(course, lesson)
        _seen[key] = (_signature(course, lesson), found)
    return _seen[key][1]


def edited(course: Course, lessons: Iterable[Lesson]) -> list[Path]:
    """Return the files of notebooks/, relative to the checkout, that are not what solutions/ gives now."""
    found = []
    for lesson in lessons:
        path = course.student_notebook(lesson)
        try:
            digest = files.sha256(files.read(path, MAX_BYTES))
        except OSError:
            continue  # a checkout may do without them
        if digest != released(course, lesson).digest:
            found.append(path.relative_to(course.root))
    return found


def stamp(course: Course, lesson: Lesson) -> str:
    """Return a hash of all that decides a lesson's notebooks."""
    digest = hashlib.sha256(_builder().encode())
    digest.update(repr((release(course.root / "pyproject.toml"), lesson.name, _declared(lesson))).encode())
    for text in _texts(course, lesson):
        digest.update(text)
    picture = course.script(lesson).with_suffix(".png")
    digest.update(picture.read_bytes() if picture.exists() else b"")
    return digest.hexdigest()


def built(course: Course, lesson: Lesson) -> tuple[NotebookNode, NotebookNode]:
    """Return a lesson's notebook for nbgrader's source directory and the students'; built once in a process."""
    key, now = course.script(lesson), stamp(course, lesson)
    if key not in _built or _built[key][0] != now:
        from autograder.authoring import notebooks, script  # they load nbgrader, which few need

        where, read = release(course.root / "pyproject.toml"), script.read(lesson, course.script(lesson))
        both = notebooks.source_notebook(read, where), notebooks.student_notebook(read, where)
        _built[key] = (now, both)
    return _built[key][1]


_Key = tuple[Path, Path, str, str]
_seen: dict[_Key, tuple[object, ReleasedLesson]] = {}
_built: dict[Path, tuple[str, tuple[NotebookNode, NotebookNode]]] = {}


def _key(course: Course, lesson: Lesson) -> _Key:
    return course.root, course.work, lesson.assignment, lesson.name


def _verified(course: Course, lesson: Lesson) -> ReleasedLesson | None:
    """Return the notebook in work/released/ if it is the one that was written there, from the lesson as it is now."""
    path, note = _paths(course, lesson)
    try:
        noted = json.loads(files.read(note, MAX_BYTES))
        digest = files.sha256(files.read(path, MAX_BYTES))
    except (OSError, ValueError):
        return None
    return (
        ReleasedLesson(path, digest) if noted == {"stamp": stamp(course, lesson), "sha256": digest} else None
    )


def _written(course: Course, lesson: Lesson) -> ReleasedLesson:
    (path, note), now = _paths(course, lesson), stamp(course, lesson)
    data = notebook_io.writes(built(course, lesson)[1]).encode()
    found = ReleasedLesson(path, files.sha256(data))
    try:
        course.make_work()
        files.write(path, data)
        files.write(note, json.dumps({"stamp": now, "sha256": found.digest}).encode())
    except OSError as error:
        raise CourseError(f"{error.filename or path} cannot be written: {error.strerror}.") from error
    return found


def _paths(course: Course, lesson: Lesson) -> tuple[Path, Path]:
    folder = course.work / "released" / lesson.assignment
    return folder / f"{lesson.name}.ipynb", folder / f"{lesson.name}.json"


def _signature(course: Course, lesson: Lesson) -> object:
    """Return what changes whenever a file does from which the lesson is built, or that is built: a few stats."""
    script = course.script(lesson)
    paths = [script, script.with_suffix(".png"), course.root / "pyproject.toml", *_paths(course, lesson)]
    if after := frame.following(lesson):
        paths.append(course.script(after))
    return _declared(lesson), tuple(map(_state, paths))


def _state(path: Path) -> tuple[int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _declared(lesson: Lesson) -> object:
    """Return what of a lesson's declaration stands in its notebook."""
    exercises = [
        (e.name, e.total, e.way.speed and TASKS[e.way.speed].at_most) for e in lesson.exercises.values()
    ]
    return exercises, dict(lesson.questions)


def _texts(course: Course, lesson: Lesson) -> list[bytes]:
    """Return the lesson's script, and that of the one after it, whose title stands in this one's last cell."""
    after = frame.following(lesson)
    found = []
    for path in (course.script(one) for one in (lesson, after) if one):
        try:
            found.append(path.read_bytes())
        except OSError as error:
            raise CourseError(f"{path} cannot be read: {error.strerror}.") from error
    return found


@cache
def _builder() -> str:
    digest = hashlib.sha256()
    for name in BUILDERS:
        digest.update((CHECKOUT / "autograder" / "authoring" / name).read_bytes())
    return digest.hexdigest() + " ".join(version(name) for name in ("nbgrader", "nbformat", "jupytext"))
