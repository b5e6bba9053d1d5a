"""The proof matrix for all sets of secret Cases, and for more secrets than `make test` has time for."""

from __future__ import annotations

from itertools import combinations

import pytest

from autograder.authoring.matrix import told_apart
from autograder.exercise import SETS, Exercise, Lesson
from tests.autograder.exercises.proof import finding, solved
from tests.autograder.exercises.test_matrix import SECRET, each_exercise, finding_of_mistake

# All sets of the secret whose first ones the other tests prove, and a set of other secrets, each another set.
DRAWN = [(SECRET, which) for which in range(SETS)]
DRAWN += [(f"course {number} of a proof".encode(), number % SETS) for number in range(8)]

pytestmark = pytest.mark.proof


@pytest.mark.parametrize(
    "secret, which", DRAWN, ids=[f"secret{n}-set{which}" for n, (_, which) in enumerate(DRAWN)]
)
@each_exercise
def test_the_cases_of_any_set_are_as_strong(
    lesson: Lesson, exercise: Exercise, secret: bytes, which: int
) -> None:
    questionnaire = exercise.secret_questions(secret, which)
    function = exercise.reference if exercise.way.file else solved(lesson)[exercise.name]
    assert not finding(questionnaire, function).failed
    for mistake in exercise.mistakes:
        assert finding_of_mistake(questionnaire, mistake.name).mistake == mistake.name
    for one, other in combinations([mistake.name for mistake in exercise.mistakes], 2):
        assert any(told_apart(q, one, other) for q in questionnaire.questions), (one, other)
