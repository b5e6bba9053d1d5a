"""The contents of a student's folder, and the notebook that is chosen for each lesson."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.files import Entry
from autograder.intake.graft import GraftedNotebook

NOTEBOOK = ".ipynb"
TIMESTAMP = "timestamp.txt"  # nbgrader's collector writes it into a submission


@dataclass(frozen=True)
class UsableNotebook:
    """A notebook that was handed in for a lesson.

    entry: the file.
    sha256: of the file's bytes.
    """

    notebook: GraftedNotebook
    entry: Entry
    sha256: str


@dataclass(frozen=True)
class UnusableEntry:
    """A name in the folder of which nothing can be used.

    sentence: says why.
    sha256: of the file's bytes, "" where they were not read.
    """

    entry: Entry
    sentence: str
    sha256: str


@dataclass
class FolderContents:
    """The contents of a student's folder; they fill up as the files are looked at.

    Args:
        flags: sentences for the instructor.
        names: of all that lies there.
        standing: lesson -> its notebook that was taken in earlier and is still there.
        usable: lesson -> the notebooks handed in for it.
        unusable: the files that are no notebooks although their names say so.
        kept: names of the files that now lie in work/raw/.
        files: name -> bytes of the files that the lessons ask for beside notebooks.
        standing_files: names of such files that were taken in earlier.
        timestamp: the time of handing in, as the collector wrote it.
    """

    flags: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    standing: dict[str, GraftedNotebook] = field(default_factory=dict)
    usable: dict[str, list[UsableNotebook]] = field(default_factory=dict)
    unusable: list[UnusableEntry] = field(default_factory=list)
    kept: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)
    standing_files: set[str] = field(default_factory=set)
    timestamp: bytes | None = None

    def wanted(self, lessons: Iterable[str] = ()) -> set[str]:
        """Return the names that may lie in work/submitted/ at the end; lessons: those whose notebook is written."""
        notebooks = {f"{name}{NOTEBOOK}" for name in [*lessons, *self.standing]}
        timestamp = {TIMESTAMP} if self.timestamp else set()
        return notebooks | self.files.keys() | self.standing_files | timestamp


@dataclass(frozen=True)
class ChosenNotebook:
    """The notebook that is written for a lesson.

    source: the name of the file that it came from.
    source_sha256: of that file's bytes, "" where they were not read.
    """

    notebook: GraftedNotebook
    source: str = ""
    source_sha256: str = ""
