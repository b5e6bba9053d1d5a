"""The journal keeps every whole line, whoever writes at the same time, and little of it in memory."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest

from autograder.course import CourseError
from autograder.judging.journal import Journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "work" / "journal.jsonl"


def test_the_last_entry_of_a_key_counts(path: Path) -> None:
    journal, other = Journal(path), Journal(path)
    assert journal.find("a") is None and journal.keys() == []
    journal.add("a", {"points": 1})
    assert other.find("a") == {"key": "a", "points": 1}
    other.add_all([("b", {"points": 2}), ("a", {"points": 3})])
    assert journal.find("a") == {"key": "a", "points": 3}
    assert journal.keys() == ["a", "b"]
    assert list(journal.entries()) == [("a", {"key": "a", "points": 3}), ("b", {"key": "b", "points": 2})]
    journal.add_all([])
    assert len(path.read_text().splitlines()) == 3


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"not json",
        b"[1]",
        b'{"key": 3}',
        b'{"no": "key"}',
        b"\xff\x00",
        b'{"key": "a", cut',
        b"[" * 9999,
    ],
)
def test_lines_that_are_no_entries_are_passed_over(path: Path, garbage: bytes) -> None:
    Journal(path).add("a", {"points": 1})
    with path.open("ab") as file:
        file.write(garbage + b"\n")
    journal = Journal(path)
    assert journal.find("a") == {"key": "a", "points": 1}
    journal.add("b", {"points": 2})
    assert journal.find("b") == Journal(path).find("b") == {"key": "b", "points": 2}
    assert dict(journal.entries()).keys() == {"a", "b"}


def test_a_line_that_was_cut_short_costs_only_itself(path: Path) -> None:
    journal = Journal(path)
    journal.add("a", {"points": 1})
    journal.add("a", {"points": 2})
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for end in range(first, len(whole)):
        path.write_bytes(whole[:end])
        after = Journal(path)
        assert after.find("a") == {"key": "a", "points": 1}
        after.add("b", {})
        assert Journal(path).find("b") == {"key": "b"}
        assert Journal(path).find("a") in ({"key": "a", "points": 1}, {"key": "a", "points": 2})


def test_lines_of_an_earlier_version_are_read(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"flags": [], "key": "a", "seconds": 1.0}) + "\n")
    assert Journal(path).find("a") == {"flags": [], "key": "a", "seconds": 1.0}


def test_a_file_that_was_replaced_or_deleted_is_read_anew(path: Path) -> None:
    journal = Journal(path)
    journal.add("a", {"points": 1})
    assert journal.find("a")
    path.unlink()
    assert journal.find("a") is None
    journal.add("b", {})
    assert journal.find("b") and not journal.find("a")
    path.write_text("")
    assert journal.find("b") is None


def test_what_students_wrote_stays_on_its_line(path: Path) -> None:
    hostile = 'x\n{"key": "b", "points": 99}\n\u2028\ud800'
    Journal(path).add("a", {"printed": hostile})
    assert Journal(path).find("a") == {"key": "a", "printed": hostile}
    assert Journal(path).keys() == ["a"]
    Journal(path).add('k"\n', {"key": "b"})
    assert Journal(path).find('k"\n') == {"key": 'k"\n'}


def test_many_threads_share_one(path: Path) -> None:
    journal = Journal(path)
    wrong: list[object] = []

    def work(thread: int) -> None:
        for number in range(50):
            journal.add(f"{thread}/{number}", {"points": number})
            found = journal.find(f"{thread}/{number}")
            if found is None or found["points"] != number:
                wrong.append(found)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(journal.keys()) == 300


def test_many_processes_write_and_one_is_killed(path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from autograder.judging.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for number in range(200):\n"
        "    journal.add(f'{sys.argv[2]}/{number}', {'points': number, 'text': 'x' * 5000})\n"
        "    if number == 100 and sys.argv[2] == '0': os.kill(os.getpid(), 9)\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", script, str(path), str(n)]) for n in range(3)]
    assert [one.wait(60) for one in started] == [-9, 0, 0]
    journal = Journal(path)
    assert len(journal.keys()) == 101 + 200 + 200
    assert all(entry["points"] == int(key.split("/")[1]) for key, entry in journal.entries())


def test_a_thousand_submissions_of_seven_lessons_take_little_memory(path: Path) -> None:
    path.parent.mkdir()
    entry = {"verdicts": "x" * 4000}
    with path.open("w") as file:
        for number in range(7000):
            file.write(json.dumps({"key": f"{number:064}", **entry}) + "\n")
    journal = Journal(path)
    tracemalloc.start()
    assert journal.find(f"{6999:064}") is not None
    now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 25 << 20
    assert now < 4 << 20 and peak < 5 << 20


def test_a_journal_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match=r"journal\.jsonl cannot be written: File exists\."):
        Journal(tmp_path / "file" / "journal.jsonl").add("a", {})
    with pytest.raises(CourseError, match="cannot be read: Is a directory"):
        Journal(tmp_path).find("a")
