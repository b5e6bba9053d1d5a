"""Grades classes in a process of its own, as an instructor's command does: `class_run.py PLAN RESULT`, both JSON.

The plan: [[work folder, class folder or null], ...]; the result: for each the rows as plain values.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from autograder.classroom.grade_class import grade_class
from autograder.course import Course
from autograder.recording import nbgrader_runs
from autograder.reporting.class_report import write_page
from autograder.sandbox import Limits
from tests import ROOT

ASSIGNMENT = "1_layers"
# Short, so that what loops costs little; still hundreds of times what an honest answer takes.
LIMITS = Limits(cell_seconds=5.0, probe_seconds=1.0, submission_seconds=30.0)


def main() -> None:
    """Grade each class, and write its report and feedback pages beside its gradebook."""
    plan, result = (Path(argument) for argument in sys.argv[1:])
    found = []
    for work, folder in json.loads(plan.read_text()):
        course = Course(ROOT, Path(work))
        graded = grade_class(course, ASSIGNMENT, Path(folder), limits=LIMITS, workers=2)
        write_page(graded, course.lessons(ASSIGNMENT), course.work / "report.html")
        nbgrader_runs.feedback(course, ASSIGNMENT)
        found.append([asdict(row) for row in graded.rows])
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
