"""Hand-written wrong answers: the secret Cases recognise each, and it loses its groups' points, no others."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import Exercise, Lesson
from autograder.exercises import all_lessons
from cnnlab.checking import probe
from cnnlab.checking.assess import Finding, Questionnaire, assess
from tests.edits import all_edits

SECRETS = (b"first course", b"second course")
LESSONS = {lesson.name: lesson for lesson in all_lessons()}
FILES = all_edits()
EDITS = [(LESSONS[name], edit) for name, edits in FILES.items() for edit in edits.values()]


def namespace(lesson: Lesson, exercise: str, source: str) -> dict[str, Any]:
    """Run the solved lesson with one cell replaced, as a student's notebook would run."""
    names: dict[str, Any] = {"__name__": "lesson"}
    for cell in read(lesson, Course.here().script(lesson)).run:
        text = source if cell.name == exercise and cell.role == "exercise" else cell.source
        exec(compile(text, cell.name or "given", "exec"), names)
    return names


@cache
def secret(lesson: str, exercise: str, key: bytes) -> Questionnaire:
    return LESSONS[lesson].exercises[exercise].secret_questions(key)


def judged(lesson: Lesson, exercise: str, function: Any, key: bytes) -> Finding:
    questionnaire = secret(lesson.name, exercise, key)
    outcomes = [
        probe.ask(function, dict(q.inputs), questionnaire.returns, questionnaire.way)
        for q in questionnaire.questions
    ]
    return assess(questionnaire, outcomes)


def lost(exercise: Exercise, finding: Finding) -> tuple[str, ...]:
    failed = {result.question.group for result in finding.failed}
    return tuple(group for group in exercise.points if group in failed)


@pytest.mark.parametrize("lesson, edit", EDITS, ids=[edit.student for _, edit in EDITS])
@pytest.mark.parametrize("key", SECRETS, ids=["first", "second"])
def test_an_edit_is_recognised_and_loses_its_groups(lesson: Lesson, edit: Any, key: bytes) -> None:
    names = namespace(lesson, edit.exercise, edit.source)
    finding = judged(lesson, edit.exercise, names[edit.exercise], key)
    assert finding.mistake == edit.mistake
    assert bool(finding.hint) == bool(edit.mistake)
    losses = {
        name: lost(e, judged(lesson, name, names[name], key))
        for name, e in lesson.exercises.items()
        if not e.way.file
    }
    expected = {edit.exercise: edit.lost, **edit.follows}
    assert {name: groups for name, groups in losses.items() if groups} == {
        name: groups for name, groups in expected.items() if groups
    }


@pytest.mark.parametrize("name", FILES)
def test_every_exercise_has_an_edit_and_some_edits_are_unexplained(name: str) -> None:
    lesson, edits = LESSONS[name], list(FILES[name].values())
    called = {name for name, exercise in lesson.exercises.items() if not exercise.way.file}
    assert {edit.exercise for edit in edits} == called
    assert any(not edit.mistake for edit in edits)
    known = {name: {m.name for m in exercise.mistakes} for name, exercise in lesson.exercises.items()}
    assert all(edit.mistake in known[edit.exercise] | {""} for edit in edits)
    assert all("autograder" not in edit.source for edit in edits)
