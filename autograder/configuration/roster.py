"""roster.csv: who is in the class, with each student's names and numbers in the university's systems."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.configuration.errors import ConfigurationError, Fault, nearest
from autograder.configuration.text_file import name_in_messages, read_text
from autograder.course import Course
from autograder.files import printable_name
from autograder.student_id import RULE, is_student_id

NAME = "roster.csv"
MAX_BYTES = 1 << 22  # some 40,000 students
SAVE_AS = "'CSV UTF-8'"  # as spreadsheets call it
SEPARATORS = ",;\t"  # the second is what spreadsheets write where the comma is the decimal sign


@dataclass(frozen=True)
class Person:
    """One line of the class list, with "" for each column that the file leaves out.

    Args:
        student_id: the name of the student's folder.
        name: the student's name, as the university writes it.
        username, email, idnumber: as in Moodle.
        canvas_id, sis_user_id, sis_login_id, section: as in Canvas.
    """

    student_id: str
    name: str = ""
    email: str = ""
    username: str = ""
    idnumber: str = ""
    canvas_id: str = ""
    sis_user_id: str = ""
    sis_login_id: str = ""
    section: str = ""


COLUMNS = [column.name for column in fields(Person)]
OTHER_NAMES = {"student": "student_id"}
Roster = dict[str, Person]
Row = tuple[int, list[str]]  # the line that a row begins on, and its cells


def roster_path(course: Course) -> Path:
    """Return the path of roster.csv, beside the class's folder: for `work/`, in the checkout."""
    return course.work.parent / NAME


def roster(course: Course) -> Roster | None:
    """Return the class list of a course, student id -> Person in the order of the file, or None where there is none.

    Raises:
        ConfigurationError: where it cannot be used as it is; it names every fault with its line.
    """
    path = roster_path(course)
    return _read(path, name_in_messages(course, path))


def read_roster(path: Path) -> Roster:
    """Read a class list from a CSV file.

    The header names columns of Person in any order; only student_id (or student) is required.

    Raises:
        ConfigurationError: where it cannot be used as it is, or is not there; it names every fault with its line.
    """
    found = _read(path, str(path))
    if found is None:
        raise ConfigurationError(
            [Fault(str(path), None, "there is no such file: give the name of a class list.")]
        )
    return found


def _read(path: Path, name: str) -> Roster | None:
    text = read_text(path, name, max_bytes=MAX_BYTES, save_as=SAVE_AS)
    if text is None:
        return None
    faults: list[Fault] = []
    people: Roster = {}
    rows = _rows(text, name, faults)
    line, header = next(rows, (1, []))
    columns = [cell.strip().lower().replace(" ", "_") for cell in header]
    columns = [OTHER_NAMES.get(column, column) for column in columns]
    faults += [Fault(name, line, sentence) for sentence in _header_faults(columns)]
    if not faults:
        for line, row in rows:
            sentence = _row_fault(row, columns, people)
            if sentence:
                faults.append(Fault(name, line, sentence))
            else:
                person = Person(**dict(zip(columns, map(str.strip, row), strict=True)))
                people[person.student_id] = person
    if faults:
        raise ConfigurationError(faults)
    return people


def _rows(text: str, name: str, faults: list[Fault]) -> Iterator[Row]:
    """Yield the rows that are not empty; what is no CSV ends them and is added to the faults."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            sentence = f"this is no CSV ({error}): see that each quotation mark in this row has its second."
            faults.append(Fault(name, line, sentence))
            return
        if any(cell.strip() for cell in row):
            yield line, row
        line = reader.line_num + 1


def _separator(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _header_faults(columns: list[str]) -> Iterator[str]:
    known = ", ".join(COLUMNS[1:])
    if COLUMNS[0] not in columns:
        yield f"the file needs a first line with {COLUMNS[0]} and any of {known}, with commas between them."
    for column in dict.fromkeys(columns):
        if column not in COLUMNS:
            like = nearest(column, COLUMNS)
            advice = f"did you mean {like}?" if like else f"delete the column, or call it one of {known}."
            yield f"there is no column {printable_name(column)!r}: {advice}"
        elif columns.count(column) > 1:
            yield f"the column {column} is there twice: delete one."


def _row_fault(row: list[str], columns: list[str], people: Roster) -> str:
    """Return what is wrong with a row, "" where nothing is."""
    if len(row) != len(columns):
        return (
            f"this row has {len(row)} cell{'' if len(row) == 1 else 's'}, the first one {len(columns)}: give each row all "
            "cells, and put a cell that holds the separator into quotation marks."
        )
    student = row[columns.index(COLUMNS[0])].strip()
    if not student:
        return f"its {COLUMNS[0]} is empty: write the name of the student's folder, or delete the row."
    if not is_student_id(student):
        return f"{printable_name(student)!r} is not a student's id: {RULE}."
    return (
        f"its {COLUMNS[0]} is there twice ({student}): delete one of the rows." if student in people else ""
    )
