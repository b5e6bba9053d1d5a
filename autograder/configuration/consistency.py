"""What contradicts itself in a course.toml, or contradicts the roster, though each value is sound."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from autograder.configuration.course_content import CourseFile
from autograder.configuration.errors import nearest
from autograder.configuration.toml_lines import KeyPath


def inconsistencies(found: CourseFile, students: Collection[str] | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield what contradicts itself in a course file: the path of a value, and a sentence.

    Args:
        found: what the file says.
        students: the ids in the roster, None where there is none.
    """
    for path, student in _students(found):
        if students is not None and student not in students:
            like = nearest(student, list(students))
            advice = f"did you mean {like}?" if like else "add the student there, or delete this line."
            yield path, f"the student {student} is not in roster.csv: {advice}"
    dues: dict[str, datetime | None] = {}
    for index, lesson in enumerate(found.lessons):
        if lesson.name in dues:
            yield ("lessons", index, "name"), f"the lesson {lesson.name} is listed twice: delete one of them."
        dues.setdefault(lesson.name, lesson.due)
    for student, extended in found.extensions.items():
        for name, due in extended.items():
            sentence = _extension_fault(name, due, dues.get(name))
            if sentence:
                yield ("extensions", student, name), sentence
    for student, names in found.exemptions.items():
        for name in sorted(names - dues.keys()) if dues else ():
            sentence = f"{name} is not among the [[lessons]] of this course: add it there, or delete it here."
            yield ("exemptions", student), sentence


def _students(found: CourseFile) -> Iterator[tuple[KeyPath, str]]:
    for student in found.extensions:
        yield ("extensions", student), student
    for student in found.exemptions:
        yield ("exemptions", student), student


def _extension_fault(name: str, due: datetime, usual: datetime | None) -> str:
    if usual is None:
        return f"{name} has no due date to extend: give it one under [[lessons]], or delete this line."
    if due < usual:
        return f"this is before {name} is due for everybody ({usual:%Y-%m-%d %H:%M}): write a later date."
    return ""
