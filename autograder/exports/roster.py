"""The class list that an instructor gives: each student's names and numbers in the university's system."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.course import CourseError
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.spreadsheet import named, visible


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
Roster = dict[str, Person]


def read_roster(path: Path) -> Roster:
    """Read a class list from a CSV file.

    The header names columns of Person; only student_id is required.

    Raises:
        CourseError: where a line cannot be used; it names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _people(path, csv.reader(file, strict=True))
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} is not UTF-8; save it as 'CSV UTF-8'.") from error
    except csv.Error as error:
        raise CourseError(f"{path} is not a CSV file: {error}.") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}.") from error


def _people(path: Path, rows: Iterator[list[str]]) -> Roster:
    header = [cell.strip().lower().replace(" ", "_") for cell in next(rows, [])]
    unknown = [cell for cell in header if cell not in COLUMNS]
    if "student_id" not in header or unknown or len(set(header)) != len(header):
        odd = f", not {visible(unknown[0])[:80]!r}" if unknown else ""
        raise CourseError(
            f"{path} needs a first line with student_id and any of {', '.join(COLUMNS[1:])}, each once{odd}."
        )
    people: Roster = {}
    for line, row in enumerate(rows, 2):
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise CourseError(f"{path}: row {line} has {len(row)} cells, the first row {len(header)}.")
        person = Person(**dict(zip(header, (cell.strip() for cell in row), strict=True)))
        if not person.student_id or person.student_id in people:
            what = "is there twice" if person.student_id else "is empty"
            raise CourseError(f"{path}: row {line}: its student_id {what}.")
        people[person.student_id] = person
    return people


def everybody(grades_of_class: ClassGrades, roster: Roster | None) -> list[tuple[StudentGrades, Person]]:
    """Return each submission with its line of the class list.

    Raises:
        CourseError: where students are not in the class list; it names them.
    """
    if roster is None:
        return [
            (student_grades, Person(student_grades.student)) for student_grades in grades_of_class.submissions
        ]
    missing = [s.student for s in grades_of_class.submissions if s.student not in roster]
    if missing:
        raise CourseError(
            f"{_are(missing)} not in the list of students: add a line for each, or export without the list."
        )
    return [
        (student_grades, roster[student_grades.student]) for student_grades in grades_of_class.submissions
    ]


def without_submission(grades_of_class: ClassGrades, roster: Roster | None) -> list[str]:
    """Return the ids of the students in the class list who have handed nothing in."""
    handed_in = {student_grades.student for student_grades in grades_of_class.submissions}
    return [student for student in roster or {} if student not in handed_in]


def _are(students: Sequence[str]) -> str:
    return f"{named(students)} {'is' if len(students) == 1 else 'are'}"
