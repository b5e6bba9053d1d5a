"""The file results.json for each submission, as a Gradescope autograder hands it in.

The format is that of gradescope-autograders.readthedocs.io/en/latest/specs ("Output format"). All text is plain text, and
it holds only what students see in our own feedback too: points and the Verdicts' sentences, but no input and no expected
value of a secret Case.
"""

from __future__ import annotations

import json
from pathlib import Path

from autograder import files, spreadsheet
from autograder.course import Course
from autograder.exports.grades import ClassGrades, StudentGrades
from autograder.exports.verdict_texts import texts
from autograder.intake import verify_student
from autograder.recording.gradebook import Grade

VISIBILITIES = ("visible", "hidden", "after_due_date", "after_published")


def results(
    course: Course, assignment: str, student_grades: StudentGrades, *, visibility: str = "after_published"
) -> dict[str, object]:
    """Return the content of results.json for one submission.

    Args:
        course: the course that the submission belongs to.
        assignment: the assignment's name.
        student_grades: the submission's grades.
        visibility: one of VISIBILITIES, for the whole file.
    """
    shown = texts(course, assignment, student_grades)
    lessons = list(dict.fromkeys(grade.lesson for grade in student_grades.grades))
    count = dict.fromkeys(lessons, 0)
    tests = []
    for grade in student_grades.grades:
        count[grade.lesson] += 1
        number = f"{lessons.index(grade.lesson) + 1}.{count[grade.lesson]}"
        words = _output(grade, shown.get((grade.lesson, grade.exercise), ""))
        tests.append(_test(grade, number, words, visibility))
    return {
        "score": round(student_grades.score, spreadsheet.DIGITS),
        "output": _summary(student_grades),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": tests,
    }


def write_results(
    course: Course, grades_of_class: ClassGrades, folder: Path, *, visibility: str = "after_published"
) -> list[Path]:
    """Write folder/<student>/results.json for every submission and return the paths.

    Args:
        course: the course that the submissions belong to.
        grades_of_class: the class's grades in the assignment.
        folder: the folder to write to.
        visibility: one of VISIBILITIES, for all files.

    Raises:
        CourseError: before anything is written, where a student's id cannot be a folder's name.
    """
    names = [verify_student(student_grades.student) for student_grades in grades_of_class.submissions]
    paths = []
    for name, student_grades in zip(names, grades_of_class.submissions, strict=True):
        said = results(course, grades_of_class.assignment, student_grades, visibility=visibility)
        data = json.dumps(said, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
        paths.append(folder / name / "results.json")
        files.write(paths[-1], data.encode())
    return paths


def _test(grade: Grade, number: str, words: str, visibility: str) -> dict[str, object]:
    test = {
        "name": f"{grade.lesson}: {grade.exercise}",
        "number": number,
        "score": round(grade.score, spreadsheet.DIGITS),
        "max_score": round(grade.max, spreadsheet.DIGITS),
        "output": words,
        "output_format": "text",
        "tags": [grade.lesson],
        "visibility": visibility,
    }
    if grade.auto is not None or grade.manual is not None:
        test["status"] = "passed" if grade.score >= grade.max else "failed"
    return test


def _output(grade: Grade, shown: str) -> str:
    if grade.auto is None and grade.manual is None:
        return "A person still grades this."
    said = [shown] if shown else []
    if grade.manual is not None:
        said.append(
            f"A person gave {spreadsheet.number(grade.manual)} of {spreadsheet.number(grade.max)} points."
        )
    if grade.extra:
        said.append(f"Extra credit: {spreadsheet.number(grade.extra)} points.")
    return "\n".join(said)


def _summary(student_grades: StudentGrades) -> str:
    said = [f"{spreadsheet.number(student_grades.points)} points."]
    if student_grades.penalty:
        said.append(f"{spreadsheet.number(student_grades.penalty)} points are taken off for lateness.")
    return " ".join(said)
