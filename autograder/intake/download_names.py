"""Read a file's student from the name that Moodle or Canvas gave it, and make names that a file can have."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

# Moodle: "Ada Lovelace_12345_assignsubmission_file_02_convolution.ipynb", or a folder
# "Ada Lovelace_12345_assignsubmission_file_" (older: without the last _) with the files in it. The number is Moodle's
# own of the participant. The first such mark counts: what follows it was named by the student.
MOODLE = r"(?P<name>[^/]*?)_(?P<student_id>\d+)_assignsubmission_file_?/?(?P<file_id>.+)"
# Canvas: "lovelaceada_12345_67890_02_convolution-1.ipynb", with _LATE before the numbers where it was: the numbers of
# the student and of the upload.
CANVAS = r"(?P<name>[^/_]*)_(?:LATE_)?(?P<student_id>\d+)_(?P<upload>\d+)_(?P<file_id>[^/]+)"
LAYOUTS = (re.compile(MOODLE, re.DOTALL), re.compile(CANVAS, re.DOTALL))

# What browsers, file managers, Colab and Canvas add to a second file of a name.
COPY = re.compile(
    r"(?:[ _]?\((\d{1,6})\)|-(\d{1,6})|[ _-]copy(?:[ _]?\(?(\d{1,6})\)?)?)(?=\.|$)", re.IGNORECASE
)
COPY_OF = re.compile(r"^copy[ _](?:\((\d{1,6})\)[ _])?of[ _]", re.IGNORECASE)

MAX_PART = 200  # bytes of one part of a path; file systems take 255
UNSAFE = re.compile(r"[^\w .,()@+=-]")


def match_download(path: str) -> re.Match[str] | None:
    """Match a path with the names that Moodle and Canvas give; None where it is none of them.

    The match has the groups name, student_id and file_id. A student chooses the inner folders and the end of a name, so of
    two marks the outermost one counts, and in one name the first.
    """
    return next(filter(None, map(_match_from_start, _ends(path))), None)


def upload_number(name: str) -> int:
    """Return Canvas's number of the upload, which grows with time; 0 where a file's name holds none."""
    found = re.fullmatch(CANVAS, name, re.DOTALL)
    return int(found["upload"]) if found else 0


def copy_number(name: str) -> int:
    """Return the number that a second file of a name was given, as in "02_convolution (1).ipynb"; 0 for the first."""
    found = COPY.search(name) or COPY_OF.match(name)
    return int(next(filter(None, found.groups()), 1)) if found else 0


def plain_path(path: str) -> str:
    """Return a path of plain names."""
    return "/".join(plain_name(part) for part in path.split("/"))


def plain_name(name: str) -> str:
    """Return a name that a file can have: plain characters, not too long, its suffix kept."""
    stem, suffix = os.path.splitext(UNSAFE.sub("_", name))
    room = MAX_PART - len(suffix.encode())
    if room < MAX_PART // 2:  # no suffix is that long
        stem, suffix, room = stem + suffix, "", MAX_PART
    return (stem.encode()[:room].decode(errors="ignore") + suffix).lstrip(".") or "_"


def free_path(path: str, taken: set[str]) -> str:
    """Return a path that none of `taken` has, whatever the case of its letters, and add it there."""
    stem, suffix = os.path.splitext(path)
    number = 1
    while path.lower() in taken:
        number += 1
        path = f"{stem} ({number}){suffix}"
    taken.add(path.lower())
    return path


def _ends(path: str) -> Iterator[str]:
    """Yield the path from each of its folders on, outermost first."""
    parts = path.strip("/").split("/")
    for at in range(len(parts)):
        yield "/".join(parts[at:])


def _match_from_start(path: str) -> re.Match[str] | None:
    found = [match for layout in LAYOUTS if (match := layout.fullmatch(path))]
    return min(found, key=lambda match: match.start("student_id"), default=None)
