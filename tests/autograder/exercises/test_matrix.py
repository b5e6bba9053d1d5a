"""The proof matrix of every lesson: its solution passes all Cases, its Mistakes are caught and told apart."""

from __future__ import annotations

import inspect
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from autograder.authoring.matrix import PAGE, measure, measure_all, page, told_apart
from autograder.course import Course
from autograder.exercise import Case, Exercise, Lesson, Random, seed_of
from cnnlab.checking import cases, wire
from cnnlab.checking.assess import Finding, assess
from cnnlab.checking.cases import value_from_questionnaire
from cnnlab.checking.question import Question, Questionnaire
from cnnlab.checking.way import CALL
from tests.autograder.exercises.proof import LESSONS, finding, secret_cases, solved

SECRET = b"a course"
SETS = {"set0": 0, "set1": 1}
# Whole networks, whose secret Cases take seconds: `make test` proves their public ones.
WHOLE = {"GoogLeNet", "trained_lenet", "trained_resnet", "trained_network"}
DAILY = "set0"  # the set that `make test` proves; `make slow` proves the next, `make proof` all
PUBLIC = "public"
EXERCISES = [(lesson, exercise) for lesson in LESSONS.values() for exercise in lesson.exercises.values()]


def parameters(public: bool, mistakes: bool = False) -> list[Any]:
    """List lessons' Exercises, each with every set of its Cases, and perhaps with each of its Mistakes."""
    return [
        pytest.param(
            *(lesson, exercise, which, *name),
            id="-".join([exercise.name, *name, which]),
            marks=[]
            if which == PUBLIC or (which == DAILY and exercise.name not in WHOLE)
            else [pytest.mark.slow],
        )
        for lesson, exercise in EXERCISES
        for which in [*([PUBLIC] if public else []), *SETS]
        for name in ([[mistake.name] for mistake in exercise.mistakes] if mistakes else [[]])
    ]


each_exercise = pytest.mark.parametrize("lesson, exercise", EXERCISES, ids=[e.name for _, e in EXERCISES])
each_set = pytest.mark.parametrize("lesson, exercise, which", parameters(public=True))
each_secret = pytest.mark.parametrize("lesson, exercise, which", parameters(public=False))
each_mistake = pytest.mark.parametrize(
    "lesson, exercise, which, mistake", parameters(public=True, mistakes=True)
)


def questionnaire(lesson: Lesson, exercise: Exercise, which: str) -> Questionnaire:
    """Return the public Cases or a set of the secret ones.

    The public ones are those that `check` reads: that they are the declared ones is proven with all files that are built
    (tests/autograder/authoring/test_build.py).
    """
    return (
        cases.load(exercise.name)
        if which == PUBLIC
        else secret_cases(lesson, exercise.name, SECRET, SETS[which])
    )


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


def is_drawn(case: Case, name: str) -> bool:
    """Say whether the input is drawn from a seed: as a Random, or as one that the Case leaves open."""
    return name not in case.inputs or isinstance(case.inputs[name], Random)


def arrays(questionnaire: Questionnaire) -> set[tuple[Any, ...]]:
    """Return the arrays of all Cases but those of one or two whole numbers, as labels, which meet by chance."""
    values = [v for q in questionnaire.questions for v in q.inputs.values() if isinstance(v, np.ndarray)]
    return {(v.shape, v.tobytes()) for v in values if v.dtype.kind == "f" or v.size > 2}


@each_set
def test_the_solution_passes_every_case(lesson: Lesson, exercise: Exercise, which: str) -> None:
    function = solved(lesson)[exercise.name]
    if exercise.way.file:  # that the lesson's own training makes such weights is proven where it is trained
        function = exercise.reference
    failed = finding(questionnaire(lesson, exercise, which), function).failed
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
        arguments = exercise.way.arguments(dict.fromkeys(case.names))
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
def test_a_mistake_is_killed_and_recognised(
    lesson: Lesson, exercise: Exercise, which: str, mistake: str
) -> None:
    found = finding_of_mistake(questionnaire(lesson, exercise, which), mistake)
    assert found.failed
    assert found.mistake == mistake
    assert found.hint == next(one.hint for one in exercise.mistakes if one.name == mistake)


@each_set
def test_any_two_mistakes_are_told_apart(lesson: Lesson, exercise: Exercise, which: str) -> None:
    questions = questionnaire(lesson, exercise, which).questions
    for one, other in combinations([mistake.name for mistake in exercise.mistakes], 2):
        assert any(told_apart(q, one, other) for q in questions), (one, other)


@each_secret
def test_no_secret_case_is_a_public_one(lesson: Lesson, exercise: Exercise, which: str) -> None:
    public, secret = questionnaire(lesson, exercise, PUBLIC), questionnaire(lesson, exercise, which)
    assert not {shapes(q) for q in public.questions} & {shapes(q) for q in secret.questions}
    assert not arrays(public) & arrays(secret)


@each_exercise
def test_another_set_gives_other_cases(lesson: Lesson, exercise: Exercise) -> None:
    first, second = (exercise.draw(seed_of(SECRET, which), exercise.secret) for which in SETS.values())
    pairs = list(zip(exercise.secret, first, second, strict=True))
    random = [(a[n], b[n]) for c, a, b in pairs for n in sorted(c.names) if is_drawn(c, n)]
    assert random, "a secret Case that every student can read in the repository is not secret"
    assert not any(np.array_equal(a, b) for a, b in random if isinstance(a, np.ndarray))
    assert wire.pack([a for a, _ in random]) != wire.pack([b for _, b in random])


@each_secret
def test_what_is_asked_is_what_the_set_draws(lesson: Lesson, exercise: Exercise, which: str) -> None:
    asked = [dict(q.inputs) for q in questionnaire(lesson, exercise, which).questions]
    assert wire.pack(asked) == wire.pack(exercise.draw(seed_of(SECRET, SETS[which]), exercise.secret))


@pytest.mark.slow
@each_exercise
def test_a_secret_gives_the_same_cases_and_outcomes_again(lesson: Lesson, exercise: Exercise) -> None:
    again = exercise.secret_questions(SECRET, SETS[DAILY])
    assert wire.pack(value_from_questionnaire(again)) == wire.pack(
        value_from_questionnaire(questionnaire(lesson, exercise, DAILY))
    )


def test_the_page_of_the_matrix_is_the_one_just_made() -> None:
    made = []
    for lesson, exercise in EXERCISES:
        # For whole networks the public Cases stand in for the secret ones, which `make slow` proves to be as strong.
        which = PUBLIC if exercise.name in WHOLE else DAILY
        asked = (questionnaire(lesson, exercise, PUBLIC), questionnaire(lesson, exercise, which))
        made.append(measure(lesson, exercise, *asked))
    assert page(made) == (Course.here().root / PAGE).read_text(encoding="utf-8"), "run `make matrix`"


@pytest.mark.slow
def test_the_page_of_the_matrix_is_the_same_for_its_own_secret() -> None:
    written = (Course.here().root / PAGE).read_text(encoding="utf-8")
    assert written == page(measure_all(list(LESSONS.values()))), "run `make matrix`"
