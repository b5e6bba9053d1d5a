"""The class list beside the grades: who is who, who is missing in the list, and who handed nothing in."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.configuration import Person, Roster
from autograder.course import CourseError
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.spreadsheet import named


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
