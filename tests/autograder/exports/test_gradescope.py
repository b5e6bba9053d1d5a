"""The results for Gradescope: their format, and that students see nothing that they should not."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from autograder.course import CourseError
from autograder.exports.grades import read_class_grades
from autograder.exports.gradescope import results, write_results
from autograder.recording import nbgrader_runs
from tests.autograder.exports.exports_sample import HINT, export, only
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


VISIBILITY = {"enum": ["visible", "hidden", "after_due_date", "after_published"]}


FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}


# After gradescope-autograders.readthedocs.io/en/latest/specs, "Output format".
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {"type": "array"},
    },
}


def test_gradescope_gets_what_students_are_shown(course: sample.SampleCourse) -> None:
    assert export(course, "gradescope", ASSIGNMENT, "--visibility", "visible") == 0
    folder = course.work / "export" / "1_layers_gradescope"
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.json")) == [
        "ada/results.json", "ben/results.json", "eve/results.json",
    ]  # fmt: skip
    found = {path.parent.name: json.loads(path.read_bytes()) for path in folder.rglob("*.json")}
    for result in found.values():
        jsonschema.validate(result, SCHEMA)
        assert result["output_format"] == result["test_output_format"] == "text"
        assert all(test["output_format"] == "text" for test in result["tests"])
    ben = found["ben"]["tests"][0]
    assert (ben["name"], ben["number"], ben["score"], ben["max_score"], ben["status"]) == (
        f"{NAME}: double", "1.1", 1.0, 3.0, "failed",
    )  # fmt: skip
    assert HINT in ben["output"] and "FAIL  large numbers" in ben["output"]
    assert found["ada"]["tests"][0]["status"] == "passed" and found["ada"]["tests"][1]["status"] == "failed"
    assert "status" not in found["ben"]["tests"][1]
    assert found["ben"]["tests"][1]["output"] == "A person still grades this."
    eve = found["eve"]
    assert eve["score"] == 4.5 and "2 points are taken off" in eve["output"]
    assert "A person gave 2.5 of 4 points." in eve["tests"][1]["output"]


def test_what_a_student_wrote_or_printed_is_not_in_results(course: sample.SampleCourse) -> None:
    submit(
        course,
        "ben",
        code="def double(x):\n    return 'SECRET-OF-BEN'",
        why="SECRET-OF-BEN",
        extra="SECRET-OF-BEN",
    )
    printed = judges(verdict(1.0), printed=dict.fromkeys(range(9), "SECRET-OF-BEN"))
    nbgrader_runs.autograde(course, ASSIGNMENT, ["ben"], take_in=sample.as_it_is, judge=printed)
    assert "SECRET-OF-BEN" in (course.work / "autograded" / "ben" / ASSIGNMENT / f"{NAME}.ipynb").read_text()
    (ben,) = [s for s in read_class_grades(course, ASSIGNMENT).submissions if s.student == "ben"]
    assert "SECRET" not in json.dumps(results(course, ASSIGNMENT, ben))


@pytest.mark.parametrize("student", ["../up", "/abs", "a/b", "..", "", "a\nb"])
def test_an_id_that_is_no_folder_writes_nothing(student: str, tmp_path: Path) -> None:
    course = sample.SampleCourse(tmp_path, tmp_path / "work", ())
    with pytest.raises(CourseError):
        write_results(course, only(student), tmp_path / "out" / "here")
    assert not list(tmp_path.iterdir())


def test_without_the_graded_notebook_the_points_are_there(course: sample.SampleCourse) -> None:
    path = course.work / "autograded" / "ben" / ASSIGNMENT / f"{NAME}.ipynb"
    for content in ("{", "[]", '{"cells": [1]}', '{"cells": [{"outputs": 3}]}'):
        path.write_text(content)
        (ben,) = [s for s in read_class_grades(course, ASSIGNMENT).submissions if s.student == "ben"]
        result = results(course, ASSIGNMENT, ben)
        assert [test["score"] for test in result["tests"]] == [1.0, 0.0]
        jsonschema.validate(result, SCHEMA)
