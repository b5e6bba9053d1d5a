"""The proof matrix for more secrets than `make test` has time for."""

from __future__ import annotations

from itertools import combinations

import pytest

from autograder.authoring.matrix import told_apart
from autograder.exercise import Exercise, Lesson
from tests.autograder.exercises.proof import finding, solved
from tests.autograder.exercises.test_matrix import each_exercise, finding_of_mistake

SECRETS = [f"course {number} of a proof".encode() for number in range(8)]

pytestmark = pytest.mark.proof


@pytest.mark.parametrize("secret", SECRETS, ids=[f"secret{n}" for n in range(len(SECRETS))])
@each_exercise
def test_the_cases_of_another_secret_are_as_strong(lesson: Lesson, exercise: Exercise, secret: bytes) -> None:
    questionnaire = exercise.secret_questions(secret)
    function = exercise.reference if exercise.way.file else solved(lesson)[exercise.name]
    assert not finding(questionnaire, function).failed
    for mistake in exercise.mistakes:
        assert finding_of_mistake(questionnaire, mistake.name).mistake == mistake.name
    for one, other in combinations([mistake.name for mistake in exercise.mistakes], 2):
        assert any(told_apart(q, one, other) for q in questionnaire.questions), (one, other)
