"""The proof matrix of every lesson: its solution passes all Cases, its Mistakes are caught and told apart."""

from __future__ import annotations

import inspect
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from autograder.authoring.matrix import PAGE, page, row, rows, told_apart
from autograder.course import Course
from autograder.exercise import Exercise, Lesson, Mistake, Random
from cnnlab.checking import cases, wire
from cnnlab.checking.assess import Finding, Question, Questionnaire, assess
from cnnlab.checking.cases import value_from_questionnaire
from cnnlab.checking.way import CALL
from tests.autograder.exercises.proof import LESSONS, finding, secret_cases, solved

SECRETS = (b"first course", b"second course", b"third course")
EXERCISES = [(lesson, exercise) for lesson in LESSONS.values() for exercise in lesson.exercises.values()]
MISTAKES = [(lesson, exercise, mistake) for lesson, exercise in EXERCISES for mistake in exercise.mistakes]

each_exercise = pytest.mark.parametrize("lesson, exercise", EXERCISES, ids=[e.name for _, e in EXERCISES])
each_mistake = pytest.mark.parametrize(
    "lesson, exercise, mistake", MISTAKES, ids=[f"{e.name}: {m.name}" for _, e, m in MISTAKES]
)


def questionnaires(lesson: Lesson, exercise: Exercise) -> list[Questionnaire]:
    """Return the public and the secret questionnaires of an Exercise; one less of whole networks, which take seconds.

    The public ones are those that `check` reads: that they are the declared ones, byte for byte, is proven with all files
    that are built (tests/autograder/authoring/test_build.py).
    """
    secrets = SECRETS[:2] if lesson.assignment == "2_architectures" or exercise.way.file else SECRETS
    return [cases.load(exercise.name), *(secret_cases(lesson, exercise.name, secret) for secret in secrets)]


def finding_of_mistake(questionnaire: Questionnaire, mistake: str) -> Finding:
    """Judge what a Mistake did when the questionnaire was worked out, which is summed up already."""
    outcomes = [question.mistakes[mistake] for question in questionnaire.questions]
    return assess(replace(questionnaire, way=CALL), outcomes)


def shapes(question: Question) -> str:
    """Return what a Case asks but for the values of its arrays."""
    return repr(
        {
            name: value.shape if isinstance(value, np.ndarray) else value
            for name, value in sorted(question.inputs.items())
        }
    )


def arrays(questionnaire: Questionnaire) -> set[tuple[Any, ...]]:
    values = [v for q in questionnaire.questions for v in q.inputs.values() if isinstance(v, np.ndarray)]
    return {(v.shape, v.tobytes()) for v in values}


@each_exercise
def test_the_solution_passes_every_case(lesson: Lesson, exercise: Exercise) -> None:
    function = solved(lesson)[exercise.name]
    if exercise.way.file:  # that the lesson's own training makes such weights is proven where it is trained
        function = exercise.reference
    for questionnaire in questionnaires(lesson, exercise):
        failed = finding(questionnaire, function).failed
        assert not failed, [f"{r.question.words}: {r.difference and r.difference.sentence}" for r in failed]


@each_exercise
def test_the_lesson_defines_the_exercise(lesson: Lesson, exercise: Exercise) -> None:
    function = solved(lesson)[exercise.name]
    assert lesson.exercises[exercise.name] is exercise
    assert function.__name__ == exercise.name
    assert inspect.getdoc(function)
    parameters = inspect.signature(function).parameters
    if exercise.way.file:
        return
    for case in (*exercise.public, *exercise.secret):
        arguments = exercise.way.arguments(case.inputs)
        inspect.signature(function).bind(**arguments)
        assert set(arguments) <= set(parameters), case.words


@each_exercise
def test_points_and_mistakes_are_declared_in_full(lesson: Lesson, exercise: Exercise) -> None:
    assert all(points > 0 and points == int(points) for points in exercise.points.values())
    assert len(exercise.mistakes) >= 3 or exercise.few_mistakes
    names = [mistake.name for mistake in exercise.mistakes]
    assert len(set(names)) == len(names)
    for mistake in exercise.mistakes:
        assert mistake.name == mistake.name.strip() != ""
        assert mistake.hint[0].isupper() and mistake.hint.endswith("."), mistake.name
    words = [case.words for case in (*exercise.public, *exercise.secret)]
    assert len(set(words)) == len(words)


@each_mistake
def test_a_mistake_is_killed_and_recognised(lesson: Lesson, exercise: Exercise, mistake: Mistake) -> None:
    for questionnaire in questionnaires(lesson, exercise):
        found = finding_of_mistake(questionnaire, mistake.name)
        assert found.failed
        assert found.mistake == mistake.name
        assert found.hint == mistake.hint


@each_exercise
def test_any_two_mistakes_are_told_apart(lesson: Lesson, exercise: Exercise) -> None:
    for questionnaire in questionnaires(lesson, exercise):
        for one, other in combinations([mistake.name for mistake in exercise.mistakes], 2):
            assert any(told_apart(q, one, other) for q in questionnaire.questions), (one, other)


@each_exercise
def test_no_secret_case_is_a_public_one(lesson: Lesson, exercise: Exercise) -> None:
    public, *secret = questionnaires(lesson, exercise)
    known = {shapes(q) for q in public.questions}
    for questionnaire in secret:
        assert not known & {shapes(q) for q in questionnaire.questions}
        assert not arrays(public) & arrays(questionnaire)


@each_exercise
def test_a_secret_gives_the_same_cases_again_and_another_gives_others(
    lesson: Lesson, exercise: Exercise
) -> None:
    def frame(questionnaire: Questionnaire) -> bytes:
        return wire.pack(value_from_questionnaire(questionnaire))

    first, second = (secret_cases(lesson, exercise.name, secret) for secret in SECRETS[:2])
    # What the reference and the Mistakes do is worked out anew: it, too, must be the same again.
    assert frame(exercise.secret_questions(SECRETS[0])) == frame(first)
    pairs = list(zip(exercise.secret, first.questions, second.questions, strict=True))
    drawn = [(n, a, b) for c, a, b in pairs for n, v in c.inputs.items() if isinstance(v, Random)]
    arrays_drawn = [(a.inputs[n], b.inputs[n]) for n, a, b in drawn if isinstance(a.inputs[n], np.ndarray)]
    assert drawn, "a secret Case that every student can read in the repository is not secret"
    assert not any(np.array_equal(a, b) for a, b in arrays_drawn)
    assert wire.pack([a.inputs[n] for n, a, _ in drawn]) != wire.pack([b.inputs[n] for n, _, b in drawn])


def test_the_page_of_the_matrix_is_the_one_just_made() -> None:
    made = [row(lesson, exercise, *questionnaires(lesson, exercise)[:2]) for lesson, exercise in EXERCISES]
    assert page(made) == (Course.here().root / PAGE).read_text(encoding="utf-8"), "run `make matrix`"


@pytest.mark.slow
def test_the_page_of_the_matrix_is_the_same_for_its_own_secret() -> None:
    written = (Course.here().root / PAGE).read_text(encoding="utf-8")
    assert written == page(rows(list(LESSONS.values()))), "run `make matrix`"
