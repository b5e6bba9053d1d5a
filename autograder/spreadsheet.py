"""Cells of a table that a spreadsheet may open: text that it does not evaluate, and numbers that stay numbers."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from autograder import files
from autograder.course import CourseError
from autograder.words import listed

FORMULA = "=+-@"
# In some countries, spreadsheets begin a new cell at one of these, or at a character that looks like one.
SEPARATORS = re.compile("([,;|\uff0c\uff1b\uff5c\ufe50\ufe54\u037e])")
QUOTES = "\"'`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
DIGITS = 4  # digits after the decimal point

Table = list[list[str]]


def text(words: str) -> str:
    """Return text as a cell that no spreadsheet evaluates.

    An apostrophe goes before anything that could begin a formula, as OWASP's page "CSV Injection" advises, even behind
    spaces, quotes or a separator and in full-width letters. Invisible characters are removed, and tabs and line ends become
    spaces.
    """
    return "".join("'" + part if _is_formula(part) else part for part in SEPARATORS.split(visible(words)))


def visible(words: str) -> str:
    """Return text on one line, without control characters and other invisible ones."""
    kept = (letter if letter.isprintable() else _in_place_of(letter) for letter in words)
    return " ".join("".join(kept).split())


def number(value: float) -> str:
    """Return a number as a cell.

    Raises:
        CourseError: where the value is no finite number.
    """
    if not math.isfinite(value):
        raise CourseError("A grade in the gradebook is not a number; grade the assignment again.")
    return f"{value:.{DIGITS}f}".rstrip("0").rstrip(".") if round(value, DIGITS) else "0"


def write_table(table: Table, path: Path) -> Path:
    """Write a table as CSV (RFC 4180) in UTF-8 with a byte-order mark, whole or not at all, and return its path.

    Canvas and Moodle accept the mark, and Excel needs it to read names correctly.
    """
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows(table)
    files.write(path, file.getvalue().encode("utf-8-sig"))
    return path


def named(students: Sequence[str], most: int = 5) -> str:
    """Return students' ids as a list for a sentence, naming the first `most` of them."""
    return listed([visible(student)[:80] for student in students], most)


def _is_formula(part: str) -> bool:
    """Say whether a spreadsheet would evaluate a part of a cell if it were a cell of its own."""
    if part.startswith("'"):
        return False  # a spreadsheet treats it as text already
    for letter in part:
        plain = unicodedata.normalize("NFKC", letter)
        if not plain.isspace() and plain not in QUOTES:
            # An office suite may turn dashes and the minus of mathematics into hyphens.
            return plain[0] in FORMULA or letter == "\u2212" or unicodedata.category(letter) == "Pd"
    return False


def _in_place_of(letter: str) -> str:
    return " " if letter.isspace() or unicodedata.category(letter) == "Cc" else ""
