"""The table that proves the Cases strong: which Mistakes they catch, and which they tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from autograder.exercise import Exercise, Lesson
from cnnlab.checking.compare import compare
from cnnlab.checking.question import Question, Questionnaire

PAGE = Path("docs/matrix.md")
SECRET = b"the matrix page"  # any secret will do: the tests prove the page for several
HEAD = """# What the checks catch

Every exercise comes with Mistakes: wrong implementations that students really write, each with a sentence that helps.
A Mistake is *killed* when some Case fails it, by the public Cases that `check` asks and by the secret ones that grade.
Two Mistakes are *told apart* when some Case gets different results from them, so that the right one is named.
`make matrix` writes this page; a test compares it with the exercises.

| lesson | exercise | points | Cases, public + secret | Mistakes | killed by public | by secret | pairs told apart |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class CaseStrength:
    """The strength of one Exercise's Cases against its Mistakes.

    Args:
        lesson, exercise: their names.
        points: all that the exercise gives.
        cases: the numbers of public and secret Cases.
        mistakes: the number of Mistakes.
        killed: the numbers of Mistakes that fail a public Case, and that fail a secret Case.
        apart: the number of pairs of Mistakes that both the public and the secret Cases tell apart.
        pairs: the number of pairs of Mistakes.
    """

    lesson: str
    exercise: str
    points: float
    cases: tuple[int, int]
    mistakes: int
    killed: tuple[int, int]
    apart: int
    pairs: int

    @property
    def whole(self) -> bool:
        """Say whether the Cases catch every Mistake and tell every pair apart."""
        return self.killed == (self.mistakes, self.mistakes) and self.apart == self.pairs


def measure(lesson: Lesson, exercise: Exercise, public: Questionnaire, secret: Questionnaire) -> CaseStrength:
    """Measure the Cases of one Exercise against its Mistakes.

    Args:
        lesson: the lesson that the Exercise belongs to.
        exercise: the Exercise.
        public: its public Cases, as they are asked.
        secret: its secret Cases, as they are asked.
    """
    asked = (public, secret)
    names = [mistake.name for mistake in exercise.mistakes]
    pairs = list(combinations(names, 2))
    killed = tuple(sum(_killed(questionnaire, name) for name in names) for questionnaire in asked)
    return CaseStrength(
        lesson.name,
        exercise.name,
        exercise.total,
        (len(exercise.public), len(exercise.secret)),
        len(names),
        (killed[0], killed[1]),
        sum(all(any(told_apart(q, *pair) for q in one.questions) for one in asked) for pair in pairs),
        len(pairs),
    )


def measure_all(lessons: Sequence[Lesson], which: int = 0) -> list[CaseStrength]:
    """Measure the Cases of every Exercise of these lessons against its Mistakes.

    Args:
        lessons: the lessons.
        which: the set of secret Cases, from 0 to SETS - 1.
    """
    return [
        measure(lesson, exercise, exercise.public_questions(), exercise.secret_questions(SECRET, which))
        for lesson in lessons
        for exercise in lesson.exercises.values()
    ]


def page(strengths: Sequence[CaseStrength]) -> str:
    """Return the page with a row for each Exercise."""
    lines = [
        f"| {one.lesson} | `{one.exercise}` | {one.points:g} | {one.cases[0]} + {one.cases[1]} | {one.mistakes} | "
        f"{one.killed[0]} | {one.killed[1]} | {one.apart} of {one.pairs} |"
        for one in strengths
    ]
    mistakes, whole = sum(one.mistakes for one in strengths), sum(one.whole for one in strengths)
    cases = [sum(one.cases[i] for one in strengths) for i in (0, 1)]
    total = (
        f"\n{len(strengths)} exercises, {cases[0]} public and {cases[1]} secret Cases, {mistakes} Mistakes; "
        f"{whole} of {len(strengths)} exercises without a hole.\n"
    )
    return HEAD + "\n".join(lines) + "\n" + total


def told_apart(question: Question, one: str, other: str) -> bool:
    """Say whether two Mistakes give different results for one Case.

    Args:
        question: the Case, as it is asked.
        one, other: the Mistakes' names.
    """
    first, second = question.mistakes[one], question.mistakes[other]
    if first.kind == second.kind == "values":
        return compare(first.values, second, question.tolerance) is not None
    return (first.kind, first.error) != (second.kind, second.error)


def _killed(questionnaire: Questionnaire, name: str) -> bool:
    return any(
        compare(dict(q.expected), q.mistakes[name], q.tolerance) is not None for q in questionnaire.questions
    )
