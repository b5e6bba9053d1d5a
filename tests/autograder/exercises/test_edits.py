"""Hand-written wrong answers: the secret Cases recognise each, and it loses its groups' points, no others."""

from __future__ import annotations

from functools import cache

import pytest

from autograder.exercise import Exercise, Lesson
from autograder.sample.edit import Edit
from cnnlab.checking.assess import Finding
from tests.autograder.exercises.dependence import touched
from tests.autograder.exercises.proof import LESSONS, finding, lesson_cells, namespace, secret_cases, solved
from tests.edits import FOLDER, all_edits

SECRETS = (b"first course", b"second course")
FILES = all_edits()
EDITS = [(LESSONS[name], edit) for name, edits in FILES.items() for edit in edits.values()]


def judged(lesson: Lesson, edit: Edit, key: bytes) -> dict[str, Finding]:
    """Judge what the wrong answer touches: its exercise, and those that reach it or what it shares with them."""
    names = namespace(lesson, edit.exercise, edit.source)
    cells = lesson_cells(lesson)
    place = next(i for i, c in enumerate(cells) if (c.role, c.name) == ("exercise", edit.exercise))
    sources = [edit.source if i == place else cell.source for i, cell in enumerate(cells)]
    again = {cells[i].name for i in touched(sources, place, cells[place].source, names)}
    return {
        name: finding(secret_cases(lesson, name, key), names[name])
        for name in called(lesson)
        if name in again
    }


def called(lesson: Lesson) -> list[str]:
    """Return the exercises that are functions or classes to be called, not trained weights."""
    return [name for name, exercise in lesson.exercises.items() if not exercise.way.file]


def lost(exercise: Exercise, finding: Finding) -> tuple[str, ...]:
    failed = {result.question.group for result in finding.failed}
    return tuple(group for group in exercise.points if group in failed)


@cache
def lost_by_the_solution(lesson: Lesson, exercise: str, key: bytes) -> tuple[str, ...]:
    """Return the groups that an exercise which a wrong answer does not touch loses: as in the solved lesson."""
    found = finding(secret_cases(lesson, exercise, key), solved(lesson)[exercise])
    return lost(lesson.exercises[exercise], found)


@pytest.mark.slow
@pytest.mark.parametrize("lesson, edit", EDITS, ids=[edit.student for _, edit in EDITS])
@pytest.mark.parametrize("key", SECRETS, ids=["first", "second"])
def test_an_edit_is_recognised_and_loses_its_groups(lesson: Lesson, edit: Edit, key: bytes) -> None:
    findings = judged(lesson, edit, key)
    assert findings[edit.exercise].mistake == edit.mistake
    assert bool(findings[edit.exercise].hint) == bool(edit.mistake)
    losses = {
        name: lost(lesson.exercises[name], findings[name])
        if name in findings
        else lost_by_the_solution(lesson, name, key)
        for name in called(lesson)
    }
    expected = {edit.exercise: edit.lost, **edit.follows}
    assert {name: groups for name, groups in losses.items() if groups} == {
        name: groups for name, groups in expected.items() if groups
    }


@pytest.mark.parametrize("name", FILES)
def test_every_exercise_has_an_edit_and_some_edits_are_unexplained(name: str) -> None:
    lesson, edits = LESSONS[name], list(FILES[name].values())
    assert {edit.exercise for edit in edits} == set(called(lesson))
    assert any(not edit.mistake for edit in edits)
    known = {name: {m.name for m in exercise.mistakes} for name, exercise in lesson.exercises.items()}
    assert all(edit.mistake in known[edit.exercise] | {""} for edit in edits)
    assert all("autograder" not in edit.source for edit in edits)
    assert len({edit.source for edit in edits}) == len(edits)


def test_every_script_of_wrong_answers_is_a_lessons() -> None:
    assert {path.stem for path in FOLDER.glob("[0-9]*")} == set(LESSONS)
