"""Lets one run at a time work in the class's folder, and gives the run a folder for temporary files."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.course import Course, CourseError

PREFIX = "cnnlab-run-"


@contextmanager
def class_lock(course: Course) -> Iterator[Path]:
    """Hold the class's folder for one run, and give the run a folder for temporary files.

    The lock ends with the process, however that ends. The path of the temporary folder stands in the lock's file,
    so that the next run can remove the folder that a killed run left.

    Raises:
        CourseError: where another run holds the class's folder.
    """
    course.make_work()
    with (course.work / "grading.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CourseError(
                f"{course.work} is being graded by another run: wait until it has ended."
            ) from None
        file.seek(0)
        _remove(file.read().strip())
        shutil.rmtree(started_folder(course), ignore_errors=True)
        folder = tempfile.mkdtemp(prefix=PREFIX)
        file.truncate(0)
        file.write(folder)
        file.flush()
        try:
            with _temporary_files_in(folder):
                yield Path(folder)
        finally:
            shutil.rmtree(started_folder(course), ignore_errors=True)
            if _remove(folder):
                file.truncate(0)


def _remove(folder: str) -> bool:
    """Remove a run's temporary folder, and say whether it is gone; a process that is ending may still write to it."""
    path = Path(folder)
    for _ in range(20):
        is_ours = path.name.startswith(PREFIX) and not path.is_symlink() and path.is_dir()
        if not is_ours or path.stat().st_uid != os.getuid():
            return True
        shutil.rmtree(path, ignore_errors=True)
        if not path.exists():
            return True
        time.sleep(0.05)
    return False


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    """Have this process, and those that it starts, put their temporary files into `folder`."""
    before, default = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    try:
        yield
    finally:
        tempfile.tempdir = default
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before


def started_folder(course: Course) -> Path:
    """Return the folder for marks of submissions whose grading began; it is emptied when a run begins and ends."""
    return course.work / "started"
