"""The Verdicts in words, as they stand in the graded notebooks that the grader wrote."""

from __future__ import annotations

import json
from typing import Any

from autograder.course import Course
from autograder.exports.grades import StudentGrades
from autograder.intake import IntakeError, verify_student
from autograder.recording.released_cells import exercise_of

Texts = dict[tuple[str, str], str]


def texts(course: Course, assignment: str, student_grades: StudentGrades) -> Texts:
    """Return the texts of a submission's Verdicts: (lesson, exercise) -> text.

    Lessons that are not graded or cannot be read are left out.

    Args:
        course: the course that the submission belongs to.
        assignment: the assignment's name.
        student_grades: the submission's grades.
    """
    try:
        folder = course.work / "autograded" / verify_student(student_grades.student) / assignment
    except IntakeError:
        return {}  # a student in the gradebook whose name intake would not accept
    found: Texts = {}
    for lesson in dict.fromkeys(grade.lesson for grade in student_grades.grades):
        try:
            notebook = json.loads((folder / f"{lesson}.ipynb").read_bytes())
            found |= {(lesson, name): words for name, words in map(_shown, notebook["cells"]) if words}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            continue  # the grade counts without its words
    return found


def first_remark(words: str) -> str:
    """Return the most helpful sentence of a Verdict: the recognised Mistake's hint, else the first note, else ""."""
    second = words.split("\n")[1:2]
    return second[0] if second and not second[0].startswith(" ") else ""


def _shown(cell: dict[str, Any]) -> tuple[str, str]:
    name = exercise_of(cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", ""))
    for output in cell.get("outputs", ()) if name else ():
        if output.get("output_type") == "display_data":
            words = output["data"]["text/plain"]
            return name, words if isinstance(words, str) else "".join(words)
    return name, ""
