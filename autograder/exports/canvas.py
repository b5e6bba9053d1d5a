"""The table that Canvas's gradebook imports.

Its columns and the row "Points Possible" are those of a gradebook that Canvas exports, which the Canvas Instructor Guide,
"How do I import grades in the Gradebook?", asks for; which cells it reads, and that an assignment is found by
"title (id)", then by title, is in lib/gradebook_importer.rb of instructure/canvas-lms.
"""

from __future__ import annotations

from autograder import spreadsheet
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.exports.roster import Person, Roster, everybody
from autograder.spreadsheet import Table

COLUMNS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
POINTS_POSSIBLE = "Points Possible"


def canvas_table(
    grades_of_class: ClassGrades,
    roster: Roster | None = None,
    *,
    title: str = "",
    assignment_id: int | None = None,
    out_of: float | None = None,
) -> Table:
    """Return the table, a row for each who handed in.

    title and assignment_id: of the assignment in Canvas, by default the assignment's name and none; out_of: the points
    it has there, by default those of the gradebook. Raises CourseError where somebody is not in the roster.
    """
    maximum = grades_of_class.maximum if out_of is None else out_of
    name = spreadsheet.text(title or grades_of_class.assignment)
    table = [
        [*COLUMNS, f"{name} ({assignment_id})" if assignment_id is not None else name],
        [f"    {POINTS_POSSIBLE}", "", "", "", "", spreadsheet.number(maximum)],
    ]
    for student_grades, person in everybody(grades_of_class, roster):
        row = [
            _name(student_grades, person),
            person.canvas_id or student_grades.lms_id,
            person.sis_user_id,
            person.sis_login_id or student_grades.student,
            person.section,
        ]
        scaled = student_grades.score * (
            maximum / grades_of_class.maximum if grades_of_class.maximum else 0.0
        )
        table.append([*map(spreadsheet.text, row), spreadsheet.number(scaled)])
    return table


def _name(student_grades: StudentGrades, person: Person) -> str:
    known = ", ".join(part for part in (student_grades.last_name, student_grades.first_name) if part)
    name = spreadsheet.visible(person.name or known or student_grades.student)
    # Canvas takes a row whose first cell has these words for that of the maxima.
    return name.replace(POINTS_POSSIBLE, POINTS_POSSIBLE.replace(" ", "-"))
