"""The doctor reads course.toml and roster.csv: each fault must be found, and who else can read or change them."""

from __future__ import annotations

import pytest

from autograder import configuration, doctor
from autograder.course import Course
from autograder.doctor.own_course import own_course
from tests.autograder.doctor.doctor_sample import said


def write(course: Course, name: str, content: str) -> None:
    path = course.work.parent / name
    path.touch(mode=0o600)
    path.write_text(content)


def test_without_the_files_there_is_nothing_to_find(course: Course) -> None:
    assert own_course in doctor.CHECKS and own_course(course) == []


def test_files_in_order_are_a_note_of_what_they_hold(course: Course) -> None:
    write(course, "roster.csv", "student\nada\nben\n")
    assert said(own_course(course), "note").endswith("roster.csv is in order: 2 students.")
    configuration.write_default(course)
    assert own_course(course)[1].sentence.endswith(
        "course.toml is in order: it sets nothing, so that everything is as without it."
    )
    write(
        course,
        "course.toml",
        "time_zone = 'UTC'\n[late]\nper_day = 0.1\n[[lessons]]\nname = '1_layers/04_pooling'\ndue = 2026-10-05\n"
        "[exemptions]\nada = ['1_layers/04_pooling']\n",
    )
    assert [finding.kind for finding in own_course(course)] == ["note", "note"]
    assert (
        "1 lesson, 1 due date, a late rule, 0 students with extensions, 1 student with exemptions, follow-through off"
        in own_course(course)[1].sentence
    )


def test_each_fault_is_a_problem_of_one_line(course: Course) -> None:
    write(course, "course.toml", "titel = 'x'\nfollow_through = 1\n")
    found = own_course(course)
    assert [finding.kind for finding in found] == ["problem", "problem"]
    assert "course.toml:1: there is no key titel: did you mean title?" in found[0].sentence
    write(course, "roster.csv", "name\nAda\n")
    write(course, "course.toml", "title = 'x'\n")
    assert "roster.csv:1: the file needs a first line with student_id" in said(own_course(course))


@pytest.mark.parametrize("name", ["course.toml", "roster.csv"])
def test_a_file_that_others_can_read_or_change_is_found(course: Course, name: str) -> None:
    write(course, name, "student\nada\n" if name == "roster.csv" else "")
    path = course.work.parent / name
    path.chmod(0o644)
    assert own_course(course)[1] == doctor.note(
        f"Other users of this machine can read {path}: chmod 600 {path}"
    )
    path.chmod(0o622)
    assert own_course(course)[1] == doctor.problem(
        f"Other users of this machine can change {path}: chmod 600 {path}"
    )
    path.chmod(0o660)
    assert len(own_course(course)) == 1
