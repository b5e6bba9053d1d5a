"""The course.toml that `autograder sync` writes sets nothing, and with its comment marks taken away it is sound."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from autograder import cli, configuration
from autograder.configuration import CourseFile, schema
from autograder.configuration.default_file import default_text
from autograder.course import Course
from autograder.judging import secret_cases
from autograder.recording import registration
from tests.autograder.configuration.conftest import Writer


def test_it_changes_nothing(course: Course) -> None:
    path = configuration.write_default(course)
    assert path == configuration.course_file_path(course)
    assert configuration.course_file(course) == CourseFile()
    assert path and path.stat().st_mode & 0o777 == 0o600


def test_without_its_comment_marks_it_is_sound_and_has_every_key(course: Course, write: Writer) -> None:
    text = default_text(course, date(2026, 9, 28))
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]
    write("course.toml", re.sub("^#(?! )", "", text, flags=re.MULTILINE))
    found = configuration.course_file(course)
    lessons = [f"{one}/{lesson.name}" for one in course.assignments() for lesson in course.lessons(one)]
    assert [lesson.name for lesson in found.lessons] == lessons and found.lessons[0].due
    assert found.lessons[0].due.isoformat() == "2026-10-05T23:59:59.999999+02:00"
    assert found.late and found.extensions and found.exemptions and found.follow_through
    for table in schema.TABLES.values():
        for key in table.model_fields:
            assert re.search(rf"^#(\[*{key}\b|{key} = )", text, re.MULTILINE), key


def test_it_never_takes_the_place_of_another(course: Course, write: Writer) -> None:
    write("course.toml", "title = 'Mine'\n")
    assert configuration.write_default(course) is None
    path = configuration.course_file_path(course)
    assert path.read_text() == "title = 'Mine'\n"
    path.unlink()
    path.symlink_to("nowhere")
    assert configuration.write_default(course) is None and path.is_symlink()


def test_sync_writes_it_once_and_goes_on_where_it_cannot(
    course: Course, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(registration, "sync", lambda course, assignment: None)  # which has tests of its own
    options = cli._parser().parse_args(["sync"])
    path = configuration.course_file_path(course)
    assert options.run(course, options) == 0
    assert f"{path} is written for you to edit" in capsys.readouterr().out
    path.write_text("title = 'Mine'\n")
    assert options.run(course, options) == 0
    assert path.read_text() == "title = 'Mine'\n" and "course.toml" not in capsys.readouterr().out

    worked_out: list[str] = []
    monkeypatch.setattr(secret_cases, "work_out", lambda course, lesson: worked_out.append(lesson.name))
    assert options.run(course, options) == 0 and not worked_out
    all_sets = cli._parser().parse_args(["sync", "--work-out"])
    assert all_sets.run(course, all_sets) == 0 and "01_why_convolution" in worked_out

    elsewhere = Course(course.root, Path("/proc/work"))
    assert options.run(elsewhere, options) == 0
    assert "No course.toml could be written for you to edit" in capsys.readouterr().out
