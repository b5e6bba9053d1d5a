"""What is wrong with a file that an instructor wrote, with the line and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.course import CourseError

LIKE = 0.5  # of 1: how similar words are that may be meant, so that "grace" finds "grace_minutes"


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a file.

    Args:
        file: the file's name, as a person finds it from the checkout.
        line: the number of the line, None where the whole file cannot be read.
        sentence: what is wrong and what to do, without a capital at its beginning.
    """

    file: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        # A sentence may quote what stands in the file, or what a reader of it says.
        return "".join(c if c.isprintable() else " " for c in f"{place}: {self.sentence}")


class ConfigurationError(CourseError):
    """All that is wrong with a file that an instructor wrote, one sentence a line.

    faults: what is wrong, in the order of the lines.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: fault.line or 0))
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults))


def nearest(word: str, known: Sequence[str]) -> str:
    """Return the one of the known words that is most like a misspelt one, "" where none is like it."""
    lowered = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=LIKE)
    return lowered[found[0]] if found else ""
