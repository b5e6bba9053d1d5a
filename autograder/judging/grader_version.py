"""Tells whether two Judgements come from the same grader."""

from __future__ import annotations

import hashlib
from functools import cache

from autograder.course import CHECKOUT


@cache
def grader() -> str:
    """Return a hash of all code that decides a Verdict, so that a changed grader judges anew."""
    files = [path for package in ("autograder", "cnnlab") for path in (CHECKOUT / package).rglob("*.py")]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.relative_to(CHECKOUT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
