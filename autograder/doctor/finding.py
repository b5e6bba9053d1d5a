"""What a check has found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One sentence about the machine or the course; kind: "problem", which says its remedy, or "note"."""

    kind: str
    sentence: str


def problem(sentence: str) -> Finding:
    """Something that has to be mended before grading can be trusted."""
    return Finding("problem", sentence)


def note(sentence: str) -> Finding:
    """Something worth knowing that stops nothing."""
    return Finding("note", sentence)
