"""The proof that the Cases are strong, as a table: which Mistakes they kill, and which they tell apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from autograder.exercise import Exercise, Lesson
from cnnlab.checking.assess import Question, Questionnaire
from cnnlab.checking.compare import compare

PAGE = Path("docs/matrix.md")
SECRET = b"the matrix page"  # any secret does: the tests prove it for several
HEAD = """# What the checks catch

Every exercise comes with Mistakes: wrong implementations that students really write, each with a sentence that helps.
A Mistake is *killed* when some Case fails it, by the public Cases that `check` asks and by the secret ones that grade.
Two Mistakes are *told apart* when some Case gets different results from them, so that the right one is named.
`make matrix` writes this page; a test compares it with the exercises.

| lesson | exercise | points | Cases, public + secret | Mistakes | killed by public | by secret | pairs told apart |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """What one Exercise's Cases do to its Mistakes.

    Args:
        lesson, exercise: their names.
        points: all that the exercise gives.
        cases: how many public and secret Cases there are.
        mistakes: how many Mistakes there are.
        killed: how many of them fail some public, some secret Case.
        apart: how many pairs of Mistakes both the public and the secret Cases tell apart.
        pairs: how many pairs there are.
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
        """Say whether nothing slips through."""
        return self.killed == (self.mistakes, self.mistakes) and self.apart == self.pairs


def row(lesson: Lesson, exercise: Exercise, public: Questionnaire, secret: Questionnaire) -> Row:
    """Count what the public and the secret Cases of one Exercise, as they are asked, do to its Mistakes."""
    asked = (public, secret)
    names = [mistake.name for mistake in exercise.mistakes]
    pairs = list(combinations(names, 2))
    killed = tuple(sum(_killed(questionnaire, name) for name in names) for questionnaire in asked)
    return Row(
        lesson.name,
        exercise.name,
        exercise.total,
        (len(exercise.public), len(exercise.secret)),
        len(names),
        (killed[0], killed[1]),
        sum(all(any(told_apart(q, *pair) for q in one.questions) for one in asked) for pair in pairs),
        len(pairs),
    )


def rows(lessons: Sequence[Lesson]) -> list[Row]:
    """Work out what all Cases of these lessons do."""
    return [
        row(lesson, exercise, exercise.public_questions(), exercise.secret_questions(SECRET))
        for lesson in lessons
        for exercise in lesson.exercises.values()
    ]


def page(rows: Sequence[Row]) -> str:
    """Return the page that shows these rows."""
    lines = [
        f"| {r.lesson} | `{r.exercise}` | {r.points:g} | {r.cases[0]} + {r.cases[1]} | {r.mistakes} | "
        f"{r.killed[0]} | {r.killed[1]} | {r.apart} of {r.pairs} |"
        for r in rows
    ]
    mistakes, whole = sum(r.mistakes for r in rows), sum(r.whole for r in rows)
    cases = [sum(r.cases[i] for r in rows) for i in (0, 1)]
    total = (
        f"\n{len(rows)} exercises, {cases[0]} public and {cases[1]} secret Cases, {mistakes} Mistakes; "
        f"{whole} of {len(rows)} exercises without a hole.\n"
    )
    return HEAD + "\n".join(lines) + "\n" + total


def told_apart(question: Question, one: str, other: str) -> bool:
    """Say whether two Mistakes do different things with one Case."""
    first, second = question.mistakes[one], question.mistakes[other]
    if first.kind == second.kind == "values":
        return compare(first.values, second, question.tolerance) is not None
    return (first.kind, first.error) != (second.kind, second.error)


def _killed(questionnaire: Questionnaire, name: str) -> bool:
    return any(
        compare(dict(q.expected), q.mistakes[name], q.tolerance) is not None for q in questionnaire.questions
    )
