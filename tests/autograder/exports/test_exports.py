"""The exports: what they count, that a spreadsheet evaluates nothing of them, and the formats."""

from __future__ import annotations

import csv
import json
import re
import shutil
import string
import subprocess
import sys
import unicodedata
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader.api import Gradebook

from autograder import cli, spreadsheet
from autograder.course import CourseError
from autograder.exports.canvas import canvas_table
from autograder.exports.grades import ClassGrades, StudentGrades, read_class_grades
from autograder.exports.gradescope import results, write_results
from autograder.exports.moodle import moodle_table
from autograder.exports.roster import Person
from autograder.recording import nbgrader_runs
from autograder.recording.gradebook import Grade
from autograder.spreadsheet import write_table
from tests.autograder.recording import nbgrader_sample as sample
from tests.autograder.recording.nbgrader_sample import ASSIGNMENT, NAME, judges, submit, verdict

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")
HINT = "You doubled only the small numbers; write it for all."


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> sample.SampleCourse:
    """A class of three: ada wrote no text, ben has a known mistake, eve is late and a person graded her text."""
    course = sample.make_course(tmp_path_factory.mktemp("class"))
    for student in ("ada", "ben", "eve"):
        submit(course, student, why="" if student == "ada" else "Because 2(x + y) = 2x + 2y.")
    right = judges(verdict(3.0))
    wrong = judges(verdict(1.0, mistake="small only", hint=HINT))
    for student, judge in (("ada", right), ("ben", wrong), ("eve", right)):
        problems = nbgrader_runs.autograde(
            course, ASSIGNMENT, [student], take_in=sample.as_it_is, judge=judge
        )
        assert not problems
    with Gradebook(course.db_url) as book:
        book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace", email="ada@example.org")
        answer = book.find_grade("why", NAME, ASSIGNMENT, "eve")
        answer.manual_score, answer.extra_credit, answer.needs_manual_grade = 2.5, 1.0, False
        book.find_submission_notebook(NAME, ASSIGNMENT, "eve").late_submission_penalty = 2.0
        book.db.commit()
    return course


@pytest.fixture
def course(graded: sample.SampleCourse, tmp_path: Path) -> sample.SampleCourse:
    """The graded class, in a copy of its own."""
    shutil.copytree(graded.root, tmp_path / "class")
    return sample.SampleCourse(tmp_path / "class", tmp_path / "class" / "work", graded.declared)


def export(course: sample.SampleCourse, *arguments: str) -> int:
    options = cli._parser().parse_args(["export", *arguments])
    return options.run(course, options)


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def only(student: str, **fields: str | float) -> ClassGrades:
    """ClassGrades of one student with a name of the test's choice."""
    known = {"first_name": "", "last_name": "", "email": "", "lms_id": "", "penalty": 0.0, **fields}
    grades = (Grade(student, NAME, "double", 3.0, None, 0.0, 3.0, False),)
    return ClassGrades(ASSIGNMENT, 3.0, (StudentGrades(student, grades=grades, **known),))  # type: ignore[arg-type]


# What counts


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


def test_nbgrader_s_own_export_stays_as_it_was(course: sample.SampleCourse) -> None:
    before = nbgrader_export(course).read_bytes()
    assert b"ada" in before
    for product in ("canvas", "moodle", "gradescope"):
        assert export(course, product, ASSIGNMENT) == 0
    assert nbgrader_export(course).read_bytes() == before


# Canvas and Moodle


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
    "unknown column": ("student_id,nickname\nada,A\n", "not 'nickname'"),
    "empty": ("", "needs a first line with student_id"),
    "twice": ("student_id\nada\nada\n", "row 3: its student_id is there twice"),
    "short row": ("student_id,name\nada\n", "row 2 has 1 cells, the first row 2"),
    "not utf-8": (b"student_id,name\nada,Zo\xeb\n", "is not UTF-8"),
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


# What a spreadsheet would evaluate

HOSTILE = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", '"=1"', "' =1", "\u201c=1", "\u00a0=1",
    "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff201", "\ufe66=1", "\u22121", "\u200b=1", "\ufeff=1", "\u202e=1",
    "a;=1", "a, +1", 'x" | "@y', "a\t=1", "a\n=1", "\x00=1", "a\uff1b=1", "=cmd|' /C calc'!A0",
    'Doe, "-J"', "\uff02=1", "\u2014=1",
]  # fmt: skip


def evaluated(cell: str) -> bool:
    """Whether a careless spreadsheet evaluates some of a cell: it cuts at any separator, skips what it does not see."""
    for part in re.split(r"[,;|\t\r\n\uff0c\uff1b\uff5c\ufe50\ufe54\u037e]", cell):
        seen = "".join(c for c in part if not unicodedata.category(c).startswith("C"))
        if seen.startswith("'"):
            continue  # it says that what follows is text
        letters = unicodedata.normalize("NFKC", seen).lstrip(
            string.whitespace + "\"'`\u201c\u201d\u2018\u2019"
        )
        if letters[:1] in tuple("=+-@\u2212"):
            return True
    return False


def test_the_careless_spreadsheet_is_careless() -> None:
    assert all(map(evaluated, (h for h in HOSTILE if "\u2014" not in h and not h.startswith("'"))))


@pytest.mark.parametrize("words", HOSTILE)
def test_a_formula_becomes_text(words: str) -> None:
    cell = spreadsheet.text(words)
    assert not evaluated(cell)
    assert spreadsheet.text(cell) == cell


@settings(derandomize=True, deadline=None)
@given(st.text())
def test_no_text_is_evaluated_or_breaks_a_row(words: str) -> None:
    cell = spreadsheet.text(words)
    assert not evaluated(cell)
    assert cell.isprintable() and spreadsheet.text(cell) == cell


@pytest.mark.parametrize(
    "words", ["Zoë Ångström", "O'Brien, Mary-Jane", "山田 太郎", "00123", "a.b@example.org"]
)
def test_an_ordinary_name_stays_as_it_is(words: str) -> None:
    assert spreadsheet.text(words) == words


@pytest.mark.parametrize("words", [*HOSTILE, "Points Possible", "Points\u200b Possible", "Points  Possible"])
def test_hostile_names_and_ids_come_back_from_the_file_as_text(words: str, tmp_path: Path) -> None:
    student = words or "x"
    grades_of_class = only(student, last_name=words, first_name=words, email=words, lms_id=words)
    roster = {student: Person(student, words, words, words, words, words, words, words, words)}
    course = sample.SampleCourse(tmp_path, tmp_path / "work", ())
    tables = [
        canvas_table(grades_of_class, title=words),
        canvas_table(grades_of_class, roster),
        moodle_table(course, grades_of_class, title=words),
        moodle_table(course, grades_of_class, roster, identify_by="idnumber"),
    ]
    for number, table in enumerate(tables):
        back = rows(write_table(table, tmp_path / f"{number}.csv"))
        assert back == table
        assert len({len(row) for row in back}) == 1 and len(back) == (3 if number < 2 else 2)
        assert not any(evaluated(cell) for row in back for cell in row)
        assert "3" in back[-1]
        if number < 2:
            assert sum("Points Possible" in row[0] for row in back) == 1


@pytest.mark.parametrize(
    ("value", "cell"), [(0.0, "0"), (-0.0, "0"), (3.0, "3"), (4.5, "4.5"), (7 / 3, "2.3333"), (1e-9, "0")]
)
def test_numbers_stay_numbers(value: float, cell: str) -> None:
    assert spreadsheet.number(value) == cell


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(CourseError):
        spreadsheet.number(value)


# Gradescope

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
