"""The exports: what they count, and the formats of Canvas and Moodle."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.course import CourseError
from autograder.exports.grades import read_class_grades
from autograder.exports.moodle import moodle_table
from autograder.recording import nbgrader_runs
from tests.autograder.exports.exports_sample import HINT, export, rows
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, verdict

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


def test_a_person_s_points_extra_credit_and_the_penalty_count_as_in_nbgrader_s_own_export(
    course: sample.SampleCourse,
) -> None:
    found = read_class_grades(course, ASSIGNMENT)
    assert found.maximum == 7
    assert [(s.student, s.score) for s in found.submissions] == [("ada", 3.0), ("ben", 1.0), ("eve", 4.5)]
    assert [s.waiting for s in found.submissions] == [(), ("why",), ()]
    with (nbgrader_export(course)).open() as file:
        theirs = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert theirs == {s.student: s.score for s in found.submissions}


def test_a_penalty_never_takes_more_than_there_is(course: sample.SampleCourse) -> None:
    with Gradebook(course.db_url) as book:
        book.find_submission_notebook(NAME, ASSIGNMENT, "eve").late_submission_penalty = 99.0
        book.db.commit()
    assert read_class_grades(course, ASSIGNMENT).submissions[2].score == 0


def test_before_anything_is_graded_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    empty = sample.make_course(tmp_path)
    with pytest.raises(CourseError, match="run 'autograder grade 1_layers FOLDER' first"):
        read_class_grades(empty, ASSIGNMENT)
    assert not (tmp_path / "work" / "gradebook.db").exists()


def nbgrader_export(course: sample.SampleCourse) -> Path:
    """Run nbgrader's own export as an instructor would."""
    path = course.work / "theirs.csv"
    config = course.work / "nbgrader_config.py"
    config.write_text(f"c = get_config()\nc.CourseDirectory.db_url = {course.db_url!r}\n")
    command = [sys.executable, "-m", "nbgrader", "export", "--to", str(path), "--log-level=ERROR"]
    subprocess.run(command, cwd=course.work, check=True, capture_output=True)
    return path


@pytest.mark.slow
def test_nbgrader_s_own_export_stays_as_it_was(course: sample.SampleCourse) -> None:
    before = nbgrader_export(course).read_bytes()
    assert b"ada" in before
    for product in ("canvas", "moodle", "gradescope"):
        assert export(course, product, ASSIGNMENT) == 0
    assert nbgrader_export(course).read_bytes() == before


def test_canvas_gets_its_columns_its_row_of_maxima_and_numbers(course: sample.SampleCourse) -> None:
    out = course.work / "canvas.csv"
    assert export(course, "canvas", ASSIGNMENT, "--out", str(out), "--assignment-id", "42") == 0
    assert out.read_bytes().startswith(b"\xef\xbb\xbfStudent,ID,")
    assert rows(out) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "1_layers (42)"],
        ["    Points Possible", "", "", "", "", "7"],
        ["Lovelace, Ada", "", "", "ada", "", "3"],
        ["ben", "", "", "ben", "", "1"],
        ["eve", "", "", "eve", "", "4.5"],
    ]


def test_a_class_list_says_who_is_who_and_who_handed_nothing_in(
    course: sample.SampleCourse, capsys: pytest.CaptureFixture[str]
) -> None:
    people = course.work / "people.csv"
    people.write_text(
        "\ufeffstudent_id,name,canvas_id,SIS User ID,section,email\n"
        "ada,Zoë Ångström,101,s1,A,a@x.org\nben,Ben,102,s2,A,b@x.org\neve,Eve,103,s3,B,e@x.org\nzoe,Zoe,104,s4,B,\n"
    )
    out = course.work / "canvas.csv"
    assert export(course, "canvas", ASSIGNMENT, "--out", str(out), "--students", str(people)) == 0
    assert rows(out)[2] == ["Zoë Ångström", "101", "s1", "ada", "A", "3"]
    said = capsys.readouterr().out
    assert "Nothing was handed in by zoe" in said and "Answers of ben still wait" in said
    assert export(course, "moodle", ASSIGNMENT, "--out", str(out), "--students", str(people),
                  "--identify-by", "email", "--out-of", "100") == 0  # fmt: skip
    assert [row[:2] for row in rows(out)] == [
        ["Email address", "1_layers"], ["a@x.org", "42.8571"], ["b@x.org", "14.2857"], ["e@x.org", "64.2857"],
    ]  # fmt: skip


def test_moodle_gets_the_grade_and_a_short_text(course: sample.SampleCourse) -> None:
    out = course.work / "moodle.csv"
    assert export(course, "moodle", ASSIGNMENT, "--out", str(out), "--title", "Layers") == 0
    table = rows(out)
    assert table[0] == ["Username", "Layers", "Layers (Feedback)"]
    assert table[2][:2] == ["ben", "1"]
    assert table[2][2] == (f"1 of 7 points. {NAME} 1 of 7. double 1 of 3: {HINT} A person still grades why.")
    assert table[3] == ["eve", "4.5", "4.5 of 7 points. 2 points were taken off for lateness. "
                        f"{NAME} 6.5 of 7. why 3.5 of 4."]  # fmt: skip


def test_feedback_is_text_where_moodle_shows_html(course: sample.SampleCourse) -> None:
    wrong = judges(verdict(1.0, mistake="m", hint="Look where KH < H & W <script>alert(1)</script>."))
    nbgrader_runs.autograde(course, ASSIGNMENT, ["ben"], take_in=sample.as_it_is, judge=wrong)
    table = moodle_table(course, read_class_grades(course, ASSIGNMENT))
    assert "KH &lt; H &amp; W &lt;script&gt;" in table[2][2] and "<" not in table[2][2]


LISTS = {
    "somebody missing": ("student_id,name\nada,Ada\n", "ben, eve are not in the list of students"),
    "no id": ("name\nAda\n", "needs a first line with student_id"),
    "unknown column": ("student_id,nickname\nada,A\n", "people.csv:1: there is no column 'nickname'"),
    "empty": ("", "needs a first line with student_id"),
    "twice": ("student_id\nada\nada\n", "people.csv:3: its student_id is there twice"),
    "short row": ("student_id,name\nada\n", "people.csv:2: this row has 1 cell, the first one 2"),
    "not utf-8": (b"student_id,name\nada,Zo\xeb\n", "people.csv:2: this is not UTF-8"),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_class_list_that_cannot_be_used_is_one_sentence_and_nothing_is_written(
    what: str, course: sample.SampleCourse
) -> None:
    content, sentence = LISTS[what]
    people, out = course.work / "people.csv", course.work / "out.csv"
    people.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CourseError) as caught:
        export(course, "canvas", ASSIGNMENT, "--out", str(out), "--students", str(people))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)
    assert not out.exists()


def test_who_has_no_identifier_is_named(course: sample.SampleCourse) -> None:
    with pytest.raises(CourseError, match="There is no email of ben, eve"):
        export(course, "moodle", ASSIGNMENT, "--identify-by", "email")
    with pytest.raises(CourseError, match="above 0"):
        export(course, "moodle", ASSIGNMENT, "--out-of", "nan")


def test_a_file_that_cannot_be_written_leaves_nothing_behind(course: sample.SampleCourse) -> None:
    (course.work / "taken").touch()
    before = sorted(course.work.iterdir())
    with pytest.raises(OSError):
        export(course, "canvas", ASSIGNMENT, "--out", str(course.work / "taken" / "grades.csv"))
    assert sorted(course.work.iterdir()) == before
