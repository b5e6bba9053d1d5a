"""Makes sure that a worker, which may run on another machine, sees the class's folder."""

from __future__ import annotations

import hashlib
import socket

from autograder.course import Course, CourseError


def digest(secret: bytes) -> str:
    """Return what may be told of the course's secret."""
    return hashlib.sha256(b"cnnlab\0" + secret).hexdigest()


def verify_shared(course: Course, secret: str) -> None:
    """Raise CourseError where this worker does not see the class's folder: it would draw secret Cases of its own."""
    path = course.work / "secret"
    if not path.exists() or digest(course.secret()) != secret:
        raise CourseError(
            f"A worker on {socket.gethostname()} does not see {course.work}: all nodes must share the checkout and "
            "the class's folder, at the same path."
        )
