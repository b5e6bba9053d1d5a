"""Decide which set of secret Cases a hand-in is asked, so that what one hand-in leaks helps no other."""

from __future__ import annotations

import hashlib
import hmac

from autograder.exercise import SETS
from autograder.intake.records import LessonIntake


def secret_set(secret: bytes, source_sha256: str, before: LessonIntake | None) -> int:
    """Return the set that a lesson's file is asked, from 0 to SETS - 1.

    The same file keeps its set, whatever else changes. A student's next file takes the next set. The first file's follows
    from its bytes and the course's secret, so that nobody can choose it.

    Args:
        secret: the course's.
        source_sha256: the hash of the file's bytes, "" where they could not be read.
        before: what was noted of the lesson when the student handed in last, None for the first time.
    """
    if before is not None and source_sha256 in ("", before.source_sha256):
        return before.secret_set
    if before is not None and before.source_sha256:
        return (before.secret_set + 1) % SETS
    digest = hmac.digest(secret, b"set of\0" + source_sha256.encode(), hashlib.sha256)
    return int.from_bytes(digest, "big") % SETS
