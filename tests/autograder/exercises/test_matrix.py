"""The proof matrix of every lesson: its solution passes all Cases, its Mistakes are caught and told apart."""

from __future__ import annotations

import inspect
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from autograder.authoring.matrix import PAGE, page, told_apart
from autograder.authoring.script import read
from autograder.course import Course
from autograder.exercise import Exercise, Lesson, Mistake, Random
from autograder.exercises import all_lessons
from cnnlab.checking import probe, wire
from cnnlab.checking.assess import Finding, Question, Questionnaire, assess
from cnnlab.checking.cases import value_from_questionnaire

SECRETS = (b"first course", b"second course", b"third course")
LESSONS = {lesson.name: lesson for lesson in all_lessons()}
EXERCISES = [(lesson, exercise) for lesson in LESSONS.values() for exercise in lesson.exercises.values()]
MISTAKES = [(lesson, exercise, mistake) for lesson, exercise in EXERCISES for mistake in exercise.mistakes]

each_exercise = pytest.mark.parametrize("lesson, exercise", EXERCISES, ids=[e.name for _, e in EXERCISES])
each_mistake = pytest.mark.parametrize(
    "lesson, exercise, mistake", MISTAKES, ids=[f"{e.name}: {m.name}" for _, e, m in MISTAKES]
)


@cache
def solved(lesson: str) -> dict[str, Any]:
    """Run the cells of a solved lesson that are run when grading, and return its names."""
    names: dict[str, Any] = {"__name__": "lesson"}
    script = read(LESSONS[lesson], Course.here().script(LESSONS[lesson]))
    for cell in script.run:
        exec(compile(cell.source, f"{script.path}:{cell.line}", "exec"), names)
    return names


@cache
def asked(lesson: str, exercise: str, secret: bytes | None) -> Questionnaire:
    """Return the public Cases, or those of the course that holds `secret`."""
    declared = LESSONS[lesson].exercises[exercise]
    return declared.public_questions() if secret is None else declared.secret_questions(secret)


def questionnaires(lesson: Lesson, exercise: Exercise) -> list[Questionnaire]:
    """Return the public and the secret questionnaires of an Exercise; one less of whole networks, which take seconds."""
    secrets = SECRETS[:2] if lesson.assignment == "2_architectures" or exercise.way.file else SECRETS
    return [asked(lesson.name, exercise.name, secret) for secret in (None, *secrets)]


def finding(questionnaire: Questionnaire, function: Any) -> Finding:
    way = questionnaire.way  # where weights are handed in, `function` takes nothing and returns them
    outcomes = [
        probe.ask(function, {} if way.file else dict(q.inputs), questionnaire.returns, way)
        for q in questionnaire.questions
    ]
    return assess(questionnaire, outcomes)


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
    function = solved(lesson.name)[exercise.name]
    if exercise.way.file:  # that the lesson's own training makes such weights is proven where it is trained
        function = exercise.reference
    for questionnaire in questionnaires(lesson, exercise):
        failed = finding(questionnaire, function).failed
        assert not failed, [f"{r.question.words}: {r.difference and r.difference.sentence}" for r in failed]


@each_exercise
def test_the_lesson_defines_the_exercise(lesson: Lesson, exercise: Exercise) -> None:
    function = solved(lesson.name)[exercise.name]
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
        found = finding(questionnaire, mistake.function)
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

    first, second = (asked(lesson.name, exercise.name, secret) for secret in SECRETS[:2])
    assert frame(exercise.secret_questions(SECRETS[0])) == frame(first)
    assert frame(exercise.public_questions()) == frame(asked(lesson.name, exercise.name, None))
    pairs = list(zip(exercise.secret, first.questions, second.questions, strict=True))
    drawn = [(n, a, b) for c, a, b in pairs for n, v in c.inputs.items() if isinstance(v, Random)]
    arrays_drawn = [(a.inputs[n], b.inputs[n]) for n, a, b in drawn if isinstance(a.inputs[n], np.ndarray)]
    assert drawn, "a secret Case that every student can read in the repository is not secret"
    assert not any(np.array_equal(a, b) for a, b in arrays_drawn)
    assert wire.pack([a.inputs[n] for n, a, _ in drawn]) != wire.pack([b.inputs[n] for n, _, b in drawn])


@pytest.mark.slow
def test_the_page_of_the_matrix_is_the_one_just_made() -> None:
    written = (Course.here().root / PAGE).read_text(encoding="utf-8")
    assert written == page(all_lessons()), "run `make matrix`"
