"""The table that Moodle's grade import takes: the student, the grade, a few words of feedback.

See "Grade import" in the Moodle documentation (docs.moodle.org/en/Grade_import). A person maps the columns on Moodle's
import page. Feedback has to be imported together with its grade, or the grade is lost. An unknown student stops the
import.
"""

from __future__ import annotations

import html
from itertools import groupby

from autograder import spreadsheet
from autograder.configuration import Person, Roster
from autograder.course import Course, CourseError
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.exports.roster import everybody
from autograder.exports.verdict_texts import first_remark, texts
from autograder.spreadsheet import Table, named

IDENTIFIERS = {"username": "Username", "email": "Email address", "idnumber": "ID number"}  # Moodle's headings
HIGHEST = 100  # points: the most that Moodle imports for one grade, unless its site is set otherwise
LONGEST = 1000  # characters of feedback


def moodle_table(
    course: Course,
    grades_of_class: ClassGrades,
    roster: Roster | None = None,
    *,
    identify_by: str = "username",
    title: str = "",
    out_of: float | None = None,
) -> Table:
    """Return the table, with a row for each student who handed in.

    Args:
        course: the course that the submissions belong to.
        grades_of_class: the class's grades in the assignment.
        roster: the class list, where there is one.
        identify_by: the column that identifies a student, one of IDENTIFIERS.
        title: the grade item's title in Moodle, by default the assignment's name.
        out_of: the points that the grade item gives in Moodle, by default those of the gradebook.

    Raises:
        CourseError: where students have no such identifier; it names them.
    """
    name = spreadsheet.text(title or grades_of_class.assignment)
    maximum = grades_of_class.maximum if out_of is None else out_of
    people = everybody(grades_of_class, roster)
    nameless = [s.student for s, person in people if not _identifier(s, person, identify_by)]
    if nameless:
        raise CourseError(
            f"There is no {identify_by} of {named(nameless)}: give a list with a column {identify_by} as --students."
        )
    table = [[IDENTIFIERS[identify_by], name, f"{name} (Feedback)"]]
    for student_grades, person in people:
        scaled = student_grades.score * (
            maximum / grades_of_class.maximum if grades_of_class.maximum else 0.0
        )
        # Moodle shows feedback as HTML.
        words = spreadsheet.text(html.escape(feedback(course, grades_of_class, student_grades), quote=False))
        table.append(
            [
                spreadsheet.text(_identifier(student_grades, person, identify_by)),
                spreadsheet.number(scaled),
                words,
            ]
        )
    return table


def feedback(course: Course, grades_of_class: ClassGrades, student_grades: StudentGrades) -> str:
    """Return a student's feedback: the points of each lesson, and a remark on each exercise that lost some.

    Args:
        course: the course that the submissions belong to.
        grades_of_class: the class's grades in the assignment.
        student_grades: the grades of the student.
    """
    said = [f"{_of(student_grades.score, grades_of_class.maximum)} points."]
    if student_grades.penalty:
        said.append(f"{spreadsheet.number(student_grades.penalty)} points were taken off for lateness.")
    shown = texts(course, grades_of_class.assignment, student_grades)
    for lesson, grades in groupby(student_grades.grades, key=lambda grade: grade.lesson):
        mine = list(grades)
        said.append(f"{lesson} {_of(sum(g.score for g in mine), sum(g.max for g in mine))}.")
        for grade in mine:
            remark = first_remark(shown.get((lesson, grade.exercise), ""))
            if grade.exercise not in student_grades.waiting and grade.score < grade.max:
                points = _of(grade.score, grade.max)
                said.append(
                    f"{grade.exercise} {points}: {remark}" if remark else f"{grade.exercise} {points}."
                )
    if student_grades.waiting:
        said.append(f"A person still grades {', '.join(student_grades.waiting)}.")
    words = " ".join(said)
    return words if len(words) <= LONGEST else words[: LONGEST - 4] + " ..."


def _identifier(student_grades: StudentGrades, person: Person, identify_by: str) -> str:
    known = {"username": student_grades.student, "email": student_grades.email, "idnumber": ""}
    return getattr(person, identify_by) or known[identify_by]


def _of(points: float, maximum: float) -> str:
    return f"{spreadsheet.number(points)} of {spreadsheet.number(maximum)}"
