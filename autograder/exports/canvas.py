"""The table that Canvas's gradebook imports.

The columns and the row "Points Possible" are those of a gradebook that Canvas exports. The Canvas Instructor Guide, "How
do I import grades in the Gradebook?", asks for this form. The file lib/gradebook_importer.rb of instructure/canvas-lms
shows which cells Canvas reads, and that it looks for an assignment by "title (id)" first, then by title.
"""

from __future__ import annotations

from autograder import spreadsheet
from autograder.configuration import Person, Roster
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.exports.roster import everybody
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
    """Return the table, with a row for each student who handed in.

    Args:
        grades_of_class: the class's grades in the assignment.
        roster: the class list, where there is one.
        title: the assignment's title in Canvas, by default its name here.
        assignment_id: the assignment's number in Canvas, by default left out.
        out_of: the points that the assignment gives in Canvas, by default those of the gradebook.

    Raises:
        CourseError: where a student is not in the roster.
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
    # Canvas reads any row whose first cell has these words as the row of maxima.
    return name.replace(POINTS_POSSIBLE, POINTS_POSSIBLE.replace(" ", "-"))
