"""The findings of checks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One sentence about the machine or the course.

    A finding of kind "problem" says how to mend it; one of kind "note" stops nothing.
    """

    kind: str
    sentence: str


def problem(sentence: str) -> Finding:
    """Return a finding that has to be mended before grading can be trusted."""
    return Finding("problem", sentence)


def note(sentence: str) -> Finding:
    """Return a finding that is worth knowing but stops nothing."""
    return Finding("note", sentence)
