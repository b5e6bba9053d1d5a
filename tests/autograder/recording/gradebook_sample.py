"""Records Verdicts by nbgrader, and reads the gradebook."""

from __future__ import annotations

from nbgrader.api import Gradebook

from autograder.recording import gradebook, nbgrader_runs
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, judges

Course = sample.SampleCourse


def record(course: Course, *verdicts, take_in=sample.as_it_is, students=None, **found) -> dict[str, str]:
    return nbgrader_runs.autograde(
        course, ASSIGNMENT, students, take_in=take_in, judge=judges(*verdicts, **found)
    )


def points(course: Course, student: str = "ada", exercise: str = "double") -> gradebook.Grade:
    (found,) = [
        g for g in gradebook.grades(course, ASSIGNMENT) if g.student == student and g.exercise == exercise
    ]
    return found


def book(course: Course) -> Gradebook:
    return Gradebook(course.db_url)
