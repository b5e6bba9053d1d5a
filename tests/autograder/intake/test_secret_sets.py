"""Which set of secret Cases a hand-in is asked: from its bytes, kept with the file, the next one for the next file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from autograder import intake
from autograder.exercise import SETS
from autograder.intake.records import LessonIntake
from autograder.intake.secret_sets import secret_set
from tests.autograder.intake.intake_sample import ASSIGNMENT, LESSONS, Sample, as_bytes, solved

SECRET = b"a course"


def noted(source: str, which: int) -> LessonIntake:
    return LessonIntake("a.ipynb", source, "", (), frozenset(), frozenset(), {}, which)


def hand_in(s: Sample, inbox: Path, text: str, student: str = "ada") -> int:
    """Hand the first lesson in with a cell of this text, and return the set that it is asked."""
    notebook = solved(s.first)
    notebook.cells[0].source += text
    inbox.mkdir(exist_ok=True)
    (inbox / "01_shifting.ipynb").write_bytes(as_bytes(notebook))
    intake.take_in(s.course, ASSIGNMENT, student, inbox, lessons=LESSONS)
    return s.record(student).lessons["01_shifting"].secret_set


def test_the_first_set_follows_from_the_bytes_and_the_secret_and_each_is_drawn_as_often() -> None:
    drawn = Counter(secret_set(SECRET, f"file {n}", None) for n in range(2000))
    assert set(drawn) == set(range(SETS))
    assert all(abs(count - 2000 / SETS) < 100 for count in drawn.values())
    again = [secret_set(SECRET, f"file {n}", None) for n in range(40)]
    assert again == [secret_set(SECRET, f"file {n}", None) for n in range(40)]
    assert again != [secret_set(b"another course", f"file {n}", None) for n in range(40)]


def test_the_same_file_keeps_its_set_and_the_next_one_takes_the_next() -> None:
    for which in range(SETS):
        before = noted("file 1", which)
        assert secret_set(SECRET, "file 1", before) == which
        assert secret_set(SECRET, "", before) == which  # it could not be read, so nothing is asked
        assert secret_set(SECRET, "file 2", before) == (which + 1) % SETS


def test_after_a_file_that_could_not_be_read_the_bytes_decide() -> None:
    assert secret_set(SECRET, "file 1", noted("", 3)) == secret_set(SECRET, "file 1", None)


def test_intake_records_the_set_and_a_regrade_keeps_it(s: Sample, tmp_path: Path) -> None:
    first = hand_in(s, tmp_path / "inbox", "one")
    assert hand_in(s, tmp_path / "inbox", "one") == first
    # A regrade takes in again what was kept, also when the released lesson has changed since.
    intake.take_in(s.course, ASSIGNMENT, "ada", s.raw(), lessons=LESSONS)
    assert s.record().lessons["01_shifting"].secret_set == first
    assert [hand_in(s, tmp_path / "inbox", text) for text in ("two", "three", "two")] == [
        (first + n) % SETS for n in (1, 2, 3)
    ]


def test_a_record_of_an_earlier_version_keeps_the_one_set_that_there_was(s: Sample, tmp_path: Path) -> None:
    hand_in(s, tmp_path / "inbox", "one")
    path = s.course.work / "intake" / ASSIGNMENT / "ada.json"
    value = json.loads(path.read_text())
    for lesson in value["lessons"].values():
        del lesson["secret_set"]
    path.write_text(json.dumps(value))
    assert s.record().lessons["01_shifting"].secret_set == 0
    assert hand_in(s, tmp_path / "inbox", "one") == 0
    assert hand_in(s, tmp_path / "inbox", "two") == 1


def test_what_a_student_writes_into_the_notebook_does_not_choose_the_set(s: Sample, tmp_path: Path) -> None:
    sets = {hand_in(s, tmp_path / f"inbox {n}", f"text {n}", f"student{n}") for n in range(24)}
    assert sets == set(
        range(SETS)
    )  # 24 files of nearly equal bytes: each set is missed by chance once in a thousand
