"""A spreadsheet evaluates nothing of what is exported."""

from __future__ import annotations

import re
import string
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import spreadsheet
from autograder.configuration import Person
from autograder.course import CourseError
from autograder.exports.canvas import canvas_table
from autograder.exports.moodle import moodle_table
from autograder.spreadsheet import write_table
from tests.autograder.exports.exports_sample import only, rows
from tests.autograder.recording import nbgrader_sample as sample

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted")


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
